"""News from a file or a track record: every row judged on its own, what passes recorded at once."""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from forecasting.app.catalog import Catalog
from forecasting.app.news.add import drafted, identity, resolves
from forecasting.app.news.check import EffectCheck, Entered
from forecasting.app.news.world import NewsWorld
from forecasting.domain.evidence import Evidence, retracts, standing
from forecasting.domain.instants import zone as known_zone
from forecasting.domain.question import normalised
from forecasting.domain.reading import Manner, moment, of_file
from forecasting.errors import InvalidInput, NotFound
from forecasting.evidence import intake
from forecasting.evidence.identity import Items, Same, key_of
from forecasting.evidence.reliability import check_grade
from forecasting.evidence.similar import Index
from forecasting.exchange import Refused
from forecasting.fetch import Fetcher
from forecasting.store import Ledger

#: Content types of a fetched file; a page of HTML is none of these.
TYPES = (
    "application/atom+xml",
    "application/json",
    "application/jsonl",
    "application/rdf+xml",
    "application/rss+xml",
    "application/x-ndjson",
    "application/xml",
    "text/csv",
    "text/plain",
    "text/xml",
)


def fetched(address: str, *, fetcher: Fetcher | None = None) -> bytes:
    """Fetch a file of news from a public address, within the bounds of `forecasting.fetch`."""
    return (fetcher or Fetcher()).get(address, types=TYPES).content


def import_news(
    ledger: Ledger,
    content: bytes,
    *,
    name: str,
    now: dt.datetime,
    on: Sequence[str] = (),
    source: str = "",
    grade: str = "F",
    zone: str = "",
    dates: str = "",
    dry_run: bool = False,
) -> dict[str, Any]:
    """Record the rows of a CSV, JSON-lines, RSS or Atom file that are new and break no rule.

    `on`, `source` and `grade` are for the rows that state none; a feed states no effects. A row is
    a duplicate if an item of the same title, source, known_at and address was ever recorded, a
    retracted one too; an item of a feed, if one of the same guid was, else of the same address,
    else of the same title within two days, whatever its date says now (`updated` lists those whose
    date or title changed).
    """
    manner = Manner(zone=known_zone(zone).key if zone else "", dates=dates)  # type: ignore[arg-type]
    read = partial(moment, days="ends", manner=manner)
    found = intake.read(content, name=name, source=source, manner=manner)
    items = ledger.evidence()
    catalog = Catalog.of(ledger)
    check = EffectCheck(catalog, items, now=now, world=NewsWorld.of(ledger, catalog))
    _check_given(check, on, grade, now)
    seen = {identity(item) for item in items if not retracts(item)}
    recorded = Items(item for item in items if not retracts(item))
    index = Index(standing(items))
    drafts: list[Evidence] = []
    duplicates = 0
    lists = ("refused", "updated", "similar", "notes", "resolves")
    told: dict[str, list[dict[str, Any]]] = {each: [] for each in lists}
    for row in found:
        try:
            if row.fault:
                raise InvalidInput(row.fault)
            fields = {key: value.strip() for key, value in row.fields.items()}
            entered = _entered(fields, read, on=on, grade=grade)
            same = None
            if row.feed:
                same = recorded.same(
                    guid=row.guid,
                    url=entered.url,
                    title=entered.title,
                    source=entered.source,
                    known_at=entered.known_at,
                )
            if entered.identity in seen or same is not None:
                duplicates += 1
                told["updated"] += [] if same is None else _update(row, entered, *same)
                continue
            item, notes = drafted(entered, check, now=now)
            if row.guid:
                item = replace(item, key=key_of(row.guid, item.source))
        except (InvalidInput, NotFound) as wrong:
            # A way out that is a command or an option helps who types one item, not who mends
            # a file.
            typed = wrong.hint.startswith(("forecast ", "--", *_OF_ONE))
            reason = wrong.message if typed else str(of_file(wrong))
            told["refused"].append({"line": row.line, "reason": reason})
            continue
        seen.add(entered.identity)
        recorded.add(item)
        told["notes"] += [{"line": row.line, "note": note} for note in notes]
        decides = resolves(check, catalog, item, now)
        told["resolves"] += [{"line": row.line, **each} for each in decides]
        check.take(item)
        told["similar"] += _alike(row.line, item, index)
        index.add(item)
        drafts.append(item)
    if drafts and not dry_run:
        ledger.append(drafts, recorded_at=now)
    return {
        "file": name,
        "rows": len(found),
        "added": len(drafts),
        "duplicates": duplicates,
        **told,
        "dry_run": dry_run,
    }


