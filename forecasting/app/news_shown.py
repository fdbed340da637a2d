"""News as it stands: find an item, show it whole, list what is known."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from forecasting.app.catalog import Catalog
from forecasting.domain.evidence import Evidence
from forecasting.errors import NotFound
from forecasting.evidence import reliability
from forecasting.store import Ledger

#: Streams that are tables of reference cases rather than news.
REFERENCE_STREAMS = ("agreements", "totals", "occurrences", "packages")


def retracts(item: Evidence) -> bool:
    """Whether an item is a retraction."""
    return any(effect.name == "retracts" for effect in item.effects)


def retractions(items: Iterable[Evidence]) -> dict[str, Evidence]:
    """Give, by key, the entry that takes each retracted item back."""
    return {
        effect.target.removeprefix("evidence/"): item
        for item in items
        for effect in item.effects
        if effect.name == "retracts"
    }


def standing(items: Iterable[Evidence]) -> list[Evidence]:
    """Give the items that news can be like: no reference tables, gradings or retracted items."""
    items = tuple(items)
    gone = retractions(items)
    return [
        item
        for item in items
        if item.stream not in (*REFERENCE_STREAMS, reliability.STREAM)
        and item.key not in gone
        and not retracts(item)
    ]


def find(ledger: Ledger, items: Sequence[Evidence], name: str) -> Evidence:
    """Find an item by its number, the start of its hash, or its key.

    Raises
    ------
    NotFound
        There is none, or the entry is something else.
    """
    wanted = name.strip().removeprefix("#")
    for item in items:
        if item.key == wanted:
            return item
    hint = "forecast news list"
    try:
        entry = ledger.entry(wanted)
    except NotFound as absent:
        msg = f"news ({name}): there is no such item"
        raise NotFound(msg, hint=hint) from absent
    for item in items:
        if item.seq == entry.seq:
            return item
    msg = f"entry ({name}): is a {entry.kind.replace('_', ' ')}, no news"
    raise NotFound(msg, hint=hint)


def show(ledger: Ledger, name: str) -> dict[str, Any]:
    """Give an item whole: effects, the story's other items, its retraction, what it moved."""
    items = ledger.evidence()
    item = find(ledger, items, name)
    gone = retractions(items)
    by = gone.get(item.key)
    event = (item.story or item.key).partition("/")[0]
    others = [
        other
        for other in items
        if other.key != item.key
        and (other.story or other.key).partition("/")[0] == event
        and not retracts(other)
    ]
    return {
        "seq": item.seq,
        "id": None if item.seq is None else ledger.entry(item.seq).id,
        "recorded_at": item.recorded_at,
        **row_of(item),
        "state": _state(item, gone),
        "because": item.note,
        "retracted_by": None
        if by is None
        else {"seq": by.seq, "known_at": by.known_at, "because": by.note},
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
            {
                "seq": other.seq,
                "key": other.key,
                "known_at": other.known_at,
                "source": other.source,
                "story": other.story,
                "state": _state(other, gone),
                "title": other.title,
            }
            for other in sorted(others, key=lambda other: (other.known_at, other.key))
        ],
        "moved": _moved(ledger, item),
    }


def _moved(ledger: Ledger, item: Evidence) -> list[dict[str, Any]]:
    """Give the forecasts that recorded an effect of the item, or of the story it is in."""
    rows = []
    names = {item.key, item.story} - {""}
    for forecast in ledger.forecasts():
        text = forecast.meta.get("moved", "")
        if not any(name in text for name in names):
            continue
        for named, delta in json.loads(text):
            if named in names:
                whole = delta[0] if isinstance(delta, list) and len(delta) == 1 else delta
                rows.append(
                    {
                        "forecast": forecast.seq,
                        "question": forecast.question,
                        "forecaster": forecast.forecaster,
                        "kind": forecast.kind,
                        "issued_at": forecast.issued_at,
                        "of": "item" if named == item.key else "story",
                        "delta_logit": whole,
                    }
                )
    return rows


def _state(item: Evidence, gone: Mapping[str, Evidence]) -> str:
    if retracts(item):
        return "retraction"
    return "retracted" if item.key in gone else "standing"


def row_of(item: Evidence) -> dict[str, Any]:
    """Give an item as a listing shows it."""
    return {
        "key": item.key,
        "kind": item.kind,
        "title": item.title,
        "source": item.source,
        "grade": item.grade,
        "certainty": item.certainty,
        "event_at": item.event_at,
        "known_at": item.known_at,
        "story": item.story,
        "stream": item.stream,
        "url": item.url,
        "on": {e.target: e.stated or e.name or "bears" for e in item.effects},
    }


def rows(ledger: Ledger, *, question: str = "", everything: bool = False) -> list[dict[str, Any]]:
    """Give the evidence by the time it was known.

    Reference tables, retracted items and retractions only with `everything`; what grades a source
    is no news and never listed.
    """
    names: set[str] = set()
    if question:
        found = Catalog.of(ledger).find(question)
        names = {q.id for q in found} | {q.ladder for q in found if q.ladder}
    items = ledger.evidence()
    gone = retractions(items)
    listed = []
    for item in items:
        if item.stream == reliability.STREAM:
            continue
        state = _state(item, gone)
        if not everything and (item.stream in REFERENCE_STREAMS or state != "standing"):
            continue
        if names and not any(effect.target in names for effect in item.effects):
            continue
        listed.append(
            {"seq": item.seq, "recorded_at": item.recorded_at, **row_of(item), "state": state}
        )
    return sorted(listed, key=lambda row: (row["known_at"], row["key"]))
