"""News: add an item of evidence with its effects, or those of a file, or take one back.

Of a file or a track record every row is judged on its own, and what passes is recorded at once.
"""

import datetime as dt
import difflib
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from forecasting.app.news.shown import find, row_of
from forecasting.app.upkeep import banks
from forecasting.domain.catalog import Catalog
from forecasting.domain.evidence import (
    LASTING,
    NEWS,
    REPLACED,
    Effect,
    Evidence,
    retractions,
    retracts,
    standing,
)
from forecasting.domain.instants import iso, utc
from forecasting.domain.instants import zone as known_zone
from forecasting.domain.outcome import NO
from forecasting.domain.question import normalised
from forecasting.domain.reading import Manner, moment, of_file
from forecasting.errors import InvalidInput, NotFound
from forecasting.evidence import intake, known, reliability, without_retracted
from forecasting.evidence.effects import (
    _LIMITS,
    EffectCheck,
    Entered,
    check_known,
    check_reason,
    drafted,
    identity,
    key_made_of,
)
from forecasting.evidence.predicates import decided
from forecasting.evidence.relevant import asked as processes_asked
from forecasting.evidence.reliability import STREAM, check_grade, grades_of
from forecasting.evidence.similar import Alike, Index, Items, Same, key_of
from forecasting.exchange import Refused
from forecasting.fetch import Fetcher
from forecasting.store import Ledger

_LONGEST = 200


def add(
    ledger: Ledger,
    title: str,
    *,
    known_at: dt.datetime,
    now: dt.datetime,
    on: Sequence[str] = (),
    instead_of: str = "",
    half_life: str = "",
    lasting: bool = False,
    **given: Any,
) -> dict[str, Any]:
    """Record an item of evidence and what it does to the world; see `forecast news add`."""
    if half_life and lasting:
        msg = f"half_life ({half_life}): a lasting report has no half-life"
        raise InvalidInput(msg, hint="half_life=TIME or lasting=True")
    fades = LASTING if lasting else half_life
    entered = Entered(title, known_at=utc(known_at), on=tuple(on), half_life=fades, **given)
    items = ledger.evidence()
    replaced = _retractable(ledger, items, instead_of) if instead_of else None
    drafts: list[Evidence] = []
    if replaced is not None:
        drafts.append(_retraction(replaced, REPLACED, now=now, known_at=replaced.known_at))
    catalog = Catalog.of(ledger)
    check = EffectCheck(
        catalog, [*items, *drafts], now=now, world=banks.news_world(ledger, catalog)
    )
    item, notes = drafted(entered, check, now=now)
    if before := [other for other in items if other.key.startswith(item.key)]:
        # An item told again at the same instant has its own key: retracting the first spares it.
        item = replace(item, key=f"{item.key}-{len(before)}")
    drafts.append(item)
    index = Index(standing([*items, *drafts[:-1]]))
    alike = index.like(item.title, url=item.url, known_at=item.known_at, story=item.story)
    entry = ledger.append(drafts, recorded_at=now)[-1]
    return {
        "seq": entry.seq,
        "id": entry.id,
        "recorded_at": entry.recorded_at,
        **row_of(item),
        "similar": [_proposal(one, entered, entry.seq) for one in alike],
        "notes": notes,
        "resolves": resolves(check, catalog, item, now),
    }


def resolves(
    check: EffectCheck, catalog: Catalog, item: Evidence, now: dt.datetime
) -> list[dict[str, str]]:
    """Give the questions that an item's facts decide, each with the command that resolves it."""
    facts = [effect for effect in item.effects if effect.form == "datum"]
    processes = {effect.target for effect in facts}
    if not processes:
        return []
    before = [other for other in check.evidence if other.key != item.key]
    rows = []
    for name, predicate in sorted(check.world.predicates.items()):
        question = catalog.questions[name]
        if not processes & processes_asked(predicate) or catalog.outcome(question) is not None:
            continue
        outcome = decided(check.world, question, [*before, item], now)
        if outcome is None or decided(check.world, question, before, now) is not None:
            continue
        words = ["forecast", "resolve", name, outcome]
        words += ["--source", item.url or item.source, "--at", iso(item.known_at)]
        # The deciding fact rules out a yes, so that an early no is sure.
        words += ["--sure"] * (outcome == NO and item.known_at < question.closes)
        rows.append({"question": name, "outcome": outcome, "accept": shlex.join(words)})
    return rows


