"""Two forecasters on the same questions: the Diebold-Mariano test and the paired bootstrap."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.comparison import diebold_mariano, difference_interval, paired_bootstrap

SERIES = st.lists(st.floats(-3, 3), min_size=6, max_size=30).filter(lambda d: np.ptp(d) > 0.1)
METHOD = st.sampled_from(["HG", "HLN"])


def test_published_values(published):
    rows = published("dm_")
    series = re.compile(r"\[([-\d,]+)\]")
    for row in rows:
        if row["group"] == "dm_HG":
            d = [float(x) for x in series.search(row["what"])[1].split(",")]
            horizons = [int(h) for h in re.findall(r"\d+", row["what"].split("h=")[1])]
            for horizon in horizons:
                test = diebold_mariano(d, horizon=horizon)
                assert f"{test.statistic:.6f}" == row["value"]
    test = diebold_mariano([1, 2, 3, 4], horizon=2, method="HLN", level=0.9)
    by_input = {row["input"]: row["value"] for row in rows if row["group"] == "dm_HLN"}
    assert by_input["statistic"].endswith(f"{test.statistic:.6f}")
    limits, above = by_input["CI / conf>0"].split(" / ")
    assert limits == f"[{test.lower:.6f}, {test.upper:.6f}]"
    assert above == f"{1 - test.p_value / 2:.6f}"
    assert len(rows) == 4


def test_of_independent_differences_it_is_the_t_test():
    # h = 1: gamma_0 / ((n - 1) / n) / n is the squared standard error of a mean.
    from scipy import stats

    d = np.random.default_rng(0).normal(0.3, 1, 20)
    test, plain = diebold_mariano(d, method="HLN"), stats.ttest_1samp(d, 0)
    assert test.statistic == pytest.approx(plain.statistic)
    assert test.p_value == pytest.approx(plain.pvalue)


def test_the_exponential_model_finds_the_decay_that_is_there():
    # An AR(1) of coefficient .6 and variance 1 has long-run variance (1 + .6) / (1 - .6) = 4.
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 0.8, 4000)
    d = np.empty(4000)
    d[0] = noise[0]
    for t in range(1, 4000):
        d[t] = 0.6 * d[t - 1] + noise[t]
    test = diebold_mariano(d)
    error = test.mean / test.statistic
    assert error**2 * 4000 == pytest.approx(4, rel=0.15)
    assert diebold_mariano(d, method="HLN").p_value < test.p_value


@given(d=SERIES, method=METHOD, factor=st.floats(0.1, 10))
def test_units_and_swapping(d, method, factor):
    plain = diebold_mariano(d, method=method)
    scaled = diebold_mariano(np.multiply(d, -factor), method=method)
    assert scaled.statistic == pytest.approx(-plain.statistic, rel=1e-5, abs=1e-9)
    assert scaled.p_value == pytest.approx(plain.p_value, rel=1e-4)
    assert (scaled.lower, scaled.upper) == pytest.approx(
        (-factor * plain.upper, -factor * plain.lower), rel=1e-4, abs=1e-6
    )


def test_no_spread_is_an_answer():
    for method in ("HG", "HLN"):
        for d in ([0.0] * 5, [0.1] * 5):
            test = diebold_mariano(d, method=method)
            assert math.isnan(test.statistic)
            assert "all differences are equal" in test.note
    wild = diebold_mariano([1, -1, 1, -1, 1.1], horizon=2, method="HLN")
    assert math.isnan(wild.p_value)
    assert "not positive" in wild.note
    assert diebold_mariano([1, -1, 1, -1, 1.1]).p_value > 0.05
    assert diebold_mariano([0, 1]).n == 2


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
