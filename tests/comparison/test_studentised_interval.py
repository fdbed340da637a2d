"""Intervals over events: they cover what they promise, and say when they cannot."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.comparison import studentised_interval
from forecasting.errors import InvalidInput


def skewed(rng, clusters):
    """Values of mean 1 that share an exponential effect within their cluster, four to each."""
    code = np.repeat(np.arange(clusters), 4)
    return rng.exponential(1, clusters)[code] + rng.normal(0, 0.3, len(code)), code


def differences(rng, clusters):
    """Brier differences of a noisy and an exact forecaster; their mean is the noise's variance."""
    size = 1 + rng.geometric(0.3, clusters)
    code = np.repeat(np.arange(clusters), size)
    chance = rng.uniform(0.3, 0.7, clusters)[code]
    happened = rng.random(clusters)[code] < chance
    noise = rng.normal(0, 0.1, len(code))
    return (chance + noise - happened) ** 2 - (chance - happened) ** 2, code


@pytest.mark.parametrize(("draw", "truth"), [(skewed, 1.0), (differences, 0.01)])
@pytest.mark.parametrize("clusters", [12, 30])
def test_a_95_percent_interval_covers_about_95_percent(draw, truth, clusters):
    rng = np.random.default_rng(5)
    runs, hits = 400, 0
    for run in range(runs):
        found = studentised_interval(*draw(rng, clusters), resamples=499, seed=run)
        hits += found.lower <= truth <= found.upper
    # Three standard errors of a share of .95 among 400 are .033.
    assert 0.93 - 0.02 <= hits / runs <= 0.97 + 0.02


def test_percentiles_of_resampled_means_would_not():
    # The negative control: the same data, the bootstrap that most people write.
    rng = np.random.default_rng(5)
    runs, hits, naive = 400, 0, 0
    for run in range(runs):
        values, _ = skewed(rng, 12)
        means = values.reshape(12, 4).mean(axis=1)
        drawn = np.random.default_rng(run).integers(0, 12, (499, 12))
        low, high = np.quantile(means[drawn].mean(axis=1), [0.025, 0.975])
        hits += low <= 1 <= high
        rows = np.random.default_rng(run).integers(0, 48, (499, 48))
        low, high = np.quantile(values[rows].mean(axis=1), [0.025, 0.975])
        naive += low <= 1 <= high
    assert hits / runs < 0.9
    # And rows taken as independent are worse still.
    assert naive / runs < 0.75


def test_the_mean_is_over_questions_and_not_over_events():
    values = [1.0] * 9 + [0.0] * 7
    clusters = [0] * 9 + list(range(1, 8))
    assert studentised_interval(values, clusters).mean == 9 / 16


def test_the_standard_error_by_hand():
    # Eight clusters of two, residual sums +2 or -2 about a mean of 0: 8/7 x 32 / 16^2 = 1/7.
    values = np.repeat([1.0, -1.0], 8)
    found = studentised_interval(values, np.repeat(np.arange(8), 2))
    assert found.standard_error == pytest.approx(math.sqrt(1 / 7))
    # t of 7 degrees of freedom: 2.3646 at 97.5 % and .8960 at 80 %.
    assert found.detectable == pytest.approx((2.364624 + 0.896030) * math.sqrt(1 / 7), rel=1e-6)


VALUES = st.lists(st.floats(-1, 1).map(lambda x: round(x, 3)), min_size=16, max_size=16)


@given(values=VALUES, seed=st.integers(0, 50))
def test_order_and_names_do_not_matter(values, seed):
    x, code = np.array(values), np.repeat(np.arange(8), 2)
    rng = np.random.default_rng(seed)
    rows, names = rng.permutation(16), rng.permutation(8)
    first = studentised_interval(x, code, resamples=199)
    second = studentised_interval(x[rows], [f"event {names[c]}" for c in code[rows]], resamples=199)
    for name in ("mean", "lower", "upper", "detectable"):
        assert getattr(first, name) == pytest.approx(getattr(second, name), nan_ok=True, abs=1e-9)


