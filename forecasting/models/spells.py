"""Spells: how long what holds goes on holding, learned from a reference class.

Weibull proportional hazards, H(t) = exp(theta + beta x) (t / t0)^k, with delayed entry and with
ends that are known exactly, by an interval, or not yet. What counts as the end is a setting: the
formal end of a truce (revoked or expired), the first claimed violation (most within a day: a claim
is recorded, not a violation), the end of a peace agreement (years, with a share that never ends).
`Spells(setting, instant=True)` adds a share that fails at the instant of its start.

Data arrays are those of `weibull.spells`. Draws: ``theta, k, beta`` and, where the model has
them, ``pi`` and ``lasting``, each (S,).
"""

import operator
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.domain.prior import PriorSpec
from forecasting.errors import InvalidInput
from forecasting.inference.alike import in_order
from forecasting.inference.fit import Fit
from forecasting.inference.fits import Graph
from forecasting.inference.inputs import COLUMN, SCALAR, Layout, inputs
from forecasting.inference.predictive_check import CountCheck, PredictiveCheck, interval_shares
from forecasting.models import weibull
from forecasting.models.priors import BETA, CASE, INSTANT, SETTINGS, Setting

NO_SPELLS = weibull.spells(entry=[], lower=[], upper=[], kind=[])


@dataclass(frozen=True, slots=True)
class Spells(Graph):
    """Weibull spells under one definition of their end, a key of `SETTINGS`.

    With `instant` a share of them fails at the instant of its start.
    """

    family: ClassVar[str] = "spells"
    version: ClassVar[str] = "1"
    sampling: ClassVar[Mapping[str, int]] = {"draws": 1000, "tune": 500}

    setting: str = "formal-end"
    instant: bool = False

    def __post_init__(self) -> None:
        """Check the setting's name."""
        if self.setting not in SETTINGS:
            raise InvalidInput(f"setting ({self.setting}): must be one of {', '.join(SETTINGS)}.")

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
        columns = set(self.prepared(NO_SPELLS)) - {"escaped_w"}
        scalars = set(self.prior_arrays(self.default_priors()))
        scalars |= {"escaped_w"} if self.instant else set()
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

        with pm.Model() as model:
            data = inputs(self.layout, self.prior_arrays(self.default_priors()))
            theta = data["theta_mu"] + data["theta_sd"] * pm.Normal("theta_z")
            log_k = data["k_mu"] + data["k_sd"] * pm.Normal("k_z")
            beta = data["beta_mu"] + data["beta_sd"] * pm.Normal("beta_z")
            k = pt.exp(log_k)

            def log_hazard(name: str, end: str, x: Any) -> Any:
                log_h = theta + beta * x + k * data[f"{name}_{end}"]
                return pt.minimum(log_h, weibull.LARGEST_LOG_HAZARD)

            failing, log_kept = 0.0, operator.neg
            if self._setting.lasting:
                lasting = pm.Beta("lasting", data["lasting_a"], data["lasting_b"])
                failing = pt.log1p(-lasting)

                def log_kept(hazard: Any) -> Any:
                    return pt.logaddexp(pt.log(lasting), failing - hazard)

            def add(name: str, rows: Any) -> None:
                pm.Potential(name, pt.sum(data[f"{name}_w"] * rows))

            held = pt.exp(log_hazard("held", "u", data["held_x"]))
            add("held", log_kept(held))
            watched = pt.exp(log_hazard("watched", "u", data["watched_x"]))
            add("watched", -log_kept(watched))
            # log h(t) S(t), less log t, which no parameter changes.
            ended = log_hazard("ended", "u", data["ended_x"])
            add("ended", failing + log_k + ended - pt.exp(ended))
            between_x = data["between_x"]
            low = pt.exp(log_hazard("between", "low", between_x))
            high = pt.exp(log_hazard("between", "high", between_x))
            step = pt.maximum(high - low, 1e-300)
            add("between", failing - low + pt.log(-pt.expm1(-step)))
            start = pt.exp(log_hazard("start", "high", data["start_x"]))
            log_within = failing + pt.log(-pt.expm1(-pt.maximum(start, 1e-300)))
            if self.instant:
                pi = pm.Beta("pi", data["pi_a"], data["pi_b"])
                pm.Potential("escaped", data["escaped_w"] * pt.log1p(-pi))
                log_within = pt.log(pi + (1.0 - pi) * pt.exp(log_within))
            add("start", log_within)
        return model

    def prepared(self, data: Mapping[str, ArrayLike]) -> dict[str, FloatArray]:
        """Return spells as groups of one kind of evidence each."""
        arrays = weibull.grouped(data, t0=self.t0)
        if not self.instant:
            del arrays["escaped_w"]
        return arrays

    def predictive_check(
        self, draws: Mapping[str, ArrayLike], data: Mapping[str, ArrayLike], *, seed: int
    ) -> PredictiveCheck:
        """Hold each spell's end against its prediction, and count the ends by some known ages."""
        rows = {name: np.asarray(values, dtype=np.float64) for name, values in data.items()}
        over_by_low, over_by_high = self._predicted(draws, rows)
        inside_50, inside_90 = interval_shares(over_by_low, over_by_high)
        rng = np.random.default_rng(seed)
        counts = []
        for age in self._setting.ages:
            over = np.where(rows["kind"] == weibull.BETWEEN, rows["upper"], rows["lower"]) <= age
            over &= rows["kind"] != weibull.HELD
            # A spell that ended exactly at `age` is over; one last seen at `age` still holds.
            holds = (rows["lower"] >= age) & ~over
            known = (over | holds) & (rows["entry"] == 0)
            if not known.any():
                continue
            replicated = np.zeros(np.shape(draws["k"]))
            for x, n in zip(*np.unique(rows["monitored"][known], return_counts=True), strict=True):
                surviving = weibull.survival(draws, [age], t0=self.t0, monitored=float(x))[:, 0]
                replicated += rng.binomial(int(n), 1.0 - surviving)
            low, high = np.quantile(replicated, [0.025, 0.975])
            within = f"{age * 24:g} h" if age < 1 else f"{age:g} d"
            label = f"over within {within}, of {int(known.sum())}"
            counts.append(CountCheck(label, float(over[known].sum()), float(low), float(high)))
        return PredictiveCheck(self.family, len(rows["lower"]), inside_50, inside_90, tuple(counts))

    def _predicted(
        self, draws: Mapping[str, ArrayLike], rows: Mapping[str, FloatArray]
    ) -> tuple[FloatArray, FloatArray]:
        """Return P(over by lower) and P(over by upper) of each spell, averaged over draws."""
        columns = (rows[name].tolist() for name in ("lower", "upper", "entry", "monitored"))
        surviving = [
            weibull.survival(draws, [lower, upper], t0=self.t0, age=entry, monitored=x)
            for lower, upper, entry, x in zip(*columns, strict=True)
        ]
        low, high = (1.0 - np.array([each[:, k].mean() for each in surviving]) for k in (0, 1))
        return low, np.where(rows["kind"] == weibull.HELD, 1.0, high)


