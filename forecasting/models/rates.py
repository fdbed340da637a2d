"""Rates: the moves of a bank that state nothing borrow from each other.

log rate_i ~ Normal(mu, sigma), n_i ~ Poisson(rate_i x exposure_i), rates a day. Each log rate is
integrated out, so that the sampler sees two numbers whatever the bank has: no move, one, or sixty,
all without an event or with hundreds. A rate of its own is drawn afterwards, from
LogNormal(mu, sigma) times its own history (`poisson_lognormal.posterior_quantiles`).

Data arrays: ``counts, exposures``, each (n,), n may be 0; an exposure of 0 says nothing. Prior
arrays: ``mu_mu, mu_sd, sigma_mu, sigma_sd`` (of log sigma). Draws: ``mu, sigma``, each (S,).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.domain.prior import PriorSpec
from forecasting.inference.fits import Graph
from forecasting.inference.inputs import COLUMN, SCALAR, Layout, inputs
from forecasting.inference.poisson_lognormal import (
    graph_mathematics,
    log_marginal,
    numpy_mathematics,
    posterior_quantiles,
)
from forecasting.models.priors import RATES


@dataclass(frozen=True, slots=True)
class Rates(Graph):
    """Partially pooled rates of a bank's moves."""

    family: ClassVar[str] = "rates"
    version: ClassVar[str] = "2"
    sampling: ClassVar[Mapping[str, int]] = {"draws": 750, "tune": 300}

    @property
    def layout(self) -> Layout:
        """Priors as scalars, moves as columns."""
        scalars = self.prior_arrays(self.default_priors())
        return dict.fromkeys(scalars, SCALAR) | {"counts": COLUMN, "exposures": COLUMN}

    def default_priors(self) -> dict[str, PriorSpec]:
        """Return the priors of ``mu`` and ``sigma``."""
        return {prior.name: prior for prior in RATES}

    def build_model(self) -> Any:
        """Build the graph; every number in it is data. Free variables ``mu_z, sigma_z``."""
        import pymc as pm
        import pytensor.tensor as pt

        with pm.Model() as model:
            data = inputs(self.layout, self.prior_arrays(self.default_priors()))
            mu = data["mu_mu"] + data["mu_sd"] * pm.Normal("mu_z")
            sigma = pt.exp(data["sigma_mu"] + data["sigma_sd"] * pm.Normal("sigma_z"))
            counts, exposures = data["counts"][:, None], data["exposures"][:, None]
            # A scale with two axes, as the rows have.
            rows = log_marginal(mu, sigma[None, None], counts, exposures, graph_mathematics())
            pm.Potential("evidence", pt.sum(rows))
        return model

    def log_likelihood(
        self, draws: Mapping[str, ArrayLike], data: Mapping[str, ArrayLike]
    ) -> FloatArray:
        """Return log p(count | mu, sigma) up to constants, shape (S, n)."""
        mu, sigma = (
            np.asarray(draws[name], dtype=np.float64)[:, None, None] for name in ("mu", "sigma")
        )
        counts, exposures = (
            np.asarray(data[name], dtype=np.float64)[None, :, None]
            for name in ("counts", "exposures")
        )
        log_density = log_marginal(mu, sigma, counts, exposures, numpy_mathematics())
        return np.asarray(log_density, dtype=np.float64)

    def replicates(
        self, draws: Mapping[str, ArrayLike], data: Mapping[str, ArrayLike], *, seed: int
    ) -> FloatArray:
        """Draw each move's count anew, (S, n), from rates that its own history has informed."""
        rng = np.random.default_rng(seed)
        mu, sigma = (np.asarray(draws[name], dtype=np.float64) for name in ("mu", "sigma"))
        columns = []
        for count, exposure in zip(
            *(np.asarray(data[name]) for name in ("counts", "exposures")), strict=True
        ):
            u = np.clip(rng.random(mu.size), 1e-9, 1.0 - 1e-9)
            log_rate, _ = posterior_quantiles(u, mu, sigma, float(count), float(exposure))
            columns.append(rng.poisson(np.minimum(np.exp(log_rate) * float(exposure), 1e6)))
        return np.asarray(columns, dtype=np.float64).reshape(-1, mu.size).T


def rate_data(counts: ArrayLike, exposures: ArrayLike) -> dict[str, FloatArray]:
    """Give counts and exposures, (n,) each, in days at risk with what multiplied the hazard."""
    rows = {"counts": counts, "exposures": exposures}
    return {name: np.asarray(values, dtype=np.float64) for name, values in rows.items()}
