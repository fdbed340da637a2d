"""What an item of news does: read, and held against the world before anything is written."""

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import exp

from forecasting.domain.catalog import Catalog
from forecasting.domain.evidence import (
    HALF_LIFE,
    NEWS,
    Effect,
    Evidence,
    Stated,
    fact_effect,
    fading,
    parse_effect,
    parse_half_life,
    split_on,
)
from forecasting.domain.forecasters import plain_name
from forecasting.domain.instants import iso
from forecasting.domain.process import ProcessSpec
from forecasting.domain.question import Question, normalised
from forecasting.domain.reading import Ambiguous, quantity
from forecasting.errors import InvalidInput, nearest
from forecasting.evidence import reliability, without_retracted
from forecasting.evidence.leads import check_state, to_process, to_target
from forecasting.evidence.likelihood import GRADE_PRIORS
from forecasting.evidence.predicates import NewsWorld
from forecasting.evidence.record_check import check_fact
from forecasting.evidence.reliability import STREAM, grades_of
from forecasting.evidence.reports import bound, counted

#: Grades whose word makes a fact; from others it takes `confirmed`.
FACT_GRADES = ("A", "B")
#: What a fact is worth as a report, where nobody vouches for it.
UNCONFIRMED = "+2"
_REPORTS = ("likelihood", "stance")
LONGEST_REASON = 20_000
_LIMITS = {"title": 500, "source": 200, "url": 2000, "story": 200, "because": LONGEST_REASON}


@dataclass(frozen=True, slots=True)
class Entered:
    """One item as an analyst or a file gives it, its `half_life` as written (empty: 30 days)."""

    title: str
    source: str
    known_at: dt.datetime
    event_at: dt.datetime | None = None
    url: str = ""
    on: tuple[str, ...] = ()
    grade: str = "F"
    story: str = ""
    because: str = ""
    half_life: str = ""
    confirmed: bool = False

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What makes two items the same: title, source, known_at and address."""
        title, source = normalised(self.title), normalised(self.source)
        return (title, source, iso(self.known_at), normalised(self.url))

    @property
    def happened(self) -> dt.datetime:
        """When it happened, as far as is said."""
        return self.event_at or self.known_at

    @property
    def fades(self) -> float | str:
        """After how long half of its reports' weight is left."""
        return parse_half_life(self.half_life) if self.half_life else HALF_LIFE


def graded(items: Iterable[Evidence]) -> set[str]:
    """Give the sources whose grade somebody set."""
    return {
        effect.target.removeprefix("source/")
        for item in items
        if item.stream == STREAM
        for effect in item.effects
    }


def key_made_of(kind: str, *parts: str) -> str:
    """Give the key of an item that is made of these parts."""
    return f"{kind}-{hashlib.sha256('\0'.join(parts).encode()).hexdigest()[:12]}"


