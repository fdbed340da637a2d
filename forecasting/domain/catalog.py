"""The catalogue: questions by name with their outcomes, and the forecast in force on each."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Literal, NamedTuple, Protocol

from forecasting.domain.forecast import BriefForecast, Forecast, Kind
from forecasting.domain.instants import iso
from forecasting.domain.outcome import YES
from forecasting.domain.question import ANNULLED, Question, Status
from forecasting.domain.resolution import Reading, Resolution, Withdrawal, outcomes
from forecasting.domain.sealed import Sealed, placed
from forecasting.errors import InvalidInput, NotFound, nearest

_closes = attrgetter("closes")
Mark = Literal["", "backdated", "late", "imported"]
#: The kinds of forecast that somebody really made; each is in force until the next of any kind.
KINDS: tuple[Kind, ...] = ("live", "backdated", "imported")


class Record(Protocol):
    """What a catalogue is read from: a ledger."""

    def questions(
        self, *, about: Collection[str] = (), head: int | None = None
    ) -> Sequence[Question]:
        """Give the latest version of each question."""

    def resolutions(
        self, *, question: str | Collection[str] | None = None, head: int | None = None
    ) -> Sequence[Resolution]:
        """Give every version of every outcome."""

    def seals(self, *, question: str | None = None, head: int | None = None) -> Sequence[Sealed]:
        """Give every sealed entry."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """The latest version of each question, by id, and what each resolved to.

    `outcomes` holds the version of each outcome that counts, and an annulment for each question
    whose condition failed; `sealed_at` when each seal was recorded, by its number.
    """

    questions: Mapping[str, Question]
    outcomes: Mapping[str, Resolution]
    sealed_at: Mapping[int, dt.datetime] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        ledger: Record,
        *,
        head: int | None = None,
        reading: Reading = "standing",
        recorded_by: dt.datetime | None = None,
    ) -> "Catalog":
        """Read the catalogue from a ledger, or as it stood at one of its heads.

        Any `reading` but the standing one is for scores: no model ever sees a contested outcome.
        """
        questions = {question.id: question for question in ledger.questions(head=head)}
        versions = ledger.resolutions(head=head)
        if recorded_by is not None:
            versions = _versions_by(versions, recorded_by)
        resolutions = outcomes(versions, reading)
        seals = {
            seal.seq: seal.recorded_at
            for seal in ledger.seals(head=head)
            if seal.seq is not None and seal.recorded_at is not None
        }
        resolutions = with_failed_conditions(questions, with_settled_rungs(questions, resolutions))
        return cls(questions, resolutions, seals)

    @classmethod
    def about(cls, ledger: Record, name: str) -> "Catalog":
        """Read a question with its ladder; all, where it is not found or another can annul it."""
        rows = ledger.questions(about=(name, name.strip().casefold()))
        questions = {question.id: question for question in rows}
        if not rows or {question.condition for question in rows} != {None}:
            return cls.of(ledger)
        standing = outcomes(ledger.resolutions(question=questions))
        return cls(questions, with_settled_rungs(questions, standing))

    def ladder(self, slug: str) -> tuple[Question, ...]:
        """Give the rungs of a ladder by deadline; empty where there is no such ladder."""
        rungs = [question for question in self.questions.values() if question.ladder == slug]
        return tuple(sorted(rungs, key=_closes))

    def find(self, name: str) -> tuple[Question, ...]:
        """Give the question of a name, or the rungs of a ladder; a refusal has the nearest name."""
        for spelled in (name, name.strip().casefold()):
            if spelled in self.questions:
                return (self.questions[spelled],)
            if rungs := self.ladder(spelled):
                return rungs
        known = set(self.questions) | {q.ladder for q in self.questions.values() if q.ladder}
        heads = {question.ladder or question.id for question in self.questions.values()}
        # Some words of a name are enough for a hint with the whole name.
        parts = [one for one in heads if f"-{name.strip().casefold()}-" in f"-{one}-"]
        near = ", ".join(sorted(parts)[:3]) or nearest(name, known)
        msg = f"no question named {name}"
        if not known:
            msg += ": the ledger has no question yet"
            raise NotFound(msg, hint='forecast ask "Will ...?" 35% --by 2027-01-31')
        raise NotFound(msg, hint=near or "forecast questions list")

    def called(self, name: str) -> str:
        """Give the id of the question, or the ladder, of a name that may be spelled otherwise."""
        first = self.find(name)[0]
        return first.id if first.id in (name, name.strip().casefold()) else first.ladder or first.id

    def tag(self, name: str) -> str:
        """Give a tag, topic or event that a question has; a refusal has the nearest."""
        known = {
            each
            for question in self.questions.values()
            for each in (*question.tags, question.topic, question.event)
            if each
        }
        if name and name not in known:
            msg = f"no question with the tag {name}"
            raise NotFound(msg, hint=nearest(name, known) or "forecast questions list")
        return name

    def titles(self) -> dict[str, str]:
        """Give the id of the question or ladder that has a title, by the title in lower case."""
        return {one.whole_title.casefold(): one.ladder or one.id for one in self.questions.values()}

    def one(self, name: str) -> Question:
        """Give the question of a name; a ladder is bad usage and names its rungs."""
        questions = self.find(name)
        if len(questions) > 1:
            msg = f"question ({name}): is a ladder of {len(questions)} questions"
            raise InvalidInput(msg, hint=", ".join(rung.id for rung in questions))
        return questions[0]

    def outcome(self, question: Question) -> str | None:
        """Give the standing outcome of a question, if any."""
        standing = self.outcomes.get(question.id)
        return None if standing is None else standing.outcome

    def status(self, question: Question, now: dt.datetime) -> Status:
        """Derive the status of a question at a moment."""
        return question.status(now, self.outcome(question))

    def open_at(self, moment: dt.datetime, among: Sequence[Question] = ()) -> tuple[Question, ...]:
        """Give the questions open at a moment and not resolved by then, by deadline and id."""
        chosen = among or tuple(self.questions.values())
        return tuple(
            sorted(
                (q for q in chosen if q.opens <= moment < self.ends(q)),
                key=attrgetter("closes", "id"),
            )
        )

    def ends(self, question: Question) -> dt.datetime:
        """Give the moment a question stops being open: its close, or its resolution if earlier."""
        standing = self.outcomes.get(question.id)
        return question.closes if standing is None else min(question.closes, standing.resolved_at)

    def mark(self, forecast: Forecast) -> Mark:
        """Say what keeps a forecast out of the live track record; nothing for one that counts.

        ``imported``: from another system. ``late``: recorded when the question had closed or its
        outcome could be known, however early it claims to be; a sealed forecast was recorded when
        it was sealed. ``backdated``: recorded more than 15 minutes after it was made. What a
        replay says is a record of its own, and is not marked.
        """
        if forecast.kind == "imported":
            return "imported"
        if forecast.kind == "replay":
            return ""
        recorded = forecast.recorded_at
        if forecast.sealed is not None:
            recorded = self.sealed_at.get(forecast.sealed, forecast.issued_at)
        if recorded is not None and recorded >= self.ends(self.questions[forecast.question]):
            return "late"
        return "backdated" if forecast.kind == "backdated" else ""

    def not_open(self, name: str, moment: dt.datetime, *, hint: str) -> InvalidInput:
        """Say that nothing of a name is open at a moment, and what became of it."""
        states = ", ".join(f"{q.id} {self.status(q, moment)}" for q in self.find(name))
        msg = f"question ({name}): is not open at {iso(moment)} ({states})"
        return InvalidInput(msg, hint=hint)

    def check_open(self, question: Question, moment: dt.datetime) -> None:
        """Refuse a forecast made outside the window of a question or after its resolution."""
        standing = self.outcomes.get(question.id)
        if standing is not None and moment >= standing.resolved_at:
            msg = (
                f"question ({question.id}): resolved {question.space.shown(standing.outcome)} at "
                f"{iso(standing.resolved_at)}, and the forecast is dated {iso(moment)}"
            )
            raise InvalidInput(msg, hint="forecast questions list --status open")
        if moment < question.opens:
            msg = f"question ({question.id}): opens at {iso(question.opens)}, after {iso(moment)}"
            raise InvalidInput(msg, hint=f"a time from {iso(question.opens)} on")
        if moment >= question.closes:
            msg = (
                f"question ({question.id}): closed at {iso(question.closes)}, before {iso(moment)}"
            )
            raise InvalidInput(msg, hint="forecast questions list --status open")


def with_settled_rungs(
    questions: Mapping[str, Question], resolutions: Mapping[str, Resolution]
) -> dict[str, Resolution]:
    """Add the yes of each rung that follows from another's: derived, so a correction undoes it."""
    known = dict(resolutions)
    yes_by_ladder: dict[str, list[Resolution]] = {}
    for name, own in resolutions.items():
        question = questions.get(name)
        if question is not None and question.ladder and own.outcome == YES:
            yes_by_ladder.setdefault(question.ladder, []).append(own)
    if not yes_by_ladder:
        return known
    for rung in questions.values():
        if rung.ladder not in yes_by_ladder or rung.id in resolutions:
            continue
        causes = [
            own
            for own in yes_by_ladder[rung.ladder]
            if questions[own.question].closes <= rung.closes or own.resolved_at <= rung.closes
        ]
        if not causes:
            continue
        first = min(causes, key=lambda own: (own.resolved_at, questions[own.question].closes))
        known[rung.id] = _derived(rung, YES, first, f"{first.question} came out yes")
    return known


