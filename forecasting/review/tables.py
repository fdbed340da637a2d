"""The tables of the page: rows grouped and put in a fixed order, nothing computed twice."""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from forecasting.domain.forecasters import FAMILIES, REFERENCES, family, ordered
from forecasting.domain.outcome import QUESTION_TYPES
from forecasting.review import cast, words
from forecasting.review.data import Fan, Point, QuestionPath, ReviewData, Row

KEYS = (
    *("forecaster", "type", "unit", "rule", "convention", "kind", "window", "proper"),
    *("n_questions", "n_forecasts", "n_events", "coverage", "possible_coverage"),
    *("mean", "lower", "upper", "skill", "reference", "note"),
    *("difference_note", "difference", "difference_lower", "difference_upper", "n_shared"),
    "n_shared_events",
    *("detectable", "horizon", "event_rate"),
)
BASE_RATE = "base-rate"
#: Scores closer than this are the same: a stand-in model that *is* the base rate differs by less.
SAME = 5e-4
#: A table of a curve has no more rows; a picture and a file have every point.
MOST_STEPS = 20


@dataclass(frozen=True, slots=True)
class Board:
    """The scoreboard of one type of question under one rule."""

    type: str
    rule: str
    convention: str
    window: str
    proper: bool
    reference: float | None
    rows: tuple[dict[str, Any], ...]
    unit: str = ""

    @property
    def digits(self) -> int:
        """Decimals of its scores: the same all over one table."""
        return _digits(self.rows)


@dataclass(frozen=True, slots=True)
class HorizonTable:
    """Scores at fixed times before the close, forecaster by horizon."""

    type: str
    rule: str
    convention: str
    horizons: tuple[str, ...]
    facts: tuple[dict[str, Any], ...]
    rows: tuple[tuple[str, tuple[dict[str, Any] | None, ...]], ...]
    unit: str = ""

    @property
    def digits(self) -> int:
        """Decimals of its scores: the same all over one table."""
        return _digits([cell for _, cells in self.rows for cell in cells if cell is not None])


@dataclass(frozen=True, slots=True)
class Beside:
    """One question on which a forecaster is set beside the base rate."""

    question: QuestionPath
    rule: str
    mine: float
    base: float
    coverage: float | None
    base_coverage: float | None

    @property
    def worse_by(self) -> float:
        """Above 0: worse than the base rate."""
        return self.mine - self.base

    @property
    def same_time(self) -> bool:
        """Whether both spoke over the same share of the window."""
        if self.coverage is None or self.base_coverage is None:
            return True
        return abs(self.coverage - self.base_coverage) < 0.005


@dataclass(frozen=True, slots=True)
class Count:
    """On how many questions a forecaster scored better than, worse than, or as the base rate."""

    forecaster: str
    worse: int
    same: int
    better: int


@dataclass(frozen=True, slots=True)
class Group:
    """The questions of one topic in blocks: a ladder with its rungs, or single questions (None)."""

    topic: str
    blocks: tuple[tuple[str | None, tuple[QuestionPath, ...]], ...]


@dataclass(frozen=True, slots=True)
class PathTable:
    """The forecasts of one question over time, without steps at which no printed figure moves."""

    heads: tuple[str, ...]
    rows: tuple[tuple[dt.datetime, tuple[str, ...]], ...]
    steps: int
    order: str = ""


def _digits(rows: Iterable[Row]) -> int:
    means = [words.number(row["mean"]) for row in rows]
    return 1 if any(mean is not None and 10 <= mean < float("inf") for mean in means) else 3


def complete(row: Row) -> dict[str, Any]:
    """Give a score row all its keys."""
    return {**dict.fromkeys(KEYS), **row}


def _alike(rows: Iterable[Row], *more: str) -> list[tuple[tuple[Any, ...], list[dict[str, Any]]]]:
    """Put together the score rows of one type, rule and unit, the types in their order."""
    by_key: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in map(complete, rows):
        key = (*(row[name] for name in ("type", "rule", "convention", *more)), row["unit"] or "")
        by_key.setdefault(key, []).append(row)
    return sorted(by_key.items(), key=lambda item: QUESTION_TYPES.index(item[0][0]))