class EffectCheck:
    """Reads effects, and refuses those that the world, or what is known at `now`, contradicts."""

    def __init__(
        self, catalog: Catalog, evidence: Iterable[Evidence], *, now: dt.datetime, world: NewsWorld
    ) -> None:
        self._catalog = catalog
        #: What stands, the accepted items of a batch included: each is held against those before.
        self.evidence = list(without_retracted(evidence))
        self._now = now
        self.world = world
        self._grades = grades_of(self.evidence)
        self._set = graded(self.evidence)
        self._sources: dict[str, list[str]] = {}
        self._n_read = 0

    def effects(
        self, entered: Entered, *, dated: bool = True
    ) -> tuple[tuple[Effect, ...], list[str]]:
        """Read the effects of one item, with notes for its analyst."""
        notes: list[str] = []
        fades = entered.fades
        stated = [split_on(text) for text in entered.on]
        named: set[tuple[str, bool]] = set()
        for each in stated:
            if (each.target, bool(each.fact)) in named:
                msg = f"target ({each.target}): is named twice in one item"
                raise InvalidInput(msg, hint=f'one on="{each.target}=EFFECT"')
            named.add((each.target, bool(each.fact)))
        effects = [self._effect(each, entered, notes, dated) for each in stated]
        if entered.half_life and not any(e.form in _REPORTS for e in effects):
            msg = f"half_life ({fades}): this item holds no report that could fade"
            raise InvalidInput(msg, hint='on="TARGET=x2"')
        return tuple(effects), notes

    def like_source(self, source: str) -> str:
        """Give a source on record that a new one differs from in case, marks or spaces alone."""
        # A file of news adds its items one by one: each is read once, of one source together.
        for new in dict.fromkeys(item.source for item in self.evidence[self._n_read :]):
            self._sources.setdefault(plain_name(new), []).append(new)
        self._n_read = len(self.evidence)
        like = self._sources.get(plain_name(source), [])
        return "" if source in like or not like else like[0]

    def grade_of(self, source: str, grade: str) -> str:
        """Give the grade that counts: as set for the source, as the item states, as known."""
        if source in self._set or grade == "F":
            return self._grades.get(source, grade)
        return grade

    def _effect(self, stated: Stated, entered: Entered, notes: list[str], dated: bool) -> Effect:
        name = stated.target.partition("=")[0]
        process = self.world.world.processes.get(name)
        questions = self._questions(name) if process is None else ()
        if not stated.effect and not stated.fact:
            return Effect(stated.target, "bears", {})
        if process is None and stated.fact == "0":
            stated = Stated(stated.target, "0")
        if process is None and stated.fact:
            raise self._fact_refusal(stated, questions)
        if process is not None and (stated.fact or _is_part(process, stated)):
            return self._fact(process, stated, entered, notes, dated)
        return self._report(stated, process, questions, entered, notes)

    def _questions(self, name: str) -> tuple[Question, ...]:
        slugs = {q.ladder for q in self._catalog.questions.values() if q.ladder}
        questions = self._catalog.questions
        if name in questions or name in slugs:
            return self._catalog.find(name)
        every = [*self.world.world.processes, *slugs, *questions]
        msg = f"no question or process named {name}"
        raise InvalidInput(msg, hint=nearest(name, every) or "forecast questions list")

    def _report(
        self,
        stated: Stated,
        process: ProcessSpec | None,
        questions: Sequence[Question],
        entered: Entered,
        notes: list[str],
    ) -> Effect:
        effect = parse_effect(stated.target, stated.effect)
        if effect.form not in _REPORTS:
            raise self._fact_refusal(stated, questions)
        if effect.form == "likelihood" and not all(float(n) > 0 for n in effect.detail.values()):
            # Two tiny numbers can be above 0 and their product not: nothing could be computed.
            msg = f"likelihoods ({stated.effect[:40]}): are too small to distinguish from 0"
            raise InvalidInput(msg, hint="0.6/0.2")
        if process is not None:
            to_target(stated.target, self.world.world, {}, {})
        else:
            self._check_question(stated, questions, entered)
        grade = self.grade_of(entered.source, entered.grade)
        right, wrong = GRADE_PRIORS[grade]
        reliability = right / (right + wrong)
        log_ratios = counted(effect, reliability)
        if log_ratios is not None and abs(log_ratios[0]) > bound(reliability):
            notes.append(
                f"{stated.target} {stated.effect} counts as x{exp(log_ratios[1]):.3g}: one report "
                f"of a source graded {grade} makes a move at most "
                f"{exp(bound(reliability)):.3g} times as fast or as slow"
            )
        return fading(effect, entered.fades)

    def _check_question(
        self, stated: Stated, questions: Sequence[Question], entered: Entered
    ) -> None:
        name, _, option = stated.target.partition("=")
        without = f'on="{name}" (it bears on that, without an effect)'
        if all(self._catalog.ends(question) <= entered.known_at for question in questions):
            ended = max(self._catalog.ends(question) for question in questions)
            msg = (
                f"question ({name}): had closed ({iso(ended)}) before the item was known "
                f"({iso(entered.known_at)})"
            )
            raise InvalidInput(msg, hint=without)
        if not any(question.id in self.world.predicates for question in questions):
            msg = f"question ({name}): has no `answer`, so no effect can move its probability"
            raise InvalidInput(msg, hint=without)
        options = questions[0].space.options if questions[0].type != "numeric" else ()
        if questions[0].type in ("categorical", "ordered") and option not in options:
            msg = (
                f"option ({option}): {name} has {', '.join(options)}"
                if option
                else f"question ({name}): has options ({', '.join(options)}); name one"
            )
            raise InvalidInput(
                msg, hint=f'on="{name}={nearest(option, options) or options[0]}={stated.effect}"'
            )
        by_id = {question.id: question for question in questions}
        if not to_target(stated.target, self.world.world, by_id, self.world.predicates):
            msg = f"question ({name}): its process has a fixed date, which a report cannot change"
            raise InvalidInput(msg, hint=without)

    def _fact_refusal(self, stated: Stated, questions: Sequence[Question]) -> InvalidInput:
        """Give the refusal of a fact on a question: facts are of processes."""
        text = stated.fact or stated.effect
        predicate = self.world.predicates.get(questions[0].id) if questions else None
        if stated.effect == "=" or predicate is None:
            msg = f"effect ({text if text != '=' else ''}): must be a pair, a ratio or +2..-2"
            return InvalidInput(msg, hint="0.6/0.2, x3, +1")
        name = getattr(predicate.event, "process", "")
        process = self.world.world.processes.get(name)
        # A bare number that may be a ratio is taken for one in the way out.
        ratio = f"x{text}" if re.fullmatch(r"0\.\d+|[1-9](\.\d+)?", text) else "x2"
        if process is None:
            way_out = "forecast news add ... --on PROCESS=STATE"
        elif process.kind == "delivery":
            part = _example(process)
            way_out = f'on="{name}={part}" (a part), or "{stated.target}={ratio}" (a report)'
        else:
            state = "event" if process.kind == "event" else "|".join(process.states)
            way_out = f'on="{name}={state}" (a fact), or "{stated.target}={ratio}" (a report)'
        msg = f"effect ({text}): {stated.target} is a question, and a fact needs a process"
        return InvalidInput(msg, hint=way_out)

    def _fact(
        self, process: ProcessSpec, stated: Stated, entered: Entered, notes: list[str], dated: bool
    ) -> Effect:
        text = stated.fact or stated.effect
        value = _number(text, process)
        effect = _fact_effect(process, text, value, entered.happened)
        grade = self.grade_of(entered.source, entered.grade)
        if grade not in FACT_GRADES and not entered.confirmed:
            return self._unconfirmed_report(process, text, effect, grade, entered, notes)
        if dated:
            now, happened = self._now, entered.happened
            notes += check_fact(self.world, process, effect, happened, self.evidence, now)
        if grade not in FACT_GRADES:
            effect = replace(effect, detail={**effect.detail, "confirmed": "yes"})
        return effect

    def _unconfirmed_report(
        self,
        process: ProcessSpec,
        text: str,
        effect: Effect,
        grade: str,
        entered: Entered,
        notes: list[str],
    ) -> Effect:
        state = str(effect.detail.get("state", ""))
        target = f"{process.name}={state}" if state else process.name
        needs = f"a fact needs a source graded A or B ({entered.source}: {grade})"
        if process.kind == "scheduled":
            msg = f"{process.name} ({text}): {needs}"
            raise InvalidInput(msg, hint="confirmed=True, if you vouch for it")
        to_process(process, (state,) if state else ())
        notes.append(
            f"{process.name}={text}: {needs}, or confirmed=True; "
            f"recorded as a report of {UNCONFIRMED}"
        )
        report = replace(parse_effect(target, UNCONFIRMED), stated=UNCONFIRMED)
        return fading(report, entered.fades)