#: Arguments that only the adding of one item takes.
_OF_ONE = ("known_at=", "event_at=", "confirmed=", "instead_of=")


def _check_given(check: EffectCheck, on: Sequence[str], grade: str, now: dt.datetime) -> None:
    """Refuse what no row could take, once and not once a row."""
    never = dt.datetime.min.replace(tzinfo=dt.UTC)
    asked = Entered("", "", never, now, on=tuple(on), grade=check_grade(grade), confirmed=True)
    try:
        check.effects(asked, dated=False)
    except NotFound as unknown:
        raise InvalidInput(unknown.message, hint=unknown.hint) from unknown


def _alike(line: int, item: Evidence, index: Index) -> list[dict[str, Any]]:
    """Give the item that an added one is most like, if it may tell the same story."""
    found = index.like(item.title, url=item.url, known_at=item.known_at, story=item.story)
    return [
        {
            "line": line,
            "title": item.title,
            "like": first.item.title,
            "why": first.why,
            "story": first.item.story or first.item.key,
        }
        for first in found[:1]
    ]


def _update(row: intake.Row, entered: Entered, item: Evidence, by: Same) -> list[dict[str, Any]]:
    """Say that a feed changed an item that is recorded, if it did; it stays one item."""
    if (normalised(entered.title), entered.known_at) == (item.title, item.known_at):
        return []
    return [{"line": row.line, "title": entered.title, "of": item.key, "same": by}]


def _entered(
    fields: Mapping[str, str],
    read: Callable[..., dt.datetime],
    *,
    on: Sequence[str] = (),
    grade: str = "F",
) -> Entered:
    """Read the fields of an item; `on` and `grade` are for one that states none."""
    if not fields.get("known_at"):
        msg = "known_at: must be given"
        raise InvalidInput(msg, hint="2026-11-22T12:00Z")
    happened = fields.get("event_at", "")
    own = tuple(part.strip() for part in fields.get("on", "").split(";") if part.strip())
    return Entered(
        title=fields.get("title", ""),
        source=fields.get("source", ""),
        known_at=read(fields["known_at"], name="known_at"),
        event_at=read(happened, name="event_at") if happened else None,
        url=fields.get("url", ""),
        on=own or tuple(on),
        grade=fields.get("grade", "") or grade,
        story=fields.get("story", ""),
        because=fields.get("because", ""),
        half_life=fields.get("half_life", ""),
    )


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
    read = partial(moment, zone="UTC", days="ends")
    for line, fields in sorted(records, key=lambda one: (sorted(one[1].items()), one[0])):
        try:
            entered = _entered(fields, read)
            if entered.identity in seen:
                news.duplicates += 1
                continue
            item, _ = drafted(entered, check, now=now)
        except (InvalidInput, NotFound) as wrong:
            news.refused.append(Refused(line, str(wrong)))
            continue
        seen.add(entered.identity)
        check.take(item)
        # When it was entered is no part of the key: imported into two ledgers, it is one item.
        unique = "\0".join([*entered.identity, *entered.on, entered.story])
        key = f"news-{hashlib.sha256(unique.encode()).hexdigest()[:12]}"
        news.items.append(replace(item, key=key))
    news.items.sort(key=lambda item: (item.known_at, item.key))
    return news
