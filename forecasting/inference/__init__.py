"""From arrays to posterior draws, and the diagnostics that decide whether they may be used.

Nothing here knows a question or a model family: `compile` keeps compiled models, `fit` samples
them, `gate` judges the sampler, `fits` and `stored` keep fits within and between processes,
`predictive_check` judges the model against its own class.
"""

from forecasting.inference.compile import compile_count, compiled
from forecasting.inference.fit import Fit, array_hash, exact_fit, fit
from forecasting.inference.gate import GateReport, judge_sampler
from forecasting.inference.inputs import COLUMN, SCALAR, inputs, pack
from forecasting.inference.predictive_check import (
    CountCheck,
    PredictiveCheck,
    interval_shares,
    verdict,
)
from forecasting.inference.stored import FitStore

__all__ = [
    "COLUMN",
    "SCALAR",
    "CountCheck",
    "Fit",
    "FitStore",
    "GateReport",
    "PredictiveCheck",
    "array_hash",
    "compile_count",
    "compiled",
    "exact_fit",
    "fit",
    "inputs",
    "interval_shares",
    "judge_sampler",
    "pack",
    "verdict",
]
