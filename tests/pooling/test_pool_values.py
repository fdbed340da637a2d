"""The pools: values worked by hand, published values, and what is refused."""

import re

import numpy as np
import pytest

from forecasting.pooling import (
    beta_linear,
    extremized,
    geometric_odds,
    linear,
    neyman_factor,
    recency_median,
    recency_weights,
)


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
