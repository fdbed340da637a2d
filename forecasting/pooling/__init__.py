"""Combining forecasters into one forecast, itself scored as a forecaster.

Every pool but one is a fixed rule: what it takes besides the forecasts (weights, a factor, a base
rate) must come from questions resolved before. `LearnedPool` learns its own from a history.
A pool has the shape of its forecasts without the members' axis.
"""

from forecasting.pooling.beta_linear import beta_linear
from forecasting.pooling.extremized import extremized, neyman_factor, neyman_roughgarden
from forecasting.pooling.geometric import geometric_odds, log_linear
from forecasting.pooling.learned_pool import LearnedPool
from forecasting.pooling.linear import linear, linear_quantiles
from forecasting.pooling.recency import recency_median, recency_weights, weighted_median

#: The name that the learned pool had before it said what it is.
Hierarchical = LearnedPool

__all__ = [
    "Hierarchical",
    "LearnedPool",
    "beta_linear",
    "extremized",
    "geometric_odds",
    "linear",
    "linear_quantiles",
    "log_linear",
    "neyman_factor",
    "neyman_roughgarden",
    "recency_median",
    "recency_weights",
    "weighted_median",
]
