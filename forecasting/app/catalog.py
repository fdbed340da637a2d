"""The questions as the ledger holds them: found by name, with their standing outcomes."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from forecasting.bank import nearest
from forecasting.domain.instants import iso
from forecasting.domain.question import Question, Status
from forecasting.domain.resolution import Resolution
from forecasting.errors import InvalidInput, NotFound
from forecasting.store import Ledger


@dataclass(frozen=True, slots=True)
class Catalog:
    """The latest version of each question, by id, and the standing resolutions."""

    questions: Mapping[str, Question]
    outcomes: Mapping[str, Resolution]

    @classmethod
    def of(cls, ledger: Ledger, *, head: int | None = None) -> "Catalog":
        """Read the catalogue from a ledger, or as it stood at one of its heads."""
        questions = {question.id: question for question in ledger.questions(head=head)}
        return cls(questions, dict(ledger.standing_resolutions(head=head)))

    def ladder(self, slug: str) -> tuple[Question, ...]:
        """Give the rungs of a ladder by deadline; empty where there is no such ladder."""
        rungs = [question for question in self.questions.values() if question.ladder == slug]
        return tuple(sorted(rungs, key=lambda rung: rung.closes))

    def find(self, name: str) -> tuple[Question, ...]:
        """Give the question of a name, or the rungs of a ladder.

        Raises
        ------
        NotFound
            With the nearest name that exists.
        """
        if name in self.questions:
            return (self.questions[name],)
        if rungs := self.ladder(name):
            return rungs
        known = set(self.questions) | {q.ladder for q in self.questions.values() if q.ladder}
        near = nearest(name, {item: None for item in known if item})
        msg = f"question ({name}): there is none"
        raise NotFound(msg, hint=near or "forecast questions list")

    def one(self, name: str) -> Question:
        """Give the question of a name; a ladder is bad usage and names its rungs."""
        found = self.find(name)
        if len(found) > 1:
            msg = f"question ({name}): is a ladder of {len(found)} questions"
            raise InvalidInput(msg, hint=", ".join(rung.id for rung in found))
        return found[0]

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
                key=lambda question: (question.closes, question.id),
            )
        )

    def ends(self, question: Question) -> dt.datetime:
        """Give the moment a question stops being open: its close, or its resolution if earlier."""
        standing = self.outcomes.get(question.id)
        return question.closes if standing is None else min(question.closes, standing.resolved_at)

    def check_open(self, question: Question, moment: dt.datetime) -> None:
        """Refuse a forecast made outside the window of a question or after its resolution."""
        standing = self.outcomes.get(question.id)
        if standing is not None and moment >= standing.resolved_at:
            msg = (
                f"question ({question.id}): resolved {standing.outcome} at "
                f"{iso(standing.resolved_at)}, and the forecast is dated {iso(moment)}"
            )
            raise InvalidInput(msg, hint="forecast questions list --status open")
        if moment < question.opens:
            msg = f"question ({question.id}): opens at {iso(question.opens)}, after {iso(moment)}"
            raise InvalidInput(msg, hint="forecast questions list --status open")
        if moment >= question.closes:
            msg = (
                f"question ({question.id}): closed at {iso(question.closes)}, before {iso(moment)}"
            )
            raise InvalidInput(msg, hint="forecast questions list --status open")
