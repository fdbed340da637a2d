"""Scores by hand, as published, and as other libraries compute them."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.scoring import (
    brier,
    brier_index,
    crps_ensemble,
    crps_piecewise,
    crps_quantile,
    log_score,
    ordered_brier,
    relative_brier,
    rps,
    spherical,
)


def test_brier_by_hand():
    # (.7 - 1)^2 = .09 and (.7 - 0)^2 = .49; the full convention counts both options.
    np.testing.assert_allclose(brier([0.7, 0.7], [1, 0]), [0.09, 0.49])
    np.testing.assert_allclose(brier([0.7, 0.7], [1, 0], convention="full"), [0.18, 0.98])
    # (.2 - 0)^2 + (.5 - 1)^2 + (.3 - 0)^2 = .04 + .25 + .09 = .38.
    np.testing.assert_allclose(brier([[0.2, 0.5, 0.3]], [1], convention="full"), [0.38])
    np.testing.assert_allclose(brier([[0.2, 0.5, 0.3]], [1]), [0.19])


def test_a_sure_forecast_that_failed_costs_infinitely_under_log_and_is_shown():
    assert log_score([0.0, 1.0], [1, 0]).tolist() == [math.inf, math.inf]
    assert log_score([[1.0, 0.0, 0.0]], [2]).tolist() == [math.inf]
    right = log_score([1.0, 0.0], [1, 0])
    assert right.tolist() == [0.0, 0.0]
    assert not np.signbit(right).any()


def test_log_score_tells_tiny_probabilities_from_none():
    assert 0 < log_score([1e-20], [0])[0] < 1e-19


def test_crps_by_hand():
    # F rises from 0 at 0 to 1/2 at 2 to 1 at 4, y = 2: 2 x integral of (x/4)^2 to 2 = 2 x 8/48.
    np.testing.assert_allclose(
        crps_piecewise([[2.0]], [2.0], levels=[0.5], lower=0.0, upper=4.0), [1 / 3]
    )
    # All mass at 3 but for what lies between the outer levels and the bounds.
    three = crps_piecewise([[3.0] * 3], [3.0], levels=[0.001, 0.5, 0.999], lower=2, upper=4)
    np.testing.assert_allclose(three, 2 * 0.001**2 / 3, rtol=1e-9)
    # A value beyond the bound adds its distance: uniform on [0, 1] at 1 is 1/3, at 3 it is 2 more.
    np.testing.assert_allclose(
        crps_piecewise([[0.5]], [3.0], levels=[0.5], lower=0, upper=1), [1 / 3 + 2]
    )
    # Draws 1 and 3, y = 4: mean distance (3 + 1)/2 = 2; pairs sum to 4, over 2 x 4 or 2 x 2.
    np.testing.assert_allclose(crps_ensemble([[1.0, 3.0]], [4.0]), [1.5])
    np.testing.assert_allclose(crps_ensemble([[3.0, 1.0]], [4.0], estimator="fair"), [1.0])


def test_a_point_mass_scores_its_distance():
    np.testing.assert_allclose(crps_ensemble([[2.0]], [5.0]), [3.0])
    np.testing.assert_allclose(crps_quantile([[2.0]], [5.0], levels=[0.5]), [3.0])


def test_bounds_may_differ_by_question():
    together = crps_piecewise([[1.0], [10.0]], [1.0, 12.0], levels=[0.5], lower=0, upper=[2, 20])
    apart = [
        crps_piecewise([[1.0]], [1.0], levels=[0.5], lower=0, upper=2)[0],
        crps_piecewise([[10.0]], [12.0], levels=[0.5], lower=0, upper=20)[0],
    ]
    np.testing.assert_allclose(together, apart)


def test_one_forecast_may_come_bare():
    assert float(brier(0.7, 1)) == pytest.approx(0.09)
    assert float(log_score([0.25, 0.75], 0, base=2)) == pytest.approx(2)
    assert float(rps([0.5, 0.25, 0.25], 0)) == pytest.approx(0.3125)


def numbers(text):
    return [float(x) for x in re.findall(r"-?\d*\.\d+|-?\d+", text)]


def test_published_scalars(published):
    checked = 0
    for row in published(""):
        stated, group = row["input"], row["group"]
        if group in ("brier", "log") and stated.startswith("obs="):
            outcome, p = numbers(stated)
            score = {"brier": brier, "log": log_score}[group]
            assert score([p], [outcome])[0] == pytest.approx(float(row["value"]), rel=1e-6)
        elif group == "rps":
            outcome, *p = numbers(stated)
            assert rps([p], [outcome - 1])[0] == pytest.approx(float(row["value"]), rel=1e-9)
        elif group == "rls":
            # The ranked log score is the log score of each cut, K - 1 of them, added up.
            outcome, *p = numbers(stated)
            cuts = np.cumsum(p)[:-1]
            below = np.arange(1, len(p)) >= outcome
            total = log_score(cuts, below).sum()
            assert f"{total:.6f}" == row["value"]
        elif group == "brier_index":
            [mean] = numbers(stated)
            assert brier_index(mean) == float(row["value"])
        elif group == "ordered_brier":
            *p, outcome = numbers(stated)
            scores = (
                brier([p], [outcome - 1], convention="full")
                if "multi-category" in row["what"]
                else ordered_brier([p], [outcome - 1])
            )
            assert scores[0] == pytest.approx(float(row["value"]), rel=1e-9)
        elif group == "spiegelhalter_z":
            p, y = numbers(stated)[:2], numbers(stated)[2:]
            mean = float(row["value"].split("Brier ")[1].split()[0].rstrip(","))
            assert brier(p, y).mean() == pytest.approx(mean, rel=1e-9)
        else:
            continue
        checked += 1
    assert checked == 10


def test_every_file_and_group_of_published_values_has_its_test(shared, published):
    # Here: brier, log, rps, rls, ordered_brier, brier_index. The rest by the files named.
    elsewhere = {
        "metaculus_baseline": "scoring/test_metaculus.py",
        "metaculus_baseline_time_avg": "scoring/test_metaculus.py",
        "metaculus_peer": "scoring/test_metaculus.py",
        "metaculus_gmean": "scoring/test_metaculus.py",
        "metaculus_recency": "pooling/test_pool_laws.py",
        "geo_mean_odds": "pooling/test_pool_laws.py",
        "neyman_extremizing": "pooling/test_pool_laws.py",
        "spiegelhalter_z": "calibration/test_calibration_words.py",
        "dm_HLN": "comparison/test_pairs.py",
        "dm_HG": "comparison/test_pairs.py",
    }
    here = {"brier", "log", "rps", "rls", "ordered_brier", "brier_index"}
    assert {row["group"] for row in published("")} == here | set(elsewhere)
    tests = Path(__file__).parents[1]
    for group, name in elsewhere.items():
        written = (tests / name).read_text(encoding="utf-8")
        # Two files read all groups that begin alike.
        family = f'published("{group.split("_")[0]}'
        assert group in written or family in written
    # All forecasts of both data sets are in the table of decompositions, whose test reads it whole.
    assert {path.name for path in (shared / "conformance").glob("*.csv")} == {
        "scalar_reference_values.csv",
        "corp_decomposition_reference.csv",
        "precip_Niamey_2016.csv",
        "triptych_ex_binary.csv",
    }


def test_another_library_computes_the_same():
    # Imported here: it compiles for seconds, and only this test wants it.
    import scoringrules

    rng = np.random.default_rng(0)
    p, y = rng.random(50), rng.integers(0, 2, 50)
    np.testing.assert_allclose(brier(p, y), scoringrules.brier_score(y, p))
    np.testing.assert_allclose(log_score(p, y), scoringrules.log_score(y, p))
    vectors, labels = rng.dirichlet(np.ones(4), 50), rng.integers(0, 4, 50)
    np.testing.assert_allclose(rps(vectors, labels), scoringrules.rps_score(labels + 1, vectors))
    draws, value = rng.normal(size=(50, 20)), rng.normal(size=50)
    np.testing.assert_allclose(
        crps_ensemble(draws, value), scoringrules.crps_ensemble(value, draws, estimator="nrg")
    )
    np.testing.assert_allclose(
        crps_ensemble(draws, value, estimator="fair"),
        scoringrules.crps_ensemble(value, draws, estimator="fair"),
    )
    levels = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
    quantiles = np.sort(rng.normal(size=(50, 5)), axis=1)
    np.testing.assert_allclose(
        crps_quantile(quantiles, value, levels=levels),
        scoringrules.crps_quantile(value, quantiles, levels),
    )
    uniform = crps_piecewise(np.full((50, 1), 0.5), value, levels=[0.5], lower=-1, upper=2)
    np.testing.assert_allclose(uniform, scoringrules.crps_uniform(value, -1.0, 2.0))


NAN = float("nan")
PROBABILITY = st.floats(0.001, 0.999)


def test_spherical_by_hand():
    # (.6, .8) has norm 1 after dividing by 1.4: p / |p| = .6 and .8.
    vector = [[0.6 / 1.4, 0.8 / 1.4]]
    assert spherical(vector, [0]) == pytest.approx([0.4])
    assert spherical(vector, [1]) == pytest.approx([0.2])
    assert spherical([0.8 / 1.4], [1]) == pytest.approx([0.2])
    assert spherical([1.0, 0.0, 1.0], [1, 0, 0]).tolist() == [0, 0, 1]
    assert float(spherical(0.5, 1)) == pytest.approx(1 - math.sqrt(0.5))


def test_relative_brier_of_the_platforms_worked_example():
    # Seven days, yes: .9 x 3 then .95 x 4; .25 x 2 then .2 x 5; .99 on the last two days.
    crowd = [[0.9] * 3 + [0.95] * 4, [0.25] * 2 + [0.2] * 5, [NAN] * 5 + [0.99] * 2]
    scores = relative_brier(crowd, 1)
    np.testing.assert_allclose(scores, [-0.43, 0.7943, -0.00137], atol=5e-5)
    np.testing.assert_allclose(relative_brier(crowd, 1, convention="half"), scores / 2)
    daily = brier(crowd[0], np.ones(7), convention="full")
    assert daily.mean() == pytest.approx(0.0114, abs=5e-5)


def test_relative_brier_of_vectors_is_that_of_their_two_sides():
    crowd = np.array([[0.9, 0.2, NAN], [0.3, NAN, NAN], [0.5, 0.6, NAN]])
    vectors = np.stack([1 - crowd, crowd], axis=2)
    np.testing.assert_allclose(relative_brier(vectors, 1), relative_brier(crowd, 1))


def test_relative_brier_of_the_crowd_that_agrees_or_is_alone_or_absent():
    assert relative_brier([[0.3, 0.4]] * 3, 0).tolist() == [0, 0, 0]
    assert relative_brier([[0.3, 0.4]], 0).tolist() == [0]
    assert relative_brier([[NAN, NAN], [0.2, 0.2]], 1).tolist() == [0, 0]
    # Days without anybody still divide: .3 ahead of .5's median on one day of two.
    active, silent = relative_brier([[0.9], [0.1]], 1), relative_brier([[0.9, NAN], [0.1, NAN]], 1)
    np.testing.assert_allclose(silent, active / 2)


@given(
    crowd=st.lists(st.lists(PROBABILITY, min_size=3, max_size=3), min_size=1, max_size=6),
    seed=st.integers(0, 99),
)
def test_relative_brier_follows_its_forecaster(crowd, seed):
    order = np.random.default_rng(seed).permutation(len(crowd))
    moved = relative_brier(np.asarray(crowd)[order], 1)
    np.testing.assert_allclose(moved, relative_brier(crowd, 1)[order])
    # Half of them are on either side: one that sees all scores on one side is no median.
    assert moved.min() <= 1e-12


def test_ordered_brier_by_hand():
    # Cuts .25, .5, 1 against 0, 1, 1: 2 x (.0625 + .25 + 0) / 3; and .25, .5, .8 beside it.
    vectors = [[0.25, 0.25, 0.5, 0.0], [0.25, 0.25, 0.3, 0.2]]
    assert ordered_brier(vectors, [1, 1]) == pytest.approx([0.20833, 0.235], abs=5e-6)
