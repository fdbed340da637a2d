"""News as log-odds: what sources say moves a hazard, or a chance, and never replaces it.

Stances follow a random walk through a shared bias, houses, stories and noise (`state_space`). What
they say of the walk's movement since the question opened enters the process, log lambda(t) =
log rate + beta (z(t) - z(0)), where the rate has the prior of the question's reference class and
learns from the time that passed without the event. So P(by D) falls as the deadline nears and
nothing happens, and the level of opinion, which is mostly the commentators', moves nothing. For
``NewsLogOdds("share")``, the chance of one occasion: logit p = logit chance + beta (z(now) - z(0)).

Given the scales everything about z is Gaussian and exact; the scales are integrated by weighted
points (`news_quadrature`), or by NUTS where the weights refuse. NUTS sees scales only for up to 100
reports, and the latent walk and effects above. A source with 10 reports or more gets a gain of its
own, log-normal about 1; with fewer it is fixed to 1, because its gain and its house would only
trade places. No latent discrete variable; no half-normal scale.

Data arrays: ``said, day, source, story`` (n,), see `state_space.Reports`; ``now`` (), days since
the opening; for an event ``exposure`` () days that passed watched since the opening, ``event_day``
(m,), the days of events of the class since then, and ``asked_from`` (), the day from which on the
event is asked for, before ``now`` where the watch ended earlier; for a share ``successes, trials``
() since the opening.
Priors: ``tau, house, story, noise`` log-normal, ``beta`` normal, ``level, bias`` constants, and
``rate`` Gamma (a day) or ``chance`` Beta. Draws: the scales, ``beta``, ``moved`` = z(now) - z(0),
``rate`` or ``chance``, ``watched`` and ``unwatched`` (the exposure, and what is asked for before
now, in relative time), each (S,); ``gain`` (S, G).
"""

import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.errors import InvalidInput
from forecasting.inference.fit import Fit, array_hash, exact_fit
from forecasting.inference.fit import fit as sample
from forecasting.inference.inputs import COLUMN, SCALAR, Layout
from forecasting.inference.predictive_check import PredictiveCheck
from forecasting.models import news_graph, state_space
from forecasting.models.news_check import residuals_by_source
from forecasting.models.news_draws import chance_nodes, checked, hand_over, reports_of
from forecasting.models.news_hazard import relative_future
from forecasting.models.news_priors import SCALES, default_priors
from forecasting.models.news_quadrature import Weighted, resampled, weighted_points
from forecasting.models.protocol import PriorSpec, from_standard, prior_arrays
from forecasting.models.state_space import Scales

__all__ = ["NewsLogOdds"]

FloatArray = NDArray[np.float64]
Draws = Mapping[str, ArrayLike]

#: Up to this many reports NUTS sees the scales alone.
MARGINAL_MOST = 100
CHAINS = 4
#: Points of the scales, and the walks drawn for all of them together.
POINTS, MOST_POINTS, WALKS = 1024, 8192, 4096


