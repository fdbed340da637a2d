"""A question from the facts that a file states: the ledger's own, or a new one with defaults."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from forecasting.domain.instants import day_ends, iso, local_day
from forecasting.domain.outcome import OutcomeSpace, QuestionType
from forecasting.domain.question import Basis, ModelChoice, Question, normalised
from forecasting.domain.reading import level, plainly, question_id
from forecasting.errors import InvalidInput
from forecasting.exchange.cells import one_line
from forecasting.exchange.record import WITHDRAWN, Facts, StatedForecast

TOPIC = "imported"
_SPACE = ("type", "options", "lower", "upper", "unit", "zero_point", "open_bounds")
#: What a stated fact may not contradict in a question that the ledger holds.
_WORDING = ("title", "criteria", "zone", "opens", "closes", "resolves_by")
_LABELS = ("topic", "event", "tags", "background")
#: What tables write for an outcome where nothing has come out yet.
_NONE_YET = (
    *("-", "–", "—", "?", "open", "pending", "unresolved", "not resolved", "not yet", "none yet"),
    *("tbd", "tba", "unknown", "ongoing", "na", "none", "null"),
)
#: Read as annulled, and perhaps meant as nothing yet.
_NEITHER = "n/a"


def merged(
    parts: Sequence[Facts],
    forecasts: Iterable[StatedForecast] = (),
    *,
    now: dt.datetime,
    options: Sequence[str] = (),
    notes: Counter[str] | None = None,
) -> dict[str, Any]:
    """Put together what several lines state of one question; titles and tags in one line each."""
    notes = Counter() if notes is None else notes
    words = {_word(one.stated["outcome"]) for one in parts if "outcome" in one.stated}
    none_yet = words.intersection((*_NONE_YET, _NEITHER))
    if none_yet:
        stated = [word for one in parts for word in one.stated.get("options", ())]
        none_yet -= {_word(one) for one in (*options, *stated, *_labels(forecasts))}
    unsaid: Any = None
    facts: dict[str, Any] = {}
    first: dict[str, int] = {}
    for one in parts:
        for name, value in one.stated.items():
            if name == "outcome" and _word(value) in none_yet - {_NEITHER}:
                unsaid = value
                continue
            if name == "title" and (short := one_line(value, name=name)) != value:
                if short.endswith("…"):
                    facts.setdefault("criteria", normalised(value))
                value = short
            elif name == "tags":
                value = tuple(one_line(tag, name=name) for tag in value)
            elif name in ("criteria", "background"):
                value = normalised(value)
            if name == "tags" and name in facts:
                # Labels add up; for want of one no forecast is refused.
                facts[name] = tuple(sorted({*facts[name], *value}))
            elif name == "outcome" and name in facts and _word(facts[name]) == _word(value):
                continue
            elif facts.setdefault(name, value) != value:
                lines = (first.get(name, 0), one.line or one.own_line)
                both = sorted(
                    f"{_shown(value)}{f' in line {line}' * bool(line)}"
                    for value, line in zip((facts[name], value), lines, strict=True)
                )
                msg = f"{name} ({' and '.join(both)}): lines disagree on question {one.question}"
                hint = "one of them in each line"
                if facts.get("title") and question_id(str(facts["title"])) == one.question:
                    hint = "an id for each (column question), where one title is asked twice"
                raise InvalidInput(msg, hint=hint)
            first.setdefault(name, one.line or one.own_line)
    if unsaid is not None and "outcome" not in facts:
        notes[f"the outcome {_shown(unsaid)} is read as none yet"] += 1
    if _word(facts.get("outcome")) in none_yet:
        notes["the outcome n/a is read as annulled; of one to come the cell is empty"] += 1
    if "outcome" not in facts and facts.get("resolved_at", now) > now:
        due = facts.pop("resolved_at")
        if facts.setdefault("resolves_by", due) == due:
            notes["the day of an outcome to come is read as when it is due"] += 1
    return facts


def _word(value: Any) -> str:
    return str(value).strip().casefold()


def _shown(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return iso(value)
    return plainly(";".join(value) if isinstance(value, tuple) else str(value))


def check_same(
    recorded: Question,
    facts: Mapping[str, Any],
    notes: Counter[str],
    *,
    wording_stays: bool = False,
) -> None:
    """Refuse facts that contradict a question that the ledger holds."""
    space = {name: getattr(recorded.space, name) for name in _SPACE}
    for name in (*_SPACE, *_WORDING):
        if name not in facts:
            continue
        in_ledger = space[name] if name in space else getattr(recorded, name)
        same = normalised(in_ledger) if isinstance(in_ledger, str) else in_ledger
        if name == "title":
            same = one_line(same, name=name)
        if facts[name] != same and wording_stays and name in _WORDING:
            if not (name in ("closes", "resolves_by") and facts[name] <= recorded.opens):
                notes[f"{name} differs from the ledger's, which stays"] += 1
        elif facts[name] != same:
            msg = (
                f"{name} ({_shown(facts[name])}): question {recorded.id} is in the ledger with "
                f"{_shown(in_ledger)}"
            )
            raise InvalidInput(msg, hint="another id for another question")
    there = recorded.source if recorded.source.startswith(("http:", "https:")) else ""
    if there and facts.get("url", there) != there:
        notes["url differs from the ledger's, which stays"] += 1
    for name in _LABELS:
        in_ledger = getattr(recorded, name)
        if name in facts and facts[name] != (
            tuple(sorted(in_ledger)) if name == "tags" else in_ledger
        ):
            notes[f"{name} differ from the ledger's, which are kept"] += 1


def renewed(
    recorded: Question,
    facts: Mapping[str, Any],
    notes: Counter[str],
    *,
    in_file: dt.datetime | None,
    in_ledger: dt.datetime | None,
    before: Callable[[str], Iterable[Question]],
) -> Question:
    """Give a question of a platform as the later of two files states it, whichever came first.

    The later file is the one that knows of the later forecast or outcome; a statement that stood
    `before` and was changed since does not come back. Tags add up.
    """
    fields = _restated(recorded, facts)
    anew = replace(recorded, **fields)
    first = dt.datetime.min.replace(tzinfo=dt.UTC)
    in_file, in_ledger = in_file or first, in_ledger or first
    if in_file < in_ledger or (
        in_file == in_ledger
        and (_tie_break(anew) < _tie_break(recorded) or _stood(fields, recorded, before))
    ):
        fields = {name: fields[name] for name in ("tags",) if name in fields}
    changed = [name for name, value in fields.items() if value != getattr(recorded, name)]
    if not changed:
        return recorded
    notes[f"stated anew by the later file: {', '.join(sorted(changed))}"] += 1
    return replace(recorded, **fields)


def _restated(recorded: Question, facts: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: facts[name] for name in (*_WORDING, *_LABELS) if name in facts}
    if "tags" in fields:
        fields["tags"] = tuple(sorted({*recorded.tags, *fields["tags"]}))
    if facts.get("url"):
        fields["source"] = facts["url"]
    opens = fields.get("opens", recorded.opens)
    if fields.get("closes", recorded.closes) <= opens:
        fields["closes"] = _last_day(opens, fields.get("zone", recorded.zone))
    closes = fields.get("closes", recorded.closes)
    usual = closes if recorded.resolves_by == recorded.closes else recorded.resolves_by
    fields["resolves_by"] = max(fields.get("resolves_by", usual), closes)
    return fields


def _tie_break(one: Question) -> tuple[Any, ...]:
    """Give what decides between two statements of which neither can be shown to be the later."""
    words = (one.title, one.criteria, one.background, one.topic, one.event, one.zone, one.source)
    return (one.closes, one.resolves_by, one.opens, *words)


def _stood(
    fields: Mapping[str, Any], recorded: Question, before: Callable[[str], Iterable[Question]]
) -> bool:
    """Whether the ledger held a question with these words before it was given those of now."""
    own = {name: value for name, value in fields.items() if name != "tags"}
    if all(getattr(recorded, name) == value for name, value in own.items()):
        return False
    return any(
        all(getattr(one, name) == value for name, value in own.items())
        for one in before(recorded.id)
    )


def completed(
    recorded: Question,
    facts: Mapping[str, Any],
    *,
    before: Sequence[dt.datetime],
    issued: Sequence[dt.datetime],
    resolved_at: tuple[dt.datetime | None, dt.datetime | None],
    notes: Counter[str],
    outside: bool = False,
) -> Question:
    """Fill in what an earlier import of a question left open and took by default."""
    zone, more = recorded.zone, dict[str, Any]()
    usual: tuple[tuple[str, Any], ...] = (
        ("title", recorded.id), ("criteria", ""), ("background", ""), ("topic", TOPIC),
        ("event", recorded.id), ("tags", ()),
    )  # fmt: skip
    for name, default in usual:
        if name in facts and getattr(recorded, name) == default != facts[name]:
            more[name] = facts[name]
    if not recorded.source and facts.get("url"):
        more["source"] = facts["url"]
    every = [*before, *issued]
    if before and recorded.opens == min(before):
        more["opens"] = facts.get("opens", min(every))
    held_at, stated_at = resolved_at
    defaults = [] if held_at is None else [_end_of_day(held_at, zone), held_at]
    if before:
        defaults.append(_last_day(max(before), zone))
    if recorded.closes in defaults:
        ends = recorded.closes
        if stated_at is not None and stated_at != held_at:
            ends = _end_of_day(stated_at, zone)
        elif held_at is None:
            ends = _last_day(max(every), zone)
        more["closes"] = facts.get("closes", ends)
        if recorded.resolves_by == recorded.closes:
            more["resolves_by"] = facts.get("resolves_by", more["closes"])
    elif recorded.resolves_by == recorded.closes and "resolves_by" in facts:
        more["resolves_by"] = facts["resolves_by"]
    if outside and more.get("closes", recorded.closes) <= more.get("opens", recorded.opens):
        # Its deadline had passed when it was asked: the end of that day stays.
        more = {key: value for key, value in more.items() if key not in ("closes", "resolves_by")}
    changed = {name: value for name, value in more.items() if value != getattr(recorded, name)}
    if not changed:
        return recorded
    question = replace(recorded, **changed)
    first, late = min(before, default=question.opens), max(before, default=question.opens)
    if not outside and (question.opens > first or question.closes <= late):
        name = "opens" if question.opens > first else "closes"
        msg = f"{name} ({iso(getattr(question, name))}): a forecast of {recorded.id} lies outside"
        raise InvalidInput(msg, hint=f"{iso(first)} to {iso(late)} inside the window")
    if question.closes <= question.opens or question.resolves_by < question.closes:
        msg = f"closes ({iso(question.closes)}): must come after opens and not after resolves_by"
        raise InvalidInput(msg)
    notes[f"completed: {', '.join(sorted(changed))}"] += 1
    return question


def _end_of_day(moment: dt.datetime, zone: str) -> dt.datetime:
    """Give the midnight that ends the day of an outcome; a midnight ends the day before it."""
    return day_ends(local_day(moment - dt.timedelta(microseconds=1), zone), zone)


def _last_day(moment: dt.datetime, zone: str) -> dt.datetime:
    return day_ends(local_day(moment, zone), zone)


def new_question(
    question: str,
    facts: Mapping[str, Any],
    answers: Sequence[StatedForecast],
    notes: Counter[str],
    *,
    zone: str,
    resolved_at: dt.datetime | None,
    platform: bool = False,
) -> Question:
    """Make a question that no ledger holds; every default is noted."""
    forecasts = [one for one in answers if one.answer != WITHDRAWN]
    zone = facts.get("zone", zone)
    space = space_of(facts, forecasts, notes)
    opens, closes = facts.get("opens"), facts.get("closes")
    if opens is None or closes is None:
        if not forecasts:
            msg = f"question ({question}): states no opens and closes, and has no forecast"
            raise InvalidInput(msg, hint="opens and closes, or a forecast")
        if opens is None:
            notes["no opens is stated: taken from their first forecast"] += 1
            opens = min(one.issued_at for one in forecasts)
        if closes is None and resolved_at is not None:
            notes["no closes is stated: the end of the day on which they resolved"] += 1
            closes = _end_of_day(resolved_at, zone)
        elif closes is None and "resolves_by" in facts:
            notes["no closes is stated: taken from resolves_by"] += 1
            closes = facts["resolves_by"]
        elif closes is None:
            notes["no closes is stated: the end of the day of their last forecast"] += 1
            closes = _last_day(max(one.issued_at for one in forecasts), zone)
    if closes <= opens and platform:
        notes["their deadline had passed when they were asked: closed when that day ends"] += 1
        closes = _last_day(opens, zone)
    if closes <= opens:
        raise InvalidInput(f"closes ({iso(closes)}): must come after opens ({iso(opens)})")
    resolves_by = facts.get("resolves_by", closes)
    if platform:
        resolves_by = max(resolves_by, closes)
    if resolves_by < closes:
        msg = f"resolves_by ({iso(resolves_by)}): must not come before closes ({iso(closes)})"
        raise InvalidInput(msg)
    if "title" not in facts:
        notes["no title is stated: their id is used"] += 1
    ladder, at, _ = question.partition("@")
    return Question(
        id=question,
        title=facts.get("title", question),
        criteria=facts.get("criteria", ""),
        background=facts.get("background", ""),
        space=space,
        zone=zone,
        opens=opens,
        closes=closes,
        resolves_by=resolves_by,
        topic=facts.get("topic", TOPIC),
        event=facts.get("event", question),
        tags=facts.get("tags", ()),
        basis=Basis("context", ()),
        # No family answers it: what others forecast says nothing of the process behind.
        model=ModelChoice("", "", "", {}),
        ladder=ladder if at and space.type == "binary" else None,
        source=facts.get("url", ""),
    )


def space_of(
    facts: Mapping[str, Any], forecasts: Sequence[StatedForecast], notes: Counter[str]
) -> OutcomeSpace:
    """Give the outcome space that is stated; what is not, by the form of the forecasts."""
    kind, options = facts.get("type", ""), facts.get("options", ())
    if not kind:
        plain = sum(isinstance(one.answer, str) for one in forecasts)
        kind = _kind(facts, forecasts, plain=2 * plain >= len(forecasts))
        if kind != "binary":
            notes[f"no type is stated: {kind} by the form of their forecasts"] += 1
    if kind == "numeric":
        if "lower" not in facts or "upper" not in facts:
            msg = "lower and upper: a numeric question needs both"
            raise InvalidInput(msg, hint="columns lower and upper")
        return OutcomeSpace(
            "numeric",
            (),
            facts["lower"],
            facts["upper"],
            facts.get("unit", ""),
            facts.get("zero_point"),
            facts.get("open_bounds", ""),
        )
    if kind == "binary":
        return OutcomeSpace.binary()
    if not options:
        if kind == "ordered":
            msg = "options: an ordered question needs them, from low to high"
            raise InvalidInput(msg, hint="none;some;all")
        options = tuple(sorted(_labels(forecasts)))
        notes["no options are stated: those that their forecasts name"] += 1
    return OutcomeSpace(kind, options)


def _labels(forecasts: Iterable[StatedForecast]) -> set[str]:
    return {label for one in forecasts if isinstance(one.answer, tuple) for label, _ in one.answer}


def _kind(
    facts: Mapping[str, Any], forecasts: Sequence[StatedForecast], *, plain: bool
) -> QuestionType:
    if "lower" in facts or "upper" in facts:
        return "numeric"
    if facts.get("options"):
        return "categorical"
    # The form of most decides; the others are refused line by line.
    if plain:
        return "binary"
    return "numeric" if all(map(_is_level, _labels(forecasts))) else "categorical"


def _is_level(label: str) -> bool:
    try:
        return bool(level(label))
    except InvalidInput:
        return False
