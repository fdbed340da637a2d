"""Forecasts of one question as platform scores need them: rows of options, spans of time."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.arrays import FloatArray
from forecasting.errors import InvalidInput
from forecasting.scoring import checks

TYPES = ("binary", "multiple_choice", "cdf", "pmf")


def rows(forecast: ArrayLike, outcome: int, question_type: str) -> FloatArray:
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
        message = f"forecast (shape {array.shape}, {question_type}): must be {wanted}"
        raise InvalidInput(message)
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
    message = f"outcome ({outcome!r}): must be {rule}"
    raise InvalidInput(message)


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
        message = f"forecast (row {row}): a CDF must rise or stay level within [0, 1]"
        raise InvalidInput(message)
    return np.diff(cdf, axis=1, prepend=0.0, append=1.0)


def spans(
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
        message = f"withdrawn_at ({stop[row]} at {row}): must not be before issued_at"
        raise InvalidInput(message)
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
        message = f"{name} (infinite): must be a finite time"
        raise InvalidInput(message)
    return times


def number(value: float, name: str) -> float:
    """Refuse anything but one finite number."""
    if not (np.ndim(value) == 0 and np.isfinite(value)):
        message = f"{name} ({value!r}): must be one finite number"
        raise InvalidInput(message)
    return float(value)


def window(opens: float, closes: float, closed_at: float | None) -> tuple[float, float, float]:
    """Find the opening, the actual end within the window, and the window's scheduled length."""
    opened, closed = number(opens, "opens"), number(closes, "closes")
    if closed <= opened:
        message = f"closes ({closes}): must be after opens ({opens})"
        raise InvalidInput(message)
    end = closed if closed_at is None else number(closed_at, "closed_at")
    return opened, min(max(end, opened), closed), closed - opened


def crowds(start: FloatArray, stop: FloatArray) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Moments of change that leave somebody, and who was in force from each on, (m, n)."""
    at = np.unique(np.concatenate([start, stop[np.isfinite(stop)]]))
    in_force = (start <= at[:, None]) & (at[:, None] < stop)
    somebody = in_force.any(axis=1)
    return at[somebody], in_force[somebody]


def mean_logs(vectors: FloatArray, in_force: NDArray[np.bool_]) -> FloatArray:
    """Mean log probability of those in force, (m, K); -inf with a zero, NaN with an absence."""
    present = in_force.astype(np.float64)
    absent, zero = np.isnan(vectors), vectors == 0
    logs = np.log(np.where(absent | zero, 1.0, vectors))
    total = present @ logs
    total = np.where(present @ zero > 0, -np.inf, total)
    total = np.where(present @ absent > 0, np.nan, total)
    return total / np.maximum(in_force.sum(axis=1), 1)[:, None]
