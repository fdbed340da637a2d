"""Fits as ArviZ takes them: one `DataTree` of everything that a world rests on."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from forecasting.errors import InvalidInput
from forecasting.inference.fit import Fit


def datatree(
    fits: Mapping[str, Fit],
    *,
    predictive: Mapping[str, ArrayLike] = MappingProxyType({}),
    observed: Mapping[str, ArrayLike] = MappingProxyType({}),
) -> Any:
    """Return fits as one `DataTree`; a parameter becomes ``<fit>.<parameter>``, (chain, draw).

    `predictive`: ``<fit>.<what>`` -> (S, n) replicated data, chain-major as the draws of the fit;
    `observed`: the same names -> (n,) data. Of fits with unequal numbers of draws the longer ones
    are thinned evenly.
    """
    if not fits:
        raise InvalidInput("fits (none): at least one.")
    from arviz_base import from_dict

    chains = min(fit.chains for fit in fits.values())
    least = min(next(iter(fit.draws.values())).shape[0] // fit.chains for fit in fits.values())

    def chained(values: ArrayLike, fit: Fit) -> Any:
        array = np.asarray(values)
        shaped = array.reshape(fit.chains, -1, *array.shape[1:])
        places = np.linspace(0, shaped.shape[1] - 1, least).round().astype(int)
        return shaped[:chains, places]

    groups: dict[str, dict[str, Any]] = {"posterior": {}}
    for name, fit in fits.items():
        for parameter, values in fit.draws.items():
            groups["posterior"][f"{name}.{parameter}"] = chained(values, fit)
    if predictive:
        groups["posterior_predictive"] = {
            name: chained(values, fits[name.partition(".")[0]])
            for name, values in predictive.items()
        }
    if observed:
        groups["observed_data"] = {name: np.asarray(values) for name, values in observed.items()}
    return from_dict(groups)
