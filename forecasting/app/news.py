"""News: add an item of evidence with its effects, list what is known."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Any

from forecasting.app.catalog import Catalog
from forecasting.app.log import check_moment
from forecasting.domain.evidence import GRADES, Effect, Evidence, parse_effect
from forecasting.domain.instants import iso
from forecasting.domain.question import normalised
from forecasting.errors import InvalidInput
from forecasting.evidence import retracted
from forecasting.store import Ledger

#: Streams that are tables of reference cases rather than news.
REFERENCE_STREAMS = ("agreements", "totals", "occurrences", "packages")
_LIMITS = {"title": 500, "source": 200, "url": 2000, "because": 20_000}


def add(
    ledger: Ledger,
    title: str,
    *,
    source: str,
    known_at: dt.datetime,
    now: dt.datetime,
    event_at: dt.datetime | None = None,
    url: str = "",
    on: Sequence[str] = (),
    grade: str = "F",
    story: str = "",
    because: str = "",
) -> dict[str, Any]:
    """Record an item of evidence and what it does to which question.

    Parameters
    ----------
    on : sequence of str
        ``QUESTION=EFFECT``: a likelihood pair ``0.6/0.2``, a ratio ``x3``, ``+2 .. -2`` or a datum;
        ``QUESTION`` alone marks what the item bears on.

    Raises
    ------
    InvalidInput, NotFound
        Nothing was written.
    """
    fields = {"title": title, "source": source, "url": url, "because": because}
    for name, text in fields.items():
        if len(text) > _LIMITS[name]:
            msg = f"{name} ({len(text)} characters): at most {_LIMITS[name]}"
            raise InvalidInput(msg)
    if not normalised(title) or not normalised(source):
        msg = "news: needs a title and a source"
        raise InvalidInput(
            msg, hint='forecast news add "TITLE" --source NAME --known-at 2026-11-22T12:00Z'
        )
    if grade not in GRADES:
        msg = f"grade ({grade}): must be one of {', '.join(GRADES)}"
        raise InvalidInput(msg)
    check_moment(known_at, now)
    catalog = Catalog.of(ledger)
    effects = tuple(_effect(catalog, text, known_at) for text in on)
    identity = "\0".join([normalised(title), source, iso(known_at), url, *on, iso(now)])
    item = Evidence(
        key=f"news-{hashlib.sha256(identity.encode()).hexdigest()[:12]}",
        kind="datum" if any(effect.form == "datum" for effect in effects) else "report",
        title=normalised(title),
        source=normalised(source),
        known_at=known_at,
        effects=effects,
        event_at=event_at,
        url=url.strip(),
        grade=grade,
        story=story,
        stream="news",
        note=normalised(because),
    )
    (entry,) = ledger.append([item], recorded_at=now)
    return {"seq": entry.seq, "id": entry.id, "recorded_at": entry.recorded_at, **_row(item)}


def _effect(catalog: Catalog, text: str, known_at: dt.datetime) -> Effect:
    name, separator, stated = text.partition("=")
    questions = catalog.find(name.strip())
    if not separator:
        return Effect(name.strip(), "bears", {})
    effect = parse_effect(name.strip(), stated)
    if all(catalog.ends(question) <= known_at for question in questions):
        msg = f"question ({name}): had closed before the item was known ({iso(known_at)})"
        raise InvalidInput(msg, hint=f"--on {name} (bears on it, without an effect)")
    if effect.form == "likelihood" and any(question.type != "binary" for question in questions):
        msg = f"effect ({stated}): a likelihood needs a yes-no question; {name} is not one"
        raise InvalidInput(msg, hint=f"--on {name} (bears on it, without an effect)")
    return effect


def _row(item: Evidence) -> dict[str, Any]:
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
    """Give the evidence by the time it was known; reference tables only on request."""
    names: set[str] = set()
    if question:
        found = Catalog.of(ledger).find(question)
        names = {q.id for q in found} | {q.ladder for q in found if q.ladder}
    listed = []
    for item in retracted(ledger.evidence()):
        if not everything and item.stream in REFERENCE_STREAMS:
            continue
        if names and not any(effect.target in names for effect in item.effects):
            continue
        listed.append({"seq": item.seq, "recorded_at": item.recorded_at, **_row(item)})
    return sorted(listed, key=lambda row: (row["known_at"], row["key"]))
