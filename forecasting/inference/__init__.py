"""From arrays to posterior draws, and the diagnostics that decide whether they may be used.

Nothing here knows a question or a model family: `compile` keeps compiled models, `fit` samples
them, `gate` judges the sampler, `fits` and `stored` keep fits within and between processes,
`predictive_check` judges the model against its own class, `estimate` reduces draws to numbers.
`poisson_lognormal`, `importance` and `alike` draw without a sampler: by quantiles, by weights, and
so that neighbours are alike.
"""

from forecasting.inference.compile import compile_count, compiled
from forecasting.inference.fit import array_hash, fit
from forecasting.inference.gate import judge_sampler
from forecasting.inference.inputs import COLUMN, SCALAR, inputs, pack
from forecasting.inference.predictive_check import (
    CountCheck,
    PredictiveCheck,
    interval_shares,
    verdict,
)

__all__ = [
    "COLUMN",
    "SCALAR",
    "CountCheck",
    "PredictiveCheck",
    "array_hash",
    "compile_count",
    "compiled",
    "fit",
    "inputs",
    "interval_shares",
    "judge_sampler",
    "pack",
    "verdict",
]
