"""Spells: how long what holds goes on holding, learned from a reference class.

Weibull proportional hazards, H(t) = exp(theta + beta x) (t / t0)^k, with delayed entry and with
ends that are known exactly, by an interval, or not yet. What counts as the end is a setting: the
formal end of a truce (revoked or expired), the first claimed violation (most within a day: a claim
is recorded, not a violation), the end of a peace agreement (years, with a share that never ends).
`Spells(setting, instant=True)` adds a share that fails at the instant of its start.

Data arrays, in days since the start of each spell, made by `weibull.spells`:
``entry, lower, upper, kind, weight, monitored``, each (n,), n may be 0. Prior arrays:
``theta_mu, theta_sd, k_mu, k_sd`` (of log k), ``beta_mu, beta_sd``; with instant failures
``pi_a, pi_b``; for peace agreements ``lasting_a, lasting_b``. Draws: ``theta, k, beta`` and,
where the model has them, ``pi`` and ``lasting``, each (S,).
"""

import operator
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.errors import InvalidInput
from forecasting.inference.fit import Fit
from forecasting.inference.fit import fit as sample
from forecasting.inference.inputs import COLUMN, SCALAR, Layout, inputs
from forecasting.inference.predictive_check import CountCheck, PredictiveCheck, interval_shares
from forecasting.models import simulated_spells, weibull
from forecasting.models.prior import PriorSpec, from_standard, prior_arrays, prior_draw
from forecasting.models.spell_settings import BETA, CASE, INSTANT, SETTINGS, Setting

__all__ = ["KINDS", "Spells", "case_spread", "representative_spells"]


NO_SPELLS = weibull.spells(entry=[], lower=[], upper=[], kind=[])


