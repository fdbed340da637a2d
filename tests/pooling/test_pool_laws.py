"""The laws of pools, and their values by hand and as published."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from forecasting.pooling import (
    beta_linear,
    extremized,
    geometric_odds,
    linear,
    linear_quantiles,
    log_linear,
    neyman_factor,
    neyman_roughgarden,
    recency_median,
    recency_weights,
    weighted_median,
)

WEIGHTED = {
    "linear": linear,
    "geometric_odds": geometric_odds,
    "extremized": lambda p, w: extremized(p, 1.7, w),
    "beta_linear": lambda p, w: beta_linear(p, 2.0, 2.0, w),
    "weighted_median": weighted_median,
}
UNWEIGHTED = {"neyman_roughgarden": neyman_roughgarden}
EVERY = (
    {name: lambda p, pool=pool: pool(p, None) for name, pool in WEIGHTED.items()}
    | UNWEIGHTED
    | {"recency_median": recency_median}
)

INNER = st.floats(0.001, 0.999)
ANY = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), INNER)
MANY = st.lists(INNER, min_size=3, max_size=9)
CERTAIN = st.lists(ANY, min_size=3, max_size=9)


def drawn_weights(n, seed):
    return np.random.default_rng(seed).integers(0, 4, n) + np.eye(n)[0]


@pytest.mark.parametrize("name", WEIGHTED)
@given(p=CERTAIN, seed=st.integers(0, 99))
def test_the_order_of_members_does_not_matter_when_weights_move_along(name, p, seed):
    p, w = np.array(p), drawn_weights(len(p), seed)
    rows = np.random.default_rng(seed).permutation(len(p))
    pool = WEIGHTED[name]
    assert pool(p[rows], w[rows]) == pytest.approx(pool(p, w), abs=1e-12)


@pytest.mark.parametrize("name", UNWEIGHTED)
@given(p=CERTAIN, seed=st.integers(0, 99))
def test_the_order_of_equal_members_does_not_matter(name, p, seed):
    rows = np.random.default_rng(seed).permutation(len(p))
    pool = UNWEIGHTED[name]
    assert pool(np.array(p)[rows]) == pytest.approx(pool(p), abs=1e-12)


@given(p=CERTAIN, seed=st.integers(0, 99))
def test_the_order_of_rows_does_not_matter_when_times_move_along(p, seed):
    rng = np.random.default_rng(seed)
    p, when = np.array(p), rng.integers(0, 4, len(p))
    rows = rng.permutation(len(p))
    assert recency_median(p[rows], issued_at=when[rows]) == recency_median(p, issued_at=when)


@pytest.mark.parametrize(
    "pool",
    [
        linear,
        geometric_odds,
        weighted_median,
        recency_median,
        lambda p: extremized(p, 1.0),
        lambda p: beta_linear(p, 1.0, 1.0),
    ],
)
@given(p=ANY, n=st.integers(3, 30))
def test_unanimity(pool, p, n):
    # The extremising pools break it on purpose, except at their base rate.
    assert pool([p] * n) == pytest.approx(p, abs=1e-12)


@given(p=INNER, n=st.integers(1, 30))
def test_extremising_pools_leave_their_base_rate_and_a_single_member_alone(p, n):
    assert neyman_roughgarden([p] * n, base_rate=p) == pytest.approx(p)
    assert neyman_roughgarden([p], base_rate=0.3) == pytest.approx(p)
    assert extremized([0.5] * n, 2.5) == 0.5


@pytest.mark.parametrize("name", EVERY)
@given(p=CERTAIN, place=st.integers(0, 8), more=st.floats(0, 1))
def test_a_higher_forecast_never_lowers_the_pool(name, p, place, more):
    pool, higher = EVERY[name], list(p)
    place %= len(p)
    higher[place] = min(1.0, higher[place] + more * (1 - higher[place]))
    assert pool(higher) >= pool(p) - 1e-12


@pytest.mark.parametrize("name", EVERY)
@given(p=CERTAIN)
def test_yes_and_no_are_treated_alike(name, p):
    pool = EVERY[name]
    assert pool(1 - np.array(p)) == pytest.approx(1 - pool(p), abs=1e-9)


@given(p=MANY, rate=INNER)
def test_yes_and_no_change_sides_with_their_parameters(p, rate):
    no = 1 - np.array(p)
    assert neyman_roughgarden(no, 1 - rate) == pytest.approx(1 - neyman_roughgarden(p, rate))
    assert beta_linear(no, 3.0, 1.5) == pytest.approx(1 - beta_linear(p, 1.5, 3.0))


def update(p, ratio):
    return p * ratio / (p * ratio + 1 - p)


@given(p=MANY, ratio=st.floats(0.01, 100), seed=st.integers(0, 99))
def test_pooling_odds_and_updating_on_shared_evidence_commute(p, ratio, seed):
    p, w = np.array(p), drawn_weights(len(p), seed)
    pooled = update(geometric_odds(p, w), ratio)
    assert geometric_odds(update(p, ratio), w) == pytest.approx(pooled, rel=1e-9)


@pytest.mark.parametrize("name", [name for name in EVERY if name != "geometric_odds"])
def test_no_pool_commutes_with_evidence_but_those_that_average_or_order_log_odds(name):
    p = np.array([0.1, 0.35, 0.4, 0.8])
    pool = EVERY[name]
    after, before = pool(update(p, 5.0)), update(pool(p), 5.0)
    # A median that picks one member commutes too, since updating keeps the order.
    assert (after == pytest.approx(before)) == (name == "recency_median")


@given(seed=st.integers(0, 999))
def test_the_pool_of_options_commutes_with_evidence_and_with_the_names_of_options(seed):
    rng = np.random.default_rng(seed)
    p, likelihood, w = rng.dirichlet(np.ones(4), 5), rng.uniform(0.1, 1, 4), rng.uniform(0.1, 1, 5)

    def learn(q):
        return q * likelihood / (q * likelihood).sum(axis=-1, keepdims=True)

    pooled = log_linear(p, w)
    assert pooled.sum() == pytest.approx(1)
    np.testing.assert_allclose(log_linear(learn(p), w), learn(pooled))
    names, rows = rng.permutation(4), rng.permutation(5)
    np.testing.assert_allclose(log_linear(p[:, names], w), pooled[names])
    np.testing.assert_allclose(log_linear(p[rows], w[rows]), pooled)
    np.testing.assert_allclose(log_linear(np.tile(p[0], (3, 1))), p[0])


@given(p=CERTAIN, seed=st.integers(0, 99))
def test_two_options_pool_as_yes_and_no(p, seed):
    p, w = np.array(p), drawn_weights(len(p), seed)
    np.testing.assert_allclose(
        log_linear(np.column_stack([1 - p, p]), w)[1], geometric_odds(p, w), atol=1e-12
    )


@pytest.mark.parametrize(
    ("p", "pooled"),
    [
        ([0.0, 0.3, 0.8], 0.0),
        ([1.0, 0.3, 0.8], 1.0),
        # Equal sides cancel, and (logit .3) / 3 is left.
        ([0.0, 0.3, 1.0], float(expit(logit(0.3) / 3))),
        ([0.0, 1.0, 1.0], 1.0),
    ],
)
def test_certain_members_are_the_limit_of_ever_surer_ones(p, pooled):
    assert geometric_odds(p) == pytest.approx(pooled)
    clipped = [float(geometric_odds(p, clip=clip)) for clip in (1e-2, 1e-8)]
    assert clipped[1] == pytest.approx(pooled, abs=0.003)
    assert abs(clipped[1] - pooled) <= abs(clipped[0] - pooled) + 1e-9


def test_certain_members_count_by_weight():
    assert geometric_odds([0.0, 1.0], [1, 3]) == 1
    assert geometric_odds([0.0, 0.3], [0, 1]) == pytest.approx(0.3)
    # In floating point .1 + .2 is not .3, and yet the two sides are equally heavy.
    assert geometric_odds([0.0, 0.0, 1.0, 0.2], [0.1, 0.2, 0.3, 0.4]) == pytest.approx(
        float(expit(0.4 * logit(0.2)))
    )
    np.testing.assert_allclose(log_linear([[0, 0.5, 0.5], [0.5, 0.5, 0]]), [0, 1, 0])
    # Every option is vetoed by somebody; the lighter member's vetoes give way.
    np.testing.assert_allclose(
        log_linear([[1, 0, 0], [0, 0.2, 0.8]], [1, 2]), np.array([0, 1, 4 ** (2 / 3)]) / 3.5198421
    )


def test_clipping_is_what_it_says():
    assert geometric_odds([0.0, 0.5], clip=0.001) == geometric_odds([0.001, 0.5])
    assert geometric_odds([1e-9, 1e-9]) == pytest.approx(1e-9)
    assert extremized([1.0], 1.0, clip=0.001) == pytest.approx(0.999)
    assert neyman_roughgarden([0.0], clip=0.01) == pytest.approx(0.01)
    np.testing.assert_allclose(
        log_linear([[0.0, 0.5, 0.5]], clip=0.01)[0], np.array([0.01, 0.5, 0.5])[0] / 1.01
    )


@pytest.mark.parametrize("name", EVERY)
def test_many_pools_in_one_call_are_the_pools_one_by_one(name):
    pool, p = EVERY[name], np.random.default_rng(0).random((4, 3, 5))
    each = [[pool(row) for row in block] for block in p]
    np.testing.assert_allclose(pool(p), each, rtol=1e-13)


def test_members_on_another_axis_and_weights_by_forecast():
    rng = np.random.default_rng(1)
    p, w = rng.random((6, 4)), rng.integers(0, 3, (6, 4)) + 1
    for pool in (geometric_odds, weighted_median):
        each = [pool(p[:, k], w[:, k]) for k in range(4)]
        np.testing.assert_allclose(pool(p, w, axis=0), each)
        np.testing.assert_allclose(pool(p, w[:, 0], 0), [pool(p[:, k], w[:, 0]) for k in range(4)])
    q = rng.dirichlet(np.ones(3), (6, 4))
    np.testing.assert_allclose(log_linear(q, axis=0)[2], log_linear(q[:, 2]))
    np.testing.assert_allclose(log_linear(q, w, axis=0)[2], log_linear(q[:, 2], w[:, 2]))
    np.testing.assert_allclose(log_linear(q)[3], log_linear(q[3]))


def test_a_base_rate_for_each_pool():
    p = np.array([[0.2, 0.4], [0.7, 0.9]])
    together = neyman_roughgarden(p, [0.1, 0.6])
    assert together.tolist() == [neyman_roughgarden(p[0], 0.1), neyman_roughgarden(p[1], 0.6)]


def test_the_neyman_factor_rises_from_one_to_the_root_of_three():
    factors = [neyman_factor(n) for n in (1, 2, 3, 5, 10, 100, 10**4, 10**8)]
    assert factors[0] == 1
    assert (np.diff(factors) > 0).all()
    assert factors[-1] == pytest.approx(np.sqrt(3), abs=1e-7)


def test_the_weighted_median_of_whole_weights_is_the_median_of_repeats():
    rng = np.random.default_rng(3)
    for _ in range(200):
        n = rng.integers(1, 8)
        p, w = rng.random(n).round(1), rng.integers(0, 4, n) + np.eye(n, dtype=int)[0]
        assert weighted_median(p, w) == pytest.approx(np.median(np.repeat(p, w)))
    # Ten tenths do not add up to 1 in floating point, and must not tip the middle.
    assert weighted_median(np.arange(10) / 10, np.full(10, 0.1)) == pytest.approx(0.45)


LEVELS = [0.05, 0.25, 0.5, 0.75, 0.95]
ROW = st.lists(st.integers(0, 12), min_size=5, max_size=5).map(lambda row: sorted(map(float, row)))


def share_below(x, row, side):
    """A member's distribution function, or its limit from the left: written out once more."""
    at = [row[0], *row, row[-1]]
    reached = [0.0, *LEVELS, 1.0]
    passed = sum(value <= x if side == "right" else value < x for value in at)
    if passed in (0, len(at)):
        return float(passed > 0)
    low, high = at[passed - 1], at[passed]
    return reached[passed - 1] + (reached[passed] - reached[passed - 1]) * (x - low) / (high - low)