def _proposal(alike: Alike, entered: Entered, seq: int) -> dict[str, Any]:
    story = alike.item.story or alike.item.key
    words = [
        *("forecast", "news", "add", entered.title),
        *("--source", entered.source, "--known-at", iso(entered.known_at)),
    ]
    if entered.event_at is not None:
        words += ["--event-at", iso(entered.event_at)]
    for name in ("url", "grade", "because", "half_life"):
        value = getattr(entered, name)
        if value and (name, value) not in (("grade", "F"), ("half_life", LASTING)):
            words += [f"--{name.replace('_', '-')}", value]
    words += ["--lasting"] * (entered.half_life == LASTING) + ["--confirmed"] * entered.confirmed
    for effect in entered.on:
        words += ["--on", effect]
    words += ["--story", story, "--instead-of", str(seq)]
    fields = ("seq", "key", "title", "source", "known_at")
    return {name: getattr(alike.item, name) for name in fields} | {
        "story": story,
        "why": alike.why,
        "accept": shlex.join(words),
    }


def retract(
    ledger: Ledger,
    name: str,
    *,
    because: str,
    now: dt.datetime,
    known_at: dt.datetime | None = None,
) -> dict[str, Any]:
    """Take an item back by an entry of its own; the item stays in the record."""
    if not normalised(because):
        msg = "because: a retraction needs a reason"
        raise InvalidInput(msg, hint=f'forecast news retract {name} --because "denied by both"')
    check_reason(because)
    item = _retractable(ledger, ledger.evidence(), name)
    moment = utc(known_at) if known_at else now
    check_known(moment, now)
    if moment < item.known_at:
        msg = (
            f"known_at ({iso(moment)}): no item can be retracted before it was known "
            f"({iso(item.known_at)})"
        )
        raise InvalidInput(msg, hint=f"known_at={iso(item.known_at)}")
    draft = _retraction(item, normalised(because), now=now, known_at=moment)
    (entry,) = ledger.append([draft], recorded_at=now)
    return {
        "seq": entry.seq,
        "id": entry.id,
        "recorded_at": entry.recorded_at,
        "key": draft.key,
        "retracts": item.seq,
        "item": item.key,
        "title": item.title,
        "known_at": moment,
        "because": draft.note,
    }


def _retraction(
    item: Evidence, because: str, *, now: dt.datetime, known_at: dt.datetime
) -> Evidence:
    return Evidence(
        key=key_made_of("retraction", item.key, because, iso(now)),
        kind="datum",
        title=f"Retracted: {item.title}"[: _LIMITS["title"]],
        source="analyst",
        known_at=known_at,
        effects=(Effect(f"evidence/{item.key}", "datum", {"name": "retracts"}, "retracts"),),
        stream=NEWS,
        note=because,
    )


def _retractable(ledger: Ledger, items: Sequence[Evidence], name: str) -> Evidence:
    item = find(ledger, items, name)
    if item.stream == reliability.STREAM:
        source = shlex.quote(item.effects[0].target.removeprefix("source/"))
        msg = f"entry ({name}): grades a source; the latest grade counts"
        raise InvalidInput(msg, hint=f"forecast sources set {source} --grade F")
    if retracts(item):
        msg = f"news ({name}): is a retraction, which cannot be retracted"
        raise InvalidInput(msg, hint="forecast news add, as a new item")
    if (by := retractions(items).get(item.key)) is not None:
        msg = f"news ({name}): is already retracted, by #{by.seq} ({by.note})"
        raise InvalidInput(msg, hint=f"forecast news show {name}")
    return item


#: Content types of a fetched file; a page of HTML is none of these.
TYPES = (
    *("application/atom+xml", "application/json", "application/jsonl", "application/rdf+xml"),
    *("application/rss+xml", "application/x-ndjson", "application/xml"),
    *("text/csv", "text/plain", "text/xml"),
)


