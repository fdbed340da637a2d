"""Chance by name: the same key gives the same bytes, whatever else is drawn."""

from functools import lru_cache
from hashlib import blake2b

import numpy as np

from forecasting.arrays import FloatArray

#: Every variant of a world asks for the same chance again; 600 arrays of 32,768 are 157 MB.
KEPT = 600
#: Of larger ones, for conditions that few paths meet, those of one simulation: at most 79 MB.
LARGEST, KEPT_LARGER = 32_768, 50


@lru_cache(maxsize=4_096, typed=True)
def number(*key: object) -> int:
    """Give the 64-bit number of a key, the same on every machine."""
    return int.from_bytes(blake2b(repr(key).encode(), digest_size=8).digest(), "little")


def uniforms(n: int, *key: object) -> FloatArray:
    """Give evenly spread uniforms in random order, keyed by name.

    >>> sorted((uniforms(4, 7, "rate") * 4).astype(int).tolist())
    [0, 1, 2, 3]
    """
    return (_kept if n <= LARGEST else _kept_larger)(n, False, *key)


def exponentials(n: int, *key: object) -> FloatArray:
    """Give unit exponentials, the negative logarithms of what `uniforms` leave to 1."""
    return (_kept if n <= LARGEST else _kept_larger)(n, True, *key)


def _drawn(n: int, exponential: bool, *key: object) -> FloatArray:
    generator = np.random.Generator(np.random.Philox(key=number(*key)))
    spread = (generator.permutation(n) + generator.random(n)) / n
    levels: FloatArray = np.clip(spread, 2.0**-53, 1.0 - 2.0**-53)
    if exponential:
        levels = -np.log1p(-levels)
    levels.setflags(write=False)
    return levels


_kept = lru_cache(maxsize=KEPT, typed=True)(_drawn)
_kept_larger = lru_cache(maxsize=KEPT_LARGER, typed=True)(_drawn)
