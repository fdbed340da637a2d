"""Evidence: the as-of filter, what reports weigh and on which moves, how reliable sources are."""

from forecasting.evidence.as_of import known, retracted
from forecasting.evidence.likelihood import (
    EVENT_RHO,
    GRADE_PRIORS,
    STORY_RHO,
    Reliability,
    ReliabilityOf,
    Report,
    likelihood_ratio,
    story_discount,
    story_discounts,
)
from forecasting.evidence.reliability import Claim, Reliabilities, learned

__all__ = [
    "EVENT_RHO",
    "GRADE_PRIORS",
    "STORY_RHO",
    "Claim",
    "Reliabilities",
    "Reliability",
    "ReliabilityOf",
    "Report",
    "known",
    "learned",
    "likelihood_ratio",
    "retracted",
    "story_discount",
    "story_discounts",
]
