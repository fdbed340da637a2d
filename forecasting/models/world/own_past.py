"""The past of one move as its likelihood reads it: exposures under links, events, whole stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.arrays import FloatArray
from forecasting.domain.process import LinkSpec
from forecasting.evidence.history import Past

#: Half an hour: no end of a stay is known to be nearer to its beginning.
SOONEST = 0.5 / 24.0


@dataclass(frozen=True, slots=True, eq=False)
class OwnPast:
    """Stretches of time at risk as arrays, one row a piece.

    `begin, end`: ages in days, (P,). `fired`: whether the move fired at the end; a piece that fired
    at age 0 is left out, for it tells of the share that fires at once and not of the rate. `stay`:
    number of the stay that a piece belongs to. `on`: (P, L) share of the piece in which each link
    acted, 0 or 1 where that is dated. `factor`: (P,) what else multiplied the hazard: reports.
    """

    begin: FloatArray
    end: FloatArray
    fired: NDArray[np.bool_]
    stay: NDArray[np.int64]
    on: FloatArray
    factor: FloatArray

    @classmethod
    def of(
        cls, past: Past | None, links: Sequence[LinkSpec] = (), factor: ArrayLike | None = None
    ) -> "OwnPast":
        """Read a past."""
        pieces = past.pieces if past is not None else ()
        begin = np.array([piece.begin for piece in pieces], dtype=np.float64)
        end = np.array([piece.end for piece in pieces], dtype=np.float64)
        fired = np.array([piece.fired for piece in pieces], dtype=np.bool_)
        goes_on = ~fired[:-1] & (begin[1:] == end[:-1])
        stay = np.cumsum(np.concatenate([[False], ~goes_on])[: len(pieces)], dtype=np.int64)
        on = [
            [float(link.name in piece.on) if link.past is None else link.past for link in links]
            for piece in pieces
        ]
        kept = ~fired | (end > 0.0)
        return cls(
            begin[kept],
            end[kept],
            fired[kept],
            stay[kept],
            np.array(on, dtype=np.float64).reshape(len(pieces), len(links))[kept],
            (np.ones(len(pieces)) if factor is None else np.asarray(factor))[kept],
        )

    @property
    def arrays(self) -> list[NDArray[Any]]:
        """Everything that is known, for a digest."""
        return [self.begin, self.end, self.fired, self.stay, self.on, self.factor]

    @property
    def count(self) -> float:
        """How often the move fired, not at once."""
        return float(self.fired.sum())

    @property
    def speaks(self) -> bool:
        """Whether there is anything to learn from."""
        return bool(self.count or np.any(self.end > self.begin))

    def exposure(self, beta: FloatArray, shape: FloatArray | float = 1.0) -> FloatArray:
        """Return the sum of what multiplied the hazard times (end^k - begin^k), for each point."""
        whole = np.zeros(self.end.size, dtype=np.int64)
        return np.asarray(self.exposures(beta, shape, whole, 1)[0], dtype=np.float64)

    def exposures(
        self, beta: FloatArray, shape: FloatArray | float, group: NDArray[np.int64], groups: int
    ) -> FloatArray:
        """Return the exposure of each group of pieces, shape (groups, G)."""
        total = np.zeros((groups, beta.shape[1]))
        if not self.end.size:
            return total
        keys = np.column_stack([group.astype(np.float64), self.on])
        patterns, which = np.unique(keys, axis=0, return_inverse=True)
        which = which.ravel()
        for number, pattern in enumerate(patterns):
            rows = which == number
            power = np.asarray(shape, dtype=np.float64)
            if power.ndim == 0:
                ages = self.end[rows] ** power - self.begin[rows] ** power
                length: FloatArray | float = float(np.sum(self.factor[rows] * ages))
            else:
                ages = self.end[rows, None] ** power - self.begin[rows, None] ** power
                length = (self.factor[rows, None] * ages).sum(axis=0)
            total[int(pattern[0])] += length * np.exp(log_multiplier(pattern[1:], beta))
        return total

    def log_events(self, beta: FloatArray, shape: FloatArray | float = 1.0) -> FloatArray:
        """Return the log density of the events less what the rate says: their ages and links."""
        ages = np.log(np.maximum(self.end[self.fired], SOONEST))
        power = np.asarray(shape, dtype=np.float64)
        log_p = np.zeros(beta.shape[1]) + self.count * np.log(power) + (power - 1.0) * ages.sum()
        log_p += float(np.log(self.factor[self.fired]).sum()) if self.count else 0.0
        for row in self.on[self.fired]:
            log_p = log_p + log_multiplier(row, beta)
        return np.asarray(log_p, dtype=np.float64)

    def unended(self) -> NDArray[np.int64]:
        """Return the numbers of the stays that the move did not end."""
        ended = set(self.stay[self.fired].tolist())
        return np.array(sorted(set(self.stay.tolist()) - ended), dtype=np.int64)


def log_multiplier(on: FloatArray, beta: FloatArray) -> FloatArray:
    """Return the log of what links on for these shares of the time multiply a hazard by."""
    total = np.zeros(beta.shape[1])
    for share, row in zip(on, beta, strict=True):
        if share == 1.0:
            total = total + row
        elif share > 0.0:
            total = total + np.log1p(share * np.expm1(row))
    return total
