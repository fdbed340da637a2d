"""Comparing forecasters: on shared questions, with intervals over events and not over rows."""

from forecasting.comparison.interval import Interval, studentised_interval
from forecasting.comparison.paired import PairedDifference, paired_bootstrap

__all__ = ["Interval", "PairedDifference", "paired_bootstrap", "studentised_interval"]
