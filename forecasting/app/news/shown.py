"""News as it stands: find an item, show it whole, list what is known and what it weighs."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, isfinite
from typing import Any

from forecasting import clock
from forecasting.app.catalog import Catalog
from forecasting.app.news.world import NewsWorld
from forecasting.domain.evidence import (
    LASTING,
    REFERENCE_STREAMS,
    Evidence,
    half_life_of,
    retractions,
    retracts,
)
from forecasting.domain.process import WorldSpec
from forecasting.domain.question import effect_scale
from forecasting.errors import NotFound
from forecasting.evidence import known, learned, reliability, without_retracted
from forecasting.evidence.relevant import ancestors, asked
from forecasting.evidence.reports import CodedReport, ends_of, reports, unusable
from forecasting.store import Ledger

#: The reason of a retraction whose item was recorded anew, by the next entry.
REPLACED = "replaced"
#: What a listing shows of an item as it is.
_LISTED = (
    *("key", "kind", "title", "source", "grade", "certainty", "event_at", "known_at"),
    *("story", "stream", "url"),
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
        msg = f"no news item named {name}"
        raise NotFound(msg, hint=hint) from absent
    for item in items:
        if item.seq == entry.seq:
            return item
    msg = f"entry ({name}): is a {entry.kind.replace('_', ' ')}, no news"
    raise NotFound(msg, hint=hint)


@dataclass(frozen=True, slots=True)
class Weights:
    """What every report weighs on every move: when it came, and at one moment.

    `over` says when a report ended: its move fired, or its state was left. `rests` gives the
    processes that each question rests on: what acts on none of them has no way to it.
    """

    coded: Mapping[str, tuple[CodedReport, ...]]
    over: Mapping[CodedReport, dt.datetime]
    moment: dt.datetime
    unusable: Mapping[str, str]
    processes: frozenset[str]
    rests: Mapping[str, frozenset[str]]

    @classmethod
    def of(
        cls,
        ledger: Ledger,
        items: Sequence[Evidence],
        moment: dt.datetime,
        catalog: Catalog | None = None,
        spec: WorldSpec | None = None,
    ) -> "Weights":
        """Weigh the reports known by a moment, with what was learned of their sources by then."""
        catalog = catalog or Catalog.of(ledger)
        world = NewsWorld.of(ledger, catalog, spec)
        trust = learned(items, catalog.questions, catalog.outcomes, moment)
        coded = reports(
            items,
            world.world,
            catalog.questions,
            world.predicates,
            reliability=trust,
            as_of=moment,
        )
        standing = without_retracted(known(items, moment))
        records = {
            name: world.record(process, standing, moment)
            for name, process in world.world.processes.items()
            if any(report.process == name for report in coded)
        }
        by_key: dict[str, list[CodedReport]] = {}
        for report in coded:
            by_key.setdefault(report.key, []).append(report)
        over = {
            report: min(ends)
            for report in coded
            if (
                ends := [
                    end
                    for end in ends_of(records[report.process], report.move)
                    if end > report.known_at
                ]
            )
        }
        lost = unusable(items, world.world, catalog.questions, world.predicates)
        return cls(
            {key: tuple(each) for key, each in by_key.items()},
            over,
            moment,
            {item.key: reason for item, reason in lost},
            frozenset(world.world.processes),
            {
                name: ancestors(world.world.links, asked(predicate))
                for name, predicate in world.predicates.items()
            },
        )

    def on(self, item: Evidence) -> list[dict[str, Any]]:
        """Give the moves that an item acts on, as hazard ratios; none for a copy."""
        return [
            {
                "process": report.process,
                "move": report.move,
                "then": exp(report.log_ratio),
                "now": 1.0 if report in self.over else exp(report.weight_at(self.moment)),
                "half_life": report.half_life if isfinite(report.half_life) else LASTING,
                "bound": exp(report.bound),
                "over": report in self.over,
            }
            for report in self.coded.get(item.key, ())
        ]

    def row(self, item: Evidence) -> dict[str, Any]:
        """Give what a listing shows: the strongest of its moves, then and now."""
        moves = self.on(item)
        reported = [effect for effect in item.effects if effect.reports]
        if not reported:
            return {"then": None, "now": None, "half_life": None, "moves": moves, "unusable": None}
        half_life = half_life_of(reported[0])
        nothing = {"then": 1.0, "now": 1.0}
        first = max(moves, key=lambda way: max(way["then"], 1.0 / way["then"]), default=nothing)
        return {
            "then": first["then"],
            "now": first["now"],
            "half_life": half_life if isfinite(half_life) else LASTING,
            "moves": moves,
            "unusable": self.unusable.get(item.key),
        }


def replaced(items: Sequence[Evidence], by: Evidence) -> Evidence | None:
    """Give the item that another took the place of: its retraction is the entry before."""
    retraction_of = retractions(items)
    return next((one for one in items if _takes_place(retraction_of.get(one.key), by)), None)


def _takes_place(retraction: Evidence | None, item: Evidence) -> bool:
    if retraction is None or retraction.seq is None or item.seq is None:
        return False
    return retraction.note == REPLACED and item.seq == retraction.seq + 1


def show(ledger: Ledger, name: str, *, now: dt.datetime | None = None) -> dict[str, Any]:
    """Give an item whole: effects, the story's other items, its retraction, what it moved.

    `moves` says on which moves of which processes it acts, as a hazard ratio when it came and now;
    `unusable` why it moves nothing, where the world has changed since and no longer has its target.
    """
    items = ledger.evidence()
    moment = clock.now() if now is None else now
    item = find(ledger, items, name)
    retraction_of = retractions(items)
    by = retraction_of.get(item.key)
    weights = Weights.of(ledger, items, moment)
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
        "replaced_by": next((one.seq for one in items if _takes_place(by, one)), None),
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
        "moved": _moved(ledger, item),
    }


def _moved(ledger: Ledger, item: Evidence) -> list[dict[str, Any]]:
    """Give the forecasts that recorded an effect of the item, or of the story it is in.

    It is what the item changed when the forecast was made, after all that it came with; what it
    changes now, an explanation says.
    """
    rows = []
    questions = Catalog.of(ledger).questions
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
                        # The columns wanted most come first: a narrow table leaves out the last.
                        "question": forecast.question,
                        "change": whole,
                        "scale": effect_scale(questions[forecast.question]),
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
    ledger: Ledger,
    *,
    question: str = "",
    everything: bool = False,
    now: dt.datetime | None = None,
) -> list[dict[str, Any]]:
    """Give the evidence by the time it was known, with what each report weighed then and now.

    Reference tables, the world's own history, retracted items and retractions only with
    `everything`; what grades a source is no news and never listed. `question` may be a ladder or a
    process too.
    """
    items = ledger.evidence()
    names = _effect_names(ledger, question) if question else set()
    weights = Weights.of(ledger, items, clock.now() if now is None else now)
    retraction_of = retractions(items)
    listed = []
    for item in items:
        if item.stream == reliability.STREAM:
            continue
        state = _state(item, retraction_of)
        if not everything and (item.stream in REFERENCE_STREAMS or state != "standing"):
            continue
        if names and not any(
            names & {effect.target, effect.target.partition("=")[0]} for effect in item.effects
        ):
            continue
        entry = {"seq": item.seq, "recorded_at": item.recorded_at}
        listed.append({**entry, **row_of(item), **weights.row(item), "state": state})
    return sorted(listed, key=lambda row: (row["known_at"], row["key"]))


def _effect_names(ledger: Ledger, name: str) -> set[str]:
    """Give the names by which effects refer to a question, a ladder or a process."""
    catalog = Catalog.of(ledger)
    if name in NewsWorld.of(ledger, catalog).world.processes:
        return {name}
    questions = catalog.find(name)
    return {q.id for q in questions} | {q.ladder for q in questions if q.ladder}
