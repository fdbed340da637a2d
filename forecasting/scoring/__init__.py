"""Proper scores of forecasts: arrays in, one score per forecast out, smaller is better.

Each kind of score has its own file; :mod:`~forecasting.scoring.rules` says which one fits which
type of question, and :mod:`~forecasting.scoring.lifetime` averages one over the time that a
question was open. Scores of different kinds are never averaged together.
"""

from forecasting.scoring import lifetime, rules
from forecasting.scoring.crps import crps_ensemble, crps_piecewise, crps_quantile
from forecasting.scoring.logarithmic import log_score
from forecasting.scoring.quadratic import brier
from forecasting.scoring.ranked import ordered_brier, rps

__all__ = [
    "brier",
    "crps_ensemble",
    "crps_piecewise",
    "crps_quantile",
    "lifetime",
    "log_score",
    "ordered_brier",
    "rps",
    "rules",
]
