"""Evidence: the as-of filter, what reports weigh and on which moves, how reliable sources are."""

from forecasting.evidence.as_of import known, without_retracted
from forecasting.evidence.reliability import learned

__all__ = ["known", "learned", "without_retracted"]
