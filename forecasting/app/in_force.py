"""Which forecast of a forecaster is in force on each question, and which was withdrawn."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from forecasting.domain.forecast import Kind, Said
from forecasting.domain.forecasters import MODEL
from forecasting.domain.question import Question
from forecasting.store import Ledger

WITHDRAWN = "withdrawn"
KINDS: tuple[Kind, ...] = ("live", "elicited")


@dataclass(frozen=True, slots=True)
class Voice:
    """What one forecaster said last, live or backdated; a replay is not a voice.

    `in_force` holds the forecast in force on each question, `withdrawn` the questions whose last
    forecast was withdrawn.
    """

    in_force: Mapping[str, Said] = field(default_factory=dict)
    withdrawn: frozenset[str] = frozenset()

    @classmethod
    def of(cls, ledger: Ledger, forecaster: str, now: dt.datetime) -> "Voice":
        """Read what a forecaster had said by now."""
        last = ledger.last_said(forecaster, kinds=KINDS, by=now)
        withdrawn = frozenset(
            one.question
            for one in ledger.withdrawals()
            if one.forecaster == forecaster
            and one.question in last
            and last[one.question].issued_at <= one.withdrawn_at <= now
        )
        return cls({name: said for name, said in last.items() if name not in withdrawn}, withdrawn)


@dataclass(frozen=True, slots=True)
class Pair:
    """A person's voice and the model's."""

    mine: Voice
    model: Voice

    @classmethod
    def of(cls, ledger: Ledger, forecaster: str, now: dt.datetime) -> "Pair":
        """Read both."""
        return cls(Voice.of(ledger, forecaster, now), Voice.of(ledger, MODEL, now))

    def row(self, question: Question) -> dict[str, object]:
        """Give mine, the model's, and mine less the model's, as columns.

        `difference` is a number for yes-no questions, one for each option of others, None for
        numbers and wherever one of the two is missing.
        """
        mine, model = self.mine.in_force.get(question.id), self.model.in_force.get(question.id)
        return {
            "mine": None if mine is None else mine.value.plain,
            "withdrawn": question.id in self.mine.withdrawn,
            "model": None if model is None else model.value.plain,
            "difference": difference(question, mine, model),
        }


def difference(
    question: Question, mine: Said | None, model: Said | None
) -> float | dict[str, float] | None:
    """Give one forecast less another, where that is a number."""
    if mine is None or model is None or question.type == "numeric":
        return None
    if mine.value.labels != model.value.labels:
        return None
    apart = [a - b for a, b in zip(mine.value.numbers, model.value.numbers, strict=True)]
    return apart[0] if len(apart) == 1 else dict(zip(mine.value.labels, apart, strict=True))