def _is_part(process: ProcessSpec, stated: Stated) -> bool:
    """Say whether what looks like an effect is a number of things delivered, such as -5 or 0."""
    if process.kind != "delivery" or "=" in stated.target:
        return False
    return stated.effect == "0" or (
        _number(stated.effect) is not None and stated.effect not in ("+1", "+2", "-1", "-2")
    )


def _example(process: ProcessSpec) -> str:
    """Give a part that is within what was agreed."""
    agreed = process.delivery.agreed if process.delivery else 0.0
    return f"{min(205.0, agreed):g}"


def _number(text: str, process: ProcessSpec | None = None) -> float | None:
    agreed = process.delivery.agreed if process and process.delivery else None
    try:
        number = float(
            quantity(text, name="part", within=None if agreed is None else (0.0, agreed))
        )
    except Ambiguous:
        raise
    except InvalidInput:
        return None
    return number if abs(number) < 1e15 else None


def _fact_effect(process: ProcessSpec, text: str, value: float | None, at: dt.datetime) -> Effect:
    name = process.name
    if value is not None:
        if process.kind != "delivery":
            way_out = f"{name}=event" if process.kind == "event" else f"{name}={process.states[-1]}"
            msg = f"fact ({text}): {name} has no amounts to count"
            raise InvalidInput(msg, hint=f'on="{way_out}"')
        if not value > 0.0:
            msg = f"part ({text}): must be above 0"
            hint = f'on="{name}={_example(process)}"'
            raise InvalidInput(msg, hint=hint)
        return fact_effect(name, "part", at, value=value, stated=text)
    check_state(process, text)
    if process.kind == "event":
        return fact_effect(name, "event", at, stated=text)
    return fact_effect(name, "state", at, state=text, stated=text)