#: The kinds of reference classes of spells, with the definition of their end.
KINDS = {"claim": "first-claim", "formal": "formal-end", "agreement": "peace-agreement"}


@dataclass(frozen=True, slots=True, eq=False)
class SpellDraws:
    """Draws of a reference class of spells: cumulative hazard exp(theta) (age / t0)^k.

    All (S,), neighbours alike. `at_once` and `lasting` are the shares that fail at once and that
    never end; by `spread`, a standard deviation, the asked case may differ from its class in theta.
    """

    theta: FloatArray
    k: FloatArray
    t0: float
    at_once: FloatArray | float = 0.0
    lasting: FloatArray | float = 0.0
    spread: float = 0.0

    @property
    def arrays(self) -> list[FloatArray]:
        """Everything that is drawn, for a digest."""
        values = (self.theta, self.k, self.t0, self.at_once, self.lasting, self.spread)
        return [np.asarray(value, dtype=np.float64) for value in values]

    @classmethod
    def of(cls, model: Spells, fit: Fit) -> "SpellDraws":
        """Give the draws of a fitted class, of a case that is not monitored, neighbours alike."""
        draws = fit.draws
        place = np.concatenate(in_order(draws["theta"], draws.get("lasting", draws["k"]), 32))

        def share(name: str) -> FloatArray | float:
            return draws[name][place] if name in draws else 0.0

        # A stay is at once, for good, or neither: of those not at once a share lasts.
        once, lasting = share("pi"), share("lasting") * (1.0 - share("pi"))
        # Peace agreements are of another kind of war.
        spread = CASE.value("sd") if model.setting == "peace-agreement" else 0.0
        return cls(draws["theta"][place], draws["k"][place], model.t0, once, lasting, spread)
