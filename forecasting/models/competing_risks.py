"""Competing risks: which of several things happens by a deadline, if any does.

Total x share: events come at rate `total` a day, and each is of cause k with probability
`share`_k, so that timing and type are separate beliefs. Cumulative incidence of cause k:
CIF_k(s) = share_k (1 - exp(-total s)); with survival exp(-total s) it sums to one in each draw.

With d_k events of cause k in an exposure E the likelihood total^d exp(-total E) prod share_k^d_k
factorises. Total ~ Gamma(A, b) and share ~ Dirichlet(a) are therefore conjugate whatever A is:
CIF_k = (a_k + d_k) / (sum a + d) [1 - ((b + E) / (b + E + s))^(A + d)]. With A = sum a this is the
model of independent Gamma rates. ``CompetingRisks(total="lognormal")``, for beliefs about the
time scale itself, has no closed form and is sampled.

Data arrays: ``events`` (K,) counts by cause, may be fractional; ``exposure`` (), days. Prior
arrays: ``total_shape, total_rate`` or ``total_mu, total_sd`` (of the log); ``share_a`` (K,).
Draws: ``total`` (S,), ``share`` (S, K).
"""

import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.errors import InvalidInput
from forecasting.inference.fit import Fit, exact_fit
from forecasting.inference.fit import fit as sample
from forecasting.inference.inputs import SCALAR, Layout, inputs
from forecasting.inference.predictive_check import CountCheck, PredictiveCheck
from forecasting.models.protocol import PriorSpec, from_standard, prior_arrays
from forecasting.models.simulated import prior_draw

__all__ = ["CompetingRisks", "cumulative_incidence", "strongest_state"]

FloatArray = NDArray[np.float64]


def cumulative_incidence(total: ArrayLike, share: ArrayLike, horizon_days: ArrayLike) -> FloatArray:
    """Return P(first event is of cause k within the horizon), and P(no event), for every draw.

    Parameters
    ----------
    total : array_like, shape (S,)
        Events a day.
    share : array_like, shape (S, K)
        Shares of the causes, summing to one.
    horizon_days : array_like, shape (H,)
        Days from now, at least 0.

    Returns
    -------
    ndarray, shape (S, H, K + 1)
        The last column is survival; each row sums to one.

    Examples
    --------
    >>> cif = cumulative_incidence([0.016], [[0.25, 0.625, 0.125]], [30])
    >>> cif.round(4).tolist()
    [[[0.0953, 0.2383, 0.0477, 0.6188]]]
    """
    rates = np.asarray(total, dtype=np.float64)[:, None]
    days = np.atleast_1d(np.asarray(horizon_days, dtype=np.float64))
    if np.any(days < 0):
        message = f"horizon_days ({days.min()}): must be at least 0."
        raise InvalidInput(message)
    happened = -np.expm1(-rates * days)
    causes = happened[:, :, None] * np.asarray(share, dtype=np.float64)[:, None, :]
    return np.concatenate([causes, 1.0 - happened[:, :, None]], axis=2)


def strongest_state(
    draws: Mapping[str, ArrayLike],
    horizon_days: ArrayLike,
    *,
    soft: int,
    firm: int,
    reached: Literal["none", "soft"] = "none",
    upgrade: bool = True,
) -> FloatArray:
    """Return P(strongest state by the horizon is none, soft, firm) for every draw.

    Before any event the first step is a competing risk. Once soft has happened, firm follows at
    its own cause-specific hazard, and what else ends the talks no longer undoes soft. Before any
    event the path soft-then-firm counts as firm, with that same hazard: the forecast made before
    soft happens is then the expectation of the one made after.

    Parameters
    ----------
    draws : mapping
        ``total`` and ``share``, from `CompetingRisks.fit`.
    horizon_days : array_like, shape (H,)
        Days from now.
    soft, firm : int
        Positions of the two causes; every other cause leaves the state at none.
    reached : {"none", "soft"}
        The state now, which cannot be lost.
    upgrade : bool, default True
        False leaves out the path soft-then-firm: the plain cumulative incidences.

    Returns
    -------
    ndarray, shape (S, H, 3)
        None, soft, firm; each row sums to one.

    Examples
    --------
    >>> draws = {"total": [0.01], "share": [[0.3, 0.6, 0.1]]}
    >>> strongest_state(draws, [100.0], soft=1, firm=0, reached="soft").round(4).tolist()
    [[[0.0, 0.7408, 0.2592]]]
    """
    total = np.asarray(draws["total"], dtype=np.float64)
    share = np.asarray(draws["share"], dtype=np.float64)
    days = np.atleast_1d(np.asarray(horizon_days, dtype=np.float64))
    if soft == firm or not (0 <= soft < share.shape[1] and 0 <= firm < share.shape[1]):
        message = f"soft ({soft}) and firm ({firm}): two of the {share.shape[1]} causes."
        raise InvalidInput(message)
    to_firm = (total * share[:, firm])[:, None] * days
    if reached == "soft":
        firm_by = -np.expm1(-to_firm)
        return np.stack([np.zeros_like(firm_by), 1.0 - firm_by, firm_by], axis=2)
    cif = cumulative_incidence(total, share, days)
    firm_first, soft_first = cif[:, :, firm], cif[:, :, soft]
    if upgrade:
        # Integral of soft at u and no firm in the rest: soft e^-f (1 - e^-(L - f)) / (L - f).
        other = (total[:, None] * days) - to_firm
        safe = np.where(other > 0, other, 1.0)
        kept = np.where(other > 0, -np.expm1(-other) / safe, 1.0) * np.exp(-to_firm)
        still_soft = (total * share[:, soft])[:, None] * days * kept
        still_soft = np.minimum(still_soft, soft_first)
    else:
        still_soft = soft_first
    firm_by = firm_first + (soft_first - still_soft)
    return np.stack([1.0 - soft_first - firm_first, still_soft, firm_by], axis=2)


