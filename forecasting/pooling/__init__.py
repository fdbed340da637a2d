"""Combining forecasters into one forecast, itself scored as a forecaster."""

from forecasting.pooling.linear import linear, linear_quantiles

__all__ = ["linear", "linear_quantiles"]
