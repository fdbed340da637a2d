"""The news of a track record: judged as `forecast news import` judges it, and recorded once."""

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from forecasting.app.catalog import Catalog
from forecasting.app.news.add import Entered, drafted, identity
from forecasting.app.news.check import EffectCheck
from forecasting.app.news.shown import retracts
from forecasting.app.news.targets import NewsWorld
from forecasting.domain import Evidence
from forecasting.domain.reading import moment
from forecasting.errors import InvalidInput, NotFound
from forecasting.exchange import Refused
from forecasting.store import Ledger


@dataclass(slots=True)
class News:
    """The items that may be recorded, and what becomes of the other lines."""

    items: list[Evidence] = field(default_factory=list)
    duplicates: int = 0
    refused: list[Refused] = field(default_factory=list)


def taken(
    records: Iterable[tuple[int, Mapping[str, str]]],
    whole: Iterable[tuple[int, Evidence]],
    held: Sequence[Evidence],
    ledger: Ledger,
    catalog: Catalog,
    now: dt.datetime,
) -> News:
    """Decide which items are recorded: `records` as a file states them, `whole` as a ledger held.

    An item of another ledger is known by its key.
    """
    news = News()
    seen = {identity(item) for item in held if not retracts(item)}
    keys = {item.key for item in held}
    for line, item in whole:
        if item.key in keys or (not retracts(item) and identity(item) in seen):
            news.duplicates += 1
        elif item.known_at > now:
            news.refused.append(Refused(line, f"known_at ({item.known_at}): lies in the future"))
        else:
            keys.add(item.key)
            news.items.append(item)
    check = EffectCheck(catalog, [*held, *news.items], now=now, world=NewsWorld.of(ledger, catalog))
    # Judged in the order of what they say, so that the order of the lines decides nothing.
    for line, fields in sorted(records, key=lambda one: (sorted(one[1].items()), one[0])):
        try:
            entered = _entered(fields)
            if entered.identity in seen:
                news.duplicates += 1
                continue
            item, _ = drafted(entered, check, now=now)
        except (InvalidInput, NotFound) as wrong:
            news.refused.append(Refused(line, str(wrong)))
            continue
        seen.add(entered.identity)
        check.take(item)
        news.items.append(replace(item, key=_key(entered)))
    news.items.sort(key=lambda item: (item.known_at, item.key))
    return news


def _key(entered: Entered) -> str:
    # When it was entered is no part of it: imported into two ledgers, it is one item.
    unique = "\0".join([*entered.identity, *entered.on, entered.story])
    return f"news-{hashlib.sha256(unique.encode()).hexdigest()[:12]}"


def _entered(fields: Mapping[str, str]) -> Entered:
    def when(name: str) -> dt.datetime:
        return moment(fields[name], name=name, zone="UTC", days="ends")

    return Entered(
        title=fields["title"],
        source=fields["source"],
        known_at=when("known_at"),
        event_at=when("event_at") if fields.get("event_at") else None,
        url=fields.get("url", ""),
        on=tuple(part.strip() for part in fields.get("on", "").split(";") if part.strip()),
        grade=fields.get("grade", "") or "F",
        story=fields.get("story", ""),
        because=fields.get("because", ""),
    )