@given(values=VALUES, scale=st.sampled_from([0.01, 1.0, 1000.0]), shift=st.floats(-5, 5))
def test_other_units_give_the_same_interval_in_those_units(values, scale, shift):
    x, code = np.array(values), np.repeat(np.arange(8), 2)
    first = studentised_interval(x, code, resamples=199)
    second = studentised_interval(shift + scale * x, code, resamples=199)
    for name in ("mean", "lower", "upper"):
        moved = shift + scale * getattr(first, name)
        tolerance = 1e-6 * max(scale, 1)
        assert getattr(second, name) == pytest.approx(moved, nan_ok=True, abs=tolerance)


def test_a_seed_gives_the_same_and_another_seed_nearly_so():
    values, code = skewed(np.random.default_rng(0), 20)
    first, again = (studentised_interval(values, code) for _ in range(2))
    other = studentised_interval(values, code, seed=1)
    assert first == again
    assert first != other
    assert first.upper - other.upper == pytest.approx(0, abs=0.1 * (first.upper - first.lower))


def test_a_higher_level_is_wider():
    values, code = skewed(np.random.default_rng(0), 20)
    half, most = (studentised_interval(values, code, level=level) for level in (0.5, 0.99))
    assert most.lower < half.lower < half.mean < half.upper < most.upper


def test_below_eight_clusters_there_is_no_interval():
    found = studentised_interval(np.arange(21.0), np.repeat(np.arange(7), 3))
    assert found.mean == 10
    assert math.isnan(found.lower)
    assert math.isnan(found.upper)
    assert found.note.startswith("too few: 7 clusters")
    assert found.detectable > 0


def test_one_value():
    found = studentised_interval([0.3], ["only"])
    assert (found.mean, found.n, found.n_clusters) == (0.3, 1, 1)
    assert math.isnan(found.lower)
    assert math.isnan(found.detectable)
    assert found.note.startswith("too few: 1 cluster,")


@pytest.mark.parametrize("value", [0.0, 0.1, -7.3])
def test_equal_values_show_no_spread_and_so_no_interval(value):
    found = studentised_interval([value] * 30, np.repeat(np.arange(10), 3))
    assert found.mean == value
    assert math.isnan(found.lower)
    assert "no spread" in found.note
    assert found.standard_error == 0


def test_a_single_cluster_that_differs_is_no_basis_for_an_interval():
    values = np.zeros(12)
    values[3] = 1
    found = studentised_interval(values, range(12))
    assert math.isnan(found.lower)
    assert "too little spread" in found.note
    assert found.standard_error > 0


def test_many_ties_with_some_spread_give_a_finite_interval():
    values = np.repeat([0.0, 0.5, 1.0], 6)
    found = studentised_interval(values, range(18))
    assert found.lower < 0.5 < found.upper


def test_infinite_scores_of_both_signs_have_no_mean():
    found = studentised_interval([np.inf, -np.inf, 0.1], "abc")
    assert np.isnan(found.mean)
    assert "both signs" in found.note


def test_an_infinite_score_leaves_no_interval():
    found = studentised_interval([math.inf, *range(9)], range(10))
    assert found.mean == math.inf
    assert "infinite" in found.note


@pytest.mark.parametrize(
    ("arguments", "options", "said"),
    [
        (([], []), {}, "empty"),
        (([1.0, math.nan], [0, 1]), {}, r"values \(nan at 1\)"),
        (([1.0, 2.0], [0]), {}, "values and clusters"),
        (([1.0, 2.0], [0, None]), {}, r"clusters \(missing at 1\)"),
        (([1.0], [0]), {"level": 1}, "level"),
        (([1.0], [0]), {"resamples": 5}, "resamples"),
    ],
)
def test_refusals(arguments, options, said):
    with pytest.raises(InvalidInput, match=said):
        studentised_interval(*arguments, **options)
