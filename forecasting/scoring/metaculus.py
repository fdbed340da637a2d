"""Metaculus scores of one question, as the platform computes them; HIGHER is better here.

They are logarithmic, in points, and keep the platform's orientation because they are compared
with what it prints. All functions take one row per forecast and give one value per forecast; a
forecaster's score on the question is the sum over their rows.

=================== =============================================================================
binary              forecast (n,): probability of yes; outcome 0 or 1
multiple_choice     forecast (n, K): vectors, NaN for an option not yet offered when it was made;
                    such an option reads as the last one ("Other"); outcome a label 0..K-1
cdf                 forecast (n, B + 1): F at the edges of B equal bins, F(lower) first and
                    F(upper) last; outcome a bucket: 0 below, 1..B, B + 1 above
pmf                 forecast (n, B + 2): the probabilities of those buckets themselves
=================== =============================================================================

Times are plain numbers in any one unit (days, or ``datetime.timestamp()``). A forecast is in force
in [issued_at, withdrawn_at); with `forecaster` given it also ends with the same person's next one.
A question without forecasts has no scores: empty input gives empty arrays.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.arrays import FloatArray, IntArray
from forecasting.errors import InvalidInput
from forecasting.scoring import checks

TYPES = ("binary", "multiple_choice", "cdf", "pmf")
DISCRETE = ("binary", "multiple_choice")
TAIL = 0.05


@dataclass(frozen=True, slots=True)
class Points:
    """Platform points (n,), higher is better, and the share of the scheduled window they stand for.

    Time without a forecast adds 0; the coverage of a spot score is 0 or 1.
    """

    score: FloatArray
    coverage: FloatArray


@dataclass(frozen=True, slots=True)
class GeometricMeans:
    """The crowd after each change that leaves somebody, as the platform's peer scores see it.

    `at` (m,) is when; `forecast` (m, K) the geometric means, not renormalised, (no, yes) if binary;
    `n_forecasters` (m,) how many were in force, with the platform's 0 for one alone.
    """

    at: FloatArray
    forecast: FloatArray
    n_forecasters: IntArray


def baseline(
    forecast: ArrayLike,
    outcome: int,
    *,
    issued_at: ArrayLike,
    opens: float,
    closes: float,
    withdrawn_at: ArrayLike | None = None,
    closed_at: float | None = None,
    forecaster: Iterable[object] | None = None,
    question_type: str = "binary",
    open_bounds: int = 0,
) -> Points:
    r"""Baseline score: better than chance, averaged over the scheduled window; higher is better.

    With K the options offered when the forecast was made and :math:`c` the share of
    [opens, closes) in which it was in force before `closed_at`,

    .. math:: 100\, c\, \frac{\ln(K p_y)}{\ln K}, \qquad
              50\, c\, \ln\frac{p_b}{\pi_b} \text{ for buckets},

    :math:`\pi_b` = 0.05 in a tail and (1 - 0.05 open_bounds) / B inside. The rest of the window
    adds 0, so early closure lowers the score: that is what keeps it proper.

    Parameters
    ----------
    forecast, outcome : array_like, int
        One row per forecast, see the table of the module; what happened.
    issued_at, withdrawn_at : array_like, shape (n,)
        When each forecast was made, and ended; None or inf: it was not withdrawn.
    opens, closes, closed_at : float
        The scheduled window, and the actual end where the question closed early.
    forecaster : iterable, optional
        Who made each forecast; without it every row ends only by its own withdrawal.
    open_bounds : {0, 1, 2}
        How many bounds of a continuous question are open.

    Raises
    ------
    InvalidInput
        On NaN other than options not offered, probabilities outside [0, 1] or not summing to 1
        within 1e-9, a falling CDF, lengths that differ, a withdrawal before its forecast, a
        close not after the opening, another type, outcome or number of bounds.

    References
    ----------
    Metaculus. Scores FAQ. https://www.metaculus.com/help/scores-faq/

    Examples
    --------
    Nine in ten for yes, from the middle of ten days on:

    >>> baseline([0.9], 1, issued_at=[5], opens=0, closes=10)
    Points(score=array([42.4]), coverage=array([0.5]))
    """
    vectors = _rows(forecast, outcome, question_type)
    start, stop = _spans(len(vectors), issued_at, withdrawn_at, forecaster)
    opened, end, length = _window(opens, closes, closed_at)
    stood = np.maximum(np.minimum(stop, end) - np.maximum(start, opened), 0)
    coverage = stood / length
    gain = _over_chance(vectors, int(outcome), question_type, open_bounds)
    return Points(_product(gain, coverage), coverage)


def spot_baseline(
    forecast: ArrayLike,
    outcome: int,
    *,
    issued_at: ArrayLike,
    at: float,
    withdrawn_at: ArrayLike | None = None,
    forecaster: Iterable[object] | None = None,
    question_type: str = "binary",
    open_bounds: int = 0,
) -> Points:
    """Baseline score of the forecasts in force at one moment; higher is better.

    The platform takes the actual close for `at` where that is earlier. The other arguments and the
    errors are those of :func:`baseline`.

    Examples
    --------
    >>> spot_baseline([0.5, 0.8], 1, issued_at=[0, 4], withdrawn_at=[3, 9], at=5)
    Points(score=array([ 0. , 67.81]), coverage=array([0., 1.]))
    """
    vectors = _rows(forecast, outcome, question_type)
    start, stop = _spans(len(vectors), issued_at, withdrawn_at, forecaster)
    moment = _number(at, "at")
    coverage = ((start <= moment) & (moment < stop)).astype(np.float64)
    gain = _over_chance(vectors, int(outcome), question_type, open_bounds)
    return Points(_product(gain, coverage), coverage)


def peer(
    forecast: ArrayLike,
    outcome: int,
    *,
    issued_at: ArrayLike,
    opens: float,
    closes: float,
    withdrawn_at: ArrayLike | None = None,
    closed_at: float | None = None,
    forecaster: Iterable[object] | None = None,
    in_crowd: ArrayLike | None = None,
    question_type: str = "binary",
) -> Points:
    r"""Peer score: better than the others, averaged over the scheduled window; higher is better.

    Between two changes of the crowd, with N forecasts in force and :math:`g` their geometric mean,

    .. math:: 100\, \frac{N}{N-1}\, \ln\frac{p_y}{g_y}
              = \frac{100}{N-1} \sum_{j \ne i} \ln\frac{p_{iy}}{p_{jy}},

    halved for buckets, weighted by the share of the scheduled window, and 0 for one alone. The
    scores of a question sum to 0. The rows are the whole crowd, unless `in_crowd` says of each
    whether it is: the others are scored against the crowd and are no part of it. Arguments and
    errors are those of :func:`baseline`.

    Two habits of the platform are kept. After the last withdrawal the last crowd stays, so its
    members' coverage runs on. Where an option was not offered to all in force, the crowd's
    probability of it is that of "Other" for everybody, and only there the sum is not 0.

    A forecast of 0 for what happened scores -inf against others above 0, who score inf; two of
    them have no difference (NaN).

    Examples
    --------
    >>> peer([0.9, 0.1], 1, issued_at=[0, 0], opens=0, closes=10).score
    array([ 219.72, -219.72])
    """
    vectors = _rows(forecast, outcome, question_type)
    start, stop = _spans(len(vectors), issued_at, withdrawn_at, forecaster)
    opened, end, length = _window(opens, closes, closed_at)
    at, in_force = _crowds(start, stop, in_crowd)
    gain = _over_others(vectors, int(outcome), in_force, question_type)
    since = np.maximum(at, opened)
    # Those who left before the opening never met the crowd that they would be counted with.
    first, last = np.maximum(start, opened), np.minimum(stop, end)
    live = (first <= since[:, None]) & (since[:, None] < last)
    share = np.diff(np.append(np.minimum(since, end), end)) / length
    weight = np.where(live, share[:, None], 0.0)
    return Points(_product(gain, weight).sum(axis=0) + 0.0, weight.sum(axis=0))


def spot_peer(
    forecast: ArrayLike,
    outcome: int,
    *,
    issued_at: ArrayLike,
    at: float,
    withdrawn_at: ArrayLike | None = None,
    forecaster: Iterable[object] | None = None,
    in_crowd: ArrayLike | None = None,
    question_type: str = "binary",
) -> Points:
    """Peer score of the forecasts in force at one moment; higher is better.

    The crowd is the one left by the last change *before* that moment, as on the platform, so a
    forecast made at the moment itself is scored against those who came before it. Where no crowd
    stood, score and coverage are 0. Arguments and errors are those of :func:`peer`.

    Examples
    --------
    >>> spot_peer([0.9, 0.1, 0.5], 1, issued_at=[0, 0, 8], at=5)
    Points(score=array([ 219.72, -219.72,    0.  ]), coverage=array([1., 1., 0.]))
    """
    vectors = _rows(forecast, outcome, question_type)
    start, stop = _spans(len(vectors), issued_at, withdrawn_at, forecaster)
    moment = _number(at, "at")
    times, in_force = _crowds(start, stop, in_crowd)
    before = int(np.searchsorted(times, moment)) - 1
    if before < 0:
        return Points(np.zeros(len(vectors)), np.zeros(len(vectors)))
    coverage = ((start <= moment) & (moment < stop)).astype(np.float64)
    gain = _over_others(vectors, int(outcome), in_force[[before]], question_type)[0]
    return Points(_product(gain, coverage) + 0.0, coverage)


def geometric_means(
    forecast: ArrayLike,
    *,
    issued_at: ArrayLike,
    withdrawn_at: ArrayLike | None = None,
    forecaster: Iterable[object] | None = None,
    question_type: str = "binary",
) -> GeometricMeans:
    r"""Geometric mean of the forecasts in force after each change.

    .. math:: g_k = \Bigl( \prod_{i=1}^N p_{ik} \Bigr)^{1/N}

    It is not renormalised, being a yardstick and no forecast. An option that was not offered to
    all in force is NaN. Arguments and errors are those of :func:`baseline`.

    Examples
    --------
    >>> crowd = geometric_means([0.7, 0.8, 0.9], issued_at=[0, 0, 0])
    >>> crowd.forecast, crowd.n_forecasters
    (array([[0.18, 0.8]]), array([3]))
    """
    vectors = _rows(forecast, 0, question_type)
    at, in_force = _crowds(*_spans(len(vectors), issued_at, withdrawn_at, forecaster))
    number = in_force.sum(axis=1)
    return GeometricMeans(
        at, np.exp(_mean_logs(vectors, in_force)), np.where(number > 1, number, 0)
    )


def _seen(vectors: FloatArray, outcome: int) -> FloatArray:
    """Read what each row says of the outcome; an option that it lacks reads as the last one."""
    column = vectors[:, min(outcome, vectors.shape[1] - 1)]
    return np.where(np.isnan(column), vectors[:, -1], column)


def _over_chance(
    vectors: FloatArray, outcome: int, question_type: str, open_bounds: int
) -> FloatArray:
    if open_bounds not in (0, 1, 2) or (open_bounds and question_type in DISCRETE):
        message = f"open_bounds ({open_bounds!r}, {question_type}): must be 0, or 1 or 2 of a range"
        raise InvalidInput(message)
    seen, buckets = _seen(vectors, outcome), vectors.shape[1]
    with np.errstate(divide="ignore"):
        if question_type in DISCRETE:
            options = (~np.isnan(vectors)).sum(axis=1)
            gain: FloatArray = 100 * np.log(seen * options) / np.log(options)
        elif outcome in (0, buckets - 1):
            gain = 50 * np.log(seen / TAIL)
        else:
            gain = 50 * np.log(seen / ((1 - TAIL * open_bounds) / (buckets - 2)))
    return gain


def _over_others(
    vectors: FloatArray, outcome: int, in_force: NDArray[np.bool_], question_type: str
) -> FloatArray:
    """Points of every row against every crowd, (m, n)."""
    number = in_force.sum(axis=1)[:, None]
    of_crowd = _seen(_mean_logs(vectors, in_force), outcome)[:, None]
    own = _seen(vectors, outcome)
    with np.errstate(divide="ignore", invalid="ignore"):
        ahead = np.log(own) - of_crowd
    # Against a crowd at zero: the only zero loses everything, one of several has no difference.
    zeros = (in_force & (own == 0)).sum(axis=1)[:, None]
    ahead = np.where(np.isnan(ahead) & (zeros == 1), -np.inf, ahead)
    scale = 100 if question_type in DISCRETE else 50
    return np.where(number > 1, _product(ahead, scale * number / np.maximum(number - 1, 1)), 0.0)


def _product(gain: FloatArray, weight: FloatArray) -> FloatArray:
    """Their product, with 0 where the weight is: no time, no points, not even infinite ones."""
    product = np.zeros(np.broadcast_shapes(gain.shape, weight.shape))
    np.multiply(gain, weight, out=product, where=weight != 0)
    return product


def _rows(forecast: ArrayLike, outcome: int, question_type: str) -> FloatArray:
    """Vectors over options or buckets, one a forecast; NaN only for options not offered."""
    checks.one_of(question_type, TYPES, "question_type")
    try:
        array = np.asarray(forecast, dtype=np.float64)
    except (TypeError, ValueError) as error:
        message = "forecast (rows of unequal length, or no numbers): NaN for options not offered"
        raise InvalidInput(message) from error
    if array.size == 0:
        _label(outcome, np.inf)
        return np.empty((0, 2))
    if question_type == "multiple_choice":
        _refuse_without_other(array)
    else:
        array = checks.floats(forecast, "forecast")
    axes = 1 if question_type == "binary" else 2
    if array.ndim != axes or array.shape[-1] < axes:
        wanted = "(n,)" if axes == 1 else "(n, K) with K of at least 2"
        raise InvalidInput(f"forecast (shape {array.shape}, {question_type}): must be {wanted}")
    if question_type == "binary":
        checks.binary(array, np.zeros(len(array)))
        vectors = np.column_stack([1 - array, array])
    elif question_type == "cdf":
        vectors = _buckets(array)
    else:
        checks.categorical(np.nan_to_num(array), np.zeros(len(array)))
        vectors = array
    if question_type == "pmf" and vectors.shape[1] < 3:
        message = f"forecast ({vectors.shape[1]} buckets): two tails and at least a bin are needed"
        raise InvalidInput(message)
    _label(outcome, vectors.shape[1])
    return vectors


def _label(outcome: object, options: float) -> None:
    if isinstance(outcome, int | float | np.number | np.bool_):
        value = float(outcome)
        if 0 <= value < options and value.is_integer():
            return
    rule = "a whole number from 0" if options == np.inf else f"a label 0..{options - 1}"
    raise InvalidInput(f"outcome ({outcome!r}): must be {rule}")


def _refuse_without_other(array: FloatArray) -> None:
    offered = ~np.isnan(np.atleast_2d(array))
    wrong = (offered.sum(axis=1) < 2) | ~offered[:, -1]
    if wrong.any():
        row = int(np.argmax(wrong))
        message = f"forecast (row {row}: {array[row].tolist()}): the last and another are needed"
        raise InvalidInput(message)


def _buckets(cdf: FloatArray) -> FloatArray:
    """Probabilities below the lower bound, in each bin, and above the upper bound."""
    wrong = np.any((cdf < 0) | (cdf > 1), axis=1) | np.any(np.diff(cdf, axis=1) < 0, axis=1)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InvalidInput(f"forecast (row {row}): a CDF must rise or stay level within [0, 1]")
    return np.diff(cdf, axis=1, prepend=0.0, append=1.0)


def _spans(
    n: int,
    issued_at: ArrayLike,
    withdrawn_at: ArrayLike | None,
    forecaster: Iterable[object] | None,
) -> tuple[FloatArray, FloatArray]:
    """When each forecast was in force: [start, stop)."""
    start = _times(issued_at, n, "issued_at")
    stop = np.full(n, np.inf)
    if withdrawn_at is not None:
        stop = _times(withdrawn_at, n, "withdrawn_at", endless=True)
    if np.any(stop < start):
        row = int(np.argmax(stop < start))
        raise InvalidInput(f"withdrawn_at ({stop[row]} at {row}): must not be before issued_at")
    if forecaster is not None and n > 0:
        who = checks.clusters(forecaster)
        if len(who) != n:
            message = f"forecaster (length {len(who)}): must be one for each of {n} forecasts"
            raise InvalidInput(message)
        order = np.lexsort((start, who))
        same = who[order][1:] == who[order][:-1]
        later = start[order[1:][same]]
        twice = later == start[order[:-1][same]]
        if np.any(twice):
            row = int(order[1:][same][np.argmax(twice)])
            message = (
                f"issued_at ({start[row]} at {row}): two forecasts of one forecaster at one instant"
            )
            raise InvalidInput(message, hint="keep the later one")
        following = np.full(n, np.inf)
        following[order[:-1][same]] = later
        stop = np.minimum(stop, following)
    return start, stop


def _times(values: ArrayLike, n: int, name: str, *, endless: bool = False) -> FloatArray:
    times = np.empty(0) if np.size(values) == 0 else checks.floats(values, name)
    if times.shape != (n,):
        message = f"{name} (shape {times.shape}): must be one time for each of {n} forecasts"
        raise InvalidInput(message)
    if np.any(np.isneginf(times) if endless else np.isinf(times)):
        raise InvalidInput(f"{name} (infinite): must be a finite time")
    return times


def _number(value: float, name: str) -> float:
    """Refuse anything but one finite number."""
    if not (np.ndim(value) == 0 and np.isfinite(value)):
        raise InvalidInput(f"{name} ({value!r}): must be one finite number")
    return float(value)


def _window(opens: float, closes: float, closed_at: float | None) -> tuple[float, float, float]:
    """Find the opening, the actual end within the window, and the window's scheduled length."""
    opened, closed = _number(opens, "opens"), _number(closes, "closes")
    if closed <= opened:
        raise InvalidInput(f"closes ({closes}): must be after opens ({opens})")
    end = closed if closed_at is None else _number(closed_at, "closed_at")
    return opened, min(max(end, opened), closed), closed - opened