@dataclass(frozen=True, slots=True)
class Spells:
    """Weibull spells under one definition of their end, a key of `SETTINGS`.

    With `instant` a share of them fails at the instant of its start.
    """

    family: ClassVar[str] = "spells"
    version: ClassVar[str] = "1"

    setting: str = "formal-end"
    instant: bool = False

    def __post_init__(self) -> None:
        """Check the setting's name."""
        if self.setting not in SETTINGS:
            message = f"setting ({self.setting}): must be one of {', '.join(SETTINGS)}."
            raise InvalidInput(message)

    @property
    def structure(self) -> tuple[Hashable, ...]:
        """Shares that fail at once or never change the graph; the rest is numbers."""
        return (self.instant, self._setting.lasting)

    @property
    def _setting(self) -> Setting:
        return SETTINGS[self.setting]

    @property
    def t0(self) -> float:
        """Reference age in days, at which theta is the log cumulative hazard."""
        return self._setting.t0

    @property
    def layout(self) -> Layout:
        """Priors as scalars, groups of spells as columns."""
        columns = set(weibull.grouped(NO_SPELLS, t0=self.t0)) - {"escaped_w"}
        scalars = set(prior_arrays(self.default_priors(), self.default_priors()))
        if self.instant:
            scalars.add("escaped_w")
        return dict.fromkeys(sorted(scalars), SCALAR) | dict.fromkeys(sorted(columns), COLUMN)

    def default_priors(self) -> dict[str, PriorSpec]:
        """Return the setting's priors by parameter."""
        chosen = (*self._setting.priors, BETA, *((INSTANT,) if self.instant else ()))
        return {prior.name: prior for prior in chosen}

    def build_model(self) -> Any:
        """Build the graph; every number in it is data.

        Free variables ``theta_z, k_z, beta_z``, and ``pi`` and ``lasting`` where it has them.
        """
        import pymc as pm
        import pytensor.tensor as pt

        defaults = self.default_priors()
        with pm.Model() as model:
            given = inputs(self.layout, prior_arrays(defaults, defaults))
            theta = given["theta_mu"] + given["theta_sd"] * pm.Normal("theta_z")
            log_k = given["k_mu"] + given["k_sd"] * pm.Normal("k_z")
            beta = given["beta_mu"] + given["beta_sd"] * pm.Normal("beta_z")
            k = pt.exp(log_k)

            def log_hazard(name: str, end: str, x: Any) -> Any:
                log_h = theta + beta * x + k * given[f"{name}_{end}"]
                return pt.minimum(log_h, weibull.LARGEST_LOG_HAZARD)

            failing, log_kept = 0.0, operator.neg
            if self._setting.lasting:
                lasting = pm.Beta("lasting", given["lasting_a"], given["lasting_b"])
                failing = pt.log1p(-lasting)

                def log_kept(hazard: Any) -> Any:
                    return pt.logaddexp(pt.log(lasting), failing - hazard)

            def add(name: str, rows: Any) -> None:
                pm.Potential(name, pt.sum(given[f"{name}_w"] * rows))

            held = pt.exp(log_hazard("held", "u", given["held_x"]))
            add("held", log_kept(held))
            watched = pt.exp(log_hazard("watched", "u", given["watched_x"]))
            add("watched", -log_kept(watched))
            # log h(t) S(t), less log t, which no parameter changes.
            ended = log_hazard("ended", "u", given["ended_x"])
            add("ended", failing + log_k + ended - pt.exp(ended))
            between_x = given["between_x"]
            low = pt.exp(log_hazard("between", "low", between_x))
            high = pt.exp(log_hazard("between", "high", between_x))
            step = pt.maximum(high - low, 1e-300)
            add("between", failing - low + pt.log(-pt.expm1(-step)))
            start = pt.exp(log_hazard("start", "high", given["start_x"]))
            log_within = failing + pt.log(-pt.expm1(-pt.maximum(start, 1e-300)))
            if self.instant:
                pi = pm.Beta("pi", given["pi_a"], given["pi_b"])
                pm.Potential("escaped", given["escaped_w"] * pt.log1p(-pi))
                log_within = pt.log(pi + (1.0 - pi) * pt.exp(log_within))
            add("start", log_within)
        return model

    def fit(
        self,
        data: Mapping[str, ArrayLike],
        priors: Mapping[str, PriorSpec],
        seed: int,
        *,
        draws: int = 1000,
        tune: int = 500,
        chains: int = 4,
        target_accept: float = 0.9,
        cores: int | None = None,
    ) -> Fit:
        """Sample the parameters given the spells; the spell asked about is no row."""
        arrays = weibull.grouped(data, t0=self.t0)
        if not self.instant:
            del arrays["escaped_w"]
        return sample(
            self,
            arrays,
            prior_arrays(priors, self.default_priors()),
            seed=seed,
            draws=draws,
            tune=tune,
            chains=chains,
            target_accept=target_accept,
            cores=cores,
            parameters=lambda found: from_standard(found, priors),
        )

    def log_likelihood(
        self, draws: Mapping[str, ArrayLike], data: Mapping[str, ArrayLike]
    ) -> FloatArray:
        """Return weight * log p(spell | draw), (S, n)."""
        return weibull.log_likelihood(draws, data, t0=self.t0)

    def simulate(
        self, rng: np.random.Generator, priors: Mapping[str, PriorSpec] | None = None
    ) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
        """Draw parameters from the prior and a dozen spells from them."""
        truth = prior_draw(rng, self.default_priors() if priors is None else priors)
        return truth, simulated_spells.spells(rng, truth, t0=self.t0)

    def predictive_check(
        self,
        draws: Mapping[str, ArrayLike],
        data: Mapping[str, ArrayLike],
        *,
        seed: int,
        ages: tuple[float, ...] | None = None,
    ) -> PredictiveCheck:
        """Hold the spells against the model's own predictions for them.

        Each spell's end is placed in its predictive distribution; ends by each of `ages` (days)
        are counted among the spells whose state at that age is known.
        """
        rows = {name: np.asarray(values, dtype=np.float64) for name, values in data.items()}
        over_by_low, over_by_high = self._predicted(draws, rows)
        inside_50, inside_90 = interval_shares(over_by_low, over_by_high)
        rng = np.random.default_rng(seed)
        counts = []
        for age in self._setting.ages if ages is None else ages:
            over = np.where(rows["kind"] == weibull.BETWEEN, rows["upper"], rows["lower"]) <= age
            over &= rows["kind"] != weibull.HELD
            # A spell that ended exactly at `age` is over; one last seen at `age` still holds.
            holds = (rows["lower"] >= age) & ~over
            known = (over | holds) & (rows["entry"] == 0)
            if not known.any():
                continue
            replicated = np.zeros(np.shape(draws["k"]))
            for x, n in zip(*np.unique(rows["monitored"][known], return_counts=True), strict=True):
                held = weibull.survival(draws, [age], t0=self.t0, monitored=float(x))[:, 0]
                replicated += rng.binomial(int(n), 1.0 - held)
            low, high = np.quantile(replicated, [0.025, 0.975])
            label = f"over within {_age_text(age)}, of {int(known.sum())}"
            counts.append(CountCheck(label, float(over[known].sum()), float(low), float(high)))
        return PredictiveCheck(self.family, len(rows["lower"]), inside_50, inside_90, tuple(counts))

    def _predicted(
        self, draws: Mapping[str, ArrayLike], rows: Mapping[str, FloatArray]
    ) -> tuple[FloatArray, FloatArray]:
        """Return P(over by lower) and P(over by upper) of each spell, averaged over draws."""
        low, high = np.empty(len(rows["lower"])), np.empty(len(rows["lower"]))
        for row, kind in enumerate(rows["kind"]):
            times = [rows["lower"][row], rows["upper"][row]]
            held = weibull.survival(
                draws,
                times,
                t0=self.t0,
                age=float(rows["entry"][row]),
                monitored=float(rows["monitored"][row]),
            ).mean(axis=0)
            low[row] = 1.0 - held[0]
            high[row] = 1.0 if kind == weibull.HELD else 1.0 - held[1]
        return low, high


def _age_text(age: float) -> str:
    return f"{age * 24:g} h" if age < 1 else f"{age:g} d"


#: The kinds of reference classes of spells, with the definition of their end.
KINDS = {"claim": "first-claim", "formal": "formal-end", "agreement": "peace-agreement"}


def case_spread(setting: str) -> float:
    """Return by how much one case may differ from its class in theta, where it is another kind."""
    return float(np.asarray(CASE.value("sd"))) if setting == "peace-agreement" else 0.0


def representative_spells(fit: Fit, *, monitored: float = 0.0) -> dict[str, FloatArray]:
    """Return a fit's draws in an order in which neighbours are alike.

    ``theta, k`` and, where the fit has them, ``pi`` and ``lasting``: sorted by theta, which holds
    the effect of `monitored`, in 32 strata, and within each by the share that lasts, or by k, up
    and down in turn.
    """
    draws = {name: np.asarray(values) for name, values in fit.draws.items()}
    theta = draws["theta"] + draws["beta"] * monitored
    by = np.argsort(theta, kind="stable")
    second = draws.get("lasting", draws["k"])
    snake = [
        stratum[np.argsort(second[stratum], kind="stable")][:: 1 if number % 2 == 0 else -1]
        for number, stratum in enumerate(np.array_split(by, 32))
    ]
    place = np.concatenate(snake)
    kept = {"theta": theta[place], "k": draws["k"][place]}
    return kept | {name: draws[name][place] for name in ("pi", "lasting") if name in draws}
