"""News from a file or a track record: every row judged on its own, what passes recorded at once."""

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from forecasting.app.catalog import Catalog
from forecasting.app.news.add import Entered, drafted, identity, resolves
from forecasting.app.news.check import Asked, EffectCheck
from forecasting.app.news.shown import retracts, standing
from forecasting.app.news.world import NewsWorld
from forecasting.domain.evidence import Evidence
from forecasting.domain.instants import zone as known_zone
from forecasting.domain.question import normalised
from forecasting.domain.reading import Manner, moment
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
    found = intake.read(content, name=name, source=source, manner=manner)
    items = ledger.evidence()
    catalog = Catalog.of(ledger)
    check = EffectCheck(catalog, items, now=now, world=NewsWorld.of(ledger, catalog))
    _check_given(check, on, grade, now)
    seen = {identity(item) for item in items if not retracts(item)}
    recorded = Items(item for item in items if not retracts(item))
    updated: list[dict[str, Any]] = []
    index = Index(standing(items))
    drafts: list[Evidence] = []
    refused: list[dict[str, Any]] = []
    similar: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    resolved: list[dict[str, Any]] = []
    duplicates = 0
    for row in found:
        try:
            entered = _entered(row, on, grade, manner)
            same = _same(row, entered, recorded) if row.feed else None
            if entered.identity in seen or same is not None:
                duplicates += 1
                updated += [] if same is None else _update(row, entered, *same)
                continue
            item, told = drafted(entered, check, now=now)
            if row.guid:
                item = replace(item, key=key_of(row.guid, item.source))
        except (InvalidInput, NotFound) as wrong:
            refused.append({"line": row.line, "reason": _reason(wrong)})
            continue
        seen.add(entered.identity)
        recorded.add(item)
        notes += [{"line": row.line, "note": note} for note in told]
        resolved += [{"line": row.line, **each} for each in resolves(check, catalog, item, now)]
        check.take(item)
        alike = index.like(item.title, url=item.url, known_at=item.known_at, story=item.story)
        if alike:
            first = alike[0]
            similar.append(
                {
                    "line": row.line,
                    "title": item.title,
                    "like": first.item.title,
                    "why": first.why,
                    "story": first.item.story or first.item.key,
                }
            )
        index.add(item)
        drafts.append(item)
    if drafts and not dry_run:
        ledger.append(drafts, recorded_at=now)
    return {
        "file": name,
        "rows": len(found),
        "added": len(drafts),
        "duplicates": duplicates,
        "refused": refused,
        "updated": updated,
        "similar": similar,
        "notes": notes,
        "resolves": resolved,
        "dry_run": dry_run,
    }


def _reason(wrong: InvalidInput | NotFound) -> str:
    # A way out that is a command or an option helps who types one item, not who mends a file.
    return wrong.message if wrong.hint.startswith(("forecast ", "--")) else str(wrong)


def _check_given(check: EffectCheck, on: Sequence[str], grade: str, now: dt.datetime) -> None:
    """Refuse what no row could take, once and not once a row."""
    check_grade(grade)
    never = dt.datetime.min.replace(tzinfo=dt.UTC)
    asked = Asked(tuple(on), known_at=never, event_at=now, grade=grade, confirmed=True)
    try:
        check.effects(asked, dated=False)
    except NotFound as unknown:
        raise InvalidInput(unknown.message, hint=unknown.hint) from unknown


def _same(row: intake.Row, entered: Entered, recorded: Items) -> tuple[Evidence, Same] | None:
    return recorded.same(
        guid=row.guid,
        url=entered.url,
        title=entered.title,
        source=entered.source,
        known_at=entered.known_at,
    )


def _update(row: intake.Row, entered: Entered, item: Evidence, by: Same) -> list[dict[str, Any]]:
    """Say that a feed changed an item that is recorded, if it did; it stays one item."""
    if (normalised(entered.title), entered.known_at) == (item.title, item.known_at):
        return []
    return [{"line": row.line, "title": entered.title, "of": item.key, "same": by}]


def _entered(row: intake.Row, on: Sequence[str], grade: str, manner: Manner) -> Entered:
    if row.fault:
        raise InvalidInput(row.fault)
    fields = {key: value.strip() for key, value in row.fields.items()}
    if not fields.get("known_at"):
        msg = "known_at: must be given"
        raise InvalidInput(msg, hint="2026-11-22T12:00Z")
    happened = fields.get("event_at", "")
    own = tuple(part.strip() for part in fields.get("on", "").split(";") if part.strip())
    return Entered(
        title=fields.get("title", ""),
        source=fields.get("source", ""),
        known_at=moment(fields["known_at"], name="known_at", days="ends", manner=manner),
        event_at=moment(happened, name="event_at", days="ends", manner=manner)
        if happened
        else None,
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
    for line, fields in sorted(records, key=lambda one: (sorted(one[1].items()), one[0])):
        try:
            entered = _entered_line(fields)
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


def _entered_line(fields: Mapping[str, str]) -> Entered:
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
