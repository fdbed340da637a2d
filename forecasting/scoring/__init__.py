"""Scores of forecasts: arrays in, one score per forecast out, smaller is better.

Each kind of score has its own file; :mod:`~forecasting.scoring.rules` says which one fits which
type of question, and :mod:`~forecasting.scoring.lifetime` averages one over the time that a
question was open. Scores of different kinds are never averaged together. What is no forecast or
outcome raises `InvalidInput`, which names the argument, the rule and the first offending value.
:mod:`~forecasting.scoring.metaculus` keeps that platform's orientation: higher is better there.
"""

from forecasting.scoring import lifetime, metaculus, rules
from forecasting.scoring.crps import crps_ensemble, crps_piecewise, crps_quantile
from forecasting.scoring.logarithmic import log_score
from forecasting.scoring.quadratic import brier, brier_index
from forecasting.scoring.ranked import ordered_brier, rps
from forecasting.scoring.relative import relative_brier
from forecasting.scoring.spherical import spherical

__all__ = [
    "brier",
    "brier_index",
    "crps_ensemble",
    "crps_piecewise",
    "crps_quantile",
    "lifetime",
    "log_score",
    "metaculus",
    "ordered_brier",
    "relative_brier",
    "rps",
    "rules",
    "spherical",
]
