"""Base rates: what a reference class alone says, for every type of question.

One unknown, one posterior in closed form; one draw of it serves every deadline, so that nested
deadlines are nested in each draw. A class without events never predicts 0.

=========  ==================================  ============  ===========================
kind       data arrays                         draws         question
=========  ==================================  ============  ===========================
rate       events (), exposure () days         rate (S,)     an event within s days
weekly     successes (), trials () weeks       chance (S,)   an event within s weeks
share      successes (), trials ()             chance (S,)   the next trial succeeds
dirichlet  counts (K,)                         share (S, K)  which of K categories
count      events (), exposure () weeks,       rate,         how many are delivered
           sized_events (), delivered ()       inverse_size  within s weeks
rungs      events (K,), exposure (K,) days     rate (S, K)   the highest of states 0 to K
=========  ==================================  ============  ===========================

Counts may be fractional: a discounted class counts in part. Priors, by kind: ``rate`` Gamma
(``rate_shape, rate_rate``), ``chance`` Beta (``chance_a, chance_b``), ``share`` Dirichlet
(``share_a``), ``inverse_size`` Gamma and ``size_shape`` constant (sizes are Gamma with shape
nu = size_shape and mean nu / inverse_size); for rungs, ``rate`` holds one value a rung.
"""

import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.errors import InvalidInput
from forecasting.inference.fit import Fit, exact_fit
from forecasting.inference.fit import fit as sample
from forecasting.inference.inputs import SCALAR, Layout, inputs
from forecasting.inference.summary import Summary, summary
from forecasting.models.base_rate_priors import KINDS, Kind, default_priors
from forecasting.models.compound import LEVELS, Delivered, delivered, routine_total
from forecasting.models.conjugate import (
    beta_geometric,
    beta_share,
    gamma_poisson,
    highest_rung,
    rung_chances,
)
from forecasting.models.protocol import PriorSpec, prior_arrays
from forecasting.models.simulated import prior_draw

