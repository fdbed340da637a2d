"""Evidence: the as-of filter, and what reports add to the log-odds."""

from forecasting.evidence.as_of import known, retracted
from forecasting.evidence.likelihood import (
    GRADE_PRIORS,
    Report,
    likelihood_ratio,
    log_odds_by_source,
    shift_probability,
    story_discount,
    total_log_odds,
)

__all__ = [
    "GRADE_PRIORS",
    "Report",
    "known",
    "likelihood_ratio",
    "log_odds_by_source",
    "retracted",
    "shift_probability",
    "story_discount",
    "total_log_odds",
]
