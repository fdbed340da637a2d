"""The binned decomposition: laws, known values, and what the correction corrects."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.calibration import binned_decomposition
from forecasting.scoring import brier
from tests.calibration.pairs import PAIRS, split

BINS = st.sampled_from([None, 1, 3, 10, (0, 0.2, 1)])


def parts(d):
    return np.array([d.reliability, d.resolution, d.uncertainty])


def errors(d):
    return np.array([d.reliability_se, d.resolution_se, d.uncertainty_se])


@given(pairs=PAIRS, bins=BINS, corrected=st.booleans(), guard=st.booleans())
def test_the_parts_add_up_to_the_score(pairs, bins, corrected, guard):
    p, y = split(pairs)
    d = binned_decomposition(p, y, bins=bins, corrected=corrected, guard=guard)
    assert d.mean_score == pytest.approx(brier(p, y).mean())
    total = d.reliability - d.resolution + d.uncertainty + d.within_bins
    assert total == pytest.approx(d.mean_score, abs=1e-12)
    if bins is None:
        # With a bin for every value nothing differs inside one.
        assert d.within_bins == 0


@given(pairs=PAIRS, bins=BINS)
def test_guarded_parts_stay_in_their_range_and_the_guard_gives_up_no_more_than_it_must(pairs, bins):
    p, y = split(pairs)
    d = binned_decomposition(p, y, bins=bins)
    plain = binned_decomposition(p, y, bins=bins, corrected=False)
    free = binned_decomposition(p, y, bins=bins, guard=False)
    assert 0 <= d.alpha <= 1
    assert d.reliability >= 0
    assert 0 <= d.resolution <= 1
    assert 0 <= d.uncertainty <= 0.25
    np.testing.assert_allclose(
        parts(d), parts(plain) + d.alpha * (parts(free) - parts(plain)), atol=1e-12
    )
    if d.alpha < 1:
        ends = (d.reliability, d.resolution, 0.25 - d.uncertainty)
        assert min(ends) == pytest.approx(0, abs=1e-12)


@given(pairs=PAIRS, bins=BINS, seed=st.integers(0, 99))
def test_row_order_yes_and_no_and_repeats(pairs, bins, seed):
    p, y = split(pairs)
    rows = np.random.default_rng(seed).permutation(len(p))
    d = binned_decomposition(p, y, bins=bins, corrected=False)
    again = binned_decomposition(p[rows], y[rows], bins=bins, corrected=False)
    np.testing.assert_allclose(parts(again), parts(d), atol=1e-14)
    np.testing.assert_allclose(errors(again), errors(d), atol=1e-14)
    if bins is None:
        no = binned_decomposition(1 - p, 1 - y, corrected=False)
        np.testing.assert_allclose(parts(no), parts(d), atol=1e-12)
    twice = binned_decomposition(np.tile(p, 2), np.tile(y, 2), bins=bins, corrected=False)
    np.testing.assert_allclose(parts(twice), parts(d), atol=1e-12)


def test_ten_forecasts_by_hand():
    # .2: 1 of 4 came true; .7: 4 of 6. Overall 5 of 10.
    d = binned_decomposition([0.2] * 4 + [0.7] * 6, [1, 0, 0, 0, 1, 1, 1, 1, 0, 0], corrected=False)
    assert d.reliability == pytest.approx(0.4 * 0.05**2 + 0.6 * (0.7 - 4 / 6) ** 2)
    assert d.resolution == pytest.approx(0.4 * 0.25**2 + 0.6 * (4 / 6 - 0.5) ** 2)
    assert d.uncertainty == 0.25
    assert d.table.to_dict("list") == {
        "forecast": [0.2, 0.7],
        "event_rate": [0.25, pytest.approx(4 / 6)],
        "n": [4, 6],
        "events": [1, 4],
    }


def test_the_correction_by_hand():
    # Events times non-events by pairs: s = (1 x 3 / 12 + 4 x 2 / 30) / 10; t = .25 / 9.
    p, y = [0.2] * 4 + [0.7] * 6, [1, 0, 0, 0, 1, 1, 1, 1, 0, 0]
    plain = binned_decomposition(p, y, corrected=False)
    free = binned_decomposition(p, y, guard=False)
    s, t = (3 / 12 + 8 / 30) / 10, 0.25 / 9
    np.testing.assert_allclose(parts(free) - parts(plain), [-s, t - s, t], atol=1e-15)
    # Uncertainty is already at 1/4, so the guard leaves everything as it is.
    assert binned_decomposition(p, y).alpha == 0


def test_a_bin_holds_its_right_edge_and_the_first_one_both():
    p = [0.0, 0.1, 0.2, 0.3, 0.6, 0.7, 1.0]
    d = binned_decomposition(p, [0] * 7, bins=10)
    assert d.n.tolist() == [2, 1, 1, 1, 1, 1]
    assert binned_decomposition(p, [0] * 7, bins=[0, 0.3, 1]).n.tolist() == [4, 3]
    # A number of bins means their edges.
    ten = binned_decomposition(p, [0, 1] * 3 + [1], bins=np.arange(11) / 10)
    assert ten.reliability == binned_decomposition(p, [0, 1] * 3 + [1], bins=10).reliability


def test_what_differs_inside_a_bin_is_told_apart():
    # One bin: 0 and 1, both right. Its mean forecast is .5, as is its event rate.
    d = binned_decomposition([0.0, 1.0], [0, 1], bins=1, corrected=False)
    assert (d.reliability, d.resolution, d.uncertainty) == (0, 0, 0.25)
    assert d.within_bins == -0.25
    assert d.mean_score == 0


@pytest.mark.parametrize("y", [0, 1])
@pytest.mark.parametrize("corrected", [True, False])
def test_one_forecast(y, corrected):
    d = binned_decomposition([0.7], [y], corrected=corrected)
    assert parts(d).tolist() == [pytest.approx((0.7 - y) ** 2), 0, 0]
    assert np.isnan(errors(d)).all()
    assert (d.alone, d.alpha) == (1, 0)


@pytest.mark.parametrize("y", [0, 1])
def test_all_outcomes_equal(y):
    d = binned_decomposition([0.2, 0.2, 0.5, 0.8], [y] * 4)
    assert (d.resolution, d.uncertainty) == (0, 0)
    assert d.reliability == pytest.approx(d.mean_score)
    assert d.alone == 2
    assert np.isfinite(errors(d)).all()


def test_all_forecasts_equal():
    d = binned_decomposition([0.3] * 8, [1, 0] * 4, corrected=False)
    assert parts(d) == pytest.approx([0.04, 0, 0.25])


def test_forecasts_alone_in_their_bins_cannot_be_corrected():
    p, y = np.linspace(0.02, 0.95, 20), [0, 0, 1, 0] * 5
    plain = binned_decomposition(p, y, corrected=False)
    free = binned_decomposition(p, y, guard=False)
    assert free.alone == 20
    assert free.reliability == plain.reliability == pytest.approx(plain.mean_score)


LEVEL = np.array([0.05, 0.2, 0.35, 0.6, 0.9])
TRUTH = np.array([0.15, 0.2, 0.5, 0.5, 0.75])
OFTEN = np.array([0.35, 0.25, 0.2, 0.1, 0.1])
EVENTS = OFTEN @ TRUTH
TRUE = np.array(
    [OFTEN @ (LEVEL - TRUTH) ** 2, OFTEN @ (TRUTH - EVENTS) ** 2, EVENTS * (1 - EVENTS)]
)


def simulated(runs, n, **options):
    rng = np.random.default_rng(5)
    terms, error = [], []
    for _ in range(runs):
        place = rng.choice(len(LEVEL), n, p=OFTEN)
        d = binned_decomposition(LEVEL[place], rng.random(n) < TRUTH[place], **options)
        terms.append(parts(d))
        error.append(errors(d))
    return np.array(terms), np.array(error)


def bias(terms):
    """How far the means are from the truth, in standard errors of the simulation."""
    return (terms.mean(axis=0) - TRUE) / (terms.std(axis=0) / np.sqrt(len(terms)))


@pytest.mark.parametrize("options", [{"guard": False}, {}])
def test_the_corrected_terms_are_unbiased(options):
    # Far enough from calibrated, and from even odds, that the guard all but never acts.
    assert (np.abs(bias(simulated(2000, 150, **options)[0])) < 4).all()


def test_the_plain_terms_are_biased():
    off = bias(simulated(2000, 150, corrected=False)[0])
    assert off[0] > 4  # reliability too large
    assert off[1] > 4  # and resolution
    assert off[2] < -4  # uncertainty too small


def test_the_guard_brings_bias_back_for_calibrated_forecasts_and_never_more_than_the_plain_one():
    # True reliability is 0, so what may not go below 0 is above it on average.
    rng = np.random.default_rng(9)
    reliability = {"plain": [], "guarded": [], "free": []}
    options = {"plain": {"corrected": False}, "guarded": {}, "free": {"guard": False}}
    for _ in range(1500):
        p = rng.choice(LEVEL, 60)
        y = rng.random(60) < p
        for name, how in options.items():
            reliability[name].append(binned_decomposition(p, y, **how).reliability)
    mean = {name: np.mean(values) for name, values in reliability.items()}
    assert abs(mean["free"]) < 4 * np.std(reliability["free"]) / np.sqrt(1500)
    assert 4 * np.std(reliability["guarded"]) / np.sqrt(1500) < mean["guarded"] < mean["plain"]


@pytest.mark.parametrize("options", [{"guard": False}, {"corrected": False}])
def test_standard_errors_are_the_spread_over_samples(options):
    terms, error = simulated(1200, 1000, **options)
    ratio = np.sqrt((error**2).mean(axis=0)) / terms.std(axis=0)
    # The spread of 1,200 is itself known to 2 %.
    np.testing.assert_allclose(ratio, 1, atol=0.09)


@pytest.mark.parametrize("corrected", [True, False])
def test_standard_errors_are_slopes_in_the_weights_of_rows(corrected):
    # The delta method by brute force: give one row a little more weight, on sums per bin.
    p = np.array([0.2] * 5 + [0.6] * 4 + [0.9] * 3)
    y = np.array([1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 0])
    n, code = len(p), np.repeat([0, 1, 2], [5, 4, 3])

    def terms(weight):
        size, forecast, seen = (np.bincount(code, weight * x) for x in (np.ones(n), p, y))
        rate, base = seen / size, (weight * y).sum() / n
        plain = [
            ((seen - forecast) ** 2 / size).sum() / n,
            (size * (rate - base) ** 2).sum() / n,
            base * (1 - base),
        ]
        s = (seen * (size - seen) / (size * (size - 1))).sum() / n
        t = base * (1 - base) / (n - 1)
        return np.array(plain) + corrected * np.array([-s, t - s, t])

    step = 1e-6
    slope = np.array([(terms(1 + step * e) - terms(1 - step * e)) / (2 * step) for e in np.eye(n)])
    expected = np.sqrt(((slope - slope.mean(axis=0)) ** 2).sum(axis=0))
    d = binned_decomposition(p, y, corrected=corrected)
    np.testing.assert_allclose(errors(d), expected, rtol=1e-6)
