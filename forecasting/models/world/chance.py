"""Chance by name: the same key gives the same bytes, whatever else is drawn."""

from hashlib import blake2b

import numpy as np

from forecasting.models.world.values import FloatArray


def number(*key: object) -> int:
    """Give the 64-bit number of a key, the same on every machine.

    >>> number(0, "budget", "truce:none>on") == number(0, "budget", "truce:none>on")
    True
    """
    return int.from_bytes(blake2b(repr(key).encode(), digest_size=8).digest(), "little")


def uniforms(n: int, *key: object) -> FloatArray:
    """Give evenly spread uniforms in random order, keyed by name.

    Parameters
    ----------
    n : int
        How many: one falls into each n-th part of (0, 1).
    *key : object
        What they are for; ``repr`` of it is hashed.

    Returns
    -------
    array (n,)
        In (0, 1).

    Examples
    --------
    >>> sorted((uniforms(4, 7, "rate") * 4).astype(int).tolist())
    [0, 1, 2, 3]
    """
    generator = np.random.Generator(np.random.Philox(key=number(*key)))
    spread = (generator.permutation(n) + generator.random(n)) / n
    return np.clip(spread, 2.0**-53, 1.0 - 2.0**-53)