@dataclass(frozen=True, slots=True)
class NewsLogOdds:
    """The state-space model of stances, handed over to a rate or to a share.

    Attributes
    ----------
    kind
        ``"event"`` (by a deadline) or ``"share"`` (on one occasion).
    gains
        Number of sources with a gain of their own, for the graph; `fit` counts them itself.
    sizes
        None: the Gaussians integrated out. Else the graph keeps them: points of the walk before
        and after the opening, sources, stories.
    """

    family: ClassVar[str] = "news-log-odds"
    version: ClassVar[str] = "1"
    outcome_types: ClassVar[frozenset[str]] = frozenset({"binary"})

    kind: Literal["event", "share"] = "event"
    gains: int = 0
    sizes: tuple[int, int, int, int] | None = None

    def __post_init__(self) -> None:
        """Check the kind."""
        if self.kind not in ("event", "share"):
            message = f"kind ({self.kind}): must be event or share."
            raise InvalidInput(message)

    @property
    def structure(self) -> tuple[Hashable, ...]:
        """Gains and latents change the graph; the kind changes the names of its numbers."""
        return (self.kind, self.gains, self.sizes)

    @property
    def layout(self) -> Layout:
        """Priors as scalars, reports as columns."""
        defaults = self.default_priors()
        columns = news_graph.MARGINAL if self.sizes is None else news_graph.LATENT
        return dict.fromkeys(prior_arrays(defaults, defaults), SCALAR) | dict.fromkeys(
            columns, COLUMN
        )

    def default_priors(self) -> dict[str, PriorSpec]:
        """Return the priors by parameter, see `news_priors`.

        Returns
        -------
        dict of str to PriorSpec
            Replaced by the rows of a reference class.

        Examples
        --------
        >>> NewsLogOdds().default_priors()["beta"].text
        'Normal(0.5, 0.25)'
        """
        return default_priors(self.kind)

    def build_model(self) -> Any:
        """Build the graph of the scales given the stances: the oracle of the points.

        Returns
        -------
        pymc.Model
            Free variables ``tau_z, house_z, story_z, noise_z``, and ``gain_z`` where there are
            gains; with `sizes` also the standardised latents.
        """
        defaults = self.default_priors()
        start = prior_arrays(defaults, defaults)
        if self.sizes is None:
            return news_graph.marginal(self.layout, start, self.gains)
        return news_graph.latent(self.layout, start, self.gains, self.sizes)

    def fit(
        self,
        data: Mapping[str, ArrayLike],
        priors: Mapping[str, PriorSpec],
        seed: int,
        *,
        method: Literal["auto", "points", "nuts"] = "auto",
        draws: int = 1000,
        tune: int = 500,
        chains: int = CHAINS,
        target_accept: float = 0.9,
        cores: int | None = None,
    ) -> Fit:
        """Return posterior draws of the scales, of the movement, and of the rate or chance.

        Parameters
        ----------
        data : mapping
            See the module.
        priors : mapping of str to PriorSpec
            As `default_priors` returns, or a reference class's or worldview's numbers.
        seed : int
            Seed of the draws.
        method : {"auto", "points", "nuts"}
            Default: points, and NUTS where their weights are refused.
        draws, tune, chains, target_accept, cores
            As in `forecasting.inference.fit`; points have a number of their own.

        Returns
        -------
        Fit
            Independent draws by points, chains by NUTS.

        Raises
        ------
        InvalidInput
            If an array is missing or out of range, or a prior is not the family's.
        """
        if method != "nuts":
            fit, weighted = self.fit_points(data, priors, seed)
            if method == "points" or not weighted.refusal:
                return fit
        values = checked(self.kind, data)
        arrays = prior_arrays(priors, self.default_priors())
        reports = reports_of(values)
        if reports.n == 0:
            message = "method (nuts): without a report there is nothing to sample."
            raise InvalidInput(message, hint="method points, which is then exact")
        sampled = replace(self, gains=int(reports.gain_of.max()), sizes=None)
        columns = news_graph.marginal_data(reports)
        if reports.n > MARGINAL_MOST or self.sizes is not None:
            columns, sizes = news_graph.latent_data(reports)
            sampled = replace(sampled, sizes=sizes)
        fit = sample(
            sampled,
            columns,
            arrays,
            seed=seed,
            draws=draws,
            tune=tune,
            chains=chains,
            target_accept=target_accept,
            cores=cores,
            parameters=lambda found: _scales_of(found, priors),
        )
        scales = Scales.of(
            fit.draws, level=float(arrays["level_value"]), bias=float(arrays["bias_value"])
        )
        paths = np.arange(scales.size)
        found = hand_over(
            self.kind, scales, paths, reports, values, arrays, seed=seed, chains=chains
        )
        return replace(fit, draws=found, data_hash=array_hash(values))

    def fit_points(
        self,
        data: Mapping[str, ArrayLike],
        priors: Mapping[str, PriorSpec],
        seed: int,
        *,
        points: int | None = None,
    ) -> tuple[Fit, Weighted]:
        """Return draws by weighted points of the scales, and the points with their verdict.

        Parameters
        ----------
        data, priors, seed
            As in `fit`.
        points : int, optional
            A power of two; default 1024, doubled up to 8192 while the weights are refused.

        Returns
        -------
        fit : Fit
            Equally weighted draws; four walks or more for each point.
        weighted : Weighted
            `Weighted.refusal` is empty where the fit may be used.
        """
        started = time.perf_counter()
        values = checked(self.kind, data)
        arrays = prior_arrays(priors, self.default_priors())
        reports = reports_of(values)
        level, bias = float(arrays["level_value"]), float(arrays["bias_value"])
        d = len(SCALES) + int(reports.gain_of.max(initial=0.0))

        def scales_at(points: FloatArray) -> Scales:
            return Scales.of(_from_points(points, priors), level=level, bias=bias)

        def log_likelihood(points: FloatArray) -> FloatArray:
            return np.asarray(state_space.one_by_one(reports, scales_at(points)).sum(axis=1))

        size = points or POINTS
        density = log_likelihood if reports.n else None
        weighted = weighted_points(density, d, seed=seed, points=size)
        while weighted.refusal and points is None and weighted.weights.size < MOST_POINTS:
            size *= 2
            weighted = weighted_points(density, d, seed=seed, points=size)
        rng = np.random.default_rng(seed)
        picks = resampled(weighted.weights, rng, size)
        kept, rows = np.unique(picks, return_inverse=True)
        # Each pick carries the same number of walks; a block of draws is one walk of every pick.
        walks = np.tile(rows, max(CHAINS, WALKS // size))
        scales = scales_at(weighted.points[kept])
        found = hand_over(
            self.kind, scales, walks, reports, values, arrays, seed=seed, chains=CHAINS
        )
        seconds = time.perf_counter() - started
        fit = exact_fit(found, values, arrays, seed=seed, seconds=seconds, chains=CHAINS)
        if weighted.refusal:
            report = replace(fit.report, passed=False, reasons=(weighted.refusal,))
            fit = replace(fit, report=report)
        return fit, weighted

    def predict(self, draws: Draws, horizon_days: ArrayLike = 0.0, *, seed: int = 0) -> FloatArray:
        """Return P(event within the horizon), or P(yes on the occasion), for every draw.

        Parameters
        ----------
        draws : mapping
            From `fit`.
        horizon_days : array_like, shape (H,)
            Days from now to each deadline; ignored for a share.
        seed : int
            Of the walks after now; the same seed serves every deadline.

        Returns
        -------
        ndarray, shape (S, H), or (S, 1) for a share
            Rises with the horizon in every draw.
        """
        if self.kind == "share":
            return _moved_chance(draws)
        ahead = self._ahead(draws, horizon_days, seed)
        rate = np.asarray(draws["rate"], dtype=np.float64)[:, None, None]
        return np.asarray(-np.expm1(-rate * ahead).mean(axis=1))

    def expected(
        self,
        draws: Draws,
        data: Mapping[str, ArrayLike],
        priors: Mapping[str, PriorSpec],
        horizon_days: ArrayLike = 0.0,
        *,
        seed: int = 0,
    ) -> FloatArray:
        """Return the probability of `predict` with the rate, or the chance, integrated out.

        1 - ((b + W) / (b + W + F))^(a + m), with W the exposure and F the future in relative time;
        for a share by Gauss-Jacobi nodes. The same mean, a fraction of the Monte Carlo error.

        Parameters
        ----------
        draws, data, priors
            Of one fit.
        horizon_days, seed
            As in `predict`.

        Returns
        -------
        ndarray, shape (S, H), or (S, 1) for a share
            Rises with the horizon in every draw.
        """
        arrays, values = prior_arrays(priors, self.default_priors()), checked(self.kind, data)
        if self.kind == "share":
            nodes, weights = chance_nodes(values, arrays)
            odds = nodes / (1.0 - nodes) * _push(draws)[:, None]
            return np.asarray((odds / (1.0 + odds)) @ weights)[:, None]
        so_far = arrays["rate_rate"] + np.asarray(draws["watched"])[:, None, None]
        shape = arrays["rate_shape"] + values["event_day"].size
        ahead = self._ahead(draws, horizon_days, seed)
        return np.asarray(-np.expm1(-shape * np.log1p(ahead / so_far)).mean(axis=1))

    def _ahead(self, draws: Draws, horizon_days: ArrayLike, seed: int) -> FloatArray:
        moved, tau, beta = (draws[name] for name in ("moved", "tau", "beta"))
        ahead = relative_future(moved, tau, beta, horizon_days, seed=seed)
        return ahead + np.asarray(draws["unwatched"], dtype=np.float64)[:, None, None]

    def log_likelihood(
        self,
        draws: Draws,
        data: Mapping[str, ArrayLike],
        priors: Mapping[str, PriorSpec] | None = None,
    ) -> FloatArray:
        """Return log p(report | reports before it, scales) for every draw.

        Parameters
        ----------
        draws, data : mapping
            As in `fit`; the latent Gaussians are integrated out.
        priors : mapping of str to PriorSpec, optional
            For the fixed ``level`` and ``bias``; default the family's.

        Returns
        -------
        ndarray, shape (S, n)
            Rows sum to log N(y; 0, K); the last column is that of a report just added.
        """
        given = self.default_priors() if priors is None else priors
        return state_space.one_by_one(reports_of(checked(self.kind, data)), _scales(draws, given))

    def predictive_check(
        self,
        draws: Draws,
        data: Mapping[str, ArrayLike],
        *,
        seed: int = 0,
        priors: Mapping[str, PriorSpec] | None = None,
        names: tuple[str, ...] = (),
    ) -> PredictiveCheck:
        """Hold each report against what all the others say of it, and each source's mean.

        Parameters
        ----------
        draws, data : mapping
            As in `fit`.
        seed : int
            Unused: the predictions have closed forms.
        priors : mapping of str to PriorSpec, optional
            As in `log_likelihood`.
        names : tuple of str
            Of the sources, by number.

        Returns
        -------
        PredictiveCheck
            For `forecasting.inference.verdict`.
        """
        given = self.default_priors() if priors is None else priors
        reports = reports_of(checked(self.kind, data))
        return residuals_by_source(self.family, reports, _scales(draws, given), names)

    def simulate(
        self,
        rng: np.random.Generator,
        data: Mapping[str, ArrayLike],
        priors: Mapping[str, PriorSpec] | None = None,
    ) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
        """Draw parameters from the prior, and stances (and the event) from the parameters.

        Parameters
        ----------
        rng : Generator
            Source of randomness.
        data : mapping
            The design: days, sources, stories, ``now``; what happened in it is replaced.
        priors : mapping of str to PriorSpec, optional
            Default the family's.

        Returns
        -------
        truth : dict of str to ndarray
            One draw, each (1,), as `fit` returns them.
        data : dict of str to ndarray
            For `fit`. The class is watched until ``now``, or until its first event.
        """
        from forecasting.models.news_check import simulated

        given = self.default_priors() if priors is None else priors
        arrays = prior_arrays(given, self.default_priors())
        return simulated(rng, self.kind, checked(self.kind, data), arrays)


def _scales_of(found: Mapping[str, FloatArray], priors: Mapping[str, PriorSpec]) -> dict[str, Any]:
    """Turn the graph's free variables into scales and gains; other latents pass away."""
    scales = from_standard({f"{name}_z": found[f"{name}_z"] for name in SCALES}, priors)
    if "gain_z" in found:
        scales["gain"] = np.exp(news_graph.GAIN_SD * found["gain_z"])
    return scales


def _from_points(points: FloatArray, priors: Mapping[str, PriorSpec]) -> dict[str, FloatArray]:
    columns = {f"{name}_z": points[:, k] for k, name in enumerate(SCALES)}
    if points.shape[1] > len(SCALES):
        columns["gain_z"] = points[:, len(SCALES) :]
    return _scales_of(columns, priors)


def _scales(draws: Draws, priors: Mapping[str, PriorSpec]) -> Scales:
    level, bias = (float(np.asarray(priors[name].value("value"))) for name in ("level", "bias"))
    return Scales.of(draws, level=level, bias=bias)


def _push(draws: Draws) -> FloatArray:
    """Return the factor on the odds, exp(beta (z(now) - z(0)))."""
    beta, moved = (np.asarray(draws[name], dtype=np.float64) for name in ("beta", "moved"))
    return np.asarray(np.exp(beta * moved))


def _moved_chance(draws: Draws) -> FloatArray:
    chance = np.asarray(draws["chance"], dtype=np.float64)
    grown = chance * _push(draws)
    return np.asarray(grown / (grown + 1.0 - chance))[:, None]
