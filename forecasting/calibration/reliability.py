"""The CORP reliability curve, its decomposition of the mean score, and what chance would give."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray, IntArray
from forecasting.calibration.isotonic import Pooled, chunks, isotonic, pool
from forecasting.errors import InvalidInput
from forecasting.scoring import checks

if TYPE_CHECKING:
    import pandas as pd

SCORES = ("brier", "log")


@dataclass(frozen=True, slots=True, eq=False)
class Pick:
    """Rows of which no two are of one event: pooled, and by rising forecast with their events."""

    pooled: Pooled
    forecast: FloatArray
    cluster: IntArray

    def drawn(self, lots: FloatArray) -> FloatArray:
        """Events at each distinct forecast, (R, D), where lots of the clusters, (R, C), decide."""
        happened = (lots[:, self.cluster] < self.forecast).astype(np.float64)
        first = np.searchsorted(self.forecast, self.pooled.value)
        return np.add.reduceat(happened, first, axis=1)

    def dealt(self, lots: FloatArray) -> FloatArray:
        """As :meth:`drawn`, where the events with the smallest lots are as many as came true."""
        mine, yes = lots[:, self.cluster], int(self.pooled.events.sum())
        edge = np.partition(mine, yes - 1, axis=1)[:, yes - 1, None] if yes else -1.0
        happened = (mine <= edge).astype(np.float64)
        first = np.searchsorted(self.forecast, self.pooled.value)
        return np.add.reduceat(happened, first, axis=1)


@dataclass(frozen=True, eq=False)
class Corp:
    """Reliability by isotonic regression; :func:`corp` makes it.

    mean_score = miscalibration - discrimination + uncertainty, under ``brier`` (the half
    convention, in [0, 1]) or ``log`` (nats), where a sure forecast that failed makes the first two
    infinite. `event_rate` (D,) is the curve over the distinct forecasts of `pooled`. Band,
    null_miscalibration and p_value are drawn at first access, and so are null_discrimination and
    discrimination_p.
    """

    score: str
    pooled: Pooled
    event_rate: FloatArray
    mean_score: float
    miscalibration: float
    discrimination: float
    uncertainty: float
    resamples: int
    seed: int
    picks: tuple[Pick, ...] = ()

    @cached_property
    def curve(self) -> "pd.DataFrame":
        """One row per distinct forecast: forecast, event_rate (isotonic), n, events (observed)."""
        import pandas as pd

        pooled = self.pooled
        columns = {"forecast": pooled.value, "event_rate": self.event_rate}
        return pd.DataFrame(columns | {"n": pooled.n, "events": pooled.events})

    def band(self, level: float = 0.9) -> "pd.DataFrame":
        """Where the curve lies by chance alone if every forecast is calibrated.

        A consistency band: pointwise at each distinct forecast, drawn around the diagonal, with
        closed limits, so that it holds at least `level` of calibrated curves at each point.
        Between points it says nothing, and over all points together it holds fewer.

        Parameters
        ----------
        level : float
            Nominal coverage, strictly between 0 and 1.

        Returns
        -------
        DataFrame
            forecast, lower, upper.
        """
        import pandas as pd

        checks.between(level, 0, 1, "level")
        lower, upper = closed_quantiles(self._null[0], level)
        return pd.DataFrame({"forecast": self.pooled.value, "lower": lower, "upper": upper})

    @property
    def null_miscalibration(self) -> float:
        """The miscalibration that calibrated forecasts like these show on average, by chance."""
        return float(self._null[1].mean())

    @property
    def p_value(self) -> float:
        """Share of calibrated draws at least as miscalibrated, (1 + count) / (1 + resamples)."""
        # The tolerance counts as ties the draws that differ by rounding alone.
        reached = self._null[1] >= self.miscalibration - 1e-12
        return float((1 + np.count_nonzero(reached)) / (1 + len(reached)))

    @property
    def null_discrimination(self) -> float:
        """The discrimination that these forecasts show on average if they tell nothing, by chance.

        Far from 0 for few forecasts: the fit is free to find a rise in what is none.
        """
        return float(self._dealt.mean())

    @property
    def discrimination_p(self) -> float:
        """Share of outcomes dealt at random that are told apart at least as well, as `p_value`."""
        reached = self._dealt >= self.discrimination - 1e-12
        return float((1 + np.count_nonzero(reached)) / (1 + len(reached)))

    @cached_property
    def _dealt(self) -> FloatArray:
        """Discriminations of draws in which as many outcomes are yes, dealt anew among events."""
        rng = np.random.default_rng(self.seed)
        apart = np.zeros(max(self.resamples // 5, 1))
        among = self.picks[:: max(len(self.picks) // 20, 1)]
        total = sum(pick.pooled.total for pick in among)
        for part in chunks(len(apart), len(self.pooled.value)):
            rows = len(apart[part])
            if not among:
                sizes, yes = self.pooled.n.astype(np.int64), int(self.pooled.events.sum())
                events = rng.multivariate_hypergeometric(sizes, yes, rows, method="marginals")
                apart[part] = _discrimination(self.score, self.pooled, events)
                continue
            # One lot an event in all picks: a mean over picks never varies more than with that.
            lots = rng.random((rows, 1 + max(int(pick.cluster.max()) for pick in among)))
            for pick in among:
                share = pick.pooled.total / total
                apart[part] += share * _discrimination(self.score, pick.pooled, pick.dealt(lots))
        return apart

    @cached_property
    def _null(self) -> tuple[FloatArray, FloatArray]:
        """Curves, (R, D), and miscalibrations, (R,), of calibrated draws."""
        pooled = self.pooled
        rng = np.random.default_rng(self.seed)
        curves = np.zeros((self.resamples, len(pooled.value)))
        lost = np.zeros(self.resamples)
        # A mean over twenty picks varies a little more than one over all: on the safe side.
        among = self.picks[:: max(len(self.picks) // 20, 1)]
        for part in chunks(*curves.shape):
            rows = len(lost[part])
            if not among:
                events = _drawn(rng, pooled, rows)
                curves[part] = isotonic(events, pooled.n)
                lost[part] = _miscalibration(self.score, pooled, events, curves[part])
                continue
            # One lot an event decides all of its questions, as it does the rungs of a ladder: a
            # mean over picks never varies more than with that.
            lots = rng.random((rows, 1 + max(int(pick.cluster.max()) for pick in among)))
            total = sum(pick.pooled.total for pick in among)
            for pick in among:
                events = pick.drawn(lots)
                fit = isotonic(events, pick.pooled.n)
                curves[part] += _spread(fit, pick.pooled.value, pooled.value) / len(among)
                share = pick.pooled.total / total
                lost[part] += share * _miscalibration(self.score, pick.pooled, events, fit)
        return curves, np.maximum(lost, 0)


def _spread(fit: FloatArray, value: FloatArray, grid: FloatArray) -> FloatArray:
    """Read curves, (..., D), at other forecasts: straight between its own, level beyond them."""
    if len(value) == len(grid):
        return fit
    right = np.clip(np.searchsorted(value, grid), 1, max(len(value) - 1, 1))
    left, right = right - 1, np.minimum(right, len(value) - 1)
    gap = np.where(right > left, value[right] - value[left], 1.0)
    part = np.clip((grid - value[left]) / gap, 0, 1)
    return np.asarray(fit[..., left] + part * (fit[..., right] - fit[..., left]))


def _miscalibration(
    score: str, pooled: Pooled, events: FloatArray, curves: FloatArray
) -> FloatArray:
    """Score of the forecasts minus that of the curves fitted to the events, (R,)."""
    if score == "brier":
        # Within a block of the fit the events sum to its rate, so the two means differ by this.
        excess = pooled.n @ pooled.value**2 - 2 * (events @ pooled.value)
        excess += np.einsum("rd,rd,d->r", curves, curves, pooled.n.astype(np.float64))
        return np.asarray(excess / pooled.total)
    mean = mean_score(score, pooled.value, events, pooled.n)
    return mean - mean_score(score, curves, events, pooled.n)


def _discrimination(score: str, pooled: Pooled, events: ArrayLike) -> FloatArray:
    """Score of the overall rate minus that of the curves fitted to the events, (R,)."""
    rate = pooled.events.sum() / pooled.total
    flat = mean_score(score, np.full(len(pooled.value), rate), pooled.events, pooled.n)
    mended = mean_score(score, isotonic(events, pooled.n), events, pooled.n)
    return np.maximum(flat - mended, 0.0)


def _drawn(rng: np.random.Generator, pooled: Pooled, resamples: int) -> FloatArray:
    """Events at each distinct forecast if every forecast is calibrated, (resamples, D)."""
    # For one forecast a lot is the event; the general draw costs ten times as much.
    single = pooled.n == 1
    if single.all():
        return (rng.random((resamples, len(single))) < pooled.value).astype(np.float64)
    events = np.empty((resamples, len(pooled.value)))
    several = ~single
    if single.any():
        lots = rng.random((resamples, int(single.sum())))
        events[:, single] = lots < pooled.value[single]
    n, value = pooled.n[several], pooled.value[several]
    events[:, several] = rng.binomial(n, value, size=(resamples, len(n)))
    return events


def corp(
    forecast: ArrayLike,
    outcome: ArrayLike,
    *,
    picks: Sequence[ArrayLike] | None = None,
    cluster: Iterable[object] | None = None,
    score: str = "brier",
    seed: int = 0,
    resamples: int = 1000,
) -> Corp:
    r"""Reliability curve without bins, and the parts of the mean score (CORP).

    Equal forecasts are pooled, and the event rate is fitted as the rising function of the
    forecast that is closest to the outcomes (pool adjacent violators). With
    :math:`\bar S` the mean score of the forecasts :math:`x`, of the fitted rates
    :math:`\hat x`, and of the overall event rate :math:`\bar y`,

    .. math:: \bar S(x) = \underbrace{\bar S(x) - \bar S(\hat x)}_{\text{miscalibration}}
              - \underbrace{(\bar S(\bar y) - \bar S(\hat x))}_{\text{discrimination}}
              + \underbrace{\bar S(\bar y)}_{\text{uncertainty}},

    none of the three below 0. Miscalibration is never 0 by chance alone: read it beside
    ``null_miscalibration``, the mean over calibrated draws.

    The band, the null and the p-value hold for independent outcomes: give one forecast a
    question. Of several questions of one event give every one, their events as `cluster`, and
    `picks` that each take one an event: curve and parts are means over the picks (weighted by
    their sizes), and so are those of the calibrated draws, in which one lot an event decides all
    of its questions, as it does the rungs of a ladder. For many updates of the same questions use
    :func:`confidence_band`.

    Parameters
    ----------
    forecast, outcome : array_like, shape (n,)
        Probabilities of yes, and 0 or 1.
    picks : sequence of array_like of int, optional
        Rows of each pick; all rows once where there are none.
    cluster : array_like, shape (n,), optional
        The event of each row, which picks need.
    score : {"brier", "log"}
        Half Brier score or log score in nats.
    seed, resamples : int
        Of the draws, which are made at first access.

    Raises
    ------
    InvalidInput
        On NaN, empty input, lengths that differ, values out of range, another score, an empty
        pick.

    References
    ----------
    T. Dimitriadis, T. Gneiting, A. I. Jordan (2021). Stable reliability diagrams for
    probabilistic classifiers. PNAS 118. https://doi.org/10.1073/pnas.2016191118

    Examples
    --------
    >>> diagram = corp([0.25, 0.25, 0.75, 0.75], [0, 0, 0, 1])
    >>> diagram.curve["event_rate"].tolist()
    [0.0, 0.5]
    >>> diagram.miscalibration, diagram.discrimination, diagram.uncertainty
    (0.0625, 0.0625, 0.1875)
    """
    checks.one_of(score, SCORES, "score")
    checks.at_least(resamples, 1, "resamples")
    pooled = pool(forecast, outcome)
    taken: tuple[Pick, ...] = ()
    if picks is not None:
        taken = _picks(forecast, outcome, picks, cluster)
        # The same rows again and again are rows.
        pooled = taken[0].pooled if len(taken) == 1 else _mean_pooled([p.pooled for p in taken])
    if len(taken) < 2:
        rate = isotonic(pooled.events, pooled.n)
        mean, mcb, dsc, unc = _parts(score, pooled, rate)
        return Corp(score, pooled, rate, mean, mcb, dsc, unc, resamples, seed)
    fits = [isotonic(pick.pooled.events, pick.pooled.n) for pick in taken]
    parts = [_parts(score, pick.pooled, fit) for pick, fit in zip(taken, fits, strict=True)]
    weight = [pick.pooled.total for pick in taken]
    mean, mcb, dsc, unc = np.average(parts, axis=0, weights=weight).tolist()
    curves = [
        _spread(fit, pick.pooled.value, pooled.value) for fit, pick in zip(fits, taken, strict=True)
    ]
    rate = np.mean(curves, axis=0)
    return Corp(score, pooled, rate, mean, mcb, dsc, unc, resamples, seed, taken)


def _picks(
    forecast: ArrayLike,
    outcome: ArrayLike,
    picks: Sequence[ArrayLike],
    cluster: Iterable[object] | None,
) -> tuple[Pick, ...]:
    p, y = checks.binary(np.atleast_1d(forecast), np.atleast_1d(outcome))
    code = checks.clusters(range(len(p)) if cluster is None else cluster)
    taken = []
    for pick in picks:
        rows = np.asarray(pick, dtype=np.int64)
        if len(code) != len(p) or len(rows) == 0 or len(np.unique(code[rows])) < len(rows):
            raise InvalidInput("picks: each needs rows, no two of one event")
        rows = rows[np.lexsort((code[rows], p[rows]))]
        taken.append(Pick(pool(p[rows], y[rows]), p[rows], code[rows]))
    if not taken:
        raise InvalidInput("picks (empty): at least one is needed")
    return tuple(taken)


def _parts(score: str, pooled: Pooled, rate: FloatArray) -> list[float]:
    """Give mean score, miscalibration, discrimination and uncertainty."""
    overall = np.full(len(rate), pooled.events.sum() / pooled.total)
    mean, mended, flat = (
        float(mean_score(score, value, pooled.events, pooled.n))
        for value in (pooled.value, rate, overall)
    )
    return [mean, max(mean - mended, 0.0), max(flat - mended, 0.0), flat]


def _mean_pooled(picks: Sequence[Pooled]) -> Pooled:
    value, code = np.unique(np.concatenate([pick.value for pick in picks]), return_inverse=True)
    n, events = (
        np.bincount(code, np.concatenate([getattr(pick, name) for pick in picks])) / len(picks)
        for name in ("n", "events")
    )
    return Pooled(value, n, events)


def mean_score(score: str, value: FloatArray, events: ArrayLike, n: ArrayLike) -> FloatArray:
    """Mean score of pooled forecasts: over the last axis, `events` of `n` came true at `value`."""
    from scipy.special import xlog1py, xlogy

    hits = np.asarray(events, dtype=np.float64)
    size = np.asarray(n, dtype=np.float64)
    total: FloatArray
    if score == "brier":
        total = hits * (1 - value) ** 2 + (size - hits) * value**2
    else:
        total = np.negative(xlogy(hits, value) + xlog1py(size - hits, -value), dtype=np.float64)
    # Adding zero turns the -0.0 of sure and right forecasts into 0.0.
    mean: FloatArray = np.asarray(total.sum(axis=-1) / size.sum(axis=-1) + 0.0, dtype=np.float64)
    return mean


def closed_quantiles(curves: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """Pointwise limits that hold a further draw with probability at least `level`."""
    draws = len(curves)
    rank = int(np.floor((draws + 1) * (1 - level) / 2 + 1e-9))
    if rank == 0:
        # Too few draws for this level: only the whole range is sure to hold it.
        return np.zeros(curves.shape[1]), np.ones(curves.shape[1])
    # Side by side in memory, and the upper limit among what is left: a third of the time.
    ordered = curves.T.copy()
    ordered.partition(rank - 1, axis=1)
    lower = ordered[:, rank - 1].copy()
    rest = ordered[:, rank - 1 :]
    rest.partition(draws - 2 * rank + 1, axis=1)
    return lower, rest[:, draws - 2 * rank + 1].copy()
