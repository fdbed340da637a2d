"""The arrays that the mathematics works on, by what they hold; and what keeps results."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

type FloatArray = NDArray[np.float64]
type IntArray = NDArray[np.int64]
type BoolArray = NDArray[np.bool_]


def by_value[T](most: int) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Keep the last results of a pure function of (S,) arrays and numbers; nobody may change them.

    >>> total = by_value(8)(lambda x: float(x.sum()))
    >>> total(np.arange(3.0)), total(np.arange(3.0))
    (3.0, 3.0)
    """

    def of(function: Callable[..., T]) -> Callable[..., T]:
        @lru_cache(maxsize=most)
        def found(*told: Any) -> T:
            return function(*(np.frombuffer(x) if isinstance(x, bytes) else x for x in told))

        return lambda *given: found(
            *(np.asarray(x, np.float64).tobytes() if np.ndim(x) else float(x) for x in given)
        )

    return of


class Recent[K: Hashable, V]:
    """The last `most` results by what they follow from.

    >>> kept = Recent[str, int](8)
    >>> kept.of("two", lambda: 2), kept.of("two", lambda: 3)
    (2, 2)
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[K, V] = OrderedDict()

    def of(self, key: K, make: Callable[[], V]) -> V:
        """Give a result: made before, or now."""
        if key not in self._kept:
            self._kept[key] = make()
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def __iter__(self) -> Iterator[V]:
        return iter(self._kept.values())

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
