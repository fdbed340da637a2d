"""News as it stands: find an item, show it whole, list what is known and what it weighs."""

import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from math import exp
from typing import Any

from forecasting.app.upkeep import banks
from forecasting.domain.catalog import Catalog
from forecasting.domain.evidence import (
    NEWS,
    REFERENCE_STREAMS,
    Evidence,
    retractions,
    retracts,
    takes_place,
)
from forecasting.domain.forecasters import MODEL
from forecasting.domain.instants import iso
from forecasting.domain.question import effect_scale
from forecasting.errors import InvalidInput, NotFound
from forecasting.evidence import known, learned, reliability, without_retracted
from forecasting.evidence.effects import graded
from forecasting.evidence.reliability import STREAM, Reliabilities, grades_of
from forecasting.evidence.reports import Weights, bound
from forecasting.store import Ledger

#: What a listing shows of an item as it is.
_LISTED = (
    *("key", "kind", "title", "source", "grade", "certainty", "event_at", "known_at"),
    *("story", "stream", "url"),
)
#: The columns of the table, also of one without rows.
EVIDENCE_COLUMNS = (
    *("seq", "recorded_at", "key", "kind", "title", "source", "grade", "certainty", "event_at"),
    *("known_at", "story", "stream", "url", "on", "then", "now", "half_life", "moves"),
    *("unusable", "state"),
)


def find(ledger: Ledger, items: Sequence[Evidence], name: str) -> Evidence:
    """Find an item by its number, the start of its hash, or its key."""
    reference = name.strip().removeprefix("#")
    for item in items:
        if item.key == reference:
            return item
    hint = "forecast news list"
    try:
        entry = ledger.entry(reference)
    except NotFound as absent:
        raise NotFound(f"no news item named {name}", hint=hint) from absent
    for item in items:
        if item.seq == entry.seq:
            return item
    raise NotFound(f"entry ({name}): is a {entry.kind.replace('_', ' ')}, no news", hint=hint)


def replaced(items: Sequence[Evidence], by: Evidence) -> Evidence | None:
    """Give the item that another took the place of: its retraction is the entry before."""
    retraction_of = retractions(items)
    return next((one for one in items if takes_place(retraction_of.get(one.key), by)), None)


def show(ledger: Ledger, name: str, *, now: dt.datetime) -> dict[str, Any]:
    """Give an item whole: effects, the story's other items, its retraction, what it moved."""
    items = ledger.evidence()
    item = find(ledger, items, name)
    retraction_of = retractions(items)
    by = retraction_of.get(item.key)
    catalog = Catalog.of(ledger)
    weights = Weights.of(items, now, catalog, banks.news_world(ledger, catalog))
    others = [
        other
        for other in sorted(items, key=lambda other: (other.known_at, other.key))
        if other.told_event == item.told_event and other.key != item.key and not retracts(other)
    ]
    return {
        "seq": item.seq,
        "id": None if item.seq is None else ledger.entry(item.seq).id,
        "recorded_at": item.recorded_at,
        **row_of(item),
        **weights.row(item),
        "state": _state(item, retraction_of),
        "because": item.note,
        "retracted_by": by and {"seq": by.seq, "known_at": by.known_at, "because": by.note},
        "replaced_by": next((one.seq for one in items if takes_place(by, one)), None),
        "effects": [
            {
                "target": effect.target,
                "form": effect.form,
                "stated": effect.stated,
                "detail": dict(effect.detail),
            }
            for effect in item.effects
        ],
        "story_items": [
            {name: getattr(other, name) for name in ("seq", "key", "known_at", "source", "story")}
            | {"state": _state(other, retraction_of), "title": other.title}
            for other in others
        ],
        "moved": _moved(ledger, catalog, item),
    }


def _moved(ledger: Ledger, catalog: Catalog, item: Evidence) -> list[dict[str, Any]]:
    """Give the forecasts that recorded an effect of the item, or of its story, with that effect."""
    rows = []
    names = {item.key, item.story} - {""}
    # What moved a number is recorded with the model's alone.
    for forecast in ledger.forecasts(forecaster=MODEL):
        text = forecast.meta.get("moved", "")
        if not any(name in text for name in names):
            continue
        for named, delta in json.loads(text):
            if named in names:
                whole = delta[0] if isinstance(delta, list) and len(delta) == 1 else delta
                rows.append(
                    {
                        # The columns wanted most come first: a narrow table leaves out the last.
                        "question": forecast.question,
                        "change": whole,
                        "scale": effect_scale(catalog.questions[forecast.question]),
                        "issued_at": forecast.issued_at,
                        "forecaster": forecast.forecaster,
                        "of": "item" if named == item.key else "story",
                        "forecast": forecast.seq,
                        "kind": forecast.kind,
                    }
                )
    return rows


def _state(item: Evidence, retraction_of: Mapping[str, Evidence]) -> str:
    if retracts(item):
        return "retraction"
    return "retracted" if item.key in retraction_of else "standing"


