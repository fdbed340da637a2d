"""Slope and intercept, Spiegelhalter's Z, and the reading in words."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.calibration import corp, reading, slope_intercept, spiegelhalter_z
from forecasting.review.words import calibration_in_words


def test_spiegelhalter_by_hand_and_in_print(published):
    # (.8 x .6 - .2 x .6) / sqrt(2 x .36 x .16) = .36 / .339411.
    assert spiegelhalter_z([0.2, 0.2], [1, 0]) == pytest.approx(0.36 / math.sqrt(0.1152))
    rows = published("spiegelhalter_z")
    assert len(rows) == 2
    for row in rows:
        *p, first, second = (float(x) for x in re.findall(r"\d*\.\d+|\d+", row["input"]))
        exact = float(row["value"].split("Z ")[1].split("exact ")[1].rstrip(")"))
        assert spiegelhalter_z(p, [first, second]) == pytest.approx(exact, rel=1e-6)


def test_spiegelhalter_is_standard_normal_under_calibration():
    rng = np.random.default_rng(0)
    p = rng.random(200)
    z = [spiegelhalter_z(p, rng.random(200) < p) for _ in range(1000)]
    assert np.mean(z) == pytest.approx(0, abs=0.1)
    assert np.std(z) == pytest.approx(1, abs=0.08)


def test_spiegelhalter_with_nothing_to_test():
    assert math.isnan(spiegelhalter_z([0.5, 1.0, 0.0], [1, 1, 0]))
    assert spiegelhalter_z([0.0], [1]) == math.inf


@given(
    st.lists(st.tuples(st.sampled_from([0.1, 0.4, 0.9]), st.integers(0, 1)), min_size=1, max_size=9)
)
def test_a_few_forecasts_move_the_line_a_little(pairs):
    line = slope_intercept([p for p, _ in pairs], [y for _, y in pairs])
    assert 0.3 < line.slope < 2.5
    assert abs(line.intercept) < 1.2
    assert line.slope_sd > 0
    assert 0 < line.intercept_sd <= 0.5 + 1e-9


def test_the_line_is_the_posterior_mode():
    rng = np.random.default_rng(1)
    p = rng.random(40)
    y = rng.random(40) < p
    x = np.log(p / (1 - p))

    def loss(a, b):
        eta = a + b * x
        prior = a**2 / (2 * 0.5**2) + math.log(b) ** 2 / (2 * 0.3**2)
        return float(np.sum(np.logaddexp(0, eta) - y * eta)) + prior

    line = slope_intercept(p, y)
    best = loss(line.intercept, line.slope)
    for da, db in ((0.01, 0), (-0.01, 0), (0, 0.01), (0, -0.01)):
        assert best < loss(line.intercept + da, line.slope + db)


@pytest.mark.parametrize(("intercept", "slope"), [(0.0, 1.0), (0.5, 0.6), (-0.4, 1.5)])
def test_much_data_speak_for_themselves(intercept, slope):
    rng = np.random.default_rng(3)
    logit = rng.normal(0, 1.5, 20_000)
    p = 1 / (1 + np.exp(-logit))
    y = rng.random(20_000) < 1 / (1 + np.exp(-(intercept + slope * logit)))
    line = slope_intercept(p, y)
    assert line.intercept == pytest.approx(intercept, abs=4 * line.intercept_sd)
    assert line.slope == pytest.approx(slope, abs=4 * line.slope_sd)


def test_certain_forecasts_are_clipped_for_the_line_alone():
    line = slope_intercept([0.0, 1.0, 1.0], [0, 1, 0])
    assert math.isfinite(line.slope)


def words(*groups, score="brier"):
    """Read groups of (forecast, number, events)."""
    forecast = np.repeat([p for p, _, _ in groups], [n for _, n, _ in groups])
    outcome = np.concatenate([np.arange(n) < events for _, n, events in groups])
    return reading(corp(forecast, outcome, score=score))


def test_too_few_to_say():
    assert words((0.7, 1, 1)) == "1 resolved forecast: too few to say."
    assert words((0.7, 9, 2)) == "9 resolved forecasts: too few to say."
    assert "too few" not in words((0.7, 10, 2))


def test_a_gap_that_may_be_chance():
    text = words((0.8, 20, 13), (0.2, 20, 4))
    assert "You say 80 % and it happens 65 % of the time, n = 20" in text
    assert "so this may be chance" in text
    assert "No miscalibration beyond chance in 40 forecasts" in text


def test_the_worst_of_several_points_does_not_overrule_the_whole():
    text = words((0.8, 31, 20), (0.2, 40, 9), (0.5, 20, 10))
    assert "No miscalibration beyond chance" in text
    assert "65 % of the time, n = 31; chance alone gives 68 to 90 %" in text
    assert "more than chance explains" not in text
    assert "one such point among several may be chance" in text


def test_a_gap_that_is_no_chance_and_its_direction():
    text = words((0.9, 60, 36), (0.1, 60, 24))
    assert "Miscalibrated beyond chance in 120 forecasts" in text
    assert "Your forecasts are too extreme" in text
    assert "this is more than chance explains" in text
    timid = words((0.6, 90, 88), (0.4, 90, 2))
    assert "too close to 50 %" in timid
    low = words((0.3, 80, 60), (0.5, 80, 70))
    assert "Things happen more often than you say" in low
    assert "less often" in words((0.7, 80, 20), (0.5, 80, 10))


def test_forecasts_that_share_a_stretch_of_the_curve_are_named_together():
    text = words((0.7, 10, 6), (0.8, 10, 5), (0.1, 30, 3))
    assert "You say 70 to 80 %, 75 % on average, and it happens 55 % of the time, n = 20" in text


@pytest.mark.parametrize(("events", "word"), [(0, "no"), (12, "yes")])
def test_all_outcomes_equal(events, word):
    text = words((0.4, 12, events))
    assert f"Every outcome was {word}; you said 40 % on average" in text
    assert "cannot be seen yet" in text


def test_a_sure_and_wrong_forecast_under_log_is_named():
    text = words((0.0, 20, 1), (0.5, 20, 10), score="log")
    assert text.startswith("1 of 40 forecasts was at 0 or 100 % and wrong")
    assert "inf" not in text.replace("infinite", "")


def test_small_probabilities_are_not_rounded_to_certainty():
    text = words((0.004, 300, 12), (0.9, 20, 18))
    assert "You say 0.4 %" in text
    assert "0 %" not in re.findall(r"You say (\S+ %)", text)


def test_scattered_forecasts_get_no_single_sentence():
    p = np.linspace(0.05, 0.95, 12)
    text = reading(corp(p, (p > 0.5).astype(int)))
    assert "forecasts (" in text


def in_words(forecast, outcome):
    """What the review says of discrimination and slope, beside the reading of the curve."""
    diagram, line = corp(forecast, outcome), slope_intercept(forecast, outcome)
    parts = ("discrimination", "uncertainty", "null_discrimination", "discrimination_p")
    values = {name: getattr(diagram, name) for name in parts}
    values |= {"n": len(outcome), "slope": line.slope, "slope_sd": line.slope_sd}
    return calibration_in_words(values), reading(diagram)


def test_numbers_that_tell_nothing_are_not_said_to_tell():
    rng = np.random.default_rng(4)
    texts = [in_words(rng.random(10).round(2), rng.random(10) < 0.4)[0] for _ in range(60)]
    wrong = ["do not show yet" not in one["discrimination"] for one in texts]
    assert np.mean(wrong) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 60)
    forecast = rng.random(60)
    good, _ = in_words(forecast, rng.random(60) < forecast)
    assert good["discrimination"].startswith("The numbers told what happened")
    assert "by chance (p = 0.005)" in good["discrimination"]
    alike, _ = in_words([0.2] * 9, [0] * 9)
    assert "ended alike" in alike["discrimination"]


def test_a_slope_is_judged_alike_wherever_it_is_told():
    # 1.8 deviations from 1: the reading called it too extreme, the review no sign of it.
    rng, seen = np.random.default_rng(6), set()
    for _ in range(80):
        forecast = rng.beta(0.5, 0.5, 60).clip(0.02, 0.98).round(2)
        outcome = rng.random(60) < 1 / (1 + (1 / forecast - 1) ** 0.55)
        (words_of, text) = in_words(forecast, outcome)
        bold = "too bold:" in words_of["slope"]
        if "Miscalibrated beyond chance" in text:
            assert ("too extreme" in text) == bold
            seen.add(bold)
    assert True in seen
