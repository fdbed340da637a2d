"""Fatebook: its CSV export, a row a forecast, and the spreadsheet form that it imports.

The export knows no ids: a question is its title and the moment it was created. Its moments name no
zone, the seconds are without a leading zero, and the zone must be given: the server writes them,
and that of the site keeps UTC, wherever one exports from. It holds everybody's forecasts, and the
scores of whoever exported it, who is not named. An export of 2023 names the outcome and its moment
otherwise, and knows no options. Each option of a multiple choice question is forecast and resolved
by itself, and is a question of yes or no here; those of one question are one event.

The spreadsheet form has a row a forecast too, its probabilities in percent; what it leaves blank is
the creation, or a day after it.

Fatebook's own scores: Brier from 0 to 2 of each day's mean forecast, averaged over the days of the
question, the last part of a day by its share; relative: each day's median taken off.
"""

import csv
import datetime as dt
import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import pairwise
from statistics import median
from typing import Any

from forecasting.domain.instants import iso
from forecasting.domain.question import ANNULLED
from forecasting.domain.reading import Ambiguous, plainly
from forecasting.domain.reading import probability as typed
from forecasting.domain.reading.probabilities import decimal
from forecasting.errors import InvalidInput
from forecasting.exchange.cells import Reading
from forecasting.exchange.format import Format, PlatformRule, QuestionHistory
from forecasting.exchange.formats.csv import line_writer
from forecasting.exchange.record import Facts, Record, Scored, StatedForecast, StatedOutcome
from forecasting.exchange.source import Head, Source
from forecasting.exchange.values import faulty, number, percent, probability
from forecasting.files import restored

NAME = "fatebook"
#: The zone of an export, and of a sheet that somebody wrote.
_OF_SITE = "zone=Etc/UTC, for fatebook.io writes UTC, wherever one exports from"
_OF_SHEET = "zone=Europe/London, or where it was written"
_DAY = dt.timedelta(days=1)
#: A last part of a day that is shorter counts as a day like the others, divided by whole days.
_SLIVER = 1e-4
#: ``10:05:7``, as the export writes seven seconds past.
_BARE_SECOND = re.compile(r"(\d{1,2}:\d{2}):(\d)$")
_ZONED = re.compile(r"[Zz]$|[+-]\d\d(:?\d\d)?$")
_EXPORT = ("Question title", "Forecast (scale = 0-1)", "Forecast created at", "Question created at")
_SHEET = ("questionTitle", "forecast", "qCreatedAt", "resolution")
_SCORES = {
    "brier": "Your Brier score for this question",
    "relative": "Your relative Brier score for this question",
}


def looks_like(head: Head) -> bool:
    """Recognise the export, or the spreadsheet form."""
    return head.has(*_EXPORT) or head.has(*_SHEET)


def read(source: Source, reading: Reading) -> Iterator[Record]:
    """Give each row's forecast, and of each question what its rows state."""
    sheet = source.head.has(*_SHEET)
    seen: set[Any] = set()
    for line, row in source.rows():
        with faulty() as fault:
            records = _of_sheet(line, row, reading) if sheet else _of_export(line, row, reading)
            for one in records:
                if isinstance(one, StatedForecast):
                    yield one
                elif (key := _key(one)) not in seen:
                    seen.add(key)
                    yield one
        yield from fault.refused(line)


def _key(one: Any) -> Any:
    # The same of a question stands in each of its rows.
    if isinstance(one, Facts):
        return "facts", one.question, repr(sorted(one.stated.items()))
    if isinstance(one, StatedOutcome):
        return "settled", one.question, one.outcome, one.resolved_at
    return "scored", one.question, one.rule, one.score


def _time(cell: str, name: str, reading: Reading, hint: str = _OF_SITE) -> dt.datetime:
    text = _BARE_SECOND.sub(r"\1:0\2", cell.strip())
    if not reading.manner.zone and ":" in text and not _ZONED.search(text):
        raise Ambiguous(f"{name} ({plainly(cell)}): in which zone", hint=hint)
    return reading.time(text, name=name, days="begins")


def _id(title: str, created: dt.datetime, option: str = "") -> str:
    digest = hashlib.sha256(f"{title}\n{iso(created)}".encode()).hexdigest()[:12]
    own = f"-{hashlib.sha256(option.encode()).hexdigest()[:8]}" if option else ""
    return f"{NAME}-{digest}{own}"


