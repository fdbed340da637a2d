"""How well difficulty-adjusted scores are known, and who may be the best: without sampling."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.arrays import FloatArray, IntArray
from forecasting.comparison.difficulty import DifficultyAdjusted, difficulty_adjusted
from forecasting.comparison.interval import difference_interval
from forecasting.errors import InvalidInput
from forecasting.scoring import checks

_BOOTSTRAPPED = 200
_DRAWS = 4000
_CORRELATED = 400
# Weight, in events, of the pooled spread against each forecaster's own.
_POOLED_EVENTS = 4.0


@dataclass(frozen=True, slots=True)
class Effects:
    """Difficulty-adjusted scores of one component with their uncertainty.

    `lower` and `upper` (F,) are the 95 % interval of `adjusted.adjusted` over events, given the
    questions; NaN below 8 events and outside the component. `covariance` (m, m) is of the m
    forecasters of the component, in their order, for :func:`gaussian_ranks`.
    """

    adjusted: DifficultyAdjusted
    lower: FloatArray
    upper: FloatArray
    n_clusters: IntArray
    covariance: FloatArray


@dataclass(frozen=True, slots=True)
class Ranks:
    """Posterior probabilities of ranks among the m forecasters of one component.

    `p_best` is the probability of the smallest mean score (they sum to 1), `rank_lower` and
    `rank_upper` the central 90 % of each rank, `skill` the posterior mean of the adjusted score.
    The `method` is ``pymc``, or ``gaussian``, and then `note` says why there was no sampling.
    """

    p_best: FloatArray
    rank_lower: IntArray
    rank_upper: IntArray
    skill: FloatArray
    method: str
    note: str = ""


def effects(
    score: ArrayLike,
    forecaster: Iterable[object],
    question: Iterable[object],
    cluster: Iterable[object],
    *,
    component: int = 0,
) -> Effects:
    r"""Two-way effects with standard errors that hold when an event's questions go together.

    With the residuals :math:`e` of :func:`forecasting.comparison.difficulty_adjusted`, and
    :math:`S = D_f - W D_q^{-1} W^\top` the information on forecasters once the questions are
    taken out, event c moves the effects by :math:`u_c = S^+ \sum_{i \in c} e_i x_i`, and

    .. math:: \widehat{V} = \frac{C}{C-1} \sum_c u_c u_c^\top .

    Limits are studentised: as in :func:`forecasting.comparison.difference_interval` over each
    forecaster's events up to 200 forecasters, by Student's t beyond.

    Parameters
    ----------
    score, forecaster, question, component
        As for :func:`forecasting.comparison.difficulty_adjusted`.
    cluster : iterable, length N
        The event of each score.

    Raises
    ------
    InvalidInput
        As for :func:`forecasting.comparison.difficulty_adjusted`, and for a missing event.

    References
    ----------
    A. C. Cameron, D. L. Miller (2015). A practitioner's guide to cluster-robust inference.
    J. Human Resources 50. https://doi.org/10.3368/jhr.50.2.317

    Examples
    --------
    >>> who, what = np.divmod(np.arange(20), 10)
    >>> table = effects(np.arange(20) % 7 / 10 + 0.2 * who, who, what, what)
    >>> bool(np.all(table.lower < table.adjusted.adjusted)), table.n_clusters.tolist()
    (True, [10, 10])
    """
    names, items = list(forecaster), list(question)
    fitted = difficulty_adjusted(score, names, items, component=component)
    events = checks.clusters(cluster)
    checks.same_length(checks.floats(score, "score"), events.astype(np.float64), "score", "cluster")
    person = codes(names, fitted.forecaster.tolist())
    item = codes(items, fitted.question.tolist())
    size = len(fitted.forecaster)
    pairs = np.unique(np.column_stack([person, events]), axis=0)
    n_clusters = np.bincount(pairs[:, 0], minlength=size)
    inside = np.flatnonzero(fitted.component == component)
    rows = fitted.component[person] == component
    _, event = np.unique(events[rows], return_inverse=True)
    values = checks.floats(score, "score")[rows]
    who = np.searchsorted(inside, person[rows])
    _, asked = np.unique(item[rows], return_inverse=True)
    level = fitted.adjusted[person[rows]] + fitted.difficulty[item[rows]]
    residual = values - level + fitted.adjusted[inside].mean()
    influence, information = _influence(who, asked, event, residual, len(inside))
    count = influence.shape[1]
    spread = count / max(count - 1, 1) * np.einsum("fc,fc->f", influence, influence)
    lower, upper = np.full(size, np.nan), np.full(size, np.nan)
    own = np.zeros(influence.shape, dtype=bool)
    own[who, event] = True
    for place, name in enumerate(inside):
        edge = _edge(influence[place], own[place], len(inside)) * math.sqrt(spread[place])
        lower[name] = fitted.adjusted[name] - edge
        upper[name] = fitted.adjusted[name] + edge
    covariance = _covariance(spread, information, n_clusters[inside])
    return Effects(fitted, lower, upper, n_clusters, covariance)


def gaussian_ranks(mean: ArrayLike, covariance: ArrayLike, *, seed: int = 0) -> Ranks:
    r"""Probabilities of rank when estimates are Gaussian about skills that are Gaussian too.

    .. math:: \hat a \sim N(a, V), \qquad a_f \sim N(m, \tau^2), \qquad \tau \sim N^+(0, s^2),

    s the spread of the estimates, m flat; :math:`\tau` is integrated over a grid, so a few noisy
    estimates do not make a sure winner.

    Parameters
    ----------
    mean : array_like, shape (m,)
        Adjusted scores, smaller is better.
    covariance : array_like, shape (m, m)
    seed : int
        Of 4,000 draws.

    Raises
    ------
    InvalidInput
        On NaN, empty input, shapes that do not fit.

    Examples
    --------
    >>> table = gaussian_ranks([0.10, 0.20], [[1e-6, 0], [0, 1e-6]])
    >>> table.p_best.round(2).tolist(), table.rank_upper.tolist()
    ([1.0, 0.0], [1, 2])
    """
    estimate = checks.floats(mean, "mean")
    noise = checks.floats(covariance, "covariance")
    if estimate.ndim != 1 or noise.shape != 2 * estimate.shape:
        message = (
            f"mean and covariance (shapes {estimate.shape} and {noise.shape}): must be (m,) and "
            "(m, m)"
        )
        raise InvalidInput(message)
    if len(estimate) == 1:
        one = np.ones(1, dtype=np.int64)
        return Ranks(np.ones(1), one, one, estimate, "gaussian")
    vectors: FloatArray | None = None
    if len(estimate) > _CORRELATED:
        # Among so many the correlations are of the order of one over their number.
        values, turned, ones = np.diag(noise).copy(), estimate, np.ones(len(estimate))
    else:
        values, vectors = np.linalg.eigh((noise + noise.T) / 2)
        turned, ones = vectors.T @ estimate, vectors.sum(axis=0)
    values = np.maximum(values, 1e-12 * max(float(values.max()), 1e-12))
    scale = max(float(estimate.std()), 1e-9)
    grid = scale * np.linspace(0.02, 3, 60)
    total = values[None, :] + grid[:, None] ** 2
    precision = (ones**2 / total).sum(axis=1)
    middle = (ones * turned / total).sum(axis=1) / precision
    misfit = ((turned - middle[:, None] * ones) ** 2 / total).sum(axis=1)
    log_weight = -0.5 * (
        np.log(total).sum(axis=1) + np.log(precision) + misfit + (grid / scale) ** 2
    )
    weight = np.exp(log_weight - log_weight.max())
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(grid), size=_DRAWS, p=weight / weight.sum())
    center = middle[chosen] + rng.standard_normal(_DRAWS) / np.sqrt(precision[chosen])
    shrink = grid[chosen, None] ** 2 / total[chosen]
    # In the basis of V the posterior is independent: prior N(m, tau^2), data N(a, v).
    drawn = center[:, None] * ones + shrink * (turned - center[:, None] * ones)
    drawn += np.sqrt(shrink * values) * rng.standard_normal(drawn.shape)
    return ranks_of(drawn if vectors is None else drawn @ vectors.T, "gaussian")


def ranks_of(draws: FloatArray, method: str) -> Ranks:
    """Ranks of posterior draws of skill, (S, m), smaller is better."""
    place = np.argsort(np.argsort(draws, axis=1), axis=1) + 1
    low, high = np.quantile(place, [0.05, 0.95], axis=0, method="nearest")
    return Ranks(
        p_best=(place == 1).mean(axis=0),
        rank_lower=low.astype(np.int64),
        rank_upper=high.astype(np.int64),
        skill=draws.mean(axis=0),
        method=method,
    )


def codes(names: list[object], unique: list[object]) -> IntArray:
    """Give the place of each name among the different ones."""
    place = {name: code for code, name in enumerate(unique)}
    return np.fromiter((place[name] for name in names), dtype=np.int64, count=len(names))


def _influence(
    who: IntArray, asked: IntArray, event: IntArray, residual: FloatArray, people: int
) -> tuple[FloatArray, FloatArray]:
    """Give each event's part in each effect, (m, C), and the unit covariance, (m, m)."""
    from scipy import linalg, sparse

    questions = int(asked.max()) + 1
    answered = sparse.coo_array(
        (np.ones(len(who)), (who, asked)), shape=(people, questions)
    ).tocsr()
    per_question = np.bincount(asked, minlength=questions).astype(np.float64)
    scaled = answered / np.sqrt(per_question)[None, :]
    if answered.nnz > 0.05 * people * questions and people * questions < 50_000_000:
        dense = scaled.toarray()
        linked = dense @ dense.T
    else:
        linked = (scaled @ scaled.T).toarray()
    laplacian = np.diag(np.bincount(who, minlength=people).astype(np.float64)) - linked
    level = np.full((people, people), 1 / people)
    inverse = np.asarray(
        linalg.solve(laplacian + level, np.eye(people), assume_a="pos"), dtype=np.float64
    )
    inverse -= level
    # An adjusted score is an effect less the effects of those who answered the mean question.
    share = np.asarray((answered / per_question[None, :]).mean(axis=1)).ravel()
    contrast = inverse - share[None, :] @ inverse
    events = int(event.max()) + 1
    moved = np.zeros((people, events))
    np.add.at(moved, (who, event), residual)
    return contrast @ moved, contrast - (contrast @ share)[:, None]


def _edge(influence: FloatArray, own: NDArray[np.bool_], people: int) -> float:
    """Limit of |t| at 95 %, NaN below 8 events or where they have no spread."""
    from scipy import stats

    events = int(own.sum())
    if events < checks.LEAST_CLUSTERS:
        return math.nan
    if people <= _BOOTSTRAPPED:
        interval = difference_interval(influence[own], range(events), resamples=1999)
        if interval.note:
            return math.nan
        return (interval.upper - interval.mean) / interval.standard_error
    return float(stats.t(events - 1).ppf(0.975))


def _covariance(spread: FloatArray, unit: FloatArray, events: IntArray) -> FloatArray:
    """Own spread, steadied by the pooled one, with the correlations that the design implies."""
    design = np.maximum(np.diag(unit), 1e-12)
    several = events >= 2
    ratio = float(np.median(spread[several] / design[several])) if several.any() else 0.0
    own = np.maximum(events - 1, 0)
    steady = (own * spread + _POOLED_EVENTS * ratio * design) / (own + _POOLED_EVENTS)
    correlation = unit / np.sqrt(design[:, None] * design[None, :])
    error = np.sqrt(steady)
    covariance: FloatArray = correlation * error[:, None] * error[None, :]
    return covariance