def with_failed_conditions(
    questions: Mapping[str, Question], resolutions: Mapping[str, Resolution]
) -> dict[str, Resolution]:
    """Add the annulment of each question whose condition failed: derived, so it can be undone."""
    known = dict(resolutions)
    waiting = [question for question in questions.values() if question.condition is not None]
    while True:
        failed = [question for question in waiting if _condition_failed(question, known)]
        if not failed:
            return known
        for question in failed:
            assert question.condition is not None  # for the type checker
            decided = known[question.condition.question]
            why = f"its condition failed: {decided.question} is {decided.outcome}"
            known[question.id] = _derived(question, ANNULLED, decided, why)


def _derived(question: Question, outcome: str, of: Resolution, note: str) -> Resolution:
    """Give an outcome that follows from another question's, and was known when that was."""
    return Resolution(
        question=question.id,
        outcome=outcome,
        resolved_at=of.resolved_at,
        source=of.source,
        certainty=of.certainty,
        note=note,
        version=0,
        recorded_at=of.recorded_at,
        seq=of.seq,
    )


def _versions_by(versions: Sequence[Resolution], moment: dt.datetime) -> list[Resolution]:
    early = {
        version.seq
        for version in versions
        if version.recorded_at is not None and version.recorded_at <= moment
    }
    known_early = {version.question for version in versions if version.seq in early}
    return [v for v in versions if v.seq in early or v.question not in known_early]


