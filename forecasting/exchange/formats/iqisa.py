"""iqisa: the common schema into which it brings forecasts of three sources, a row an answer.

Its sources number their questions each from 1 and the schema does not name the source: the day of
the opening is part of the id. Answers are ``1`` (yes) and ``0``, with outcomes ``1.0``, ``0.0`` and
``-1.0`` (ambiguous), or letters, of which one forecast is several rows. iqisa has put 0.005 in the
place of 0 and 0.995 in that of 1, so that sums miss 1; they are shared out. Numbers may read
``1001.0``. The user ``0`` is Metaculus' community. Times without an offset need a zone.

The schema has no titles. Each forecast is scored by itself, ``(p - outcome)^2`` from 0 to 1, which
is how PredictionBook scores.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any

from forecasting.domain.reading import Ambiguous, plainly, question_id
from forecasting.domain.reading.probabilities import decimal
from forecasting.errors import InvalidInput
from forecasting.exchange.cells import Reading
from forecasting.exchange.format import Format, PlatformRule, QuestionHistory, brier_once
from forecasting.exchange.formats import gjp
from forecasting.exchange.record import Facts, Record, StatedForecast, StatedOutcome
from forecasting.exchange.source import Head, Source
from forecasting.exchange.values import faulty, instant, number, probability

NAME = "iqisa"
COMMUNITY = "crowd:metaculus"
_COLUMNS = (
    *("question_id", "user_id", "probability", "answer_option", "timestamp", "outcome"),
    *("open_time", "close_time", "resolve_time", "n_opts", "options", "q_status"),
)
_LETTER = re.compile(r"\(([a-z])\)")
_WHOLE = re.compile(r"(-?\d+)\.0+")
_NOTHING = ("", "NA", "nan", "NaN", "NaT", "None")
#: Some closings lie thousands of years ahead.
_LAST = dt.datetime(2999, 12, 31, tzinfo=dt.UTC)


def looks_like(head: Head) -> bool:
    """Recognise its columns."""
    return any(one.has(*_COLUMNS) for one in (head, *head.parts))


def read(source: Source, reading: Reading) -> Iterator[Record]:
    """Give of each question what its rows state, and each forecast."""
    asked: dict[str, tuple[str, ...]] = {}
    forecasts: dict[tuple[str, str, dt.datetime], dict[str, tuple[int, str]]] = {}
    again: dict[tuple[str, str, dt.datetime], list[tuple[str, int]]] = {}
    for part in source.parts():
        for line, row in part.rows():
            with faulty() as fault:
                question = _id(row)
                if question not in asked:
                    asked[question] = _letters(row)
                    yield from _question(line, row, question, reading)
                at = _time(row["timestamp"], "timestamp", reading)
                who = _plain(row["user_id"])
                answer = _plain(row["answer_option"])
                share = probability(row["probability"], name="probability")
                by_answer = forecasts.setdefault((question, who, at), {})
                first, earlier = by_answer.setdefault(answer, (line, share))
                if first != line and earlier == share:
                    again.setdefault((question, who, at), []).append((answer, line))
                elif first != line:
                    msg = "probability: another row says something else of that instant"
                    raise InvalidInput(msg)
            yield from fault.refused(line)
    for key, answers in forecasts.items():
        question, who, at = key
        line = min(place for place, _ in answers.values())
        with faulty() as fault:
            value = _value({one: share for one, (_, share) in answers.items()}, asked[question])
            # A forecast that is there twice is so by each of its answers.
            copies = [place for answer, place in again.get(key, ()) if answer == min(answers)]
            for place in (line, *copies):
                yield StatedForecast(place, question, COMMUNITY if who == "0" else who, value, at)
        yield from fault.refused(line)


def _plain(cell: str) -> str:
    text = cell.strip()
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else "" if text in _NOTHING else text


def _id(row: Mapping[str, str]) -> str:
    number_of, opened = _plain(row["question_id"]), row["open_time"].strip()[:10]
    if not number_of:
        raise InvalidInput("question_id: is missing")
    branch = _plain(row.get("q_type", ""))
    branch = "" if branch in ("", "0", "6") else f"-{branch}"
    return question_id(f"{NAME}-{number_of}{branch}-{opened.replace('-', '')}".rstrip("-"))


def _time(cell: str, name: str, reading: Reading) -> dt.datetime:
    try:
        return instant(cell, name=name, zone=reading.manner.zone)
    except Ambiguous as missing:
        msg = f"{name} ({plainly(cell)}): in which zone"
        hint = "zone=UTC of PredictionBook and Metaculus, zone=America/New_York of GJP"
        raise Ambiguous(msg, hint=hint) from missing


def _letters(row: Mapping[str, str]) -> tuple[str, ...]:
    """Give the letters of a question's answers; none: it is of yes or no."""
    return tuple(_LETTER.findall(row["options"]))


def _question(
    line: int, row: Mapping[str, str], question: str, reading: Reading
) -> Iterator[Facts | StatedOutcome]:
    letters = _letters(row)
    stated: dict[str, Any] = {
        "tags": (NAME,),
        "criteria": row["options"].strip() if letters else "",
        **(
            gjp.space(letters, ordered=_plain(row.get("q_type", "")) == "6")
            if letters
            else {"type": "binary"}
        ),
    }
    for name, column in (("opens", "open_time"), ("closes", "close_time")):
        if _plain(row[column]):
            stated[name] = min(_time(row[column], column, reading), _LAST)
    yield Facts(question, stated)
    status, outcome = row["q_status"].strip().lower(), _plain(row["outcome"]).lower()
    if not outcome and status not in ("voided", "ambiguous"):
        return
    void = status in ("voided", "ambiguous") or outcome == "-1"
    if letters and len(letters) == 2:
        outcome = {letters[0]: "yes", letters[1]: "no"}.get(outcome, outcome)
    elif not letters:
        outcome = {"1": "yes", "0": "no"}.get(outcome, outcome)
    when = row["resolve_time"] if _plain(row["resolve_time"]) else row["close_time"]
    yield StatedOutcome(
        line=line,
        question=question,
        outcome="annulled" if void else outcome,
        resolved_at=_time(when, "resolve_time", reading),
        source=f"iqisa, question {_plain(row['question_id'])}",
        note=(status or "ambiguous") if void else "",
    )


def _value(
    answers: Mapping[str, str], letters: tuple[str, ...]
) -> str | tuple[tuple[str, str], ...]:
    if len(letters) > 2:
        return gjp.value(answers, letters)
    yes, no = letters or ("1", "0")
    if set(answers) == {yes, no}:
        return gjp.value(answers, (yes, no))
    if set(answers) == {yes}:
        return answers[yes]
    if set(answers) == {no}:
        return decimal(1 - number(answers[no], name="probability"))
    raise InvalidInput(f"answer_option ({plainly(', '.join(answers))}): must be {yes} or {no}")


def brier(history: QuestionHistory) -> dict[str, list[float]]:
    r"""Score each forecast of yes or no by :math:`(p - y)^2`, from 0 to 1."""
    return brier_once(history) if history.question.space.type == "binary" else {}


FORMAT = Format(
    name=NAME,
    what="a table in iqisa's common schema",
    looks_like=looks_like,
    read=read,
    rules={
        "brier": PlatformRule(
            brier,
            "0 to 1, smaller is better, each forecast once",
            "`forecast score` weighs by time, here each forecast counts once, whenever it was made",
        )
    },
)