def boards(rows: Iterable[Row]) -> list[Board]:
    """Group score rows by question type, rule and unit; forecasters in the fixed order."""
    result = []
    for (kind, rule, convention, window, unit), lines in _alike(rows, "window"):
        group = {row["forecaster"]: row for row in lines}
        members = [group[name] for name in ordered(group)]
        references = {words.score(row["reference"]) for row in members} - {words.DASH}
        result.append(
            Board(
                type=kind,
                rule=rule,
                convention=convention or "",
                window=window or "scheduled",
                proper=all(row["proper"] is not False for row in members),
                # Forecasters on other questions may have another uniform score: then none is named.
                reference=words.number(members[0]["reference"]) if len(references) == 1 else None,
                rows=tuple(members),
                unit=unit,
            )
        )
    return result


def horizon_tables(rows: Iterable[Row]) -> list[HorizonTable]:
    """Group rows by horizon, a table per type and unit: forecasters down, horizons across."""
    result = []
    for (kind, rule, convention, unit), group in _alike(rows):
        horizons = tuple(dict.fromkeys(str(row["horizon"]) for row in group))
        cells = {(row["forecaster"], str(row["horizon"])): row for row in group}
        # The heading of a horizon describes its widest set; each cell prints its own n.
        facts = tuple(
            max(
                (row for row in group if str(row["horizon"]) == horizon),
                key=lambda row: row["n_questions"] or 0,
            )
            for horizon in horizons
        )
        names = ordered(row["forecaster"] for row in group)
        lines = tuple((name, tuple(cells.get((name, h)) for h in horizons)) for name in names)
        result.append(HorizonTable(kind, rule, convention or "", horizons, facts, lines, unit))
    return result


def beside_base_rate(questions: Iterable[QuestionPath], forecaster: str) -> list[Beside]:
    """Set a forecaster beside the base rate on each scored question, in the order given."""
    rows = []
    for question in questions:
        mine, base = question.scores.get(forecaster), question.scores.get(BASE_RATE)
        if mine is None or base is None or question.too_soon:
            continue
        a, b = words.number(mine.get("mean")), words.number(base.get("mean"))
        if a is None or b is None:
            continue
        rows.append(
            Beside(
                question,
                words.rule(mine.get("rule", ""), mine.get("convention", "")),
                a,
                b,
                words.number(mine.get("coverage")),
                words.number(base.get("coverage")),
            )
        )
    return rows


def parts(rows: Iterable[Row]) -> list[tuple[dict[str, Any], str]]:
    """Give what the model loses without each of its parts, with a reading, by type of question."""
    whole = [complete(row) for row in rows]
    compared = [row for row in whole if words.number(row["difference"]) is not None]
    compared.sort(
        key=lambda row: (
            QUESTION_TYPES.index(row["type"]),
            FAMILIES.index(family(row["forecaster"])),
        )
    )
    return [(row, _verdict(row)) for row in compared]


def _verdict(row: Row) -> str:
    low, high = (words.number(row[f"difference_{end}"]) for end in ("lower", "upper"))
    if low is None or high is None:
        return "too few events to say"
    if low > 0:
        return "worse without it"
    return "better without it" if high < 0 else "may be chance"


def left_out(data: ReviewData) -> list[Row]:
    """List what no mean counts: what the caller names, and questions that resolved too soon."""
    soon = "Its outcome was known within two days of its opening."
    rows: list[Row] = list(data.left_out)
    named = {row.get("question") for row in rows}
    for question in data.questions:
        reason = soon if question.too_soon else ""
        if question.outcome == "annulled":
            reason = "It was annulled."
        if reason and question.id not in named:
            rows.append({"question": question.id, "title": question.title, "reason": reason})
    return rows


