"""Evidence: the as-of filter, what reports add to the log-odds, how reliable sources are."""

from forecasting.evidence.as_of import known, retracted
from forecasting.evidence.likelihood import (
    EVENT_RHO,
    GRADE_PRIORS,
    STORY_RHO,
    Reliability,
    ReliabilityOf,
    Report,
    likelihood_ratio,
    log_odds_by_source,
    shift_probability,
    story_discount,
    story_discounts,
    total_log_odds,
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
    "log_odds_by_source",
    "retracted",
    "shift_probability",
    "story_discount",
    "story_discounts",
    "total_log_odds",
]
