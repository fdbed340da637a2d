"""The edge of the array functions: what is a forecast, what is an outcome, and what is refused.

Everything behind these functions may trust its arrays: finite, of equal length, in range.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.arrays import FloatArray, IntArray
from forecasting.errors import InvalidInput

SUM_TOLERANCE = 1e-9

# With fewer clusters than this no interval over clusters keeps its coverage, so none is given.
LEAST_CLUSTERS = 8
# And with fewer than this none of a level: scores lean to one side, and so few miss the bad ones.
LEAST_OF_LEVEL = 20


def floats(values: ArrayLike, name: str) -> FloatArray:
    """Real numbers as a float array: not empty, not masked, no NaN (infinities may pass)."""
    try:
        raw = np.asarray(values)
    except ValueError as error:
        message = f"{name} (rows of unequal length): every row needs the same number of entries"
        raise InvalidInput(message) from error
    if raw.dtype.kind not in "biufO":
        raise InvalidInput(f"{name} (values of type {raw.dtype}): must be real numbers")
    try:
        array = raw.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        message = f"{name} ({raw.ravel()[:3].tolist()}...): must be real numbers"
        raise InvalidInput(message) from error
    if array.size == 0:
        raise InvalidInput(f"{name} (empty): at least one value is needed")
    # The least of numbers is NaN if one of them is: quicker than looking at each.
    masked = isinstance(values, np.ma.MaskedArray)
    if masked or np.isnan(array.min()):
        missing = np.isnan(array) | np.ma.getmaskarray(values)
        _refuse(missing, array, name, "a missing value cannot be scored; leave it out")
    return array


def finite(values: ArrayLike, name: str) -> FloatArray:
    """Real numbers as :func:`floats` reads them, without infinities."""
    array = floats(values, name)
    if np.isinf(array).any():
        raise InvalidInput(f"{name} (infinite): must be finite")
    return array


def rising_levels(levels: ArrayLike, quantiles: FloatArray) -> FloatArray:
    """Levels that rise strictly between 0 and 1, one for each column of rows that do not fall."""
    level = floats(levels, "levels")
    if level.shape != quantiles.shape[1:]:
        message = (
            f"levels (shape {level.shape}): must be one for each of the "
            f"{quantiles.shape[1]} quantiles of a row"
        )
        raise InvalidInput(message)
    if np.any((level <= 0) | (level >= 1)) or np.any(np.diff(level) <= 0):
        message = f"levels ({level.tolist()}): must rise strictly between 0 and 1"
        way_out = "0.05 for the 5 % quantile" if np.any(level > 1) else ""
        raise InvalidInput(message, hint=way_out)
    falling = np.any(np.diff(quantiles, axis=1) < 0, axis=1)
    if falling.any():
        row = int(np.argmax(falling))
        message = f"forecast (row {row}: {quantiles[row].tolist()}): quantiles must not fall"
        raise InvalidInput(message)
    return level


def same_length(first: FloatArray, second: FloatArray, first_name: str, second_name: str) -> None:
    """Refuse two one-dimensional arrays of different lengths."""
    if first.ndim != 1 or first.shape != second.shape:
        message = (
            f"{first_name} and {second_name} (shapes {first.shape} and {second.shape}): "
            "must both be one-dimensional and of the same length"
        )
        raise InvalidInput(message)


def binary(forecast: ArrayLike, outcome: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Probabilities of yes and outcomes 0 or 1, both of shape (n,)."""
    probability, happened = floats(forecast, "forecast"), floats(outcome, "outcome")
    same_length(probability, happened, "forecast", "outcome")
    _refuse_outside_unit(probability)
    if np.count_nonzero(happened == 0) + np.count_nonzero(happened == 1) < len(happened):
        _refuse((happened != 0) & (happened != 1), happened, "outcome", "must be 0 or 1")
    return probability, happened