@dataclass(frozen=True, slots=True)
class CompetingRisks:
    """K causes with one total rate and shares.

    Attributes
    ----------
    causes
        Their names, in the order of every array.
    total
        Prior of the total rate: ``"gamma"`` (closed form) or ``"lognormal"`` (sampled).
    """

    family: ClassVar[str] = "competing-risks"
    version: ClassVar[str] = "1"
    outcome_types: ClassVar[frozenset[str]] = frozenset({"categorical", "ordered"})

    causes: tuple[str, ...] = ("firm", "soft", "collapse")
    total: Literal["gamma", "lognormal"] = "gamma"

    def __post_init__(self) -> None:
        """Check the causes and the prior's name."""
        if len(self.causes) < 2 or len(set(self.causes)) < len(self.causes):
            message = f"causes ({self.causes}): at least two different names."
            raise InvalidInput(message)
        if self.total not in ("gamma", "lognormal"):
            message = f"total ({self.total}): must be gamma or lognormal."
            raise InvalidInput(message)

    @property
    def structure(self) -> tuple[Hashable, ...]:
        """The number of causes and the kind of prior change the graph."""
        return (len(self.causes), self.total)

    @property
    def layout(self) -> Layout:
        """Priors and data by name."""
        first, second = ("shape", "rate") if self.total == "gamma" else ("mu", "sd")
        k = len(self.causes)
        return {
            f"total_{first}": SCALAR,
            f"total_{second}": SCALAR,
            "share_a": k,
            "events": k,
            "exposure": SCALAR,
        }

    def default_priors(self) -> dict[str, PriorSpec]:
        """Return the priors by parameter.

        Returns
        -------
        dict of str to PriorSpec
            ``total`` (a day) and ``share``.

        Examples
        --------
        >>> CompetingRisks().default_priors()["share"].text
        'Dirichlet(1, 1, 1)'
        """
        source = "one step in about half a year of talks, worth one event: by judgement"
        values = (1.0, 180.0) if self.total == "gamma" else (float(np.log(1 / 180)), 1.0)
        known = date(2025, 2, 28)
        return {
            "total": PriorSpec.of("total", self.total, *values, source=source, known_by=known),
            "share": PriorSpec.of(
                "share",
                "dirichlet",
                (1.0,) * len(self.causes),
                source="uniform over the causes",
                known_by=known,
            ),
        }

    def build_model(self) -> Any:
        """Build the graph; every number in it is data.

        Returns
        -------
        pymc.Model
            Free variables ``total`` (or ``total_z``) and ``share``.
        """
        import pymc as pm
        import pytensor.tensor as pt

        k = len(self.causes)
        defaults = prior_arrays(self.default_priors(), self.default_priors())
        with pm.Model() as model:
            given = inputs(self.layout, defaults)
            if self.total == "gamma":
                total = pm.Gamma("total", alpha=given["total_shape"], beta=given["total_rate"])
                log_total = pt.log(total)
            else:
                log_total = given["total_mu"] + given["total_sd"] * pm.Normal("total_z")
                total = pt.exp(log_total)
            share = pm.Dirichlet("share", a=pt.specify_shape(given["share_a"], (k,)))
            events = given["events"]
            pm.Potential("timing", pt.sum(events) * log_total - total * given["exposure"])
            pm.Potential("causes", pt.sum(events * pt.log(share)))
        return model

    def fit(
        self,
        data: Mapping[str, ArrayLike],
        priors: Mapping[str, PriorSpec],
        seed: int,
        *,
        method: Literal["auto", "conjugate", "nuts"] = "auto",
        draws: int = 1000,
        tune: int = 500,
        chains: int = 4,
        target_accept: float = 0.9,
        cores: int | None = None,
    ) -> Fit:
        """Return posterior draws of ``total`` and ``share``.

        Parameters
        ----------
        data : mapping
            ``events`` (K,) and ``exposure`` ().
        priors : mapping of str to PriorSpec
            As `default_priors` returns, or a worldview's numbers for them.
        seed : int
            Seed of the draws.
        method : {"auto", "conjugate", "nuts"}
            Default: the closed form where there is one.
        draws, tune, chains, target_accept, cores
            As in `forecasting.inference.fit`; the closed form uses the first and third.

        Returns
        -------
        Fit
            Independent draws by ``"conjugate"``, else by ``"nuts"``.
        """
        arrays = prior_arrays(priors, self.default_priors())
        if method == "conjugate" and self.total != "gamma":
            message = "method (conjugate): the total has a log-normal prior; use nuts."
            raise InvalidInput(message)
        if method == "nuts" or self.total != "gamma":
            return sample(
                self,
                data,
                arrays,
                seed=seed,
                draws=draws,
                tune=tune,
                chains=chains,
                target_accept=target_accept,
                cores=cores,
                parameters=lambda found: from_standard(found, priors),
            )
        started = time.perf_counter()
        events, exposure = self._checked(data)
        rng = np.random.default_rng(seed)
        shape, rate = arrays["total_shape"] + events.sum(), arrays["total_rate"] + exposure
        found = {
            "total": rng.gamma(float(shape), 1.0 / float(rate), chains * draws),
            "share": rng.dirichlet(arrays["share_a"] + events, chains * draws),
        }
        seconds = time.perf_counter() - started
        return exact_fit(found, data, arrays, seed=seed, seconds=seconds, chains=chains)

    def closed_form(
        self,
        data: Mapping[str, ArrayLike],
        priors: Mapping[str, PriorSpec],
        horizon_days: ArrayLike,
    ) -> FloatArray:
        """Return the exact predictive probabilities of each cause and of no event.

        Parameters
        ----------
        data, priors
            As in `fit`, with a Gamma total.
        horizon_days : array_like, shape (H,)
            Days from now.

        Returns
        -------
        ndarray, shape (H, K + 1)
            Each row sums to one.
        """
        arrays = prior_arrays(priors, self.default_priors())
        events, exposure = self._checked(data)
        days = np.atleast_1d(np.asarray(horizon_days, dtype=np.float64))
        shape, rate = arrays["total_shape"] + events.sum(), arrays["total_rate"] + exposure
        survival = (rate / (rate + days)) ** shape
        weight = arrays["share_a"] + events
        return np.column_stack([np.outer(1.0 - survival, weight / weight.sum()), survival])

    def predict(self, draws: Mapping[str, ArrayLike], horizon_days: ArrayLike) -> FloatArray:
        """Return `cumulative_incidence` of the draws.

        Parameters
        ----------
        draws : mapping
            From `fit`.
        horizon_days : array_like, shape (H,)
            Days from now.

        Returns
        -------
        ndarray, shape (S, H, K + 1)
            Causes in order, then no event.
        """
        return cumulative_incidence(draws["total"], draws["share"], horizon_days)

    def log_likelihood(
        self, draws: Mapping[str, ArrayLike], data: Mapping[str, ArrayLike]
    ) -> FloatArray:
        """Return the log-likelihood of the timing and of the causes.

        Parameters
        ----------
        draws, data : mapping
            As in `fit`.

        Returns
        -------
        ndarray, shape (S, 2)
            sum d log(total) - total E, and sum d_k log(share_k).
        """
        events, exposure = self._checked(data)
        total = np.asarray(draws["total"], dtype=np.float64)
        share = np.asarray(draws["share"], dtype=np.float64)
        timing = events.sum() * np.log(total) - total * exposure
        # A cause never seen says nothing, also where its share is 0.
        seen = events > 0
        return np.column_stack([timing, np.log(share[:, seen]) @ events[seen]])

    def simulate(
        self, rng: np.random.Generator, priors: Mapping[str, PriorSpec] | None = None
    ) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
        """Draw rates from the prior and the events of 200 days from them."""
        truth = prior_draw(rng, self.default_priors() if priors is None else priors)
        events = rng.poisson(truth["total"] * truth["share"] * 200.0)
        return truth, {"events": events.astype(np.float64), "exposure": np.asarray(200.0)}

    def predictive_check(
        self, draws: Mapping[str, ArrayLike], data: Mapping[str, ArrayLike], *, seed: int
    ) -> PredictiveCheck:
        """Hold the number of events of each cause against replications of the exposure.

        Parameters
        ----------
        draws, data
            As in `fit`.
        seed : int
            Seed of the replications.

        Returns
        -------
        PredictiveCheck
            One count for each cause.
        """
        events, exposure = self._checked(data)
        rng = np.random.default_rng(seed)
        rates = np.asarray(draws["total"])[:, None] * np.asarray(draws["share"])
        low, high = np.quantile(rng.poisson(rates * exposure), [0.025, 0.975], axis=0)
        counts = tuple(
            CountCheck(f"{cause} in {exposure:g} d", float(seen), float(least), float(most))
            for cause, seen, least, most in zip(self.causes, events, low, high, strict=True)
        )
        return PredictiveCheck(self.family, 0, float("nan"), float("nan"), counts)

    def _checked(self, data: Mapping[str, ArrayLike]) -> tuple[FloatArray, float]:
        events = np.asarray(data["events"], dtype=np.float64)
        exposure = float(np.asarray(data["exposure"]))
        if events.shape != (len(self.causes),) or np.any(events < 0) or not exposure >= 0:
            message = (
                f"events ({events}) must be one count of at least 0 for each of {self.causes}, "
                f"exposure ({exposure}) at least 0."
            )
            raise InvalidInput(message)
        return events, exposure
