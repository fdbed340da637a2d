"""Calibration: whether things said to be 80 % likely happen in 80 % of cases.

:func:`corp` draws the reliability curve and splits the mean score; its bands hold for
independent forecasts. :func:`confidence_band` is for many updates of the same questions.
"""

from forecasting.calibration.confidence import ConfidenceBand, confidence_band
from forecasting.calibration.reading import reading
from forecasting.calibration.reliability import Corp, corp
from forecasting.calibration.slope import Line, slope_intercept
from forecasting.calibration.spiegelhalter import spiegelhalter_z

__all__ = [
    "ConfidenceBand",
    "Corp",
    "Line",
    "confidence_band",
    "corp",
    "reading",
    "slope_intercept",
    "spiegelhalter_z",
]