@given(st.lists(ROW, min_size=1, max_size=6))
def test_pooled_quantiles_are_those_of_the_mixture(rows):
    pooled = linear_quantiles(rows, LEVELS)
    assert (np.diff(pooled) >= -1e-12).all()
    for level, x in zip(LEVELS, pooled, strict=True):
        # A hair to either side, for the last digit of x decides on which side of a jump it is.
        below = np.mean([share_below(x - 1e-9, row, "left") for row in rows])
        reached = np.mean([share_below(x + 1e-9, row, "right") for row in rows])
        assert below - 1e-6 <= level <= reached + 1e-6
    turned = linear_quantiles(rows[::-1], LEVELS)
    assert turned == pytest.approx(pooled, abs=1e-9)


@given(st.lists(ROW, min_size=1, max_size=4), st.data())
def test_a_member_of_pooled_quantiles_weighs_as_so_many(rows, data):
    times = data.draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)))
    times[0] = max(times[0], 1)
    many = [row for row, n in zip(rows, times, strict=True) for _ in range(n)]
    weighted = linear_quantiles(rows, LEVELS, times)
    assert weighted == pytest.approx(linear_quantiles(many, LEVELS), abs=1e-9)


@given(ROW, st.integers(1, 5))
def test_members_that_agree_are_their_pool(row, times):
    assert linear_quantiles([row] * times, LEVELS).tolist() == row


