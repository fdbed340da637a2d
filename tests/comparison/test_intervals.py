"""Intervals over events: they cover what they promise, and say when they cannot."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.comparison import difference_interval, level_interval

#: Questions an event, as a bank of a dozen negotiations has them.
UNEQUAL = (5, 4, 3, 2, 2, 2, 2, 2, 2, 2, 1, 1)
UPDATES = 20
INTERVALS = [difference_interval, level_interval]


def record(rng, events, lean=0.0):
    """Time-averaged Brier scores of a noisy forecaster, twenty updates a question, and events.

    What decides the rungs of an event, and what the forecaster misjudges, they have in common.
    """
    event = np.repeat(np.arange(events), np.resize(UNEQUAL, events))
    truth = rng.normal(0, 1.2, events)[event] + 0.3 * rng.normal(0, 1, len(event))
    happened = rng.random(events)[event] < 1 / (1 + np.exp(-truth))

    def scores(shift):
        noise = rng.normal(0, 0.6, events)[event] + rng.normal(0, 0.3, len(event)) + shift
        walk = np.cumsum(rng.normal(0, 0.1, (len(event), UPDATES)), axis=1)
        forecast = 1 / (1 + np.exp(-(truth + noise)[:, None] - walk))
        return (forecast - happened[:, None]) ** 2

    return scores(0.0), scores(lean), event


def differences(rng, events):
    mine, theirs, event = record(rng, events, lean=0.5)
    return (mine - theirs).mean(axis=1), event


def levels(rng, events):
    scores, _, event = record(rng, events)
    return scores.mean(axis=1), event


def long_run(draw):
    rng = np.random.default_rng(99)
    return float(np.concatenate([draw(rng, 4_000)[0] for _ in range(25)]).mean())


def covered(interval, draw, events, runs, **options):
    truth, rng = long_run(draw), np.random.default_rng(events)
    intervals = [
        interval(*draw(rng, events), resamples=499, seed=i, **options) for i in range(runs)
    ]
    return float(np.mean([one.lower <= truth <= one.upper for one in intervals]))


KINDS = pytest.mark.parametrize(
    ("interval", "draw", "options"),
    [(difference_interval, differences, {}), (level_interval, levels, {"bounds": (0, 1)})],
)


@KINDS
@pytest.mark.parametrize(
    ("events", "runs"),
    [(30, 400), *(pytest.param(n, 2_000, marks=pytest.mark.deep) for n in (12, 20, 30, 100, 400))],
)
def test_it_covers_93_to_97_percent(interval, draw, options, events, runs):
    if interval is level_interval and events < 20:
        assert math.isnan(interval(*draw(np.random.default_rng(0), events), **options).lower)
        return
    share = covered(interval, draw, events, runs, **options)
    print(f"{interval.__name__}, {events} events: {share:.3f}")
    if runs < 2_000:
        # Three standard errors of a share of .95 among 400 are .033.
        assert share == pytest.approx(0.95, abs=0.033)
    else:
        # Two standard errors of a share of .95 among 2,000 are .01.
        assert 0.93 - 0.01 <= share <= 0.97 + 0.01


def test_percentiles_and_updates_taken_as_independent_would_not():
    # The negative controls: the bootstrap that most people write, and rows in place of events.
    rng, truth, percentile, rows = np.random.default_rng(5), long_run(levels), 0, 0
    for _ in range(300):
        scores, _, event = record(rng, 12)
        totals = np.bincount(event, weights=scores.mean(axis=1))
        drawn = rng.integers(0, 12, (499, 12))
        means = totals[drawn].sum(axis=1) / np.bincount(event)[drawn].sum(axis=1)
        low, high = np.quantile(means, [0.025, 0.975])
        percentile += low <= truth <= high
        rows += abs(scores.mean() - truth) <= 1.96 * scores.std() / math.sqrt(scores.size)
    assert percentile / 300 < 0.93
    assert rows / 300 < 0.6


def test_the_mean_is_over_questions_and_not_over_events():
    values = [1.0] * 9 + [0.0] * 7
    clusters = [0] * 9 + list(range(1, 8))
    assert difference_interval(values, clusters).mean == 9 / 16


def test_the_standard_error_by_hand():
    # Eight clusters of two, residual sums +2 or -2 about a mean of 0: 8/7 x 32 / 16^2 = 1/7.
    values = np.repeat([1.0, -1.0], 8)
    result = difference_interval(values, np.repeat(np.arange(8), 2))
    assert result.standard_error == pytest.approx(math.sqrt(1 / 7))
    # t of 7 degrees of freedom: 2.3646 at 97.5 % and .8960 at 80 %.
    assert result.detectable == pytest.approx((2.364624 + 0.896030) * math.sqrt(1 / 7), rel=1e-6)


def test_the_wild_bootstrap_of_all_draws_by_hand():
    # Eight equal residuals of +-1: t* depends on the sum of Webb's factors alone, here enumerated
    # for one sign pattern by another generator.
    factors = np.random.default_rng(1).choice(np.sqrt([0.5, 1, 1.5]), (200_000, 8))
    factors *= np.random.default_rng(2).choice([-1, 1], factors.shape)
    spread = factors.std(axis=1, ddof=1) / math.sqrt(8)
    edge = np.quantile(np.abs(factors.mean(axis=1)) / spread, 0.95)
    values = np.array([1.0, -1.0] * 4)
    result = difference_interval(values, range(8), resamples=99_999)
    assert result.upper == pytest.approx(edge * math.sqrt(1 / 7), rel=0.02)


VALUES = st.lists(st.floats(0, 1).map(lambda x: round(x, 3)), min_size=40, max_size=40)
CODE = np.repeat(np.arange(20), 2)


@pytest.mark.parametrize("interval", INTERVALS)
@given(values=VALUES, seed=st.integers(0, 50))
def test_order_and_names_do_not_matter(interval, values, seed):
    x, rng = np.array(values), np.random.default_rng(seed)
    rows, names = rng.permutation(40), rng.permutation(20)
    first = interval(x, CODE, resamples=199)
    second = interval(x[rows], [f"event {names[c]}" for c in CODE[rows]], resamples=199)
    for name in ("mean", "lower", "upper", "detectable"):
        assert getattr(first, name) == pytest.approx(getattr(second, name), nan_ok=True, abs=1e-9)


@given(values=VALUES, scale=st.sampled_from([0.01, -1.0, 1000.0]), shift=st.floats(-5, 5))
def test_other_units_give_the_same_difference_in_those_units(values, scale, shift):
    x = np.array(values)
    first = difference_interval(x, CODE, resamples=199)
    second = difference_interval(shift + scale * x, CODE, resamples=199)
    ends = [shift + scale * end for end in (first.lower, first.upper)]
    limits = [second.lower, second.upper]
    tolerance = 1e-6 * max(abs(scale), 1)
    assert sorted(limits) == pytest.approx(sorted(ends), nan_ok=True, abs=tolerance)


@given(values=VALUES)
def test_a_level_lies_strictly_within_its_bounds(values):
    result = level_interval(np.array(values), CODE, bounds=(0, 1), resamples=199)
    assert math.isnan(result.lower) or 0 < result.lower < result.mean < result.upper < 1


def test_a_seed_gives_the_same_and_another_seed_nearly_so():
    values, code = levels(np.random.default_rng(0), 24)
    for interval in INTERVALS:
        first, again = (interval(values, code) for _ in range(2))
        other = interval(values, code, seed=1)
        assert first == again
        assert first != other
        assert first.upper - other.upper == pytest.approx(0, abs=0.1 * (first.upper - first.lower))


def test_a_higher_level_is_wider():
    values, code = levels(np.random.default_rng(0), 24)
    for interval in INTERVALS:
        half, most = (interval(values, code, level=level) for level in (0.5, 0.99))
        assert most.lower < half.lower < half.mean < half.upper < most.upper


@pytest.mark.parametrize(
    ("interval", "least", "note"),
    [
        (difference_interval, 8, "too few: 7 events, an interval needs 8"),
        (level_interval, 20, "too few: 19 events say little of a level, an interval needs 20"),
    ],
)
def test_below_its_least_number_of_events_there_is_no_interval(interval, least, note):
    values = np.arange(3.0 * least)
    result = interval(values[3:], np.repeat(np.arange(least - 1), 3))
    assert result.note == note
    assert math.isnan(result.lower)
    assert math.isnan(result.upper)
    assert result.detectable > 0
    assert not interval(values, np.repeat(np.arange(least), 3)).note


def test_one_event_says_little_and_some_say_little():
    assert level_interval([0.3], ["a"]).note.startswith("too few: 1 event says little")
    assert level_interval([0.3, 0.2], ["a", "b"]).note.startswith("too few: 2 events say little")


@pytest.mark.parametrize("interval", INTERVALS)
def test_one_value(interval):
    result = interval([0.3], ["only"])
    assert (result.mean, result.n, result.n_clusters) == (0.3, 1, 1)
    assert math.isnan(result.lower)
    assert math.isnan(result.detectable)
    assert result.note.startswith("too few: 1 event")


@pytest.mark.parametrize("interval", INTERVALS)
@pytest.mark.parametrize("value", [0.0, 0.1, 7.3])
def test_equal_values_show_no_spread_and_so_no_interval(interval, value):
    result = interval([value] * 60, np.repeat(np.arange(20), 3))
    assert result.mean == value
    assert math.isnan(result.lower)
    assert "no spread" in result.note
    assert result.standard_error == 0


@pytest.mark.parametrize("interval", INTERVALS)
def test_a_single_cluster_that_differs_is_no_basis_for_an_interval(interval):
    values = np.zeros(30)
    values[3] = 1
    result = interval(values, range(30))
    assert math.isnan(result.lower)
    assert "too little spread" in result.note
    assert result.standard_error > 0


@pytest.mark.parametrize("interval", INTERVALS)
def test_many_ties_with_some_spread_give_a_finite_interval(interval):
    values = np.repeat([0.0, 0.5, 1.0], 8)
    result = interval(values, range(24))
    assert result.lower < 0.5 < result.upper


@pytest.mark.parametrize("interval", INTERVALS)
def test_infinite_scores_leave_no_interval_and_of_both_signs_no_mean(interval):
    options = {} if interval is difference_interval else {"bounds": (-math.inf, math.inf)}
    result = interval([np.inf, -np.inf, 0.1], "abc", **options)
    assert np.isnan(result.mean)
    assert "both signs" in result.note
    result = interval([math.inf, *range(30)], range(31), **options)
    assert result.mean == math.inf
    assert "infinite" in result.note


def test_an_interval_over_nearly_the_whole_range_is_none():
    # Two certain misses among 20 reach from .000003 to .9999, which says nothing.
    result = level_interval([0.0, 1.0, 0.0, 1.0] + [0.04] * 16, range(20), bounds=(0, 1))
    assert math.isnan(result.lower)
    assert math.isnan(result.upper)
    assert result.note.startswith("too little spread")


def test_without_spread_nothing_could_be_detected():
    result = difference_interval([0.1] * 10, range(10))
    assert result.note.startswith("no spread")
    assert math.isnan(result.detectable)