__all__ = ["KINDS", "BaseRate"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BaseRate:
    """A reference class with a conjugate prior.

    Attributes
    ----------
    kind
        One of ``KINDS``, see the module.
    categories
        K: categories of a Dirichlet, or rungs above state 0.
    floor
        For rungs: the state already reached.
    """

    family: ClassVar[str] = "base-rate"
    version: ClassVar[str] = "1"
    outcome_types: ClassVar[frozenset[str]] = frozenset(
        {"binary", "categorical", "ordered", "numeric"}
    )

    kind: Kind = "rate"
    categories: int = 2
    floor: int = 0

    def __post_init__(self) -> None:
        """Check the kind and the sizes."""
        if self.kind not in KINDS:
            message = f"kind ({self.kind}): must be one of {', '.join(KINDS)}."
            raise InvalidInput(message)
        if self.categories < 1 or not 0 <= self.floor <= self.categories:
            message = (
                f"categories ({self.categories}) must be at least 1 and floor ({self.floor}) "
                "between 0 and categories."
            )
            raise InvalidInput(message)

    @property
    def structure(self) -> tuple[Hashable, ...]:
        """Weekly and share have one graph; the floor is no part of any."""
        k = self.categories if self.kind in ("dirichlet", "rungs") else 1
        return ("chance" if self.kind in ("weekly", "share") else self.kind, k)

    @property
    def layout(self) -> Layout:
        """Priors and data by name."""
        k = self.categories if self.kind in ("dirichlet", "rungs") else SCALAR
        names = [*self._data_names, *prior_arrays(self.default_priors(), self.default_priors())]
        return dict.fromkeys(names, k)

    @property
    def _data_names(self) -> tuple[str, ...]:
        return {
            "rate": ("events", "exposure"),
            "weekly": ("successes", "trials"),
            "share": ("successes", "trials"),
            "dirichlet": ("counts",),
            "count": ("events", "exposure", "sized_events", "delivered"),
            "rungs": ("events", "exposure"),
        }[self.kind]

    def default_priors(self) -> dict[str, PriorSpec]:
        """Return the priors by parameter: weak, to be replaced by a reference class.

        Returns
        -------
        dict of str to PriorSpec
            See the module.

        Examples
        --------
        >>> BaseRate("weekly").default_priors()["chance"].text
        'Beta(1, 51)'
        """
        return {found.name: found for found in default_priors(self.kind, self.categories)}

    def build_model(self) -> Any:
        """Build the graph: the oracle of the closed form.

        Returns
        -------
        pymc.Model
            Free variables as the draws of the kind.
        """
        import pymc as pm
        import pytensor.tensor as pt

        defaults = prior_arrays(self.default_priors(), self.default_priors())
        with pm.Model() as model:
            given = inputs(self.layout, defaults)
            if self.kind in ("weekly", "share"):
                chance = pm.Beta("chance", given["chance_a"], given["chance_b"])
                failures = given["trials"] - given["successes"]
                pm.Potential(
                    "trials", given["successes"] * pt.log(chance) + failures * pt.log1p(-chance)
                )
            elif self.kind == "dirichlet":
                a = pt.specify_shape(given["share_a"], (self.categories,))
                share = pm.Dirichlet("share", a=a)
                pm.Potential("counts", pt.sum(given["counts"] * pt.log(share)))
            else:
                rate = pm.Gamma("rate", alpha=given["rate_shape"], beta=given["rate_rate"])
                timing = given["events"] * pt.log(rate) - rate * given["exposure"]
                pm.Potential("events", pt.sum(timing))
            if self.kind == "count":
                inverse = pm.Gamma(
                    "inverse_size",
                    alpha=given["inverse_size_shape"],
                    beta=given["inverse_size_rate"],
                )
                shape = given["sized_events"] * given["size_shape_value"]
                pm.Potential("sizes", shape * pt.log(inverse) - inverse * given["delivered"])
        return model

    def fit(
        self,
        data: Mapping[str, ArrayLike],
        priors: Mapping[str, PriorSpec],
        seed: int,
        *,
        method: Literal["conjugate", "nuts"] = "conjugate",
        draws: int = 1000,
        tune: int = 500,
        chains: int = 4,
        target_accept: float = 0.9,
        cores: int | None = None,
    ) -> Fit:
        """Return posterior draws of the unknown.

        Parameters
        ----------
        data : mapping
            The arrays of the kind.
        priors : mapping of str to PriorSpec
            As `default_priors` returns, or a reference class's or worldview's numbers.
        seed : int
            Seed of the draws.
        method : {"conjugate", "nuts"}
            The closed form; sampling it is a test of the other.
        draws, tune, chains, target_accept, cores
            As in `forecasting.inference.fit`; the closed form uses the first and third.

        Returns
        -------
        Fit
            Independent draws unless sampled.
        """
        arrays = prior_arrays(priors, self.default_priors())
        values = self._checked(data)
        if method == "nuts":
            return sample(
                self,
                values,
                arrays,
                seed=seed,
                draws=draws,
                tune=tune,
                chains=chains,
                target_accept=target_accept,
                cores=cores,
            )
        started = time.perf_counter()
        rng, size = np.random.default_rng(seed), chains * draws
        found: dict[str, FloatArray] = {}
        for name, (first, second) in self._posterior(values, arrays).items():
            if self.kind == "dirichlet":
                found[name] = rng.dirichlet(first, size)
            elif name == "chance":
                found[name] = rng.beta(first, second, size)
            else:
                found[name] = rng.gamma(first, 1.0 / second, (size, *np.shape(first)))
        seconds = time.perf_counter() - started
        return exact_fit(found, values, arrays, seed=seed, seconds=seconds, chains=chains)

    def _posterior(
        self, data: Mapping[str, FloatArray], priors: Mapping[str, FloatArray]
    ) -> dict[str, tuple[FloatArray, FloatArray]]:
        """Return the two numbers of each posterior, by parameter."""
        if self.kind in ("weekly", "share"):
            failures = data["trials"] - data["successes"]
            a, b = priors["chance_a"] + data["successes"], priors["chance_b"] + failures
            return {"chance": (a, b)}
        if self.kind == "dirichlet":
            weight = priors["share_a"] + data["counts"]
            return {"share": (weight, weight)}
        rate = (priors["rate_shape"] + data["events"], priors["rate_rate"] + data["exposure"])
        if self.kind != "count":
            return {"rate": rate}
        shape = priors["inverse_size_shape"] + data["sized_events"] * priors["size_shape_value"]
        return {
            "rate": rate,
            "inverse_size": (shape, priors["inverse_size_rate"] + data["delivered"]),
        }

    def closed_form(
        self,
        data: Mapping[str, ArrayLike],
        priors: Mapping[str, PriorSpec],
        horizon: ArrayLike = 1.0,
        *,
        seed: int = 0,
    ) -> tuple[Summary, ...]:
        """Return the exact summaries: one a horizon, category or state.

        Parameters
        ----------
        data, priors
            As in `fit`; not for kind ``count``, see `predict_number`.
        horizon : array_like, shape (H,)
            Days (rate, rungs) or weeks (weekly); rungs take one horizon; ignored by the others.
        seed : int
            Of the spread of rungs, which has no closed form; their means are exact.

        Returns
        -------
        tuple of Summary
            With ``mcse`` 0.

        Raises
        ------
        InvalidInput
            For kind ``count``.
        """
        arrays, values = prior_arrays(priors, self.default_priors()), self._checked(data)
        posterior = self._posterior(values, arrays)
        times = np.atleast_1d(np.asarray(horizon, dtype=np.float64))
        if self.kind == "rate":
            a, b = (float(value) for value in posterior["rate"])
            return tuple(gamma_poisson(a, b, float(s)) for s in times)
        if self.kind in ("weekly", "share"):
            a, b = (float(value) for value in posterior["chance"])
            if self.kind == "share":
                return (beta_share(a, b),)
            return tuple(beta_geometric(a, b, float(s)) for s in times)
        if self.kind == "dirichlet":
            weight, _ = posterior["share"]
            return tuple(beta_share(float(w), float(weight.sum() - w)) for w in weight)
        if self.kind == "rungs":
            exact = highest_rung(*posterior["rate"], self.floor, float(times[0]))
            fitted = self.fit(values, priors, seed)
            columns = self.predict(fitted.draws, times[:1]).T
            spread = (summary(column, fitted.chains) for column in columns)
            return tuple(
                Summary(float(mean), s.sd, s.p05, s.p50, s.p95, 0.0)
                for mean, s in zip(exact, spread, strict=True)
            )
        message = "kind (count): a number has quantiles, not a probability; use predict_number."
        raise InvalidInput(message)

    def predict(self, draws: Mapping[str, ArrayLike], horizon: ArrayLike = 1.0) -> FloatArray:
        """Return the probabilities of the outcomes for every draw.

        Parameters
        ----------
        draws : mapping
            From `fit`.
        horizon : array_like, shape (H,)
            As in `closed_form`; for kind ``count``, weeks, and the event is any delivery.

        Returns
        -------
        ndarray
            (S, H) for rate, weekly and count, rising with the horizon in every draw; (S, 1) for
            share; (S, K) for dirichlet and (S, K + 1) for rungs, summing to one in every draw.
        """
        times = np.atleast_1d(np.asarray(horizon, dtype=np.float64))
        if np.any(times < 0):
            message = f"horizon ({times.min()}): must be at least 0."
            raise InvalidInput(message)
        if self.kind == "dirichlet":
            return np.asarray(draws["share"], dtype=np.float64)
        if self.kind in ("weekly", "share"):
            chance = np.asarray(draws["chance"], dtype=np.float64)[:, None]
            return chance if self.kind == "share" else -np.expm1(np.log1p(-chance) * times)
        rate = np.asarray(draws["rate"], dtype=np.float64)
        if self.kind == "rungs":
            return rung_chances(np.exp(-rate * times[0]), self.floor)
        return np.asarray(-np.expm1(-rate[:, None] * times))

    def predict_number(
        self,
        draws: Mapping[str, ArrayLike],
        priors: Mapping[str, PriorSpec],
        weeks: float,
        *,
        seed: int,
        upper: float,
        already: float = 0.0,
        levels: tuple[float, ...] = LEVELS,
        replicates: int = 10,
    ) -> Delivered:
        """Return the predictive distribution of the number delivered within a horizon.

        Parameters
        ----------
        draws, priors
            Of a fit of kind ``count``.
        weeks : float
            Horizon.
        seed : int
            Seed of the simulation.
        upper, already : float
            The whole number, and what is delivered by now.
        levels : tuple of float
            Quantile levels.
        replicates : int
            Futures simulated for each draw.

        Returns
        -------
        Delivered
            Quantiles of the total, with lumps at `already` and at `upper`.
        """
        nu = np.asarray(priors["size_shape"].value("value"), dtype=np.float64)
        rate, inverse = (
            np.tile(np.asarray(draws[name], dtype=np.float64), replicates)
            for name in ("rate", "inverse_size")
        )
        rng = np.random.default_rng(seed)
        more = routine_total(rng, rate, np.broadcast_to(nu, rate.shape), nu / inverse, weeks)
        return delivered(already + more, lower=already, upper=upper, levels=levels)

    def log_likelihood(
        self, draws: Mapping[str, ArrayLike], data: Mapping[str, ArrayLike]
    ) -> FloatArray:
        """Return the log-likelihood of the class for every draw.

        Parameters
        ----------
        draws, data : mapping
            As in `fit`; for kind ``count`` that of the timing alone.

        Returns
        -------
        ndarray, shape (S, 1), or (S, K) for rungs
            Up to constants.
        """
        values = self._checked(data)
        if self.kind in ("weekly", "share"):
            chance = np.asarray(draws["chance"], dtype=np.float64)[:, None]
            failures = values["trials"] - values["successes"]
            return values["successes"] * np.log(chance) + failures * np.log1p(-chance)
        if self.kind == "dirichlet":
            share = np.asarray(draws["share"], dtype=np.float64)
            return np.asarray(np.log(share) @ values["counts"])[:, None]
        rate = np.asarray(draws["rate"], dtype=np.float64).reshape(len(draws["rate"]), -1)  # type: ignore[arg-type]
        return np.asarray(values["events"] * np.log(rate) - rate * values["exposure"])

    def simulate(
        self, rng: np.random.Generator, priors: Mapping[str, PriorSpec] | None = None
    ) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
        """Draw the unknown from its prior and a class from it: a year, ten trials or cases."""
        truth = prior_draw(rng, self.default_priors() if priors is None else priors)
        if self.kind in ("weekly", "share"):
            yes = rng.binomial(10, truth["chance"])
            return truth, {"successes": np.asarray(float(yes)), "trials": np.asarray(10.0)}
        if self.kind == "dirichlet":
            return truth, {"counts": rng.multinomial(10, truth["share"]).astype(np.float64)}
        exposure = 52.0 if self.kind == "count" else 365.0
        events = np.asarray(rng.poisson(truth["rate"] * exposure), dtype=np.float64)
        data = {"events": events, "exposure": np.full_like(events, exposure)}
        if self.kind == "count":
            shape = events * truth["size_shape"]
            delivered = rng.gamma(shape) / truth["inverse_size"] if events > 0 else 0.0
            data |= {"sized_events": events, "delivered": np.asarray(delivered)}
        return truth, data

    def _checked(self, data: Mapping[str, ArrayLike]) -> dict[str, FloatArray]:
        values = {name: np.asarray(array, dtype=np.float64) for name, array in data.items()}
        if set(values) != set(self._data_names):
            message = f"data must be {self._data_names} for kind {self.kind}, got {sorted(values)}."
            raise InvalidInput(message)
        for name, array in values.items():
            if not np.all(np.isfinite(array) & (array >= 0)):
                message = f"{name} ({array}): must be finite and at least 0."
                raise InvalidInput(message)
        if "trials" in values and np.any(values["successes"] > values["trials"]):
            message = (
                f"successes ({values['successes']}) must be at most trials ({values['trials']})."
            )
            raise InvalidInput(message)
        return values
