"""Plain frozen values that everything else speaks in."""

from forecasting.domain.commentary import Claim, PriorChange, Text, Worldview
from forecasting.domain.evidence import Effect, Evidence, parse_effect
from forecasting.domain.forecast import Forecast, Imported, Kind, Spread, Value
from forecasting.domain.outcome import OutcomeSpace
from forecasting.domain.question import ANNULLED, Basis, Condition, ModelChoice, Question, Status
from forecasting.domain.resolution import Resolution, Withdrawal
from forecasting.domain.sealed import Redaction, Reveal, Sealed
from forecasting.domain.verbal import BANDS, Band, band

__all__ = [
    "ANNULLED",
    "BANDS",
    "Band",
    "Basis",
    "Claim",
    "Condition",
    "Effect",
    "Evidence",
    "Forecast",
    "Imported",
    "Kind",
    "ModelChoice",
    "OutcomeSpace",
    "PriorChange",
    "Question",
    "Redaction",
    "Resolution",
    "Reveal",
    "Sealed",
    "Spread",
    "Status",
    "Text",
    "Value",
    "Withdrawal",
    "Worldview",
    "band",
    "parse_effect",
]
