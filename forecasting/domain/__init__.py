"""Plain frozen values that everything else speaks in."""

from forecasting.domain.evidence import Effect, Evidence, parse_effect
from forecasting.domain.forecast import Forecast, Imported, Kind, Spread, Value
from forecasting.domain.outcome import OutcomeSpace
from forecasting.domain.question import ANNULLED, Basis, Condition, ModelChoice, Question
from forecasting.domain.resolution import Resolution, Withdrawal
from forecasting.domain.sealed import Redaction, Reveal, Sealed

__all__ = [
    "ANNULLED",
    "Basis",
    "Condition",
    "Effect",
    "Evidence",
    "Forecast",
    "Imported",
    "Kind",
    "ModelChoice",
    "OutcomeSpace",
    "Question",
    "Redaction",
    "Resolution",
    "Reveal",
    "Sealed",
    "Spread",
    "Value",
    "Withdrawal",
    "parse_effect",
]