def _crowds(
    start: FloatArray, stop: FloatArray, in_crowd: ArrayLike | None = None
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Moments of change that leave somebody, and who was in force from each on, (m, n)."""
    member = np.ones(len(start), bool) if in_crowd is None else np.asarray(in_crowd, dtype=bool)
    if member.shape != start.shape:
        message = f"in_crowd (shape {member.shape}): must be one for each of {len(start)} forecasts"
        raise InvalidInput(message)
    ends = stop[member]
    at = np.unique(np.concatenate([start[member], ends[np.isfinite(ends)]]))
    in_force = (start <= at[:, None]) & (at[:, None] < stop) & member
    somebody = in_force.any(axis=1)
    return at[somebody], in_force[somebody]


def _mean_logs(vectors: FloatArray, in_force: NDArray[np.bool_]) -> FloatArray:
    """Mean log probability of those in force, (m, K); -inf with a zero, NaN with an absence."""
    present = in_force.astype(np.float64)
    absent, zero = np.isnan(vectors), vectors == 0
    logs = np.log(np.where(absent | zero, 1.0, vectors))
    total = present @ logs
    total = np.where(present @ zero > 0, -np.inf, total)
    total = np.where(present @ absent > 0, np.nan, total)
    return total / np.maximum(in_force.sum(axis=1), 1)[:, None]