def test_a_crowd_s_interval_is_not_the_widest_of_its_members():
    # One in forty stands apart: the pool's 5 % is not his 5 %.
    rows = [[0.0, 1.0, 2.0, 3.0, 4.0], *([[10.0, 11.0, 12.0, 13.0, 14.0]] * 39)]
    assert linear_quantiles(rows, LEVELS)[0] == 10.0


def test_between_two_certainties_the_median_is_their_middle():
    assert linear_quantiles([[3.0], [5.0]], [0.5]).tolist() == [4.0]
    assert linear_quantiles([[3.0], [5.0], [9.0]], [0.5]).tolist() == [5.0]


def test_extremising_is_the_map_of_baron():
    p, d = 0.7, 2.2
    assert extremized([p, p], d) == pytest.approx(p**d / (p**d + (1 - p) ** d))


def test_a_beta_pool_by_hand():
    # Beta(1, b) has the distribution function 1 - (1 - x)^b; the mean is (3 x .2 + .6) / 4 = .3.
    assert beta_linear([0.2, 0.6], 1.0, 3.0, [3, 1]) == pytest.approx(1 - 0.7**3)
    assert beta_linear([0.3, 0.4], 1, 1) == pytest.approx(linear([0.3, 0.4]))


def test_recency_by_hand():
    # Weights .481, .728, 1 sum to 2.209; half is 1.104.
    assert recency_median([0.2, 0.5, 0.7]) == 0.5  # .481, then 1.209 passes
    assert recency_median([0.7, 0.5, 0.2]) == 0.5  # 1 stays below, then 1.728 passes
    # Weights .290, .440, .604, .786, 1 sum to 3.121; half is 1.560.
    assert recency_median([0.2, 0.3, 0.4, 0.9, 0.9]) == 0.9  # 1.334 stays below
    assert recency_median([0.9, 0.9, 0.2, 0.3, 0.4]) == 0.4  # 1.390 stays below
    # Two count alike.
    assert recency_median([0.1, 0.6]) == pytest.approx(0.35)
    assert recency_median([0.6]) == 0.6