def row_of(item: Evidence) -> dict[str, Any]:
    """Give an item as a listing shows it."""
    on: dict[str, str] = {}
    for each in item.effects:
        text = each.stated or str(each.detail.get("state") or each.name) or "bears"
        # One item may bring a fact of a process and a report on it.
        on[each.target] = f"{on[each.target]} and {text}" if each.target in on else text
    return {name: getattr(item, name) for name in _LISTED} | {"on": on}


def rows(
    ledger: Ledger, *, now: dt.datetime, question: str = "", everything: bool = False
) -> list[dict[str, Any]]:
    """Give the evidence by the time it was known, with what each report weighed then and now."""
    items = ledger.evidence()
    catalog = Catalog.of(ledger)
    world = banks.news_world(ledger, catalog)
    names = {question} if question else set()
    if question and question not in world.world.processes:
        questions = catalog.find(question)
        names = {q.id for q in questions} | {q.ladder for q in questions if q.ladder}
    weights = Weights.of(items, now, catalog, world)
    retraction_of = retractions(items)
    listed = []
    for item in items:
        if item.stream == reliability.STREAM:
            continue
        state = _state(item, retraction_of)
        if not everything and (item.stream in REFERENCE_STREAMS or state != "standing"):
            continue
        if names and not any(names & {effect.target, effect.about} for effect in item.effects):
            continue
        entry = {"seq": item.seq, "recorded_at": item.recorded_at}
        listed.append({**entry, **row_of(item), **weights.row(item), "state": state})
    return sorted(listed, key=lambda row: (row["known_at"], row["key"]))


def stories(ledger: Ledger, *, now: dt.datetime) -> list[dict[str, Any]]:
    """Give the stories that have more than one item, the newest first, each with its items."""
    by_story: dict[str, list[dict[str, Any]]] = {}
    # Rows come by the time they were known.
    for row in rows(ledger, now=now):
        by_story.setdefault((row["story"] or row["key"]).partition("/")[0], []).append(row)
    several = [{"story": story, "items": items} for story, items in by_story.items() if items[1:]]
    return sorted(several, key=lambda one: one["items"][-1]["known_at"], reverse=True)


def coded_rows(ledger: Ledger, *, now: dt.datetime) -> list[dict[str, Any]]:
    """Give the rows of the news that stands and is coded, the latest first."""
    coded = [
        row
        for row in rows(ledger, now=now)
        if row["seq"] is not None and any(effect != "bears" for effect in row["on"].values())
    ]
    return sorted(coded, key=lambda row: (row["known_at"], row["seq"]), reverse=True)


def source_rows(ledger: Ledger, *, as_of: dt.datetime, now: dt.datetime) -> list[dict[str, Any]]:
    """Give every source that an item names or a grading set: those of your own news first."""
    if as_of > now:
        msg = f"as_of ({iso(as_of)}): lies in the future (now {iso(now)})"
        raise InvalidInput(msg, hint="leave out as_of=TIME")
    items = known(ledger.evidence(), as_of)
    catalog = Catalog.of(ledger, recorded_by=as_of)
    reliabilities = learned(items, catalog.questions, catalog.outcomes, as_of)
    standing = without_retracted(items)
    set_for = graded(standing)
    count = dict.fromkeys(set_for, 0)
    own, data = Counter[str](), Counter[str]()
    for item in standing:
        if item.stream != STREAM:
            count[item.source] = count.get(item.source, 0) + 1
            own[item.source] += item.stream == NEWS
            data[item.source] += item.stream != NEWS and item.kind == "datum"
    grades = grades_of(standing)
    listed = []
    for source in count:
        taught = reliabilities.of(source, grades[source])
        prior = Reliabilities([]).of(source, grades[source])
        listed.append(
            {
                "source": source,
                "grade": taught.grade,
                "reliability": taught.mean,
                "lower": taught.quantile(0.05),
                "upper": taught.quantile(0.95),
                "claims": taught.claims,
                "effective": taught.effective,
                "right": taught.right,
                "wrong": taught.wrong,
                "bound": exp(bound(taught.mean)),
                "prior": prior.mean,
                "prior_lower": prior.quantile(0.05),
                "prior_upper": prior.quantile(0.95),
                "items": count[source],
                "own": own[source],
                "data": data[source],
                "set": source in set_for,
            }
        )

    def own_first(row: Mapping[str, Any]) -> tuple[Any, ...]:
        return not row["own"], -row["claims"], -row["items"], row["source"].casefold()

    return sorted(listed, key=own_first)


def folded(listed: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Give one line for the sources of data sets: facts of the bank that nothing was learned of."""
    shown: list[Mapping[str, Any]] = []
    rest: list[Mapping[str, Any]] = []
    for row in listed:
        is_data = row["items"] and row["data"] == row["items"] and not row["claims"]
        (rest if is_data and not row["set"] else shown).append(row)
    if len(rest) < 2:
        return list(listed)
    items = sum(row["items"] for row in rest)
    return [*shown, {"source": f"{len(rest)} sources of data sets", "items": items}]
