"""Write a tidy table that :mod:`.formats.csv` reads back to the same record."""

import csv
import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Mapping

from forecasting.domain.forecast import Spoken, decimal_text
from forecasting.domain.instants import iso
from forecasting.domain.question import Question
from forecasting.domain.reading import probability
from forecasting.domain.resolution import Resolution, Withdrawal
from forecasting.errors import InvalidInput
from forecasting.exchange.columns import COLUMNS, NUMERIC
from forecasting.exchange.record import WITHDRAWN
from forecasting.files import neutral


def line_writer() -> Callable[[Iterable[str]], str]:
    """Give what writes a row of CSV as a line."""

    class Line:
        def write(self, line: str) -> str:
            return line

    return csv.writer(Line(), lineterminator="\n").writerow


def write_csv(
    spoken: Iterable[Spoken],
    withdrawals: Iterable[Withdrawal],
    questions: Mapping[str, Question],
    outcomes: Mapping[str, Resolution],
) -> Iterator[str]:
    """Give the lines of a table: its columns, then a row a forecast, and the rest at the end.

    That is the withdrawals, each of the kind of the forecast that it took back, and a row without a
    forecast for each question that has none of both. Text that a spreadsheet would run gets an
    apostrophe before it; numbers and times are as they are.
    """
    write = line_writer()
    yield write(COLUMNS)
    about: dict[str, dict[str, str]] = {}

    def row(question: str, own: Mapping[str, str]) -> str:
        if question not in about:
            about[question] = _about(questions[question], outcomes.get(question))
        cells = about[question]
        return write([own[name] if name in own else cells[name] for name in COLUMNS])

    taken_back = sorted(withdrawals, key=lambda w: (w.question, w.withdrawn_at, w.forecaster))
    # The kinds of the forecasts of everybody who took one back, in the order of time.
    kinds: dict[tuple[str, str], list[tuple[dt.datetime, str]]] = {
        (one.question, one.forecaster): [] for one in taken_back
    }
    for one in spoken:
        if (steps := kinds.get((one.question, one.forecaster))) is not None:
            steps.append((one.issued_at, one.kind))
        yield row(
            one.question,
            {
                "forecaster": neutral(one.forecaster),
                "forecast": _forecast(one),
                "issued_at": iso(one.issued_at),
                "because": neutral(one.because),
                "kind": one.kind,
            },
        )
    for taken in taken_back:
        before = [
            kind for at, kind in kinds[taken.question, taken.forecaster] if at <= taken.withdrawn_at
        ]
        yield row(
            taken.question,
            {
                "forecaster": neutral(taken.forecaster),
                "forecast": WITHDRAWN,
                "issued_at": iso(taken.withdrawn_at),
                "because": "",
                # What was sealed, and taken back before it was shown, was live.
                "kind": before[-1] if before else "live",
            },
        )
    nothing = dict.fromkeys(("forecaster", "forecast", "issued_at", "because", "kind"), "")
    for question in sorted(questions.keys() - about.keys()):
        yield row(question, nothing)


def _about(question: Question, outcome: Resolution | None) -> dict[str, str]:
    space = question.space
    cells = {
        "question": question.id,
        "title": question.title,
        "opens": iso(question.opens),
        "closes": iso(question.closes),
        "tags": _list(question.tags),
        "type": space.type,
        "options": "" if space.type == "binary" else _list(space.options),
        "lower": "" if space.lower is None else decimal_text(space.lower),
        "upper": "" if space.upper is None else decimal_text(space.upper),
        "unit": space.unit,
        "zone": question.zone,
        "resolves_by": iso(question.resolves_by),
        "topic": question.topic,
        "event": question.event,
        "criteria": question.criteria,
        "background": question.background,
        "url": question.source if question.source.startswith(("http:", "https:")) else "",
        "zero_point": "" if space.zero_point is None else decimal_text(space.zero_point),
        "open_bounds": space.open_bounds,
        "outcome": "" if outcome is None else outcome.outcome,
        "resolved_at": "" if outcome is None else iso(outcome.resolved_at),
        "source": "" if outcome is None else outcome.source,
        "note": "" if outcome is None else outcome.note,
    }
    number = {"outcome"} if space.type == "numeric" else set()
    return {
        name: cell if name in NUMERIC or name in number else neutral(cell)
        for name, cell in cells.items()
    }


def _list(items: tuple[str, ...]) -> str:
    plain = all(";" not in item and item == item.strip() and item for item in items)
    if plain and not (items and items[0].startswith("[")):
        return ";".join(items)
    return json.dumps(items, ensure_ascii=False)


def _forecast(one: Spoken) -> str:
    if one.labels == ("yes",):
        if _reads_back(one.stated, one.entered[0]):
            return one.stated
        # A bare 1 may be 1 %.
        return "1.0" if one.entered[0] == "1" else one.entered[0]
    if any(set(label) & set(';={"') or label != label.strip() for label in one.labels) or (
        neutral(one.labels[0]) != one.labels[0]
    ):
        return json.dumps(dict(zip(one.labels, one.entered, strict=True)), ensure_ascii=False)
    return ";".join(f"{label}={text}" for label, text in zip(one.labels, one.entered, strict=True))


def _reads_back(stated: str, entered: str) -> bool:
    """Whether what was typed is as good a cell as the decimal that it means."""
    try:
        return bool(stated) and probability(stated)[0] == entered
    except InvalidInput:
        return False
