"""A cache of readings while a ledger is open: only entries recorded since are read.

Entries only grow, so that the values up to a number are the same for ever, but for two things: a
question that is dropped leaves the lists, and a redaction takes a text out. Either empties the
cache; so does another chain in the place of the one that was read (a restored backup).
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Table, func, select

from forecasting.store.tables import entry, redaction, setup

#: How many heads are remembered: readers of one moment may be at different ones.
_HEADS = 256
_REMOVALS = (
    select(func.max(setup.c.seq)).where(setup.c.subject == "dropped").scalar_subquery(),
    select(func.max(redaction.c.seq)).scalar_subquery(),
)


@dataclass(slots=True)
class _Cached:
    seq: int = 0
    looked: int = -1
    values: tuple[Any, ...] = ()


@dataclass(slots=True)
class Memo:
    """Values by table, each with the number up to which they were read."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _cached: dict[str, _Cached] = field(default_factory=dict)
    _marks: tuple[int, int] = (0, 0)
    _heads: OrderedDict[int, str] = field(default_factory=OrderedDict)

    def read[T](
        self,
        connection: Connection,
        head: tuple[int, str],
        table: Table,
        since: Callable[[int], Sequence[T]],
        joined: Callable[[Sequence[T], Sequence[T]], Sequence[T]] | None = None,
    ) -> list[T]:
        """Give a table's values up to the head; `since` reads newer ones, `joined` adds them."""
        seq, digest = head
        with self._lock:
            if self._heads.get(seq) != digest or seq != next(reversed(self._heads), 0):
                self._check(connection, seq, digest)
            cached = self._cached.setdefault(table.name, _Cached())
            if seq > cached.looked:
                newest = connection.execute(select(func.max(table.c.seq))).scalar() or 0
                if newest > cached.seq:
                    more = since(cached.seq)
                    both = joined(cached.values, more) if joined else [*cached.values, *more]
                    cached.values, cached.seq = tuple(both), newest
                cached.looked = seq
            return list(cached.values)

    def _check(self, connection: Connection, seq: int, digest: str) -> None:
        """Empty the cache where the ledger is no longer what was read."""
        dropped, redacted = connection.execute(select(*_REMOVALS)).one()
        marks = (dropped or 0, redacted or 0)
        last = next(reversed(self._heads), 0)
        if seq >= last:
            # The newest head that was seen must still be in the chain.
            query = select(entry.c.hash).where(entry.c.seq == last)
            same = not last or connection.execute(query).scalar() == self._heads[last]
        else:
            same = self._heads.get(seq) == digest
        if not same or marks != self._marks:
            self._cached.clear()
        if not same:
            self._heads.clear()
        if marks >= self._marks or not same:
            self._marks = marks
        if seq > next(reversed(self._heads), 0):
            self._heads[seq] = digest
            while len(self._heads) > _HEADS:
                self._heads.popitem(last=False)
