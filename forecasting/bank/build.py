"""Turn a checked question file into its question, or into the rungs of its ladder."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from forecasting import clock
from forecasting.bank.schema import QuestionFile, ResolutionFile
from forecasting.bank.yaml_file import line_of
from forecasting.domain.instants import (
    DEFAULT_ZONE,
    day_begins,
    day_ends,
    local_day,
    parse_day,
    parse_when,
    zone,
)
from forecasting.domain.outcome import OutcomeSpace
from forecasting.domain.question import WORDS_OF_TITLE, Basis, Condition, ModelChoice, Question
from forecasting.domain.reading import Manner, outcome
from forecasting.domain.resolution import Resolution
from forecasting.errors import InvalidInput, Problem

#: The model of a question that is answered by the world.
WORLD_FAMILY = "world"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a question stands: file, raw tree with lines, checked shape, zone of its days."""

    source: str
    tree: Any
    file: QuestionFile
    zone: str = ""

    def line(self, *field: str | int) -> int:
        """Find the line of a field, or of the question where it has none."""
        begin = getattr(getattr(self.tree, "lc", None), "line", None) or 0
        return max(line_of(self.tree, field), begin + 1)

    def problem(self, field: tuple[str, ...], rule: str, message: str, hint: str = "") -> Problem:
        """Give a fault with the line of a field."""
        return Problem(self.source, self.line(*field), rule, message, hint)

    def fault(self, wrong: InvalidInput) -> Problem:
        """Give a fault of the question with the line of the field that it speaks of."""
        name = re.split(r"[ (:]", wrong.message, maxsplit=1)[0]
        name = {"bounds": "lower", "outcome": "resolution"}.get(name, name)
        return self.problem((name,), "value", f"{self.file.slug}: {wrong.message}", wrong.hint)


def build_question(
    file: QuestionFile,
    source: str,
    *,
    now: dt.datetime | None = None,
    zone_name: str = DEFAULT_ZONE,
) -> tuple[list[Question], list[Resolution]]:
    """Turn a checked file into its question or rungs; without `opens` it opens today."""
    there = file.zone or zone_name
    zone(there)
    space = _space(file)
    if file.opens is not None:
        opens = day_begins(parse_day(file.opens), there)
    else:
        opens = day_begins(local_day(now or clock.now(), there), there)
    questions, resolutions = [], []
    condition = file.links.condition
    days = file.ladder or [file.closes or ""]
    for day in days:
        closes = day_ends(parse_day(day), there)
        resolves_by = closes
        if file.resolves_by:
            resolves_by = day_ends(parse_day(file.resolves_by), there)
            if resolves_by < closes and day == days[-1]:
                msg = f"resolves_by ({file.resolves_by}): must not come before closes ({day})"
                raise InvalidInput(msg)
            resolves_by = max(closes, resolves_by)
        if closes <= opens:
            msg = f"closes ({day}): must not come before opens ({local_day(opens, there)})"
            raise InvalidInput(
                msg, hint="a later day; forecast import csv, for a record of the past"
            )
        question = Question(
            id=f"{file.slug}@{day}" if file.ladder else file.slug,
            title=f"{file.title} (by {day})" if file.ladder else file.title,
            criteria=file.criteria or WORDS_OF_TITLE.format(file.title),
            background=file.background,
            space=space,
            zone=there,
            opens=opens,
            closes=closes,
            resolves_by=resolves_by,
            topic=file.topic,
            event=file.event or file.slug,
            tags=tuple(file.tags),
            basis=_basis(file),
            model=_model(file),
            ladder=file.slug if file.ladder else None,
            parent=file.links.parent,
            condition=None
            if condition is None
            else Condition(condition.question, condition.outcome),
            source=source,
            answer=" ".join(file.answer.split()),
        )
        questions.append(question)
        stated = file.resolutions.get(day) if file.ladder else file.resolution
        if stated is not None:
            resolutions.append(_resolution(question.id, stated, space, there))
    return questions, resolutions


def _space(file: QuestionFile) -> OutcomeSpace:
    if file.type == "numeric":
        return OutcomeSpace("numeric", (), file.lower, file.upper, file.unit)
    if file.type == "binary":
        return OutcomeSpace.binary()
    return OutcomeSpace(file.type, tuple(file.options or ()))


def _basis(file: QuestionFile) -> Basis:
    if file.basis is None:
        return Basis("context", ())
    sentences = {text: tuple(numbers) for text, numbers in file.basis.sentences.items()}
    return Basis(file.basis.kind, tuple(file.basis.texts), sentences)


def _model(file: QuestionFile) -> ModelChoice:
    """Give what an older file says of its model; others are answered by the world."""
    model = file.model
    if model is None:
        return ModelChoice(WORLD_FAMILY, WORLD_FAMILY, "", {})
    settings = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in model.settings.items()
    }
    return ModelChoice(model.family, model.stand_in or model.family, model.reference, settings)


def _resolution(
    question: str, stated: ResolutionFile, space: OutcomeSpace, zone_name: str
) -> Resolution:
    return Resolution(
        question=question,
        outcome=outcome(space, stated.outcome, manner=Manner()),
        resolved_at=parse_when(stated.known, zone_name=zone_name, day_means="ends"),
        source=stated.source,
        certainty=stated.certainty,
        note=stated.note,
    )
