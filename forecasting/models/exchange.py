"""Exchange count: whether an agreed exchange of prisoners completes, begins, brings how many.

Two regimes and a delivery stage (see `exchange_process`): the package is carried out as agreed
(probability w, start rate mu a week, then tranches) or the number comes down by routine
exchanges. Waiting without a start lowers w; the sizes and times of deliveries say which regime
they come from; silence after a tranche may be a stall. No discrete variable is sampled.

Data arrays (`ExchangeCount.fit`): the fourteen of `exchange_arrays.exchange_data`. Prior arrays:
``w_a, w_b, mu_shape, mu_rate`` (a week), ``lam_shape, lam_rate`` (a week), ``m_mu, m_sd`` (of log
m), ``nu_mu, nu_sd`` (of log nu), ``delta_shape, delta_rate`` (a day), ``stall_shape, stall_rate``
(a day), ``final_a, final_b, share_a, share_b, share_precision_value``. Draws: ``w, mu, lam, m,
nu, delta, stall, final, share``, each (S,), and ``share_precision`` as given.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.inference.fit import Fit
from forecasting.inference.fit import fit as sample
from forecasting.inference.inputs import COLUMN, SCALAR, Layout, inputs
from forecasting.inference.predictive_check import CountCheck, PredictiveCheck, interval_shares
from forecasting.models import exchange_future, exchange_process, simulated
from forecasting.models.compound import LEVELS, Delivered, delivered
from forecasting.models.exchange_arrays import is_complete, sufficient
from forecasting.models.exchange_priors import BETAS, GAMMAS, PRIORS, STANDARD
from forecasting.models.exchange_process import FEATURES
from forecasting.models.protocol import PriorSpec, from_standard, prior_arrays

__all__ = ["ExchangeCount"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ExchangeCount:
    """An agreed exchange in two regimes with a delivery stage."""

    family: ClassVar[str] = "exchange-count"
    version: ClassVar[str] = "1"
    outcome_types: ClassVar[frozenset[str]] = frozenset({"binary", "numeric"})

    @property
    def structure(self) -> tuple[Hashable, ...]:
        """One graph for all exchanges."""
        return ()

    @property
    def layout(self) -> Layout:
        """Priors in blocks of one distribution, totals, and columns of any length."""
        return {
            "beta_a": len(BETAS),
            "beta_b": len(BETAS),
            "gamma_shape": len(GAMMAS),
            "gamma_rate": len(GAMMAS),
            "standard_mu": len(STANDARD),
            "standard_sd": len(STANDARD),
            "share_precision": SCALAR,
            "totals": len(FEATURES),
            "quiet_days": SCALAR,
            "waited_weeks": SCALAR,
            "rows": COLUMN,
            "begun": COLUMN,
            "unbegun_weeks": COLUMN,
            "past_quiet": COLUMN,
        }

    def default_priors(self) -> dict[str, PriorSpec]:
        """Return the priors by parameter.

        Returns
        -------
        dict of str to PriorSpec
            Ten, the constant precision of the shares included.

        Examples
        --------
        >>> ExchangeCount().default_priors()["mu"].text
        'Gamma(2, 13)'
        """
        return {prior.name: prior for prior in PRIORS}

    def build_model(self) -> Any:
        """Build the graph; every number in it is data.

        Returns
        -------
        pymc.Model
            Free variables ``betas``, ``gammas`` and ``z``, in the order of the module's names.
        """
        import pymc as pm
        import pytensor.tensor as pt

        with pm.Model() as model:
            given = inputs(self.layout, self._prior_blocks(self.default_priors()))
            betas = pm.Beta("betas", given["beta_a"], given["beta_b"])
            gammas = pm.Gamma("gammas", alpha=given["gamma_shape"], beta=given["gamma_rate"])
            z = pm.Normal("z", shape=len(STANDARD))
            logs = given["standard_mu"] + given["standard_sd"] * z
            p = {name: betas[index] for index, name in enumerate(BETAS)}
            p |= {name: gammas[index] for index, name in enumerate(GAMMAS)}
            p |= {name: pt.exp(logs[index]) for index, name in enumerate(STANDARD)}
            p["share_precision"] = given["share_precision"]
            unit = pt.stack(exchange_process.coefficients(p, pt))
            rows = pt.sum(given["rows"].reshape((-1, len(FEATURES))) * unit, axis=1)
            # Waits and silences of all packages in one vector each, the one asked about first.
            quiet = exchange_process.quiet_log(
                p, pt.concatenate([given["quiet_days"][None], given["past_quiet"]]), pt
            )
            unbegun = exchange_process.unbegun_log(
                p, pt.concatenate([given["waited_weeks"][None], given["unbegun_weeks"]]), pt
            )
            now = exchange_process.hypothesis_terms(rows, given["begun"], quiet[0], unbegun[0])
            pm.Potential(
                "evidence",
                pt.logsumexp(now)
                + pt.sum(given["totals"] * unit)
                + pt.sum(quiet[1:])
                + pt.sum(unbegun[1:]),
            )
        return model

    def fit(
        self,
        data: Mapping[str, ArrayLike],
        priors: Mapping[str, PriorSpec],
        seed: int,
        *,
        draws: int = 1500,
        tune: int = 300,
        chains: int = 4,
        target_accept: float = 0.8,
        cores: int | None = None,
    ) -> Fit:
        """Sample the parameters given the package, the routine and earlier packages.

        Parameters
        ----------
        data : mapping
            From `exchange_arrays.exchange_data`.
        priors : mapping of str to PriorSpec
            As `default_priors` returns, or a worldview's numbers for them.
        seed : int
            Seed of the draws.
        draws, tune, chains, target_accept, cores
            As in `forecasting.inference.fit`.

        Returns
        -------
        Fit
            Posterior draws with the sampler's report.
        """
        arrays = sufficient(data)
        fitted = sample(
            self,
            {**arrays, "rows": arrays["rows"].ravel()},
            self._prior_blocks(priors),
            seed=seed,
            draws=draws,
            tune=tune,
            chains=chains,
            target_accept=target_accept,
            cores=cores,
            parameters=lambda found: _named(found, priors),
        )
        # A constant is no parameter to judge, but prediction needs it beside the draws.
        precision = np.full(chains * draws, priors["share_precision"].value("value"))
        precision.flags.writeable = False
        return replace(
            fitted,
            draws=MappingProxyType({**fitted.draws, "share_precision": precision}),
        )

    def predict(
        self,
        draws: Mapping[str, ArrayLike],
        data: Mapping[str, ArrayLike],
        horizon_days: ArrayLike,
    ) -> FloatArray:
        """Return P(the whole number is delivered within each horizon) for every draw.

        Parameters
        ----------
        draws : mapping
            From `fit`.
        data : mapping
            The data of that fit.
        horizon_days : array_like, shape (H,)
            Days from now to each deadline, at least 0.

        Returns
        -------
        ndarray, shape (S, H)
            Rises with the horizon in every draw; 1 once complete.
        """
        p, horizon = _vectors(draws), _horizon(horizon_days)
        if is_complete(data):
            return np.ones((p["w"].size, horizon.size))
        return exchange_future.completion(p, self._now(p, data), _remaining(data), horizon)

    def predict_first_stage(
        self,
        draws: Mapping[str, ArrayLike],
        data: Mapping[str, ArrayLike],
        horizon_days: ArrayLike,
    ) -> FloatArray:
        """Return P(a first delivery within each horizon) for every draw.

        Parameters
        ----------
        draws, data, horizon_days
            As in `predict`.

        Returns
        -------
        ndarray, shape (S, H)
            1 once there was a delivery; never below `predict`.
        """
        p, horizon = _vectors(draws), _horizon(horizon_days)
        if np.size(data["delivered"]):
            return np.ones((p["w"].size, horizon.size))
        return exchange_future.first_stage(p, self._now(p, data), horizon)

    def predict_number(
        self,
        draws: Mapping[str, ArrayLike],
        data: Mapping[str, ArrayLike],
        horizon_days: float,
        *,
        seed: int,
        levels: tuple[float, ...] = LEVELS,
        replicates: int = 10,
    ) -> Delivered:
        """Return the predictive distribution of the number delivered within a horizon.

        Parameters
        ----------
        draws, data
            As in `predict`.
        horizon_days : float
            Days from now.
        seed : int
            Seed of the simulation.
        levels : tuple of float
            Quantile levels.
        replicates : int
            Futures simulated for each draw.

        Returns
        -------
        Delivered
            Quantiles of the total, what is delivered already included, with lumps at that
            number (nothing more) and at the whole.
        """
        p = _vectors(draws)
        (horizon,) = _horizon(horizon_days)
        agreed, already = (
            float(np.asarray(data["agreed"])),
            float(np.asarray(data["delivered"]).sum()),
        )
        if is_complete(data):
            return delivered([agreed], lower=agreed, upper=agreed, levels=levels)
        rng = np.random.default_rng(seed)
        now = self._now(p, data)
        more = [
            exchange_future.simulate(rng, p, now, agreed - already, float(horizon))
            for _ in range(replicates)
        ]
        return delivered(already + np.concatenate(more), lower=already, upper=agreed, levels=levels)

    def states(
        self, draws: Mapping[str, ArrayLike], data: Mapping[str, ArrayLike]
    ) -> dict[str, FloatArray]:
        """Return, for every draw, where the exchange stands: active, stalled, pending, never.

        Parameters
        ----------
        draws, data
            As in `predict`; the exchange is not complete.

        Returns
        -------
        dict of str to ndarray, each (S,)
            Probabilities that sum to one.
        """
        return self._now(_vectors(draws), data)

    def _now(
        self, p: Mapping[str, FloatArray], data: Mapping[str, ArrayLike]
    ) -> dict[str, FloatArray]:
        return exchange_process.states(p, sufficient(data))

    def _prior_blocks(self, priors: Mapping[str, PriorSpec]) -> dict[str, FloatArray]:
        """Return the priors stacked by distribution, as the graph takes them."""
        arrays = prior_arrays(priors, self.default_priors())
        blocks = {
            f"{kind}_{key}": np.stack([arrays[f"{name}_{key}"] for name in names])
            for kind, names, keys in (
                ("beta", BETAS, ("a", "b")),
                ("gamma", GAMMAS, ("shape", "rate")),
                ("standard", STANDARD, ("mu", "sd")),
            )
            for key in keys
        }
        return {**blocks, "share_precision": arrays["share_precision_value"]}

    def log_likelihood(
        self, draws: Mapping[str, ArrayLike], data: Mapping[str, ArrayLike]
    ) -> FloatArray:
        """Return log p(evidence | draw) of three blocks: package, routine, earlier packages.

        Parameters
        ----------
        draws, data
            As in `predict`.

        Returns
        -------
        ndarray, shape (S, 3)
            Up to constants that no parameter changes.
        """
        xp, p, rows = exchange_process.numpy_mathematics(), _vectors(draws), sufficient(data)
        now = exchange_process.package_terms(p, rows)
        each = np.column_stack(exchange_process.coefficients(p, xp)) * rows["totals"]
        columns = {name: values[:, None] for name, values in p.items()}
        unbegun = exchange_process.unbegun_log(columns, rows["unbegun_weeks"], xp)
        quiet = exchange_process.quiet_log(columns, rows["past_quiet"], xp)
        routine = FEATURES.index("begun")
        past = each[:, routine:].sum(axis=1) + unbegun.sum(axis=1) + quiet.sum(axis=1)
        return np.column_stack(
            [np.logaddexp.reduce(now, axis=1), each[:, :routine].sum(axis=1), past]
        )

    def simulate(
        self, rng: np.random.Generator, priors: Mapping[str, PriorSpec] | None = None
    ) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
        """Draw parameters from the prior and an exchange that is not complete from them."""
        while True:
            truth = simulated.prior_draw(rng, self.default_priors() if priors is None else priors)
            data = simulated.exchange(rng, truth)
            if data is not None:
                return truth, data

    def predictive_check(
        self, draws: Mapping[str, ArrayLike], data: Mapping[str, ArrayLike], *, seed: int
    ) -> PredictiveCheck:
        """Hold the sizes and the number of routine exchanges against the model's predictions.

        Parameters
        ----------
        draws, data
            As in `predict`.
        seed : int
            Seed of the replicated counts.

        Returns
        -------
        PredictiveCheck
            Sizes inside their intervals; the count of exchanges.
        """
        from scipy.special import gammainc

        p = _vectors(draws)
        sizes = np.asarray(data["sizes"], dtype=np.float64)
        below = gammainc(p["nu"][:, None], sizes * (p["nu"] / p["m"])[:, None]).mean(axis=0)
        inside_50, inside_90 = interval_shares(below, below)
        weeks = float(np.asarray(data["history_weeks"]))
        counts = []
        if weeks > 0:
            replicated = np.random.default_rng(seed).poisson(p["lam"] * weeks)
            low, high = np.quantile(replicated, [0.025, 0.975])
            label, seen = (
                f"exchanges in {weeks:.0f} weeks",
                float(np.asarray(data["history_events"])),
            )
            counts.append(CountCheck(label, seen, float(low), float(high)))
        return PredictiveCheck(self.family, sizes.size, inside_50, inside_90, tuple(counts))


def _named(
    found: Mapping[str, FloatArray], priors: Mapping[str, PriorSpec]
) -> dict[str, FloatArray]:
    named = {f"{name}_z": found["z"][:, index] for index, name in enumerate(STANDARD)}
    for block, names in (("betas", BETAS), ("gammas", GAMMAS)):
        named |= {name: found[block][:, index] for index, name in enumerate(names)}
    return from_standard(named, priors)


def _vectors(draws: Mapping[str, ArrayLike]) -> dict[str, FloatArray]:
    return {name: np.asarray(values, dtype=np.float64) for name, values in draws.items()}


def _horizon(horizon_days: ArrayLike) -> FloatArray:
    return np.atleast_1d(np.asarray(horizon_days, dtype=np.float64))


def _remaining(data: Mapping[str, ArrayLike]) -> float:
    return float(np.asarray(data["agreed"])) - float(np.asarray(data["delivered"]).sum())
