"""What became of each row of a file, whatever number of records a row states."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from forecasting.exchange.case import Plan
from forecasting.exchange.record import WITHDRAWN, Refused, StatedForecast, Statements


class Line(int):
    """A line of one file of several in an archive, which number their lines each from 1."""

    member: str

    def __new__(cls, line: int, member: str) -> "Line":
        """Make one."""
        new = super().__new__(cls, line)
        new.member = member
        return new


class Rows(NamedTuple):
    """How many rows a file holds, and of these new ones, those held already and refused ones."""

    total: int
    added: int
    duplicates: int
    refused: list[Refused]


type _Place = int | tuple[str, int]


def _place(line: int) -> _Place:
    return (line.member, int(line)) if isinstance(line, Line) else line


def by_rows(statements: Statements, plan: Plan) -> Rows:
    """Count rows: one is refused if any record of it is, and new if any other record of it is."""
    records = Counter(map(_place, _lines(statements)))
    several = {place for place, count in records.items() if count > 1}
    refused: dict[_Place, list[Refused]] = {}
    for one in plan.refused:
        refused.setdefault(_place(one.line), []).append(one)
    parts, new_rows = _new_records(statements, plan, several) if several else (0, set[_Place]())
    added = plan.added - parts + len(new_rows - refused.keys())
    merged = [
        Refused(int(group[0].line), "; ".join(dict.fromkeys(one.reason for one in group)))
        for group in refused.values()
    ]
    return Rows(len(records), added, len(records) - added - len(merged), merged)


def _lines(statements: Statements) -> Iterable[int]:
    yield from (one.own_line for one in statements.facts if one.own_line)
    yield from (one.line for one in statements.forecasts)
    yield from (one.line for one in statements.outcomes)
    yield from (one.line for one in statements.refused)
    yield from (line for line, _ in statements.news)


def _new_records(
    statements: Statements, plan: Plan, several: set[_Place]
) -> tuple[int, set[_Place]]:
    """Count the new records in rows that state several, and give the rows that have one."""
    forecast_lines = {
        _key(one): one.line for one in reversed(statements.forecasts) if _place(one.line) in several
    }
    question_lines = {
        one.question: one.own_line
        for one in reversed(statements.facts)
        if one.own_line and _place(one.own_line) in several
    }
    outcome_lines = {
        one.question: one.line
        for one in reversed(statements.outcomes)
        if _place(one.line) in several
    }
    lines = [
        line
        for one in plan.forecasts
        if (line := forecast_lines.get((one.question, one.forecaster, one.issued_at, False)))
        is not None
    ]
    lines += [
        line
        for end in plan.withdrawals
        if (line := forecast_lines.get((end.question, end.forecaster, end.withdrawn_at, True)))
        is not None
    ]
    lines += [question_lines[one.id] for one in plan.questions if one.id in question_lines]
    lines += [
        outcome_lines[one.question] for one in plan.resolutions if one.question in outcome_lines
    ]
    return len(lines), {_place(line) for line in lines}


def _key(one: StatedForecast) -> tuple[object, ...]:
    return one.question, one.forecaster, one.issued_at, one.answer == WITHDRAWN
