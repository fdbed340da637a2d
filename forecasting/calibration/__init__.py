"""Calibration: whether things said to be 80 % likely happen in 80 % of cases.

:func:`corp` draws the reliability curve and splits the mean score; its bands hold for
independent forecasts. :func:`confidence_band` is for many updates of the same questions.
:func:`binned_decomposition` splits the Brier score without the upward bias of few forecasts;
:func:`pit`, :func:`interval_coverage` and :func:`quantile_reliability` speak of numbers and dates.
:func:`recalibrate` learns from what resolved how each forecaster's probabilities should be read.
"""

from forecasting.calibration.binned import BinnedDecomposition, binned_decomposition
from forecasting.calibration.confidence import ConfidenceBand, confidence_band
from forecasting.calibration.pit import Pit, pit
from forecasting.calibration.quantiles import interval_coverage, quantile_reliability
from forecasting.calibration.reading import reading
from forecasting.calibration.recalibration import Recalibration, recalibrate
from forecasting.calibration.reliability import Corp, corp
from forecasting.calibration.slope import Line, slope_intercept
from forecasting.calibration.spiegelhalter import spiegelhalter_z

__all__ = [
    "BinnedDecomposition",
    "ConfidenceBand",
    "Corp",
    "Line",
    "Pit",
    "Recalibration",
    "binned_decomposition",
    "confidence_band",
    "corp",
    "interval_coverage",
    "pit",
    "quantile_reliability",
    "reading",
    "recalibrate",
    "slope_intercept",
    "spiegelhalter_z",
]
