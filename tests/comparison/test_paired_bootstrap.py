"""Two forecasters on shared questions."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.comparison import difference_interval, paired_bootstrap


def scores(seed=0, n=40):
    rng = np.random.default_rng(seed)
    return rng.random(n), rng.random(n), np.arange(n) // 2


def test_it_is_the_interval_of_the_differences():
    a, b, cluster = scores()
    pair, plain = paired_bootstrap(a, b, cluster=cluster), difference_interval(a - b, cluster)
    assert (pair.difference, pair.lower, pair.upper) == (plain.mean, plain.lower, plain.upper)
    assert (pair.n_shared, pair.n_clusters, pair.detectable) == (40, 20, plain.detectable)


@given(seed=st.integers(0, 200))
def test_swapping_the_two_mirrors_the_result(seed):
    a, b, cluster = scores(seed)
    ahead = paired_bootstrap(a, b, cluster=cluster, resamples=199)
    back = paired_bootstrap(b, a, cluster=cluster, resamples=199)
    assert back.difference == pytest.approx(-ahead.difference)
    assert (back.lower, back.upper) == pytest.approx((-ahead.upper, -ahead.lower))
    assert back.detectable == pytest.approx(ahead.detectable)


def test_swapping_mirrors_balanced_differences_too():
    a, b = np.tile([0.0, 1.0, 0.2, 0.6], 5), np.tile([1.0, 0.0, 0.6, 0.2], 5)
    ahead, back = (paired_bootstrap(*pair, cluster=range(20)) for pair in ((a, b), (b, a)))
    assert (back.lower, back.upper) == pytest.approx((-ahead.upper, -ahead.lower))


def test_what_is_hard_for_both_does_not_blur_the_difference():
    a, b, cluster = scores()
    hard = 10 * np.random.default_rng(1).random(40)
    plain = paired_bootstrap(a, b, cluster=cluster)
    moved = paired_bootstrap(a + hard, b + hard, cluster=cluster)
    assert (moved.lower, moved.upper) == pytest.approx((plain.lower, plain.upper))


def test_readings_in_each_case():
    a, b, cluster = scores()
    chance = paired_bootstrap(a, b, cluster=cluster)
    assert chance.lower < 0 < chance.upper
    assert "this may be chance" in chance.reading
    assert "40 shared questions in 20 events" in chance.reading
    clear = paired_bootstrap(a, a + 0.5 + 0.1 * b, cluster=cluster)
    assert clear.reading.startswith("A scores better by 0.5")
    assert "more than chance explains" in clear.reading
    assert paired_bootstrap(a + 0.5 + 0.1 * b, a, cluster=cluster).reading.startswith("B scores")
    few = paired_bootstrap(a[:6], b[:6], cluster=cluster[:6])
    assert "no interval (too few: 3 events" in few.reading
    same = paired_bootstrap(a, a, cluster=cluster)
    assert same.difference == 0
    assert "score the same" in same.reading
    assert "no spread" in same.reading
    single = paired_bootstrap([0.1], [0.2], cluster=["x"])
    assert "1 shared question in 1 event;" in single.reading


def test_infinite_scores_are_shown_and_not_averaged_away():
    finite = [0.1] * 9
    worse = paired_bootstrap([math.inf, *finite], [0.2, *finite], cluster=range(10))
    assert worse.difference == math.inf
    assert worse.reading.startswith("B scores better")
    both = paired_bootstrap([math.inf, *finite], [math.inf, *finite], cluster=range(10))
    assert math.isnan(both.difference)
    assert "infinite" in both.reading
    opposed = paired_bootstrap([math.inf, *finite], [*finite, math.inf], cluster=range(10))
    assert math.isnan(opposed.difference)