def check_reason(because: str) -> None:
    """Refuse a reason that is too long."""
    if len(because) > LONGEST_REASON:
        raise InvalidInput(f"because ({len(because)} characters): at most {LONGEST_REASON}")


def identity(item: Evidence) -> tuple[str, str, str, str]:
    """Give what makes two items the same; see :attr:`Entered.identity`."""
    return (item.title, item.source, iso(item.known_at), item.url)


def drafted(
    entered: Entered, check: EffectCheck, *, now: dt.datetime
) -> tuple[Evidence, list[str]]:
    """Turn what was entered into an item that may be recorded, with notes for the analyst."""
    for name, most in _LIMITS.items():
        text = getattr(entered, name)
        if len(text) > most:
            raise InvalidInput(f"{name} ({len(text)} characters): at most {most}")
        if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
            raise InvalidInput(f"{name}: must not hold a NUL character or half of a surrogate pair")
    if not normalised(entered.title) or not normalised(entered.source):
        msg = "news: needs a title and a source"
        raise InvalidInput(
            msg, hint='forecast news add "TITLE" --source NAME --known-at 2026-11-22T12:00Z'
        )
    grade = reliability.check_grade(entered.grade or "F")
    check_known(entered.known_at, now)
    if entered.event_at is not None and entered.event_at > entered.known_at:
        msg = (
            f"known_at ({iso(entered.known_at)}): an item cannot be known before it happened "
            f"({iso(entered.event_at)})"
        )
        raise InvalidInput(msg)
    graded = replace(entered, source=normalised(entered.source), grade=grade)
    effects, notes = check.effects(graded)
    if like := check.like_source(graded.source):
        notes.append(
            f"{graded.source} is a new source beside {like}: each is graded and learned of apart; "
            f"where they are one, write {like}"
        )
    item = Evidence(
        key=key_made_of("news", *entered.identity, *entered.on, entered.story, iso(now)),
        kind="datum" if any(effect.form == "datum" for effect in effects) else "report",
        title=normalised(entered.title),
        source=normalised(entered.source),
        known_at=entered.known_at,
        effects=effects,
        event_at=entered.event_at,
        url=normalised(entered.url),
        grade=grade,
        story=normalised(entered.story),
        stream=NEWS,
        note=normalised(entered.because),
    )
    return item, notes


def check_known(known_at: dt.datetime, now: dt.datetime) -> None:
    """Refuse what nobody can know yet."""
    if known_at > now:
        msg = f"known_at ({iso(known_at)}): lies in the future (now {iso(now)})"
        raise InvalidInput(msg, hint=f"known_at={iso(now)}")