def categorical(forecast: ArrayLike, outcome: ArrayLike) -> tuple[FloatArray, IntArray]:
    """Probability vectors of shape (n, K) and integer labels 0..K-1 of shape (n,)."""
    vectors, labels = floats(forecast, "forecast"), floats(outcome, "outcome")
    if vectors.ndim != 2 or labels.shape != vectors.shape[:1]:
        message = (
            f"forecast and outcome (shapes {vectors.shape} and {labels.shape}): "
            "must be (n, K) probabilities and (n,) labels"
        )
        raise InvalidInput(message)
    options = vectors.shape[1]
    if options < 2:
        message = f"forecast ({options} option): a probability vector has at least two options"
        raise InvalidInput(message)
    _refuse_outside_unit(vectors)
    total = vectors.sum(axis=1)
    _refuse(
        np.abs(total - 1) > SUM_TOLERANCE,
        total,
        "forecast",
        f"must sum to 1 within {SUM_TOLERANCE}",
    )
    wrong = (labels != np.floor(labels)) | (labels < 0) | (labels >= options)
    _refuse(wrong, labels, "outcome", f"must be a label 0..{options - 1}")
    return vectors, labels.astype(np.int64)


def is_vector(forecast: ArrayLike, outcome: ArrayLike) -> bool:
    """Whether the forecasts are vectors over options: they have one axis more than the outcomes."""
    try:
        return np.ndim(forecast) == np.ndim(outcome) + 1
    except ValueError as error:
        message = "forecast (rows of unequal length): every row needs the same number of options"
        raise InvalidInput(message) from error


def one_of(value: str, allowed: Sequence[str], name: str) -> None:
    """Refuse a word that is not among those allowed."""
    if value not in allowed:
        raise InvalidInput(f"{name} ({value!r}): must be one of {', '.join(map(repr, allowed))}")


def between(value: float, low: float, high: float, name: str) -> None:
    """Refuse a number that is not strictly between two others."""
    if not low < value < high:
        raise InvalidInput(f"{name} ({value}): must lie strictly between {low:g} and {high:g}")


def at_least(value: int, least: int, name: str) -> None:
    """Refuse a whole number below its least value."""
    if value < least:
        raise InvalidInput(f"{name} ({value}): must be at least {least}")


def clusters(names: Iterable[object]) -> IntArray:
    """Integer codes 0..G-1 of clusters with any names."""
    import pandas as pd

    if isinstance(names, np.ndarray) and names.ndim == 1 and names.dtype.kind == "i" and len(names):
        return pd.factorize(names)[0].astype(np.int64)
    # Element by element, so that tuples stay names and are not taken for rows.
    entries = list(np.atleast_1d(names)) if isinstance(names, np.ndarray) else list(names)
    labels = np.empty(len(entries), dtype=object)
    labels[:] = entries
    if len(labels) == 0:
        raise InvalidInput("clusters (empty): at least one is needed")
    codes, _ = pd.factorize(labels)
    if (codes < 0).any():
        message = (
            f"clusters (missing at {int(np.argmin(codes))}): every question belongs to one; "
            "a question without an event is its own"
        )
        raise InvalidInput(message)
    return codes.astype(np.int64)


def _refuse_outside_unit(probability: FloatArray) -> None:
    if probability.min() >= 0 and probability.max() <= 1:
        return
    wrong = (probability < 0) | (probability > 1)
    way_out = "divide percentages by 100" if bool(np.any(probability > 1)) else ""
    _refuse(wrong, probability, "forecast", "must lie in [0, 1]", hint=way_out)


def _refuse(
    wrong: NDArray[np.bool_], values: NDArray[Any], name: str, rule: str, *, hint: str = ""
) -> None:
    if wrong.any():
        place = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
        where = ", ".join(str(int(i)) for i in place)
        others = int(wrong.sum()) - 1
        more = f", and {others} more" if others else ""
        raise InvalidInput(f"{name} ({values[place]} at {where}{more}): {rule}", hint=hint)
