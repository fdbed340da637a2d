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
        def cached(*keys: Any) -> T:
            return function(*(np.frombuffer(x) if isinstance(x, bytes) else x for x in keys))

        return lambda *arguments: cached(
            *(np.asarray(x, np.float64).tobytes() if np.ndim(x) else float(x) for x in arguments)
        )

    return of


class Recent[K: Hashable, V]:
    """The last `most` results by what they follow from.

    >>> kept = Recent[str, int](1)
    >>> kept.of("a", lambda: 1), kept.of("a", lambda: 2), kept.of("b", lambda: 3), list(kept)
    (1, 1, 3, [3])
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._results: OrderedDict[K, V] = OrderedDict()

    def of(self, key: K, make: Callable[[], V]) -> V:
        """Give the result of a key, which is never None: the kept one, or one made now."""
        # Taken out and put back, as the latest; what another thread drops meanwhile is made again.
        result = self._results.pop(key, None)
        if result is None:
            result = make()
        self._results[key] = result
        if len(self._results) > self._most:
            self._results.popitem(last=False)
        return result

    def __iter__(self) -> Iterator[V]:
        return iter(tuple(self._results.values()))

    def clear(self) -> None:
        """Forget everything."""
        self._results.clear()
