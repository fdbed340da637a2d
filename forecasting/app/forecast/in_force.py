"""Which forecast of a forecaster is in force on each question, and which was withdrawn."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from forecasting.app.ledger.undone import Undone
from forecasting.domain.forecast import Forecast, Kind, Said
from forecasting.domain.question import Question
from forecasting.domain.sealed import placed

WITHDRAWN = "withdrawn"
#: What somebody really said, however it came here: one stands until the next, whatever their kinds.
KINDS: tuple[Kind, ...] = ("live", "backdated", "imported")


def latest(
    forecasts: Iterable[Forecast], *, at: dt.datetime | None = None
) -> dict[tuple[str, str], Forecast]:
    """Give each forecaster's last forecast (by a moment) of each question, by question and who.

    Of two of one instant the later entry stands; a revealed one has the place of its seal.
    """
    made = (f for f in forecasts if at is None or f.issued_at <= at)
    return {(f.question, f.forecaster): f for f in sorted(made, key=placed)}


@dataclass(frozen=True, slots=True)
class Voice:
    """What one forecaster said, live, backdated or imported; a replay is not a voice."""

    forecasts: Mapping[str, tuple[Said, ...]] = field(default_factory=dict)
    withdrawn: Mapping[str, dt.datetime] = field(default_factory=dict)

    @classmethod
    def heard(
        cls,
        said: Mapping[str, tuple[Said, ...]],
        gone: Undone,
        forecaster: str,
        now: dt.datetime,
    ) -> "Voice":
        """Make a voice of sorted forecasts; what lies after now, or was undone, is left out."""
        if gone.forecasts:
            said = {name: tuple(gone.left(each)) for name, each in said.items()}
            said = {name: each for name, each in said.items() if each}
        late = [name for name, each in said.items() if each[-1].issued_at > now]
        if late:
            by_now = {name: tuple(f for f in said[name] if f.issued_at <= now) for name in late}
            said = {name: by_now.get(name, each) for name, each in said.items()}
            said = {name: each for name, each in said.items() if each}
        taken: dict[str, dt.datetime] = {}
        for one in gone.withdrawals:
            if one.forecaster == forecaster and one.withdrawn_at <= now:
                at = taken.get(one.question)
                taken[one.question] = one.withdrawn_at if at is None else max(at, one.withdrawn_at)
        return cls(said, taken)

    def at(self, question: str, moment: dt.datetime) -> Said | None:
        """Give the last forecast made by a moment, withdrawn since or not."""
        made = [f for f in self.forecasts.get(question, ()) if f.issued_at <= moment]
        return made[-1] if made else None

    def is_withdrawn(self, question: str) -> bool:
        """Say whether the last forecast was withdrawn."""
        return question in self.forecasts and self.in_force(question) is None

    def in_force(self, question: str) -> Said | None:
        """Give the forecast in force; None if nothing was said or it was withdrawn."""
        last, taken = self.forecasts.get(question, (None,))[-1], self.withdrawn.get(question)
        return None if last is None or (taken and taken >= last.issued_at) else last


@dataclass(frozen=True, slots=True)
class Pair:
    """A person's voice and the model's."""

    mine: Voice
    model: Voice

    def row(self, question: Question) -> dict[str, object]:
        """Give mine, the model's, and mine less the model's, as columns.

        `difference` is a number for yes-no questions, one for each option of others, None for
        numbers and wherever one of the two is missing.
        """
        mine, model = self.mine.in_force(question.id), self.model.in_force(question.id)
        return {
            "mine": None if mine is None else mine.value.plain,
            "withdrawn": self.mine.is_withdrawn(question.id),
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
    if (p := mine.value.probability) is not None and (m := model.value.probability) is not None:
        return p - m
    apart = [a - b for a, b in zip(mine.value.numbers, model.value.numbers, strict=True)]
    return dict(zip(mine.value.labels, apart, strict=True))
