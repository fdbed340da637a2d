"""Comparing forecasters: on shared questions, with intervals over events and not over rows."""

from forecasting.comparison.diebold_mariano import DieboldMariano, diebold_mariano
from forecasting.comparison.difficulty import DifficultyAdjusted, difficulty_adjusted
from forecasting.comparison.effects import Effects, Ranks, effects, gaussian_ranks
from forecasting.comparison.interval import Interval, difference_interval, level_interval
from forecasting.comparison.paired import PairedDifference, paired_bootstrap
from forecasting.comparison.sequential import Sequential, Steps, sequential, sequential_steps

__all__ = [
    "DieboldMariano",
    "DifficultyAdjusted",
    "Effects",
    "Interval",
    "PairedDifference",
    "Ranks",
    "Sequential",
    "Steps",
    "diebold_mariano",
    "difference_interval",
    "difficulty_adjusted",
    "effects",
    "gaussian_ranks",
    "level_interval",
    "paired_bootstrap",
    "sequential",
    "sequential_steps",
]