def test_times_order_the_forecasts_and_equal_times_share():
    p, days = [0.9, 0.2, 0.5, 0.1], np.array(["2026-03-01", "2026-01-01", "2026-02-01"], "M8[D]")
    assert recency_median(p[:3], issued_at=days) == recency_median([0.2, 0.5, 0.9])
    # Made at one instant they count alike, and the median is the ordinary one.
    assert recency_median(p, issued_at=[7, 7, 7, 7]) == pytest.approx(np.median(p))
    # Weights .368 and .557 are shared as .462 each; with .765 and 1 half is 1.345, passed at .8.
    assert recency_median([0.2, 0.3, 0.8, 0.9], issued_at=[1, 1, 2, 3]) == 0.8


def test_conformance_geometric_odds(published):
    (row,) = published("geo_mean_odds")
    p = [float(x) / 100 for x in re.findall(r"([\d.]+)%", row["input"])]
    mean, odds, percent, exact = re.search(
        r"arith ([\d.]+)%, geo odds 1:(\d+) = ([\d.]+)% \(exact ([\d.]+)\)", row["value"]
    ).groups()
    pooled = float(geometric_odds(p))
    assert f"{100 * float(linear(p)):.2f}" == mean
    # The source cuts 118.6 to 118 where rounding gives 119.
    assert str(int((1 - pooled) / pooled)) == odds
    assert f"{100 * pooled:.2f}" == percent
    assert f"{pooled:.6f}" == exact


def test_conformance_neyman_factor(published):
    rows = published("neyman_extremizing")
    assert len(rows) == 7
    for row in rows:
        assert f"{neyman_factor(int(row['input'][2:])):.6f}" == row["value"]


def test_conformance_recency_weights(published):
    rows = published("metaculus_recency")
    assert len(rows) == 2
    for row in rows:
        weights = recency_weights(int(row["input"][2:]))
        assert "/".join(f"{w:.6f}" for w in weights) == row["value"]
