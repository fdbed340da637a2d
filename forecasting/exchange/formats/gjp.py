"""Good Judgment Project: its survey forecasts and its questions (``ifps.csv``), a table or a zip.

A forecast is several rows, one for each answer (``a``, ``b``, ...), with one `forecast_id`; `value`
is from 0 to 1, and sums that miss 1 by rounding are shared out. Times are local and name no zone,
so it must be given (the project writes of Eastern Time). Missing values read ``NA``. What repeats a
forecast (`fcast_type` 4) is kept like any other.

``ifps.csv`` has American dates (``12/30/11 0:00``), and bytes that are no UTF-8 as it was first
published: convert it before. A conditional question is one for each branch (``1039-1``); a branch
that did not come about is voided. The questions may come before their forecasts or after them.
Two answers make a question of yes or no, of which (a) is yes; more keep their letters as options,
which are in order where the number ends in ``-6`` (dates and amounts in steps).

The project's score is the daily Brier score from 0 to 2 of Cultivate, over calendar days; of
answers in order the mean over their cuts.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any

from forecasting.domain.reading import Ambiguous, plainly, question_id
from forecasting.errors import InvalidInput
from forecasting.exchange.cells import Reading
from forecasting.exchange.format import Format, PlatformRule, QuestionHistory
from forecasting.exchange.formats.cultivate import daily, ordinal
from forecasting.exchange.record import Facts, Record, Refused, StatedForecast, StatedOutcome
from forecasting.exchange.source import Head, Source
from forecasting.exchange.values import faulty, shares

NAME = "gjp"
_SURVEY = ("ifp_id", "user_id", "forecast_id", "answer_option", "value", "timestamp")
_ASKED = ("ifp_id", "q_text", "date_start", "date_to_close", "outcome", "options")
_SITE = "https://dataverse.harvard.edu/dataverse/gjp"
_DAY = dt.timedelta(days=1)
_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d\d|\d{4})(?: (\d{1,2}:\d\d))?")
#: How the number of a question ends whose answers are in order.
_ORDERED = "-6"
_OPTION = re.compile(r"\(([a-z])\)\s*")


def looks_like(head: Head) -> bool:
    """Recognise survey forecasts or questions."""
    return any(one.has(*_SURVEY) or one.has(*_ASKED) for one in (head, *head.parts))


def read(source: Source, reading: Reading) -> Iterator[Record]:
    """Give the questions with their outcomes, then each forecast."""
    letters: dict[str, tuple[str, ...]] = {}
    surveys = []
    for part in source.parts():
        if part.head.has(*_SURVEY):
            surveys.append(part)
            continue
        if not part.head.has(*_ASKED):
            continue
        for line, row in part.rows():
            with faulty() as fault:
                letters[row["ifp_id"]] = tuple(_OPTION.findall(row["options"]))
                yield from _question(line, row, letters[row["ifp_id"]], reading)
            if fault.reason:
                letters.pop(row["ifp_id"], None)
                yield Refused(line, fault.reason)
    forecasts = _together(surveys)
    seen: dict[str, set[str]] = {}
    for (of, _, _), rows in forecasts.items():
        seen.setdefault(of, set()).update(row["answer_option"].strip() for _, row in rows)
    unread: dict[str, str] = {}
    for of in sorted(seen.keys() - letters.keys()):
        # The survey says no more of a question than the letters of its answers.
        with faulty() as fault:
            letters[of] = tuple(sorted(seen[of]))
            yield Facts(_id(of), {"tags": (NAME,), **_space(of, letters[of])})
        if fault.reason:
            unread[of] = fault.reason
    for (of, user, _), rows in forecasts.items():
        line, first = rows[0]
        with faulty() as fault:
            if of in unread:
                raise InvalidInput(unread[of])
            answers = {row["answer_option"].strip(): row["value"].strip() for _, row in rows}
            at = _time(first["timestamp"], "timestamp", reading)
            yield StatedForecast(line, _id(of), user, value(answers, letters[of]), at)
        yield from fault.refused(line)


def _together(
    surveys: list[Source],
) -> dict[tuple[str, str, str], list[tuple[int, Mapping[str, str]]]]:
    """Put the rows of each forecast together, wherever they stand."""
    by_forecast: dict[tuple[str, str, str], list[tuple[int, Mapping[str, str]]]] = {}
    for part in surveys:
        for line, row in part.rows():
            key = (row["ifp_id"].strip(), row["user_id"].strip(), row["forecast_id"].strip())
            by_forecast.setdefault(key, []).append((line, row))
    return by_forecast


def _id(of: str) -> str:
    return question_id(f"{NAME}-{of.strip()}")


def _space(of: str, letters: tuple[str, ...]) -> dict[str, Any]:
    return space(letters, ordered=of.strip().endswith(_ORDERED))


def space(letters: tuple[str, ...], *, ordered: bool) -> dict[str, Any]:
    """Give what the letters of the answers state of a question."""
    if len(letters) == 2:
        return {"type": "binary"}
    if len(letters) < 2:
        msg = f"options ({plainly(', '.join(letters))}): at least two, such as (a) Yes, (b) No"
        raise InvalidInput(msg)
    return {"type": "ordered" if ordered else "categorical", "options": letters}


def value(
    answers: Mapping[str, Any], letters: tuple[str, ...]
) -> str | tuple[tuple[str, str], ...]:
    """Give a forecast over lettered answers; of two the first is yes."""
    if set(answers) != set(letters):
        shown = plainly(", ".join(sorted(answers)))
        raise InvalidInput(f"answers ({shown}): the question has {', '.join(letters)}")
    pairs = shares({letter: answers[letter] for letter in letters}, slack="0.05")
    return pairs[0][1] if len(letters) == 2 else pairs


def _time(cell: str, name: str, reading: Reading) -> dt.datetime:
    if not reading.manner.zone:
        msg = f"{name} ({plainly(cell)}): in which zone"
        raise Ambiguous(msg, hint="zone=America/New_York, as the project writes")
    return reading.time(cell, name=name, days="begins")


def _day(cell: str, name: str, reading: Reading) -> dt.datetime:
    """Read an American date; of two digits the year is of this century."""
    match = _DATE.fullmatch(cell.strip())
    if match is None:
        return _time(cell, name, reading)
    month, day, year, clock = match.groups()
    full = f"{int(year) % 100 + 2000:04}-{int(month):02}-{int(day):02}"
    return _time(f"{full} {clock.zfill(5)}:00" if clock else full, name, reading)


def _question(
    line: int, row: Mapping[str, str], letters: tuple[str, ...], reading: Reading
) -> Iterator[Facts | StatedOutcome]:
    of, options = row["ifp_id"].strip(), row["options"].strip()
    title = row["q_text"].strip()
    first = _OPTION.sub("", options.partition(", (b)")[0]).strip()
    if len(letters) == 2 and first.lower() != "yes":
        title = f"{title} (yes: {first})"
    yield Facts(
        _id(of),
        {
            "title": title,
            "criteria": "\n\n".join(filter(None, (row["q_desc"].strip(), options))),
            "opens": _day(row["date_start"], "date_start", reading),
            "closes": _day(row["date_to_close"], "date_to_close", reading) + _DAY,
            # The branches of a condition stand together.
            "event": question_id(f"{NAME}-{of.partition('-')[0]}"),
            "tags": (NAME,),
            "url": _SITE,
            **_space(of, letters),
        },
        line,
    )
    status, outcome = row["q_status"].strip().lower(), row["outcome"].strip().lower()
    if status not in ("closed", "voided", "resolved"):
        return
    if status != "voided" and outcome not in letters:
        raise InvalidInput(f"outcome ({plainly(outcome)}): must be one of {', '.join(letters)}")
    if status != "voided" and len(letters) == 2:
        outcome = "yes" if outcome == letters[0] else "no"
    yield StatedOutcome(
        line=line,
        question=_id(of),
        outcome="annulled" if status == "voided" else outcome,
        resolved_at=_day(row["date_closed"], "date_closed", reading) + _DAY,
        source=f"Good Judgment Project, question {of}",
        note="voided" if status == "voided" else "",
    )


def brier(history: QuestionHistory) -> dict[str, float]:
    """Score each day by Brier (0 to 2), of answers in order by the mean over their cuts."""
    return (ordinal if history.question.space.type == "ordered" else daily)(history)


FORMAT = Format(
    name=NAME,
    what="a Good Judgment Project table (survey forecasts or ifps)",
    looks_like=looks_like,
    read=read,
    rules={
        "brier": PlatformRule(
            brier,
            "0 to 2, smaller is better, mean over full days, of ordered answers also over cuts",
            "the file states no score, nor which days count; `forecast score` weighs by time",
        )
    },
)