def _of_export(line: int, row: Mapping[str, str], reading: Reading) -> list[Record]:
    title = row["Question title"].strip()
    if not title:
        raise InvalidInput("Question title: is missing")
    created = _time(row["Question created at"], "Question created at", reading)
    option = row.get("Multiple choice option", "").strip()
    question = _id(title, created, option)
    stated: dict[str, Any] = {
        "title": f"{title}: {option}" if option else title,
        "type": "binary",
        "opens": created,
        "closes": _time(row["Question resolve by"], "Question resolve by", reading),
        "event": _id(title, created),
        "tags": _tags(row.get("Question tags", ""), ";"),
        "background": row.get("Question notes", "").strip(),
    }
    records: list[Record] = [Facts(question, stated)]
    names = ("Resolution", "Resolved at")
    if names[0] not in row:
        names = ("Question resolution", "Question resolved at")
    resolution, at = (row[name] for name in names)
    records += _settled(line, question, resolution, at, reading, created)
    if not option:
        records += [
            Scored(line, question, "", rule, float(number(row[column], name=column)))
            for rule, column in _SCORES.items()
            if row.get(column, "").strip()
        ]
    records.append(
        StatedForecast(
            line=line,
            question=question,
            forecaster=row.get("Forecast created by", "").strip(),
            answer=probability(row["Forecast (scale = 0-1)"], name="Forecast"),
            issued_at=_time(row["Forecast created at"], "Forecast created at", reading),
        )
    )
    return records


def _of_sheet(line: int, row: Mapping[str, str], reading: Reading) -> list[Record]:
    title = row["questionTitle"].strip()
    if not title:
        raise InvalidInput("questionTitle: is missing")
    created = _time(row["qCreatedAt"], "qCreatedAt", reading, _OF_SHEET)

    def moment(name: str, default: dt.datetime) -> dt.datetime:
        cell = row.get(name, "").strip()
        return _time(cell, name, reading, _OF_SHEET) if cell else default

    question = _id(title, created)
    notes = [row.get(name, "").strip() for name in ("notes", "notesExtra")]
    stated: dict[str, Any] = {
        "title": title,
        "type": "binary",
        "opens": created,
        "closes": moment("resolveBy", created + _DAY),
        "event": question,
        "tags": _tags(row.get("tags", ""), ","),
        "background": "\n\n".join(filter(None, notes)),
    }
    records: list[Record] = [Facts(question, stated)]
    resolved = row.get("resolvedAt", "").strip() or iso(created + _DAY)
    records += _settled(line, question, row["resolution"], resolved, reading, created)
    records.append(
        StatedForecast(
            line=line,
            question=question,
            forecaster="",
            answer=percent(row["forecast"].strip().removesuffix("%"), name="forecast"),
            issued_at=moment("fCreatedAt", created),
        )
    )
    return records


def _tags(cell: str, separator: str) -> tuple[str, ...]:
    return tuple(sorted({NAME, *filter(None, (tag.strip() for tag in cell.split(separator)))}))


def _settled(
    line: int, question: str, resolution: str, at: str, reading: Reading, created: dt.datetime
) -> list[StatedOutcome]:
    word = resolution.strip().upper()
    if not word:
        return []
    if word not in ("YES", "NO", "AMBIGUOUS", "OTHER"):
        msg = f"Resolution ({plainly(resolution)}): must be YES, NO, AMBIGUOUS or empty"
        raise InvalidInput(msg)
    plain = {"YES": "yes", "NO": "no", "OTHER": "no"}.get(word, "annulled")
    return [
        StatedOutcome(
            line=line,
            question=question,
            outcome=plain,
            resolved_at=_time(at, "Resolved at", reading) if at.strip() else created + _DAY,
            source="Fatebook",
            note="" if plain == word.lower() else word.lower(),
        )
    ]


