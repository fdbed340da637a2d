"""Staged process: how far along an ordered path things have come by a deadline.

Stages 1 to K are reached in order. In each the process waits an exponential time, then goes on to
the next stage or collapses. **A collapse goes back to the beginning, from where a new attempt
starts; it is not the end of everything**: an absorbing collapse would make the far deadlines too
sure, and talks that broke down have been taken up again. At the beginning there is nothing to
collapse, so K = 1 is the plain rate of the reference class.

The class counts completed paths, so its rate is `rate` = 1 / (mean time of a whole path, failed
attempts included), and collapse is not counted a second time; see `staged_chain.stage_rates`. How
that time divides over the stages is `pace` (log-normal weights). `collapse` is the rate of falling
back from each stage; its prior is a chance to fail at the class's average pace, so that it is
independent of `rate`: a collapse must not say that the path is a fast one. The rate belongs to the
whole path and not to what remains of it: a stage reached then brings the end nearer, in the same
way for a question that opened before it and for one that opened after.

A share `direct` of the rate comes at once, from wherever things stand: steps are skipped, or were
made where nobody saw them. Without it the model would say 0 shortly before a deadline.

Likelihood, with A the rates of advancing, C those of collapse and D = direct x rate, of advances d,
collapses q and time E: the sum over k of d_k log A_k + q_k log C_k - (A_k + C_k + D) E_k, where the
last advance, the end of the path, has the rate A_K + D, and an end from further back (a jump) has
D. A stage skipped on the way to one before the last counts as an advance without time.

``method="conjugate"`` weights Sobol points without a sampler, ``"nuts"`` samples the PyMC model. It
has no posterior predictive check: one path has a handful of moves and nearly a parameter for each,
so that a check could never object.

Data arrays: ``advances, collapses, exposure``, each (K,), and ``jumps`` (), in the unit of time of
the rate (in the bank: weeks). Prior arrays: ``rate_shape, rate_rate``; for K > 1 also ``pace_mu,
pace_sd`` (of the log), ``collapse_a, collapse_b, direct_a, direct_b``. Draws: ``rate, direct``
(S,), ``pace`` (S, K), ``collapse`` (S, K - 1).
"""

import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.errors import InvalidInput
from forecasting.inference.fit import Fit, exact_fit
from forecasting.inference.fit import fit as sample
from forecasting.inference.inputs import SCALAR, Layout, inputs
from forecasting.models.protocol import PriorSpec, from_standard, prior_arrays
from forecasting.models.staged_chain import reached_by
from forecasting.models.staged_path import followed, no_data
from forecasting.models.staged_priors import PRIORS
from forecasting.models.staged_quadrature import (
    POINTS,
    collapse_rates,
    log_moves,
    path_rates,
    quadrature,
)

__all__ = ["StagedProcess"]

FloatArray = NDArray[np.float64]

# The least that the data may leave of the quadrature's points.
LEAST_EFFECTIVE = 1000.0