def fetched(address: str) -> bytes:
    """Fetch a file of news from a public address, within the bounds of `forecasting.fetch`."""
    return Fetcher().get(address, types=TYPES).content


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
    """Record the rows of a CSV, JSON-lines, RSS or Atom file that are new and break no rule."""
    manner = Manner(zone=known_zone(zone).key if zone else "", dates=dates)  # type: ignore[arg-type]
    read_time = partial(
        moment, days="ends", zone=manner.zone or banks.zone_of(ledger), manner=manner
    )
    rows = intake.read(content, name=name, source=source, manner=manner)
    items = ledger.evidence()
    catalog = Catalog.of(ledger)
    check = EffectCheck(catalog, items, now=now, world=banks.news_world(ledger, catalog))
    _check_defaults(check, on, grade, now)
    identities = {identity(item) for item in items if not retracts(item)}
    recorded = Items(item for item in items if not retracts(item))
    index = Index(standing(items))
    drafts: list[Evidence] = []
    duplicates = 0
    lists = ("refused", "updated", "similar", "notes", "resolves")
    report: dict[str, list[dict[str, Any]]] = {each: [] for each in lists}
    for row in rows:
        try:
            if row.fault:
                raise InvalidInput(row.fault)
            fields = {key: value.strip() for key, value in row.fields.items()}
            entered = _entered(fields, read_time, on=on, grade=grade)
            same = None
            if row.feed:
                same = recorded.same(
                    guid=row.guid,
                    url=entered.url,
                    title=entered.title,
                    source=entered.source,
                    known_at=entered.known_at,
                )
            if entered.identity in identities or same is not None:
                duplicates += 1
                report["updated"] += [] if same is None else _update(row, entered, *same)
                continue
            item, notes = drafted(entered, check, now=now)
            if row.guid:
                item = replace(item, key=key_of(row.guid, item.source))
        except (InvalidInput, NotFound) as wrong:
            # A hint that is a command or an option is for a single item, not for a row of
            # a file.
            typed = wrong.hint.startswith(("forecast ", "--", *_OF_ONE))
            reason = wrong.message if typed else str(of_file(wrong))
            report["refused"].append({"line": row.line, "reason": reason})
            continue
        identities.add(entered.identity)
        recorded.add(item)
        report["notes"] += [{"line": row.line, "note": note} for note in notes]
        decides = resolves(check, catalog, item, now)
        report["resolves"] += [{"line": row.line, **each} for each in decides]
        check.evidence.append(item)
        report["similar"] += _alike(row.line, item, index)
        index.add(item)
        drafts.append(item)
    if drafts and not dry_run:
        ledger.append(drafts, recorded_at=now)
    return {
        "file": name,
        "rows": len(rows),
        "added": len(drafts),
        "duplicates": duplicates,
        **report,
        "dry_run": dry_run,
    }


#: Arguments that only the adding of one item takes.
_OF_ONE = ("known_at=", "event_at=", "confirmed=", "instead_of=")


def _check_defaults(check: EffectCheck, on: Sequence[str], grade: str, now: dt.datetime) -> None:
    """Refuse defaults that no row could take: once for the file, not once a row."""
    never = dt.datetime.min.replace(tzinfo=dt.UTC)
    entered = Entered("", "", never, now, on=tuple(on), grade=check_grade(grade), confirmed=True)
    try:
        check.effects(entered, dated=False)
    except NotFound as unknown:
        raise InvalidInput(unknown.message, hint=unknown.hint) from unknown


def _alike(line: int, item: Evidence, index: Index) -> list[dict[str, Any]]:
    """Give the item that an added one is most like, if it may tell the same story."""
    matches = index.like(item.title, url=item.url, known_at=item.known_at, story=item.story)
    return [
        {
            "line": line,
            "title": item.title,
            "like": first.item.title,
            "why": first.why,
            "story": first.item.story or first.item.key,
        }
        for first in matches[:1]
    ]


def _update(row: intake.Row, entered: Entered, item: Evidence, by: Same) -> list[dict[str, Any]]:
    """Say that a feed changed an item that is recorded, if it did; it stays one item."""
    if (normalised(entered.title), entered.known_at) == (item.title, item.known_at):
        return []
    return [{"line": row.line, "title": entered.title, "of": item.key, "same": by}]


