"""All numbers of a model as one flat array, named on both sides.

Compiling costs about a second for every shared array of a graph (nutpie unrolls them one by
one), and little for slicing one. So a model has a single ``pm.Data``, ``inputs``, holding its
scalars, its vectors, then the lengths of its columns and the columns themselves: anything in
it, the number of rows included, changes without compiling again.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from forecasting.arrays import FloatArray
from forecasting.errors import InvalidInput

# A layout names each array with its length: SCALAR, a fixed length, or COLUMN for any length.
Layout = Mapping[str, int]
SCALAR, COLUMN = 0, -1


def inputs(layout: Layout, start: Mapping[str, ArrayLike] | None = None) -> dict[str, Any]:
    """Add the one ``pm.Data`` to the model being built, and return its parts by name.

    `start` (default ones): values by which chains choose where to start, for a prior that is not
    standardised: the numbers of the compilation, not those of the fit, decide that.
    """
    import pymc as pm

    placeholder = {name: np.ones(1 if n == COLUMN else (n or ())) for name, n in layout.items()}
    placeholder |= {name: np.asarray(value) for name, value in (start or {}).items()}
    flat = pm.Data("inputs", pack(layout, placeholder))
    parts: dict[str, Any] = {}
    position = 0
    for name, n in layout.items():
        if n == SCALAR:
            parts[name] = flat[position]
        elif n != COLUMN:
            parts[name] = flat[position : position + n]
        position += 1 if n == SCALAR else max(n, 0)
    columns = [name for name, n in layout.items() if n == COLUMN]
    offset: Any = position + len(columns)
    for index, name in enumerate(columns):
        end = offset + flat[position + index].astype("int64")
        parts[name] = flat[offset:end]
        offset = end
    return parts


def pack(layout: Layout, arrays: Mapping[str, ArrayLike], *, owner: str = "model") -> FloatArray:
    """Return named arrays as the flat array that `inputs` takes apart.

    Scalars and vectors, lengths of columns, columns. A name that is missing or unknown, a wrong
    shape and a number that is not finite are refused; `owner` is named then.

    >>> pack({"a": SCALAR, "x": COLUMN}, {"a": 2.0, "x": [5.0, 6.0]}).tolist()
    [2.0, 2.0, 5.0, 6.0]
    """
    missing, unknown = sorted(set(layout) - set(arrays)), sorted(set(arrays) - set(layout))
    if missing or unknown:
        message = (
            f"{owner}: arrays missing: {', '.join(missing) or 'none'}; "
            f"unknown: {', '.join(unknown) or 'none'}; it takes {', '.join(layout)}."
        )
        raise InvalidInput(message)
    fixed, lengths, columns = [], [], []
    for name, n in layout.items():
        array = np.asarray(arrays[name], dtype=np.float64)
        fits = array.ndim == 1 if n == COLUMN else array.shape == ((n,) if n else ())
        if not fits:
            wanted = "(n,)" if n == COLUMN else f"({n},)" if n else "()"
            raise InvalidInput(f"{owner}: {name} must have shape {wanted}, got {array.shape}.")
        if not np.all(np.isfinite(array)):
            raise InvalidInput(f"{owner}: {name} must be finite, got {array}.")
        if n == COLUMN:
            lengths.append(float(array.size))
            columns.append(array)
        else:
            fixed.append(np.atleast_1d(array))
    return np.concatenate([*fixed, np.asarray(lengths, dtype=np.float64), *columns])