def refused(fits: Iterable[Row]) -> list[dict[str, Any]]:
    """Count refused fits by forecaster, graph and what was wrong; the latest stands for all.

    >>> fits = [{"forecaster": "model", "fit": "world", "verdict": f"error .0{n}"} for n in (1, 2)]
    >>> refused(fits)
    [{'forecaster': 'model', 'fit': 'world', 'verdict': 'error .02', 'n': 2}]
    """
    kinds: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in fits:
        kind = re.sub(r"[0-9.]+", "", row["verdict"])
        key = (row["forecaster"], row["fit"], kind)
        kinds[key] = {**row, "n": kinds.get(key, {"n": 0})["n"] + 1}
    return [kinds[key] for key in sorted(kinds)]


def fan_rows(fans: Iterable[Fan]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Give each fan's numbers at its first, middle and last moment."""
    rows = []
    for fan in fans:
        grid = fan.shares if len(fan.states) else fan.quantiles
        if not len(grid):
            continue
        names = list(fan.states) or [f"{level:g} %" for level in fan.levels]
        places = (0, len(grid) // 2, len(grid) - 1)
        for k, name in enumerate(names):
            values = [float(grid[place][k]) for place in places]
            cells = (
                tuple(words.percent_figure(value) for value in values)
                if len(fan.states)
                else tuple(words.amount(value) for value in values)
            )
            rows.append((fan.title, name, cells))
    return rows


def counts(questions: Sequence[QuestionPath]) -> list[Count]:
    """Count worse, same and better for all but the base rate, the texts and the references."""
    names = ordered(name for question in questions for name in question.scores)
    result = []
    for name in names:
        if family(name) in REFERENCES:
            continue
        pairs = [pair for pair in beside_base_rate(questions, name) if pair.same_time]
        if pairs:
            worse = sum(pair.worse_by > SAME for pair in pairs)
            better = sum(pair.worse_by < -SAME for pair in pairs)
            result.append(Count(name, worse, len(pairs) - worse - better, better))
    return result


def groups(questions: Iterable[QuestionPath]) -> list[Group]:
    """Group questions by topic in order of appearance, the rungs of a ladder by deadline."""
    topics: dict[str, dict[str, list[QuestionPath]]] = {}
    for question in questions:
        ladders = topics.setdefault(question.topic or "other", {})
        ladders.setdefault(question.ladder or question.id, []).append(question)
    return [Group(topic, tuple(_blocks(ladders.values()))) for topic, ladders in topics.items()]


def ladders(questions: Iterable[QuestionPath]) -> set[str]:
    """Name the ladders that have a heading of their own."""
    return {
        ladder for group in groups(questions) for ladder, _ in group.blocks if ladder is not None
    }


def _blocks(
    ladders: Iterable[list[QuestionPath]],
) -> list[tuple[str | None, tuple[QuestionPath, ...]]]:
    blocks: list[tuple[str | None, tuple[QuestionPath, ...]]] = []
    for rungs in ladders:
        if len(rungs) > 1:
            rungs.sort(key=lambda rung: (rung.closes, rung.id))
            blocks.append((rungs[0].ladder or rungs[0].id, tuple(rungs)))
        elif blocks and blocks[-1][0] is None:
            blocks[-1] = (None, (*blocks[-1][1], *rungs))
        else:
            blocks.append((None, tuple(rungs)))
    return blocks


def path_table(question: QuestionPath, labels: Mapping[str, str]) -> PathTable:
    """Give the forecasts in force over time, a column a forecaster."""
    names = [name for name in ordered(question.paths) if question.paths[name]]
    columns: list[tuple[str, str, Callable[[Point], str]]] = []
    for name in names:
        columns.append((cast.label(name, labels), name, _cell(question)))
        if family(name) == "model" and any(p.p05 is not None for p in question.paths[name]):
            columns.append(("5–95\u00a0%", name, _spread))
    moments = sorted({point.at for name in names for point in question.paths[name]})
    rows: list[tuple[dt.datetime, tuple[str, ...]]] = []
    standing: dict[str, Point] = {}
    ahead = {name: list(reversed(question.paths[name])) for name in names}
    for moment in moments:
        for name in names:
            while ahead[name] and ahead[name][-1].at <= moment:
                standing[name] = ahead[name].pop()
        cells = tuple(
            write(standing[name]) if name in standing else words.DASH for _, name, write in columns
        )
        if not rows or rows[-1][1] != cells:
            rows.append((moment, cells))
    order = " / ".join(question.options) if question.type in ("categorical", "ordered") else ""
    return PathTable(tuple(head for head, _, _ in columns), tuple(rows), len(moments), order)


def _cell(question: QuestionPath) -> Callable[[Point], str]:
    if question.type == "binary":
        return lambda point: words.percent_figure(point.values[0])
    if question.type == "numeric":
        return lambda point: _quantiles(point, question.unit)
    return lambda point: " / ".join(words.percent_figure(value) for value in point.values)


def _quantiles(point: Point, unit: str) -> str:
    numbers = (point.quantile(50), point.values[0], point.values[-1])
    middle, low, high = (words.bare(number, unit) for number in numbers)
    return f"{middle} ({low} to {high})"


def _spread(point: Point) -> str:
    return words.interval(point.p05, point.p95)


def pooled(points: Iterable[Row], *, most: int = 25) -> list[dict[str, Any]]:
    """Shorten a pooled curve to its flat stretches, then to `most` rows of like weight."""
    stretches: list[list[Row]] = []
    for point in points:
        if stretches and stretches[-1][0].get("event_rate") == point.get("event_rate"):
            stretches[-1].append(point)
        else:
            stretches.append([point])
    if len(stretches) > most:
        size = -(-len(stretches) // most)
        stretches = [
            [point for part in stretches[i : i + size] for point in part]
            for i in range(0, len(stretches), size)
        ]
    return [_stretch(part) for part in stretches]


def _stretch(part: Sequence[Row]) -> dict[str, Any]:
    n = sum(int(point.get("n") or 0) for point in part)
    first, last = (words.percent_figure(point.get("forecast")) for point in (part[0], part[-1]))

    def mean(key: str) -> float | None:
        values = [(words.number(point.get(key)), int(point.get("n") or 0)) for point in part]
        if not n or any(value is None for value, _ in values):
            return None
        return sum((value or 0.0) * weight for value, weight in values) / n

    return {
        "said": first if first == last else f"{first} to {last}",
        "event_rate": mean("event_rate"),
        "lower": mean("lower"),
        "upper": mean("upper"),
        "n": n,
    }


def steps(curve: Sequence[Row]) -> list[dict[str, Any]]:
    """Give a long curve by its steps, or by twentieths where picks have smeared them.

    Sums of n and of events, the mean of the curve, and the band where the step has its middle.
    """
    if len(curve) <= MOST_STEPS:
        return [dict(point) for point in curve]

    def gathered(part: Callable[[Row], float]) -> list[list[Row]]:
        return [list(rows) for _, rows in groupby(curve, part)]

    groups = gathered(lambda point: round(point["event_rate"], 2))
    if len(groups) > MOST_STEPS:
        last = MOST_STEPS - 1
        groups = gathered(lambda point: min(int(point["forecast"] * MOST_STEPS + 1e-9), last))
    return [_step(points) for points in groups]


def _step(points: Sequence[Row]) -> dict[str, Any]:
    first, last = points[0]["forecast"], points[-1]["forecast"]
    n = sum(point["n"] for point in points)
    rate, at = (sum(p[name] * p["n"] for p in points) / n for name in ("event_rate", "forecast"))
    middle = min(points, key=lambda point: abs(point["forecast"] - at))
    return {
        "forecast": first if first == last else f"{first:.3f} to {last:.3f}",
        "event_rate": rate,
        "n": n,
        "events": sum(point["events"] for point in points),
        "lower": middle["lower"],
        "upper": middle["upper"],
    }
