r"""Forecasters: what people say, read with their bias, information and noise.

The likelihood is that of `forecaster_bin`. Forecasters are partially pooled: each has

.. math:: \mu_j \sim N(m, \sigma_\mu), \quad \operatorname{logit} \gamma_j \sim N(g, \sigma_\gamma),
          \quad \log \delta_j \sim N(d, \sigma_\delta),

so that somebody with a short record is read like the others, and somebody new as drawn from them.
Before any record a forecaster's own numbers have about the priors N(0, .5), Beta(2, 4) and
HalfNormal(.5), the last two with their mass away from zero, where the sampler would get stuck.

Data arrays: ``probit, question, who`` (n,), one row a forecast; ``outcome, weight`` (Q,), one a
question. Prior arrays: see `Forecaster.default_priors`. Draws: ``base, shared`` (S,) and ``bias,
information, noise`` (S, J) for the `room` of the graph: columns without a record are forecasters
yet unseen.
"""

import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.errors import InvalidInput
from forecasting.inference.fit import Fit, exact_fit
from forecasting.inference.fit import fit as sample
from forecasting.inference.inputs import COLUMN, SCALAR, Layout, inputs
from forecasting.inference.predictive_check import CountCheck, PredictiveCheck
from forecasting.models import forecaster_bin
from forecasting.models.protocol import PriorSpec, from_standard, prior_arrays

__all__ = ["Forecaster", "room_for"]

FloatArray = NDArray[np.float64]

ROOMS = (4, 8, 16, 32, 64)
#: Parameters that each forecaster has; each has a population mean and a ``_scale``.
EACH = ("bias", "information", "noise")
ROWS = ("probit", "question", "who", "outcome", "weight")
BIN = "Satopaa et al. 2021, doi:10.1287/mnsc.2020.3882, has the parameters; widths by judgement"


def room_for(forecasters: int) -> int:
    """Return the size of the graph for a number of forecasters: the next one that is compiled.

    Parameters
    ----------
    forecasters : int
        With a record, or speaking now.

    Returns
    -------
    int
        Of `ROOMS`.

    Raises
    ------
    InvalidInput
        If there are more than the largest.

    Examples
    --------
    >>> room_for(3), room_for(9)
    (4, 16)
    """
    for room in ROOMS:
        if forecasters <= room:
            return room
    message = f"forecasters ({forecasters}): at most {ROOMS[-1]} are modelled."
    raise InvalidInput(message)


