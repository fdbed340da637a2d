"""Coding news: an inbox by likeness, what an item may act on and would do, and its code."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from forecasting.app.news.add import add
from forecasting.app.news.shown import find, replaced
from forecasting.app.upkeep import banks
from forecasting.app.upkeep.banks import bank_of
from forecasting.domain.catalog import Catalog
from forecasting.domain.evidence import CODES, Effect, Evidence, coded, retractions, standing
from forecasting.domain.process import ProcessSpec, WorldSpec
from forecasting.domain.question import Question
from forecasting.errors import ForecastingError, InvalidInput
from forecasting.evidence import known
from forecasting.evidence.effects import EffectCheck, Entered, drafted
from forecasting.evidence.leads import to_target
from forecasting.evidence.predicates import NewsWorld
from forecasting.evidence.similar import Index, Likeness
from forecasting.store import Ledger

if TYPE_CHECKING:
    from forecasting.app.forecast.predict import Predictor
    from forecasting.models.world.reading import Answer

#: What an inbox shows of an item as it is, and what an item recorded anew takes over.
_SHOWN = ("seq", "key", "title", "source", "grade", "known_at", "url", "note", "story")
_TAKEN = ("source", "known_at", "event_at", "url", "grade", "story")


@dataclass(frozen=True, slots=True)
class Target:
    """What a report may act on: `name` as an effect writes it, and what to call it."""

    name: str
    title: str
    kind: str


def is_coded(item: Evidence) -> bool:
    """Say whether somebody has said what an item does."""
    return any(effect.form != "bears" for effect in item.effects)


def targets(catalog: Catalog, world: NewsWorld, now: dt.datetime) -> list[Target]:
    """Give everything that a report may act on: processes with their states, and open questions."""
    result = []
    for process in world.world.processes.values():
        for name, title in _of_process(process):
            try:
                to_target(name, world.world, {}, {})
            except ForecastingError:
                # No move leads there that a report could hasten or slow.
                continue
            result.append(Target(name, title, "process"))
    for question in catalog.open_at(now):
        predicate = world.predicates.get(question.id)
        options = question.space.options if question.type in ("categorical", "ordered") else ("",)
        for option in options if predicate is not None else ():
            name = f"{question.id}={option}" if option else question.id
            try:
                ways = to_target(name, world.world, {question.id: question}, world.predicates)
            except ForecastingError:
                # No such move leads to what this question asks about.
                continue
            if ways:
                title = f"{question.title}: {option}" if option else question.title
                result.append(Target(name, title, "question"))
    return result


def _of_process(process: ProcessSpec) -> list[tuple[str, str]]:
    title = process.title or process.name
    if process.kind in ("event", "delivery"):
        return [(process.name, title)]
    # The first state comes last: a return to it is reported least often.
    states = (*process.states[1:], process.states[0])
    return [(f"{process.name}={state}", f"{title}: {state}") for state in states]


def facts(world: WorldSpec) -> list[Target]:
    """Give the facts that an item may state: a state entered, an event, a part delivered."""
    result = []
    for process in world.processes.values():
        title = process.title or process.name
        if process.kind == "event":
            result.append(Target(f"{process.name}=event", f"{title}: it happened", "event"))
            continue
        if process.kind == "delivery":
            unit = (process.delivery.unit if process.delivery else "") or "units"
            result.append(Target(f"{process.name}=", f"{title}: a part, in {unit}", "part"))
        result += [
            Target(f"{process.name}={state}", f"{title}: {state}", "state")
            for state in process.states
        ]
    return result


def _texts(catalog: Catalog, world: NewsWorld, now: dt.datetime) -> dict[str, str]:
    """Give what each open question and each process says of itself."""
    parts: dict[str, tuple[str, ...]] = {
        q.id: (q.title, q.criteria, q.background, q.id.replace("-", " "), *q.tags)
        for q in catalog.open_at(now)
    }
    for name, process in world.world.processes.items():
        parts[name] = (process.title, name.replace("-", " "), process.because, *process.states)
    return {name: " ".join(texts) for name, texts in parts.items()}


def inbox(ledger: Ledger, *, now: dt.datetime) -> list[dict[str, Any]]:
    """List the items that nobody has coded, those most like open questions and processes first."""
    items = [
        item
        for item in standing(ledger.evidence())
        if item.known_at <= now and not is_coded(item) and item.seq is not None
    ]
    if not items:
        return []
    catalog = Catalog.of(ledger)
    likeness = Likeness(_texts(catalog, banks.news_world(ledger, catalog), now))
    rows = [_row(item, likeness) for item in items]
    return sorted(rows, key=lambda row: (-row["most"], -row["known_at"].timestamp(), row["seq"]))


def _row(item: Evidence, likeness: Likeness) -> dict[str, Any]:
    ranking = likeness.rank(f"{item.title} {item.note}")
    return {name: getattr(item, name) for name in _SHOWN} | {
        "on": [effect.target for effect in item.effects],
        "like": ranking,
        "most": max([like for _, like in ranking], default=0.0),
    }


def proposed(ledger: Ledger, name: str, *, now: dt.datetime) -> dict[str, Any]:
    """Give one item with the targets that it may act on, the ``likely`` first, and its like."""
    items = ledger.evidence()
    item = find(ledger, items, name)
    catalog = Catalog.of(ledger)
    world = banks.news_world(ledger, catalog)
    row = _row(item, Likeness(_texts(catalog, world, now)))
    every = targets(catalog, world, now)
    likely: list[Target] = []
    for likely_name in [*row["on"], *(name for name, _ in row["like"])]:
        for target in every:
            base = target.name.partition("=")[0]
            ladder = base.partition("@")[0]
            if likely_name in (target.name, base, ladder) and target not in likely:
                likely.append(target)
    alike = Index(each for each in standing(items) if each.key != item.key).like(
        item.title, url=item.url, known_at=item.known_at, story=item.story
    )
    return row | {
        "coded": is_coded(item),
        "retracted": retractions(items).get(item.key) is not None,
        "likely": likely[:6],
        "targets": every,
        "facts": facts(world.world),
        "similar": [
            {
                "seq": each.item.seq,
                "title": each.item.title,
                "source": each.item.source,
                "story": each.item.story or each.item.key,
                "why": each.why,
            }
            for each in alike
        ],
    }


def code(
    ledger: Ledger,
    name: str,
    on: Sequence[str],
    *,
    now: dt.datetime,
    half_life: str = "",
    grade: str = "",
    story: str = "",
    because: str = "",
    confirmed: bool = False,
    event_at: dt.datetime | None = None,
) -> dict[str, Any]:
    """Say what an item on record does: a new entry takes its place in one transaction."""
    if not on:
        raise InvalidInput("target: choose what the item acts on")
    item = find(ledger, ledger.evidence(), name)
    fields = {"event_at": event_at, "grade": grade, "story": story, "because": because}
    changes = {key: value for key, value in fields.items() if value}
    return _record_again(
        ledger, item, name, now, on=on, half_life=half_life, confirmed=confirmed, **changes
    )


def uncode(ledger: Ledger, name: str, *, now: dt.datetime) -> dict[str, Any]:
    """Put a coded item back as it was before, to be coded again: a new entry in its place."""
    items = ledger.evidence()
    item = find(ledger, items, name)
    if not is_coded(item):
        raise InvalidInput(f"item ({name}): has no code")
    before = replaced(items, item)
    was = item if before is None or is_coded(before) else before
    on = [effect.target for effect in was.effects if effect.form == "bears"]
    return _record_again(ledger, was, name, now, on=on)


def join(ledger: Ledger, name: str, story: str, *, now: dt.datetime) -> dict[str, Any]:
    """Put an item into the story of another; what it does, and how it fades, stays as it is."""
    if not story:
        raise InvalidInput("story: choose one")
    item = find(ledger, ledger.evidence(), name)
    halves = {
        str(effect.detail["half_life"]) for effect in item.effects if "half_life" in effect.detail
    }
    if len(halves) > 1:
        msg = f"item ({name}): its effects fade at different speeds, which one entry cannot keep"
        raise InvalidInput(msg, hint="retract it, and add an item for each speed")
    return _record_again(
        ledger,
        item,
        name,
        now,
        on=[_written(effect) for effect in item.effects],
        half_life=halves.pop() if halves else "",
        confirmed=any(effect.detail.get("confirmed") == "yes" for effect in item.effects),
        story=story,
    )


def _record_again(
    ledger: Ledger, item: Evidence, name: str, now: dt.datetime, **changed: Any
) -> dict[str, Any]:
    """Record an item again in its own place, with something changed."""
    as_it_is = {name: getattr(item, name) for name in _TAKEN} | {"because": item.note}
    return add(ledger, item.title, now=now, instead_of=name, **as_it_is | changed)


def _written(effect: Effect) -> str:
    """Write an effect as it was entered."""
    if effect.form == "bears":
        return effect.target
    text = effect.stated or str(effect.detail.get("state") or effect.detail.get("value") or "event")
    return f"{effect.target}={text}"


def effect(
    ledger: Ledger,
    name: str,
    target: str,
    *,
    now: dt.datetime,
    half_life: str = "",
    codes: Sequence[str] = CODES,
    told: Callable[[str], None] = lambda step: None,
) -> dict[str, Any]:
    """Say what the model would answer if an item were coded so; nothing is written.

    With and without the item the paths start from the same seed, so that what differs is the item.
    """
    from forecasting.app.forecast.predict import OWN, REPLAY_DRAWS, Predictor, watches_of

    items = ledger.evidence()
    item = find(ledger, items, name)
    catalog = Catalog.of(ledger)
    world = banks.news_world(ledger, catalog)
    rest = [other for other in items if other.key != item.key]
    check = EffectCheck(catalog, rest, now=now, world=world)
    bank = bank_of(ledger)
    watches = watches_of(ledger, now, live=True)
    notes: list[str] = []
    variants: dict[str, Evidence] = {}
    for code in codes:
        on = coded(target, code) if code else target
        as_it_is = {name: getattr(item, name) for name in _TAKEN}
        fades = half_life if code else ""
        entered = Entered(item.title, on=(on,), half_life=fades, **as_it_is)
        variant, remarks = drafted(entered, check, now=now)
        notes += [note for note in remarks if note not in notes]
        variants[code] = replace(variant, recorded_at=now)

    def predictor(more: Sequence[Evidence]) -> Predictor:
        evidence = known([*rest, *more], now, recorded=True)
        return Predictor(catalog, evidence, bank, seed=0, watches=watches, draws=REPLAY_DRAWS)

    told("looking for what it touches")
    plain = predictor([])
    sample = next(iter(variants.values()), None)
    open_questions = [question for question in catalog.open_at(now) if question.id in plain.asks]
    touched = [
        q for q in open_questions if sample is not None and plain.model.touching(q, [sample])
    ]
    told("simulating without it")
    before = plain.one(OWN[0], touched, now) if touched else {}
    after: dict[str, dict[str, Answer]] = {}
    for code, variant in variants.items():
        told(f"simulating {code or 'with it'}")
        after[code] = predictor([variant]).one(OWN[0], touched, now) if touched else {}
    return {
        "item": item.seq,
        "target": target,
        "half_life": half_life,
        "as_of": now,
        "draws": plain.model.draws,
        "codes": list(codes),
        "rows": [row for question in touched for row in _changes(question, before, after)],
        "notes": notes,
        "looked": _watched_until(plain, sample, now),
    }


def _watched_until(
    plain: "Predictor", sample: Evidence | None, now: dt.datetime
) -> dict[str, dt.datetime]:
    """Give the processes that the item is coded on, and until when they were watched without it."""
    spec = plain.bank.world.processes
    names = {effect.about for effect in sample.effects} if sample else set()
    mine = sorted(names & set(spec))
    until = plain.model.watched_until(mine, plain.at(now))
    # An item that was known before the end of a watch does not change that end.
    return {
        name: end for name, end in until.items() if sample is not None and end < sample.known_at
    }


def _changes(
    question: Question, before: "dict[str, Answer]", after: "dict[str, dict[str, Answer]]"
) -> list[dict[str, Any]]:
    """Give a row for a yes-no question, one for each option of others, the median of a number."""
    from forecasting.models.world.reading import LEVELS

    if question.type == "binary":
        places = [(0, "")]
    elif question.type == "numeric":
        places = [(LEVELS.index(50.0), "median")]
    else:
        places = list(enumerate(question.space.options))
    rows = []
    for place, outcome in places:
        numbers = {
            code: _number(answers.get(question.id), place) for code, answers in after.items()
        }
        first = before.get(question.id)
        rows.append(
            {
                "question": question.id,
                "title": question.title,
                "type": question.type,
                "outcome": outcome,
                "unit": question.space.unit if question.type == "numeric" else "",
                "before": _number(first, place),
                "after": numbers,
                "mcse": first.spread.mcse if first is not None and first.spread else None,
            }
        )
    return rows


def _number(answer: "Answer | None", place: int) -> float | None:
    return answer.numbers[place] if answer is not None and len(answer.numbers) > place else None
