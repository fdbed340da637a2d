"""Priors as the arrays that a graph takes, and draws back as those of its parameters."""

from collections.abc import Mapping

import numpy as np

from forecasting.arrays import FloatArray
from forecasting.domain.prior import PriorSpec
from forecasting.errors import InvalidInput


def prior_arrays(
    priors: Mapping[str, PriorSpec], expected: Mapping[str, PriorSpec]
) -> dict[str, FloatArray]:
    """Return priors as ``<name>_<parameter>``, () each; others than the `expected` are refused."""
    if set(priors) != set(expected):
        raise InvalidInput(f"priors must be for {sorted(expected)}, got {sorted(priors)}.")
    arrays: dict[str, FloatArray] = {}
    for name, prior in priors.items():
        if prior.distribution != expected[name].distribution:
            message = (
                f"prior {name}: the model has a {expected[name].distribution} prior there, "
                f"got {prior.distribution}."
            )
            raise InvalidInput(message)
        for key, value in prior.parameters:
            arrays[f"{name}_{key}"] = np.asarray(value, dtype=np.float64)
    return arrays


def from_standard(
    draws: Mapping[str, FloatArray], priors: Mapping[str, PriorSpec]
) -> dict[str, FloatArray]:
    """Turn draws of standardised variables ``<name>_z`` into draws of the parameters.

    A normal prior is sampled as mu + sd z and a log-normal one as exp(mu + sd z): chains then
    start within the prior of the fit at hand, whatever the model was compiled with. Other draws
    pass through; the order is that of the priors.
    """
    parameters: dict[str, FloatArray] = {}
    for name, prior in priors.items():
        if f"{name}_z" in draws:
            mu, sd = prior.values
            scaled = mu + sd * draws[f"{name}_z"]
            parameters[name] = np.exp(scaled) if prior.distribution == "lognormal" else scaled
        elif name in draws:
            parameters[name] = draws[name]
    return parameters
