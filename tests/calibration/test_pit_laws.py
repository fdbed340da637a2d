"""Numbers and dates: PIT histogram, its band, interval coverage and quantile reliability."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from forecasting.calibration import interval_coverage, pit, quantile_reliability

LEVELS = np.array([0.1, 0.25, 0.5, 0.75, 0.9])


def forecasts(n, seed, spread=1.0, shift=0.0):
    """Normal quantiles around as many centres, and outcomes of standard deviation 1."""
    rng = np.random.default_rng(seed)
    centre = rng.normal(0, 3, n)
    quantiles = centre[:, None] + shift + spread * stats.norm.ppf(LEVELS)
    return quantiles, centre + rng.normal(0, 1, n)


@st.composite
def rounded(draw):
    """Whole-numbered quantiles, many of them equal, and outcomes among them."""
    n, seed = draw(st.integers(1, 25)), draw(st.integers(0, 999))
    rng = np.random.default_rng(seed)
    return np.sort(rng.integers(0, 6, (n, 5)), axis=1), rng.integers(-1, 8, n)


@given(case=rounded(), bounded=st.booleans(), bins=st.sampled_from([None, 1, 4, (0, 0.3, 1)]))
def test_every_outcome_is_somewhere_and_counts_once(case, bounded, bins):
    quantiles, value = case
    ends = {"lower": 0, "upper": 6} if bounded else {}
    result = pit(quantiles, value, levels=LEVELS, bins=bins, resamples=20, **ends)
    assert (result.lower >= 0).all()
    assert (result.lower <= result.upper).all()
    assert (result.upper <= 1).all()
    assert result.share.sum() == pytest.approx(1)
    # And so does every outcome that is drawn for the band.
    np.testing.assert_allclose(result._null.sum(axis=1), 1)


@given(case=rounded(), seed=st.integers(0, 99))
def test_row_order_and_units_do_not_matter(case, seed):
    quantiles, value = case
    rows = np.random.default_rng(seed).permutation(len(value))
    one = pit(quantiles, value, levels=LEVELS, resamples=20)
    two = pit(3 * quantiles[rows] - 7, 3 * value[rows] - 7, levels=LEVELS, resamples=20)
    np.testing.assert_allclose(one.share, two.share, atol=1e-12)
    assert one.band(0.8).equals(two.band(0.8))
    assert one.p_value == two.p_value


@given(case=rounded())
def test_looking_from_above_mirrors_the_histogram(case):
    quantiles, value = case
    one = pit(quantiles, value, levels=LEVELS)
    other = pit(-quantiles[:, ::-1], -value, levels=LEVELS)
    np.testing.assert_allclose(one.share, other.share[::-1], atol=1e-12)


def test_places_by_hand():
    # Bounds 0 and 40 and quantiles 10, 20, 20: linear, a jump from .5 to .75, linear.
    def place(value):
        result = pit([[10, 20, 20]], [value], levels=[0.25, 0.5, 0.75], lower=0, upper=40)
        return result.lower[0], result.upper[0]

    assert place(5) == (0.125, 0.125)
    assert place(10) == (0.25, 0.25)
    assert place(15) == (0.375, 0.375)
    assert place(20) == (0.5, 0.75)
    assert place(30) == (0.875, 0.875)
    assert place(0) == (0, 0)
    assert place(-3) == (0, 0)
    assert place(41) == (1, 1)
    # Without bounds only the gap is known, and a value on one quantile is on its edge.
    gaps = pit([[10, 20, 20]] * 4, [5, 10, 15, 20], levels=[0.25, 0.5, 0.75])
    assert gaps.lower.tolist() == [0, 0.25, 0.25, 0.5]
    assert gaps.upper.tolist() == [0.25, 0.25, 0.5, 0.75]
    assert gaps.share.tolist() == [0.375, 0.375, 0.25, 0]


def test_a_jump_at_a_bound():
    result = pit([[0, 0, 5]], [0], levels=[0.25, 0.5, 0.75], lower=0, upper=10, bins=4)
    assert (result.lower[0], result.upper[0]) == (0, 0.5)
    assert result.share.tolist() == [0.5, 0.5, 0, 0]


def test_calibrated_quantiles_are_flat_and_others_show_their_shape():
    quantiles, value = forecasts(4000, 1)
    fair = pit(quantiles, value, levels=LEVELS)
    np.testing.assert_allclose(fair.histogram["density"], 1, atol=0.12)
    assert fair.p_value > 0.01
    narrow = pit(*forecasts(4000, 1, spread=0.5), levels=LEVELS)
    assert narrow.share[0] + narrow.share[-1] > 0.4
    assert narrow.p_value == 1 / 1001
    low = pit(*forecasts(4000, 1, shift=-1), levels=LEVELS)
    assert low.share[-1] > 0.3


KINDS = ["gaps", "coarse gaps", "bounded", "jumps"]


def calibrated(kind, rng, n=40):
    """Forecasts, outcomes drawn from them, and how they are to be looked at."""
    rows = np.tile(np.arange(1.0, 6), (n, 1))
    options = {"levels": LEVELS}
    if kind == "jumps":
        rows[:, 2] = rows[:, 3] = rows[:, 1]
        rows[::3, 0] = 0.0
    if kind in ("bounded", "jumps"):
        options |= {"lower": 0, "upper": 6}
    if kind != "gaps":
        options |= {"bins": 4}
    heights = np.concatenate([[0], LEVELS, [1]])
    knots = np.column_stack([np.zeros(n), rows, np.full(n, 6)])
    return rows, [np.interp(rng.random(), heights, knot) for knot in knots], options


@pytest.mark.parametrize("kind", KINDS)
def test_a_closed_band_holds_calibrated_histograms_and_p_values_keep_their_promise(kind):
    rng = np.random.default_rng(3)
    p, inside = [], []
    for run in range(300):
        rows, value, options = calibrated(kind, rng)
        result = pit(rows, value, resamples=199, seed=run, **options)
        band, density = result.band(0.9), result.histogram["density"]
        inside.append((band["lower"] <= density + 1e-12) & (density <= band["upper"] + 1e-12))
        p.append(result.p_value)
    assert (np.mean(inside, axis=0) >= 0.86).all()
    for a in (0.01, 0.05, 0.1):
        assert np.mean(np.array(p) <= a) <= a + 3 * np.sqrt(a * (1 - a) / len(p))


@pytest.mark.parametrize("kind", KINDS)
def test_the_band_is_no_wider_than_calibrated_histograms_spread(kind):
    rng = np.random.default_rng(4)
    seen = [
        pit(rows, value, **options)
        for rows, value, options in (calibrated(kind, rng) for _ in range(600))
    ]
    spread = np.std([each.share for each in seen], axis=0)
    # The spread of 600 is known to 3 %.
    np.testing.assert_allclose(seen[0]._null.std(axis=0), spread, rtol=0.12)
    np.testing.assert_allclose(seen[0]._null.mean(axis=0), np.diff(seen[0].edges), atol=0.01)


def test_draws_are_made_at_first_access_and_follow_the_seed():
    quantiles, value = forecasts(30, 4)
    result = pit(quantiles, value, levels=LEVELS, seed=1)
    assert "_null" not in vars(result)
    assert result.band().equals(pit(quantiles, value, levels=LEVELS, seed=1).band())
    assert not result.band().equals(pit(quantiles, value, levels=LEVELS, seed=2).band())


def test_interval_coverage_by_hand_and_its_limits():
    table = interval_coverage(
        [[1, 2, 3, 4, 5]] * 10, [0, 1, 2, 3, 3, 3, 4, 5, 6, 9], levels=LEVELS, confidence=0.9
    )
    assert table["nominal"].tolist() == pytest.approx([0.5, 0.8])
    assert table["n"].tolist() == [10, 10]
    # Ends belong to the interval.
    assert table["inside"].tolist() == [5, 7]
    exact = stats.binomtest(5, 10).proportion_ci(0.9, method="exact")
    assert table["lower"][0] == pytest.approx(exact.low)
    assert table["upper"][0] == pytest.approx(exact.high)


@pytest.mark.parametrize(("value", "lower", "upper"), [(3, 0.05 ** (1 / 4), 1), (9, 0, None)])
def test_limits_at_none_and_all(value, lower, upper):
    table = interval_coverage([[1, 5]] * 4, [value] * 4, levels=[0.1, 0.9])
    assert table["lower"][0] == pytest.approx(lower)
    assert table["upper"][0] == pytest.approx(1 - 0.05 ** (1 / 4) if upper is None else upper)


def test_limits_of_coverage_hold_the_truth_often_enough():
    inside = []
    for seed in range(400):
        table = interval_coverage(*forecasts(25, seed), levels=LEVELS)
        inside.append((table["lower"] <= table["nominal"]) & (table["nominal"] <= table["upper"]))
    assert (np.mean(inside, axis=0) >= 0.87).all()


def test_quantile_reliability_tells_ties_apart():
    table = quantile_reliability([[2.0, 5.0]] * 4, [1, 2, 5, 9], levels=[0.25, 0.75])
    assert table["below"].tolist() == [0.25, 0.5]
    assert table["at_or_below"].tolist() == [0.5, 0.75]
    assert table["lower"][0] == pytest.approx(stats.beta.ppf(0.05, 1, 4))
    assert table["upper"][0] == pytest.approx(stats.beta.ppf(0.95, 3, 2))


def test_quantiles_of_the_truth_are_reliable_and_shifted_ones_are_not():
    inside = []
    for seed in range(200):
        fair = quantile_reliability(*forecasts(50, seed), levels=LEVELS)
        inside.append((fair["lower"] <= fair["level"]) & (fair["level"] <= fair["upper"]))
    assert (np.mean(inside, axis=0) >= 0.86).all()
    low = quantile_reliability(*forecasts(500, 6, shift=-1), levels=LEVELS)
    assert (low["upper"] < low["level"]).all()
