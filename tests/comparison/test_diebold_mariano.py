"""The test for regular series: published values and laws."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.comparison import diebold_mariano

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
