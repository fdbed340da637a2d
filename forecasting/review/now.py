"""What a reader came for: what is likely now, what moved and why, what is due."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from forecasting.domain.forecasters import MODEL, family, ordered
from forecasting.review import tables, words
from forecasting.review.data import Cause, Moved, Point, QuestionPath

#: A move older than this is not news on the first screen.
RECENT = dt.timedelta(days=30)
#: Changes below this (log-odds, or a share of a number's range) are not worth a line.
LEAST = 0.005
MOST_MOVES = 6


@dataclass(frozen=True, slots=True)
class Answer:
    """One number of a forecast with its 90 % interval, as text and as places from 0 to 1."""

    name: str
    said: str
    interval: str
    change: str
    place: float
    place_low: float | None
    place_high: float | None


@dataclass(frozen=True, slots=True)
class Now:
    """An open question with what the model says of it now; `rung` tells ladders' titles apart."""

    question: QuestionPath
    answers: tuple[Answer, ...]
    at: dt.datetime | None
    before: dt.datetime | None
    rung: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A recent move of the model on an open question: from, to, and the causes by size."""

    question: QuestionPath
    at: dt.datetime
    before: str
    after: str
    causes: tuple[tuple[Cause, str], ...]
    size: float


@dataclass(frozen=True, slots=True)
class Others:
    """What each forecaster says now of one question, or of one option of it."""

    question: QuestionPath
    name: str
    cells: tuple[str, ...]


def open_at(questions: Iterable[QuestionPath], moment: dt.datetime) -> list[QuestionPath]:
    """Give the questions that are open at a moment, by topic, a ladder's rungs by deadline."""
    return [
        question
        for group in tables.groups(questions)
        for _, block in group.blocks
        for question in block
        if question.opens <= moment < question.ends
    ]


def likely(questions: Iterable[QuestionPath], moment: dt.datetime) -> list[Now]:
    """Give the model's forecast of each open question and its change since the one before."""
    rows: list[Now] = []
    for question in open_at(questions, moment):
        points = _until(question.paths.get(MODEL, ()), moment)
        last = points[-1] if points else None
        before = points[-2] if len(points) > 1 else None
        ladder = question.ladder is not None
        rows.append(
            Now(
                question,
                answers(question, last, before) if last else (),
                last.at if last else None,
                before.at if before else None,
                ladder and bool(rows) and rows[-1].question.ladder == question.ladder,
            )
        )
    return rows


def answers(question: QuestionPath, last: Point, before: Point | None) -> tuple[Answer, ...]:
    """Write a forecast with its interval and its change since the one before."""
    if question.type == "numeric":
        middle, low, high = (last.quantile(level) for level in (50, 5, 95))
        change = None if before is None else middle - before.quantile(50)
        bottom = min(low, 0.0) if question.lower is None else question.lower
        top = max(high, bottom + 1) if question.upper is None else question.upper
        low_place, place, high_place = (
            (value - bottom) / (top - bottom or 1.0) for value in (low, middle, high)
        )
        return (
            Answer(
                "",
                words.amount(middle, question.unit),
                f"{words.amount(low)} to {words.amount(high)}",
                words.signed_amount(change),
                place,
                low_place,
                high_place,
            ),
        )
    rows = []
    names = ("",) if question.type == "binary" else question.options
    for k, name in enumerate(names):
        low_share, high_share = (last.p05, last.p95) if question.type == "binary" else (None, None)
        if last.lows:
            low_share, high_share = last.lows[k], last.highs[k]
        rows.append(
            Answer(
                name,
                words.percent(last.values[k]),
                words.interval(low_share, high_share),
                words.points(None if before is None else last.values[k] - before.values[k]),
                last.values[k],
                low_share,
                high_share,
            )
        )
    return tuple(rows)


def standing(question: QuestionPath, forecaster: str = MODEL) -> str:
    """Write the last forecast of a forecaster in one line."""
    points = question.paths.get(forecaster, ())
    if not points:
        return words.DASH
    return "; ".join(
        f"{answer.name} {answer.said}".strip() for answer in answers(question, points[-1], None)
    )


def changes(questions: Iterable[QuestionPath], moment: dt.datetime) -> list[Change]:
    """Say what moved the model on the open questions of late, the largest move first."""
    rows = []
    for question in open_at(questions, moment):
        recent = [m for m in question.moved if moment - RECENT <= m.at <= moment]
        points = _until(question.paths.get(MODEL, ()), moment)
        moves = [change for m in recent if (change := _change(question, points, m)) is not None]
        if moves:
            rows.append(max(moves, key=lambda change: change.size))
    return sorted(rows, key=lambda change: (-change.size, change.question.id))


def _change(question: QuestionPath, points: Sequence[Point], moved: Moved) -> Change | None:
    place = next((i for i, point in enumerate(points) if point.at == moved.at), 0)
    names = sorted({name for cause in moved.causes for name in cause.change})
    if place == 0 or not names:
        return None
    # Of several options: the one that moved most.
    totals = {n: sum(cause.change.get(n, 0.0) for cause in moved.causes) for n in names}
    chosen = max(names, key=lambda name: (abs(totals[name]), name))
    scale = _scale(question)
    causes = sorted(moved.causes, key=lambda cause: -abs(cause.change.get(chosen, 0.0)))
    effects = tuple(
        (cause, _effect_text(question, cause.change.get(chosen, 0.0)))
        for cause in causes
        if abs(cause.change.get(chosen, 0.0)) >= LEAST * scale
    )
    if not effects or abs(totals[chosen]) < LEAST * scale:
        return None
    before, after = (
        next(
            answer
            for answer in answers(question, point, None)
            if answer.name == chosen or len(names) == 1
        )
        for point in (points[place - 1], points[place])
    )
    return Change(
        question,
        moved.at,
        f"{before.name} {before.said}".strip(),
        after.said,
        effects,
        abs(totals[chosen]) / scale,
    )


def _scale(question: QuestionPath) -> float:
    """Give the unit of a change: 1 in log-odds, or a number's range over 4, to compare by size."""
    if question.type != "numeric":
        return 1.0
    return ((question.upper or 0.0) - (question.lower or 0.0)) / 4 or 1.0


def _effect_text(question: QuestionPath, change: float) -> str:
    return words.signed_amount(change) if question.type == "numeric" else words.signed(change, 2)


def others(
    questions: Iterable[QuestionPath], moment: dt.datetime
) -> tuple[tuple[str, ...], tuple[Others, ...]]:
    """Give the latest forecasts side by side, without those of texts and of what knows nothing."""
    live = open_at(questions, moment)
    names = [
        name
        for name in ordered(name for question in live for name in question.paths)
        if family(name) not in ("text", "uniform", "climatology")
    ]
    rows = []
    for question in live:
        by_name: Mapping[str, tuple[Answer, ...]] = {
            name: answers(question, points[-1], None)
            for name in names
            if (points := _until(question.paths.get(name, ()), moment))
        }
        if not by_name:
            continue
        for k, answer in enumerate(next(iter(by_name.values()))):
            cells = tuple(
                by_name[name][k].said if name in by_name else words.DASH for name in names
            )
            rows.append(Others(question, answer.name, cells))
    return tuple(names), tuple(rows)


def _until(points: Sequence[Point], moment: dt.datetime) -> list[Point]:
    return [point for point in points if point.at <= moment]