@dataclass(frozen=True, slots=True)
class Forecaster:
    """Bias, information and noise of up to `room` forecasters, partially pooled."""

    family: ClassVar[str] = "forecaster"
    version: ClassVar[str] = "1"
    outcome_types: ClassVar[frozenset[str]] = frozenset({"binary"})

    room: int = ROOMS[0]

    def __post_init__(self) -> None:
        """Check the size."""
        if self.room < 1:
            message = f"room ({self.room}): at least 1 forecaster."
            raise InvalidInput(message)

    @property
    def structure(self) -> tuple[Hashable, ...]:
        """The room changes the graph."""
        return (self.room,)

    @property
    def layout(self) -> Layout:
        """Priors and data by name."""
        scalars = {
            f"{name}_{key}": SCALAR
            for name, prior in self.default_priors().items()
            for key, _ in prior.parameters
        }
        return {**scalars, **dict.fromkeys(ROWS, COLUMN)}

    def default_priors(self) -> dict[str, PriorSpec]:
        """Return the priors by parameter.

        Returns
        -------
        dict of str to PriorSpec
            ``base`` (probit of the base rate: uniform), then for each of ``bias``, ``information``
            (logit) and ``noise`` (log) the population's mean and its ``_scale``, and ``shared``
            (logit of the correlation of what forecasters get wrong together).

        Examples
        --------
        >>> Forecaster().default_priors()["bias"].text
        'Normal(0, 0.4)'
        """
        known = date(2021, 12, 31)
        numbers = {
            "base": ("normal", 0.0, 1.0),
            "bias": ("normal", 0.0, 0.4),
            "bias_scale": ("lognormal", float(np.log(0.28)), 0.3),
            "information": ("normal", -0.83, 0.8),
            "information_scale": ("lognormal", float(np.log(0.5)), 0.3),
            "noise": ("normal", float(np.log(0.3)), 0.6),
            "noise_scale": ("lognormal", float(np.log(0.4)), 0.3),
            "shared": ("normal", 0.0, 1.0),
        }
        return {
            name: PriorSpec.of(name, kind, mu, sd, source=BIN, known_by=known)
            for name, (kind, mu, sd) in numbers.items()
        }

    def build_model(self) -> Any:
        """Build the graph; every number in it is data, every variable standardised.

        Returns
        -------
        pymc.Model
            Free variables ``<prior>_z`` and ``<parameter>_each``, the latter of the room's length.
        """
        import pymc as pm
        import pytensor.tensor as pt
        from pymc.distributions.dist_math import normal_lcdf

        with pm.Model() as model:
            given = inputs(self.layout)
            plain = {
                name: given[f"{name}_mu"] + given[f"{name}_sd"] * pm.Normal(f"{name}_z")
                for name in self.default_priors()
            }
            each = {
                name: plain[name]
                + pt.exp(plain[f"{name}_scale"]) * pm.Normal(f"{name}_each", shape=self.room)
                for name in EACH
            }
            who, question = (given[name].astype("int64") for name in ("who", "question"))
            base, kappa = plain["base"], pt.sigmoid(plain["shared"])
            gamma = pt.sigmoid(each["information"])[who]
            variance = gamma * (1 - gamma) + pt.exp(each["noise"])[who]
            s = pt.sqrt(variance)
            u = (given["probit"] * pt.sqrt(1 - gamma) - base - each["bias"][who]) / s
            g = gamma / s
            terms = [pt.ones_like(u), u, g, u**2, g**2, g * u]
            terms.append(0.5 * pt.log1p(-gamma) - 0.5 * pt.log(variance))
            empty = pt.zeros((given["outcome"].shape[0], len(terms)))
            sums = pt.inc_subtensor(empty[question], pt.stack(terms, axis=1))
            m, one_u, one_g, uu, gg, gu, plain_terms = (sums[:, i] for i in range(len(terms)))
            pull = kappa / (1 - kappa + kappa * m)
            a = (gg - pull * one_g**2) / (1 - kappa)
            slope = (gu - pull * one_g * one_u) / (1 - kappa)
            quadratic = (uu - pull * one_u**2) / (1 - kappa)
            correlation = (m - 1) * pt.log1p(-kappa) + pt.log1p(kappa * (m - 1))
            said = plain_terms - 0.5 * (correlation + pt.log1p(a) + quadratic - slope**2 / (1 + a))
            mean = (base + slope / (1 + a)) * pt.sqrt(1 + a)
            happened = normal_lcdf(0.0, 1.0, (2 * given["outcome"] - 1) * mean)
            pm.Potential("record", pt.sum(given["weight"] * (said + happened)))
        return model

    def fit(
        self,
        data: Mapping[str, ArrayLike],
        priors: Mapping[str, PriorSpec],
        seed: int,
        *,
        draws: int = 1000,
        tune: int = 600,
        chains: int = 4,
        target_accept: float = 0.9,
        cores: int | None = None,
    ) -> Fit:
        """Return posterior draws of every forecaster's bias, information and noise.

        Parameters
        ----------
        data : mapping
            The resolved questions; without one, the draws are those of the prior, exactly.
        priors : mapping of str to PriorSpec
            As `default_priors` returns.
        seed : int
            Seed of the draws.
        draws, tune, chains, target_accept, cores
            As in `forecasting.inference.fit`.

        Returns
        -------
        Fit
            By ``"nuts"``, or by ``"conjugate"`` where there is no record.

        Raises
        ------
        InvalidInput
            If an index points outside, an outcome is not 0 or 1, or a weight is negative.
        """
        rows = self._checked(data)
        arrays = prior_arrays(priors, self.default_priors())
        if not rows["outcome"].size:
            started = time.perf_counter()
            found = self.prior_draws(np.random.default_rng(seed), priors, chains * draws)
            seconds = time.perf_counter() - started
            return exact_fit(found, rows, arrays, seed=seed, seconds=seconds, chains=chains)
        return sample(
            self,
            rows,
            arrays,
            seed=seed,
            draws=draws,
            tune=tune,
            chains=chains,
            target_accept=target_accept,
            cores=cores,
            parameters=lambda drawn: self._parameters(drawn, priors),
        )

    def prior_draws(
        self, rng: np.random.Generator, priors: Mapping[str, PriorSpec], size: int
    ) -> dict[str, FloatArray]:
        """Return independent draws of the parameters from the prior.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of randomness.
        priors : mapping of str to PriorSpec
            As `default_priors` returns.
        size : int
            S.

        Returns
        -------
        dict of str to ndarray
            As the draws of a fit.
        """
        standard = {f"{name}_z": rng.normal(size=size) for name in priors}
        standard |= {f"{name}_each": rng.normal(size=(size, self.room)) for name in EACH}
        return self._parameters(standard, priors)

    def _parameters(
        self, drawn: Mapping[str, FloatArray], priors: Mapping[str, PriorSpec]
    ) -> dict[str, FloatArray]:
        from scipy.special import expit

        plain = from_standard(drawn, priors)
        each = {
            name: plain[name][:, None] + plain[f"{name}_scale"][:, None] * drawn[f"{name}_each"]
            for name in EACH
        }
        return {
            "base": plain["base"],
            "bias": each["bias"],
            "information": expit(each["information"]),
            "noise": np.exp(each["noise"]),
            "shared": expit(plain["shared"]),
        }

    def predict(
        self, draws: Mapping[str, ArrayLike], forecast: ArrayLike, who: ArrayLike
    ) -> FloatArray:
        """Return P(yes | what is said now) for every draw.

        Parameters
        ----------
        draws : mapping
            From `fit`.
        forecast : array_like, shape (n,)
            Probabilities in force on one question; none gives the base rate.
        who : array_like, shape (n,)
            Columns of the forecasters, each once.

        Returns
        -------
        ndarray, shape (S,)
        """
        index = np.asarray(who, dtype=np.int64)
        if len(set(index.tolist())) < len(index) or np.any((index < 0) | (index >= self.room)):
            message = f"who ({index.tolist()}): different columns from 0 to {self.room - 1}."
            raise InvalidInput(message)
        return forecaster_bin.outcome_probability(draws, forecaster_bin.probit(forecast), index)

    def log_likelihood(
        self, draws: Mapping[str, ArrayLike], data: Mapping[str, ArrayLike]
    ) -> FloatArray:
        """Return weight * log p(question | draw).

        Parameters
        ----------
        draws, data : mapping
            As in `fit`.

        Returns
        -------
        ndarray, shape (S, Q)
            One column a question, for leave-one-out and for reweighting.
        """
        return forecaster_bin.log_likelihood(draws, self._checked(data))

    def predictive_check(
        self, draws: Mapping[str, ArrayLike], data: Mapping[str, ArrayLike], *, seed: int
    ) -> PredictiveCheck:
        """Hold the number of yeses, where all said below and above a half, against replications.

        Parameters
        ----------
        draws, data
            As in `fit`.
        seed : int
            Seed of the replications.

        Returns
        -------
        PredictiveCheck
            Two counts: among questions called unlikely, and among the others.
        """
        rows = self._checked(data)
        rng = np.random.default_rng(seed)
        question, who = rows["question"].astype(np.int64), rows["who"].astype(np.int64)
        size = len(rows["outcome"])
        mean_said = np.bincount(question, weights=rows["probit"], minlength=size)
        p = np.column_stack(
            [
                forecaster_bin.outcome_probability(
                    draws, rows["probit"][question == index], who[question == index]
                )
                for index in range(size)
            ]
        )
        replicated = rng.random(p.shape) < p
        counts = []
        for label, chosen in (("unlikely", mean_said < 0), ("likely", mean_said >= 0)):
            low, high = np.quantile(replicated[:, chosen].sum(axis=1), [0.025, 0.975])
            text = f"yes among {int(chosen.sum())} called {label}"
            seen = float(rows["outcome"][chosen].sum())
            counts.append(CountCheck(text, seen, float(low), float(high)))
        return PredictiveCheck(self.family, 0, float("nan"), float("nan"), tuple(counts))

    def simulate(
        self,
        rng: np.random.Generator,
        priors: Mapping[str, PriorSpec] | None = None,
        *,
        questions: int = 15,
    ) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
        """Draw parameters from the prior and a record from them.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of randomness.
        priors : mapping of str to PriorSpec, optional
            Default `default_priors`.
        questions : int, default 15
            Each answered by all of the room's forecasters.

        Returns
        -------
        draws : dict
            One set of parameters, as a draw of `fit` without its first axis.
        data : dict
            As `fit` takes it.
        """
        drawn = self.prior_draws(rng, self.default_priors() if priors is None else priors, 1)
        one = {name: values[0] for name, values in drawn.items()}
        return one, forecaster_bin.simulate_record(rng, one, questions=questions)

    def _checked(self, data: Mapping[str, ArrayLike]) -> dict[str, FloatArray]:
        if set(data) != set(ROWS):
            message = f"data ({', '.join(sorted(data))}): must be {', '.join(ROWS)}."
            raise InvalidInput(message)
        rows = {name: np.asarray(data[name], dtype=np.float64) for name in ROWS}
        for name, limit in (("who", self.room), ("question", len(rows["outcome"]))):
            if np.any((rows[name] < 0) | (rows[name] >= limit)):
                message = f"{name}: must lie from 0 to {limit - 1}."
                raise InvalidInput(message)
        if not np.all(np.isin(rows["outcome"], [0.0, 1.0])) or np.any(rows["weight"] < 0):
            message = "outcome and weight: must be 0 or 1, and at least 0."
            raise InvalidInput(message)
        return rows
