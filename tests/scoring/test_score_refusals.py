"""What cannot be scored is refused with the argument, the rule and the value."""

import numpy as np
import pytest

from forecasting.errors import InvalidInput
from forecasting.scoring import (
    brier,
    crps_ensemble,
    crps_piecewise,
    crps_quantile,
    log_score,
    ordered_brier,
    rps,
    rules,
)

NAN = float("nan")


@pytest.mark.parametrize("score", [brier, log_score])
@pytest.mark.parametrize(
    ("forecast", "outcome", "said"),
    [
        ([0.5, NAN], [1, 0], r"forecast \(nan at 1\)"),
        ([0.5], [NAN], r"outcome \(nan at 0\)"),
        ([0.5, 1.2], [1, 0], r"forecast \(1\.2 at 1\): must lie in \[0, 1\]"),
        ([-0.1], [1], r"forecast \(-0\.1 at 0\)"),
        ([0.5, 0.5], [1], r"forecast and outcome"),
        ([0.5], [2], r"outcome \(2\.0 at 0\): must be 0 or 1"),
        ([0.5], [0.5], r"outcome \(0\.5 at 0\)"),
        ([], [], r"forecast \(empty\)"),
        (["a"], [1], r"forecast \(values of type"),
        ([None], [1], r"forecast"),
        ([[0.5, 0.4]], [0], r"forecast \(0\.9 at 0\): must sum to 1 within 1e-09"),
        ([[0.5, 0.5]], [2], r"outcome \(2\.0 at 0\): must be a label 0\.\.1"),
        ([[0.5, 0.5]], [-1], r"outcome \(-1\.0 at 0\)"),
        ([[0.5, 0.5]], [0.5], r"outcome \(0\.5 at 0\)"),
        ([[1.0]], [0], r"at least two options"),
        ([[0.5, 0.5], [1.0]], [0, 1], r"rows of unequal length"),
        ([[0.5, 0.5]], [0, 1], r"forecast and outcome"),
    ],
)
def test_bad_forecasts_and_outcomes(score, forecast, outcome, said):
    with pytest.raises(InvalidInput, match=said):
        score(forecast, outcome)


def test_a_masked_value_is_missing():
    with pytest.raises(InvalidInput, match="missing"):
        brier(np.ma.masked_array([0.5, 0.5], mask=[False, True]), [1, 0])


def test_percentages_are_recognised_and_the_way_out_is_named():
    with pytest.raises(InvalidInput, match="divide percentages by 100"):
        brier([35], [1])


def test_a_sum_within_the_tolerance_passes_and_beyond_does_not():
    brier([[0.5, 0.5 - 9e-10]], [0])
    with pytest.raises(InvalidInput, match="sum to 1"):
        brier([[0.5, 0.5 - 2e-9]], [0])


@pytest.mark.parametrize("score", [rps, ordered_brier])
def test_ordered_scores_want_vectors(score):
    with pytest.raises(InvalidInput, match="forecast"):
        score([0.5, 0.5], [0, 1])


@pytest.mark.parametrize("base", [1, 0, -2, NAN, float("inf")])
def test_log_base(base):
    with pytest.raises(InvalidInput, match=r"base \("):
        log_score([0.5], [1], base=base)


def test_convention():
    with pytest.raises(InvalidInput, match=r"convention \('double'\)"):
        brier([0.5], [1], convention="double")


@pytest.mark.parametrize(
    ("forecast", "levels", "said"),
    [
        ([[2.0, 1.0]], [0.25, 0.75], "must not fall"),
        ([[1.0, 2.0]], [0.75, 0.25], "levels"),
        ([[1.0, 2.0]], [5, 95], "0.05 for the 5 % quantile"),
        ([[1.0, 2.0]], [0.5], "levels"),
        ([[1.0, NAN]], [0.25, 0.75], "forecast"),
        ([[1.0, np.inf]], [0.25, 0.75], "finite"),
        ([1.0, 2.0], [0.25, 0.75], "must be"),
    ],
)
def test_quantiles(forecast, levels, said):
    with pytest.raises(InvalidInput, match=said):
        crps_quantile(forecast, [1.0], levels=levels)


def test_quantiles_lie_within_their_bounds():
    with pytest.raises(InvalidInput, match="within its bounds"):
        crps_piecewise([[5.0]], [1.0], levels=[0.5], lower=0, upper=4)
    with pytest.raises(InvalidInput, match=r"lower \(4\.0 at 0\): must be below upper"):
        crps_piecewise([[4.0]], [1.0], levels=[0.5], lower=4, upper=4)
    with pytest.raises(InvalidInput, match="upper"):
        crps_piecewise([[4.0]], [1.0], levels=[0.5], lower=0, upper=[5, 6])


def test_a_fair_score_needs_two_draws():
    with pytest.raises(InvalidInput, match="two draws"):
        crps_ensemble([[1.0]], [1.0], estimator="fair")
    with pytest.raises(InvalidInput, match="estimator"):
        crps_ensemble([[1.0]], [1.0], estimator="kernel")


@pytest.mark.parametrize(
    ("rule", "question_type", "said"),
    [
        ("rps", "binary", "does not score binary.*brier or log"),
        ("crps", "ordered", "does not score"),
        ("spin", "binary", r"rule \('spin'\)"),
        ("brier", "yesno", "question_type"),
    ],
)
def test_a_rule_that_does_not_fit(rule, question_type, said):
    with pytest.raises(InvalidInput, match=said):
        rules.get(rule, question_type)