@dataclass(frozen=True, slots=True)
class StagedProcess:
    """A path of K stages, each of which may collapse.

    Attributes
    ----------
    stages
        K, at least 1; the last is what is asked for.
    """

    family: ClassVar[str] = "staged"
    version: ClassVar[str] = "1"
    outcome_types: ClassVar[frozenset[str]] = frozenset({"binary", "ordered"})

    stages: int = 3

    def __post_init__(self) -> None:
        """Check the number of stages."""
        if self.stages < 1:
            message = f"stages ({self.stages}): must be at least 1."
            raise InvalidInput(message)

    @property
    def structure(self) -> tuple[Hashable, ...]:
        """The number of stages changes the graph."""
        return (self.stages,)

    @property
    def layout(self) -> Layout:
        """Priors as scalars, data with one number a stage."""
        defaults = self.default_priors()
        scalars = dict.fromkeys(prior_arrays(defaults, defaults), SCALAR)
        return scalars | {
            name: array.size if array.ndim else SCALAR
            for name, array in no_data(self.stages).items()
        }

    def default_priors(self) -> dict[str, PriorSpec]:
        """Return the priors by parameter.

        Returns
        -------
        dict of str to PriorSpec
            ``rate`` (a week); for more than one stage also ``pace`` and ``collapse``, the same for
            each stage.

        Examples
        --------
        >>> [prior.text for prior in StagedProcess().default_priors().values()]
        ['Gamma(1, 26)', 'LogNormal(0, 0.8)', 'Beta(2, 6)', 'Beta(1, 9)']
        """
        chosen = PRIORS[:1] if self.stages == 1 else PRIORS
        return {prior.name: prior for prior in chosen}

    def build_model(self) -> Any:
        """Build the graph; every number in it is data.

        Returns
        -------
        pymc.Model
            Free variables ``rate``, and for more than one stage ``pace_z, collapse, direct``.
        """
        import pymc as pm
        import pytensor.tensor as pt

        k = self.stages
        defaults = prior_arrays(self.default_priors(), self.default_priors())
        with pm.Model() as model:
            given = inputs(self.layout, defaults)
            rate = pm.Gamma("rate", alpha=given["rate_shape"], beta=given["rate_rate"])
            advances, collapses, exposure = (
                given[name] for name in ("advances", "collapses", "exposure")
            )
            if k == 1:
                pm.Potential("moves", pt.sum(advances * pt.log(rate) - rate * exposure))
            else:
                log_pace = given["pace_mu"] + given["pace_sd"] * pm.Normal("pace_z", shape=k)
                collapse = pm.Beta(
                    "collapse", alpha=given["collapse_a"], beta=given["collapse_b"], shape=k - 1
                )
                direct = pm.Beta("direct", alpha=given["direct_a"], beta=given["direct_b"])
                odds = collapse / (1.0 - collapse)
                falls = k * given["rate_shape"] / given["rate_rate"] * odds
                log_time = pt.log(rate) + pt.log1p(-direct) + pt.logsumexp(log_pace) - log_pace
                # From the last stage back: what falls must be climbed again.
                log_rates, visits = [log_time[k - 1]], pt.zeros(())
                for stage in range(k - 2, -1, -1):
                    visits = visits + pt.log1p(falls[stage] * pt.exp(-log_rates[0]))
                    log_rates.insert(0, log_time[stage] + visits)
                log_advance, at_once = pt.stack(log_rates), pt.log(direct) + pt.log(rate)
                risk = pt.sum(exposure * (pt.exp(log_advance) + pt.exp(at_once)))
                pm.Potential("watched", -risk - pt.sum(exposure[1:] * falls))
                ends = pt.logaddexp(log_advance[k - 1], at_once)
                climbed = pt.sum(advances[:-1] * log_advance[:-1])
                pm.Potential("advanced", climbed + advances[k - 1] * ends)
                pm.Potential("collapsed", pt.sum(collapses[1:] * pt.log(falls)))
                pm.Potential("jumped", given["jumps"] * at_once)
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
        """Return posterior draws of ``rate``, ``pace``, ``collapse`` and ``direct``.

        Parameters
        ----------
        data : mapping
            ``advances``, ``collapses``, ``exposure``, each (K,), and ``jumps`` ().
        priors : mapping of str to PriorSpec
            As `default_priors` returns, or a worldview's numbers for them.
        seed : int
            Seed of the draws.
        method : {"auto", "conjugate", "nuts"}
            Default: the quadrature, unless the data leave too few of its points.
        draws, tune, chains, target_accept, cores
            As in `forecasting.inference.fit`; the quadrature uses the first and third.

        Returns
        -------
        Fit
            Draws by ``"conjugate"`` or ``"nuts"``.

        Raises
        ------
        InvalidInput
            If the data are not one number of at least 0 for each stage, the beginning collapses,
            or the quadrature was asked for and its points do not suffice.
        """
        rows = self._checked(data)
        arrays = prior_arrays(priors, self.default_priors())
        if method != "nuts":
            started = time.perf_counter()
            found, effective = quadrature(rows, arrays, draws * chains, seed)
            if effective >= LEAST_EFFECTIVE:
                seconds = time.perf_counter() - started
                return exact_fit(found, rows, arrays, seed=seed, seconds=seconds, chains=chains)
            if method == "conjugate":
                message = f"method (conjugate): {effective:.0f} effective points of {POINTS}."
                raise InvalidInput(message, hint="method='nuts'")
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
            parameters=lambda drawn: self._named(from_standard(drawn, priors), arrays),
        )

    def _named(
        self, draws: Mapping[str, FloatArray], priors: Mapping[str, FloatArray]
    ) -> dict[str, FloatArray]:
        """Turn the sampled chances to fail into rates, and give each parameter its shape."""
        k, n = self.stages, len(draws["rate"])
        if k == 1:
            return {"rate": draws["rate"]}
        chance = np.reshape(draws["collapse"], (n, k - 1))
        return {
            "rate": draws["rate"],
            "pace": np.reshape(draws["pace"], (n, k)),
            "collapse": collapse_rates(chance, priors["rate_shape"], priors["rate_rate"]),
            "direct": draws["direct"],
        }

    def predict(
        self,
        draws: Mapping[str, ArrayLike],
        horizon: ArrayLike,
        *,
        reached: int = 0,
        stages: Sequence[int] | None = None,
    ) -> FloatArray:
        """Return P(stage k has been reached by the horizon | stage `reached` stands now).

        Parameters
        ----------
        draws : mapping
            From `fit`.
        horizon : array_like, shape (H,)
            Time from now to each deadline, at least 0.
        reached : int, default 0
            The stage that stands now.
        stages : sequence of int, optional
            Which of the stages 1 to K; default all.

        Returns
        -------
        ndarray, shape (S, H, K)
            In every draw it rises with the horizon and falls with the stage.
        """
        advance, collapse, direct = path_rates(draws)
        return reached_by(advance, collapse, horizon, direct=direct, reached=reached, stages=stages)

    def log_likelihood(
        self, draws: Mapping[str, ArrayLike], data: Mapping[str, ArrayLike]
    ) -> FloatArray:
        """Return log p(moves out of state k - 1 | draw).

        Parameters
        ----------
        draws, data : mapping
            As in `fit`.

        Returns
        -------
        ndarray, shape (S, K)
            One row for each stage waited for.
        """
        return log_moves(draws, self._checked(data))

    def simulate(
        self,
        rng: np.random.Generator,
        n: int,
        *,
        priors: Mapping[str, PriorSpec] | None = None,
        watched: float = 26.0,
    ) -> tuple[dict[str, FloatArray], tuple[dict[str, FloatArray], ...]]:
        """Draw parameters from the prior and for each a path from its beginning.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of chance.
        n : int
            Number of paths.
        priors : mapping of str to PriorSpec, optional
            Default `default_priors`.
        watched : float, default 26
            Time for which each path is watched, or until its last stage.

        Returns
        -------
        draws : dict of str to ndarray
            The true parameters, shapes (n,), (n, K), (n, K - 1).
        data : tuple of dict
            What was seen of each path, as `fit` takes it.
        """
        given = prior_arrays(priors or self.default_priors(), self.default_priors())
        k = self.stages
        draws = {"rate": rng.gamma(given["rate_shape"], 1.0 / given["rate_rate"], n)}
        if k > 1:
            draws["pace"] = np.exp(rng.normal(given["pace_mu"], given["pace_sd"], (n, k)))
            chance = rng.beta(given["collapse_a"], given["collapse_b"], (n, k - 1))
            draws["collapse"] = collapse_rates(chance, given["rate_shape"], given["rate_rate"])
            draws["direct"] = rng.beta(given["direct_a"], given["direct_b"], n)
        advance, collapse, direct = path_rates(draws)
        paths = (
            followed(rng, advance[i], collapse[i], float(direct[i]), watched=watched)
            for i in range(n)
        )
        return draws, tuple(paths)

    def _checked(self, data: Mapping[str, ArrayLike]) -> dict[str, FloatArray]:
        expected = no_data(self.stages)
        if set(data) != set(expected):
            message = f"data must be {sorted(expected)}, got {sorted(data)}."
            raise InvalidInput(message)
        rows = {name: np.asarray(data[name], dtype=np.float64) for name in expected}
        for name, values in rows.items():
            shape = expected[name].shape
            if values.shape != shape or not np.all((values >= 0) & np.isfinite(values)):
                message = f"{name} ({values}): numbers of at least 0, of shape {shape}."
                raise InvalidInput(message, hint="one for each stage; jumps is a single one")
        if rows["collapses"][0] > 0:
            message = f"collapses ({rows['collapses']}): there is nothing to collapse at the start."
            raise InvalidInput(message, hint="the first number must be 0")
        if self.stages == 1 and rows["jumps"] > 0:
            message = f"jumps ({rows['jumps']}): one stage cannot be jumped to from further back."
            raise InvalidInput(message, hint="advances")
        return rows