def _days(history: QuestionHistory) -> tuple[dict[str, list[float]], dict[str, list[float]], float]:
    """Give each person's daily scores, absolute and relative, and the length in days."""
    opens, ends = history.question.opens, history.resolution.resolved_at
    length = (ends - opens) / _DAY
    y = float(history.outcome == "yes")
    by_person: dict[str, list[tuple[dt.datetime, float]]] = {}
    for one in history.forecasts:
        by_person.setdefault(one.forecaster, []).append((one.issued_at, one.value.numbers[0]))
    absolute: dict[str, list[float]] = {name: [] for name in by_person}
    relative: dict[str, list[float]] = {name: [] for name in by_person}
    for day in range(math.ceil(length)):
        begins = opens + day * _DAY
        finishes = min(begins + _DAY, ends)
        scores = {}
        for name, forecasts in by_person.items():
            mean = _mean(forecasts, begins, finishes)
            if mean is not None:
                scores[name] = 2 * (mean - y) ** 2
        middle = median(scores.values()) if scores else 0.0
        for name, score in scores.items():
            absolute[name].append(score)
            relative[name].append(score - middle)
    return absolute, relative, length


def _mean(
    forecasts: list[tuple[dt.datetime, float]], begins: dt.datetime, finishes: dt.datetime
) -> float | None:
    """Give the mean forecast of a part of a day; who began within it counts for all of it."""
    before = [p for at, p in forecasts if at <= begins]
    within = [(at, p) for at, p in forecasts if begins <= at < finishes]
    if not within:
        return before[-1] if before else None
    steps = [(begins, before[-1])] if before else []
    steps += within
    length = finishes - begins
    weights = [(later[0] - one[0]) / length for one, later in pairwise(steps)]
    # What is left of the day is the last one's, also what came before anybody spoke.
    return (
        sum(w * p for w, (_, p) in zip(weights, steps, strict=False))
        + (1 - sum(weights)) * steps[-1][1]
    )


def _over_days(scores: list[float], length: float) -> float:
    whole, part = math.floor(length), length - math.floor(length)
    if whole == 0:
        return sum(scores)
    if part >= _SLIVER:
        return (sum(scores[:-1]) + scores[-1] * part) / length
    return sum(scores) / whole


def brier(history: QuestionHistory) -> dict[str, float]:
    """Score each person's days by Brier (0 to 2), over all days of the question.

    A day before somebody's first forecast counts as 0, which is a perfect score.
    """
    absolute, _, length = _days(history)
    return {name: _over_days(scores, length) for name, scores in absolute.items() if scores}


def relative(history: QuestionHistory) -> dict[str, float]:
    """Score each person's days against the day's median; of one alone nothing can be said."""
    _, taken, length = _days(history)
    if len(taken) < 2:
        return {}
    return {name: _over_days(scores, length) for name, scores in taken.items() if scores}


COLUMNS = (
    *("questionTitle", "forecast", "qCreatedAt", "resolution", "resolvedAt", "resolveBy"),
    *("fCreatedAt", "tags", "notes"),
)
_RESOLVED = {"yes": "YES", "no": "NO", ANNULLED: "AMBIGUOUS", "": ""}


class Left:
    """How many rows the form has no place for, and how many are not the account's own."""

    def __init__(self) -> None:
        self.count = self.others = 0


def write_fatebook(lines: Iterable[str], forecaster: str, left: Left) -> Iterator[str]:
    """Give the lines of the form, which imports into one account: that of a `forecaster`."""
    write = line_writer()
    yield write(COLUMNS)
    for row in csv.DictReader(lines):
        if not row["forecast"]:
            continue  # A question without a forecast: the form has a row a forecast.
        if restored(row["forecaster"]) != forecaster:
            left.others += 1
            continue
        if row["type"] != "binary" or row["forecast"] == "withdrawn":
            left.count += 1
            continue
        yield write(
            (
                row["title"],
                f"{decimal(100 * Decimal(typed(row['forecast'])[0]))}%",
                row["opens"],
                _RESOLVED.get(row["outcome"], ""),
                row["resolved_at"],
                row["closes"],
                row["issued_at"],
                ",".join(row["tags"].split(";")),
                row["criteria"],
            )
        )


FORMAT = Format(
    name=NAME,
    what="a Fatebook CSV",
    looks_like=looks_like,
    read=read,
    titled=True,
    rules={
        "brier": PlatformRule(
            brier,
            "0 to 2, smaller is better, mean over the question's days",
            "days before a first forecast count as 0 there, which is perfect; the export cuts "
            "moments to the second; its score may be older than its forecasts",
        ),
        "relative": PlatformRule(
            relative,
            "-2 to 2, smaller is better, 0 is the day's median",
            "needs everybody's forecasts; those that the exporter may not see are not in the file",
        ),
    },
)
