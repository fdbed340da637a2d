"""The one filter by time: what may reach a forecast made as of a moment.

A replay uses the items with ``known_at <= as_of`` among those up to one ledger head. A live
forecast uses the items with ``known_at <= as_of`` that also stood in the ledger by then
(``recorded_at <= as_of``).
"""

import datetime as dt
from collections.abc import Iterable

from forecasting.domain.evidence import Evidence, retractions, retracts
from forecasting.domain.instants import utc


def known(
    items: Iterable[Evidence],
    as_of: dt.datetime,
    *,
    head: int | None = None,
    recorded: bool = False,
) -> tuple[Evidence, ...]:
    """Give the items that a forecast as of a moment may use, sorted by ``known_at`` and key.

    Items known at that very moment count; ledger entries after `head` do not exist. `recorded` also
    requires that the ledger had recorded the item by `as_of` (a live forecast).

    Examples
    --------
    >>> noon = dt.datetime(2026, 5, 9, 12, tzinfo=dt.UTC)
    >>> item = Evidence("a", "report", "A", "wire", known_at=noon, effects=())
    >>> len(known([item], noon)), len(known([item], noon - dt.timedelta(seconds=1)))
    (1, 0)
    """
    moment = utc(as_of)
    usable = [
        item
        for item in items
        if item.known_at <= moment
        and (head is None or (item.seq is not None and item.seq <= head))
        and (not recorded or (item.recorded_at is not None and item.recorded_at <= moment))
    ]
    return tuple(sorted(usable, key=lambda item: (item.known_at, item.key)))


def without_retracted(items: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Drop the items that a later item retracts, and the retractions themselves."""
    items = tuple(items)
    retracted = retractions(items)
    return tuple(item for item in items if item.key not in retracted and not retracts(item))