def _condition_failed(question: Question, resolutions: Mapping[str, Resolution]) -> bool:
    needs, own = question.condition, resolutions.get(question.id)
    if needs is None or needs.question not in resolutions or (own and own.outcome == ANNULLED):
        return False
    return resolutions[needs.question].outcome != needs.outcome


def latest(
    forecasts: Iterable[Forecast], *, at: dt.datetime | None = None
) -> dict[tuple[str, str], Forecast]:
    """Give each forecaster's last forecast of each question; one revealed has its seal's place."""
    by_then = (f for f in forecasts if at is None or f.issued_at <= at)
    return {(f.question, f.forecaster): f for f in sorted(by_then, key=placed)}


class Undone(NamedTuple):
    """The imported forecasts that were taken back, by number, and the withdrawals that remain.

    `runs` are the imports without forecasts that were taken back, by their first and last entry.
    """

    forecasts: frozenset[int]
    withdrawals: list[Withdrawal]
    runs: tuple[tuple[int, int], ...] = ()

    def left[One: (Forecast, BriefForecast)](self, forecasts: Iterable[One]) -> list[One]:
        """Give the forecasts that were not taken back."""
        return [one for one in forecasts if one.seq not in self.forecasts]


@dataclass(frozen=True, slots=True)
class Voice:
    """What one forecaster said, live, backdated or imported; a replay is not a voice."""

    forecasts: Mapping[str, tuple[BriefForecast, ...]] = field(default_factory=dict)
    withdrawn: Mapping[str, dt.datetime] = field(default_factory=dict)

    @classmethod
    def as_of(
        cls,
        forecasts: Mapping[str, tuple[BriefForecast, ...]],
        undone: Undone,
        forecaster: str,
        now: dt.datetime,
    ) -> "Voice":
        """Make a voice of sorted forecasts; what lies after now, or was undone, is left out."""
        if undone.forecasts:
            forecasts = {name: tuple(undone.left(each)) for name, each in forecasts.items()}
            forecasts = {name: each for name, each in forecasts.items() if each}
        late = [name for name, each in forecasts.items() if each[-1].issued_at > now]
        if late:
            by_now = {
                name: tuple(f for f in forecasts[name] if f.issued_at <= now) for name in late
            }
            forecasts = {name: by_now.get(name, each) for name, each in forecasts.items()}
            forecasts = {name: each for name, each in forecasts.items() if each}
        mine = (w for w in undone.withdrawals if w.forecaster == forecaster)
        by_time = sorted((w.withdrawn_at, w.question) for w in mine if w.withdrawn_at <= now)
        return cls(forecasts, {question: at for at, question in by_time})

    def at(self, question: str, moment: dt.datetime) -> BriefForecast | None:
        """Give the last forecast made by a moment, withdrawn since or not."""
        by_then = [f for f in self.forecasts.get(question, ()) if f.issued_at <= moment]
        return by_then[-1] if by_then else None

    def is_withdrawn(self, question: str) -> bool:
        """Say whether the last forecast was withdrawn."""
        return question in self.forecasts and self.in_force(question) is None

    def in_force(self, question: str) -> BriefForecast | None:
        """Give the forecast in force; None if nothing was said or it was withdrawn."""
        last, withdrawn_at = self.forecasts.get(question, (None,))[-1], self.withdrawn.get(question)
        return None if last is None or (withdrawn_at and withdrawn_at >= last.issued_at) else last


@dataclass(frozen=True, slots=True)
class Pair:
    """A person's voice and the model's."""

    mine: Voice
    model: Voice

    def row(self, question: Question) -> dict[str, object]:
        """Give mine, the model's, and mine less the model's, as columns; see `difference`."""
        mine, model = self.mine.in_force(question.id), self.model.in_force(question.id)
        return {
            "mine": None if mine is None else mine.value.plain_of(question.space),
            "withdrawn": self.mine.is_withdrawn(question.id),
            "model": None if model is None else model.value.plain_of(question.space),
            "difference": difference(question, mine, model),
        }


def difference(
    question: Question, mine: BriefForecast | None, model: BriefForecast | None
) -> float | dict[str, float] | None:
    """Give one forecast less another: a number, or one for each option; None of numbers."""
    if mine is None or model is None or question.type == "numeric":
        return None
    if mine.value.labels != model.value.labels:
        return None
    if (p := mine.value.probability) is not None and (m := model.value.probability) is not None:
        return p - m
    apart = [a - b for a, b in zip(mine.value.numbers, model.value.numbers, strict=True)]
    return dict(zip(mine.value.labels, apart, strict=True))