def _entered(
    fields: Mapping[str, str],
    read_time: Callable[..., dt.datetime],
    *,
    on: Sequence[str] = (),
    grade: str = "F",
) -> Entered:
    """Read the fields of an item; `on` and `grade` are for one that states none."""
    if not fields.get("known_at"):
        raise InvalidInput("known_at: must be given", hint="2026-11-22T12:00Z")
    happened = fields.get("event_at", "")
    own = tuple(part.strip() for part in fields.get("on", "").split(";") if part.strip())
    words = ("title", "source", "url", "story", "because", "half_life")
    texts: dict[str, Any] = {name: fields.get(name, "") for name in words}
    return Entered(
        known_at=read_time(fields["known_at"], name="known_at"),
        event_at=read_time(happened, name="event_at") if happened else None,
        on=own or tuple(on),
        grade=fields.get("grade", "") or grade,
        **texts,
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
    recorded: Sequence[Evidence],
    ledger: Ledger,
    catalog: Catalog,
    now: dt.datetime,
) -> News:
    """Decide which items are recorded: `records` of a file, or `whole` ones of a ledger."""
    news = News()
    identities = {identity(item) for item in recorded if not retracts(item)}
    keys = {item.key for item in recorded}
    for line, item in whole:
        if item.key in keys or (not retracts(item) and identity(item) in identities):
            news.duplicates += 1
        elif item.known_at > now:
            news.refused.append(Refused(line, f"known_at ({item.known_at}): lies in the future"))
        else:
            keys.add(item.key)
            news.items.append(item)
    check = EffectCheck(
        catalog, [*recorded, *news.items], now=now, world=banks.news_world(ledger, catalog)
    )
    # Records are judged sorted by their content, so that the order of lines decides nothing.
    read_time = partial(moment, zone="UTC", days="ends")
    for line, fields in sorted(records, key=lambda one: (sorted(one[1].items()), one[0])):
        try:
            entered = _entered(fields, read_time)
            if entered.identity in identities:
                news.duplicates += 1
                continue
            item, _ = drafted(entered, check, now=now)
        except (InvalidInput, NotFound) as wrong:
            news.refused.append(Refused(line, str(wrong)))
            continue
        identities.add(entered.identity)
        check.evidence.append(item)
        # The key does not hold the time of entry, so that the item is one in two ledgers.
        key = key_made_of("news", *entered.identity, *entered.on, entered.story)
        news.items.append(replace(item, key=key))
    news.items.sort(key=lambda item: (item.known_at, item.key))
    return news


def set_grade(
    ledger: Ledger,
    source: str,
    grade: str,
    *,
    now: dt.datetime,
    because: str = "",
    new: bool = False,
) -> dict[str, Any]:
    """Grade a source from now on; the entry overrides the grades that its items carry."""
    name = normalised(source)
    if not name or len(name) > _LONGEST:
        msg = f"source ({name[:40]}): must be a name of 1 to {_LONGEST} characters"
        raise InvalidInput(msg, hint="forecast sources list")
    check_reason(because)
    letter = check_grade(grade)
    everything = known(ledger.evidence(), now)
    before = grades_of(without_retracted(everything)).get(name)
    named = {item.source for item in everything if item.stream != STREAM}
    if before is None and name not in named and not new:
        near = difflib.get_close_matches(name, sorted(named), n=1, cutoff=0.6)
        msg = f"source ({name}): no news item has this source"
        raise NotFound(
            msg, hint=f"{near[0]}, or new=True" if near else "new=True, to grade it anyway"
        )
    reweighed = sum(item.reports for item in without_retracted(everything) if item.source == name)
    draft = Evidence(
        key=key_made_of("grade", name, letter, iso(now)),
        kind="datum",
        title=f"Grade of {name}: {letter}",
        source="analyst",
        known_at=now,
        effects=(Effect(f"source/{name}", "datum", {"name": "graded", "grade": letter}, letter),),
        stream=STREAM,
        note=normalised(because),
    )
    (entry,) = ledger.append([draft], recorded_at=now)
    return {
        "seq": entry.seq,
        "id": entry.id,
        "source": name,
        "before": before,
        "grade": letter,
        "reweighed": reweighed,
        "recorded_at": entry.recorded_at,
    }
