"""ForecastBench: its question, resolution and forecast sets as JSON, or a table of questions.

Questions come from sites and markets, and from series of data. A question of a site recurs from
set to set and is one question here. A question on a series compares a day with the day of its set
(the due date), so it is one question for each set and each day of resolution, and its frozen value
is a value of the series, no probability. The crowd's number of a site is known at the freeze, ten
days before the forecasts are due.

A resolution that says ``resolved: false`` holds the price of the day and is no outcome; one that is
resolved to something between 0 and 1 is annulled. A question that came out before its deadline
keeps the deadline for its day; where that lies after the day of the set's prices, those were the
last to be known, and the outcome was known by then. Questions on two at once (``combination_of``,
an `id` that is a list) are refused. Forecasts have no hour: they stand at the due date, noon UTC.

ForecastBench scores each forecast by itself, ``(p - outcome)^2`` from 0 to 1; of the table those
in the rows that it marks as resolved, though the question of another row may have come out since.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from forecasting.domain.reading import plainly, question_id
from forecasting.errors import InvalidInput
from forecasting.exchange.cells import Reading
from forecasting.exchange.format import Format, PlatformRule, QuestionHistory, brier_once
from forecasting.exchange.record import Facts, Note, Record, Refused, StatedForecast, StatedOutcome
from forecasting.exchange.source import Head, Source
from forecasting.exchange.values import faulty, instant, number, probability, required

NAME = "forecastbench"
#: Where the frozen value is a price of a market, or a crowd's probability.
MARKETS = ("manifold", "polymarket", "kalshi")
CROWDS = ("metaculus", "infer")
_TABLE = ("set", "due", "source", "id", "question", "freeze_datetime", "crowd", "resolved_to")
_DAY = dt.timedelta(days=1)
#: What the sets write where nothing is known.
_NOTHING = ("", "N/A", "None", "nan")


def looks_like(head: Head) -> bool:
    """Recognise a set, or the table."""
    return head.has(*_TABLE) or any(_is_set(one) for one in (head, *head.parts))


def _is_set(head: Head) -> bool:
    return "forecast_due_date" in head.keys and bool(
        {"questions", "resolutions", "forecasts"} & head.keys
    )


def read(source: Source, reading: Reading) -> Iterator[Record]:
    """Give questions with the crowd's number, outcomes and forecasts of every set of the file."""
    marked: dict[str, set[dt.datetime]] = {}
    records = _table(source, marked) if source.head.has(*_TABLE) else _sets(source)
    asked: dict[str, list[tuple[str, str, Facts]]] = {}
    for due, one in records:
        if isinstance(one, Facts):
            # A question stands again in each set, with whatever its site says by then.
            key = (due, repr(sorted(one.stated.items())), one)
            asked.setdefault(one.question, []).append(key)
        else:
            yield one
    for question, of_sets in asked.items():
        of_sets.sort(key=lambda k: k[:2])
        stated = {name: value for _, _, one in of_sets for name, value in one.stated.items()}
        if question in marked:
            stated["marked"] = marked[question]
        yield replace(of_sets[-1][2], stated=stated)


def _sets(source: Source) -> Iterator[tuple[str, Record]]:
    line = combined = 0
    for _, page in source.objects():
        due = str(page.get("forecast_due_date") or "")
        known = _known_by(page.get("resolutions") or ())
        for kind, give in _KINDS.items():
            for one in page.get(kind) or ():
                line += 1
                with faulty() as fault:
                    if isinstance(required(one, "id"), list):
                        combined += 1
                        raise InvalidInput("id: a question on two at once is not read")
                    for record in give(line, one, due, page, known):
                        yield due, record
                if fault.reason:
                    yield due, Refused(line, fault.reason)
    if combined:
        yield (
            "",
            Note(f"{combined:,} record{'s' * (combined > 1)} on two questions at once not read"),
        )


def _text(value: Any) -> str:
    text = "" if value is None else str(value).strip()
    return "" if text in _NOTHING else text


def _id(source: str, number_of: str, due: str, day: str) -> str:
    of_site = source in MARKETS or source in CROWDS
    return question_id(f"{NAME}-{source}-{number_of}" + ("" if of_site else f"-{due}-{day}"))


def _stated(one: Mapping[str, Any], source: str, opens: str, closes: str) -> dict[str, Any]:
    stated: dict[str, Any] = {
        "title": str(required(one, "question")).strip(),
        "type": "binary",
        "tags": tuple(sorted({NAME, source})),
        "url": _text(one.get("url")) or "https://www.forecastbench.org",
    }
    if opens:
        stated["opens"] = instant(opens, name="open")
    if closes:
        stated["closes"] = instant(closes, name="close")
    return stated


def _crowd_forecast(
    line: int, question: str, source: str, value: Any, at: Any
) -> Iterator[StatedForecast]:
    if not _text(value):
        return
    who = "market" if source in MARKETS else "crowd"
    yield StatedForecast(
        line=line,
        question=question,
        forecaster=f"{who}:{source}",
        answer=probability(value, name="freeze_datetime_value"),
        issued_at=instant(at, name="freeze_datetime"),
    )


def _question(line: int, one: Any, due: str, page: Any, known: str) -> Iterator[Record]:
    source, number_of = str(required(one, "source")), str(required(one, "id"))
    more = {
        "criteria": _text(one.get("resolution_criteria")),
        "background": _text(one.get("background")),
    }
    if source in MARKETS or source in CROWDS:
        question = _id(source, number_of, due, "")
        stated = _stated(
            one,
            source,
            _text(one.get("market_info_open_datetime")),
            _text(one.get("market_info_close_datetime")),
        )
        own = _text(one.get("market_info_resolution_criteria"))
        more["criteria"] = "\n\n".join(filter(None, (more["criteria"], own)))
        yield Facts(question, stated | {key: text for key, text in more.items() if text}, line)
        yield from _crowd_forecast(
            line, question, source, one.get("freeze_datetime_value"), one.get("freeze_datetime")
        )
        return
    days = one.get("resolution_dates")
    if not isinstance(days, list) or not days:
        msg = f"resolution_dates ({plainly(str(days)[:20])}): a question on a series needs them"
        raise InvalidInput(msg)
    for day in map(str, days):
        stated = _stated(one, source, due, "") | {
            "closes": instant(day, name="resolution_dates") + _DAY,
            "event": question_id(f"{NAME}-{source}-{number_of}-{due}"),
        }
        stated["title"] = (
            stated["title"].replace("{resolution_date}", day).replace("{forecast_due_date}", due)
        )
        # Every day of resolution is a question of its own; the row counts once.
        yield Facts(
            _id(source, number_of, due, day),
            stated | {key: text for key, text in more.items() if text},
            line,
        )


def _resolution(line: int, one: Any, due: str, page: Any, known: str) -> Iterator[Record]:
    source, day = str(required(one, "source")), str(required(one, "resolution_date"))
    question = _id(source, str(required(one, "id")), due, day)
    resolved, to = one.get("resolved"), one.get("resolved_to")
    yield _settled(line, question, source, resolved, to, day, known)


def _known_by(resolutions: Iterable[Any]) -> str:
    """Give the day of the prices of a set, on which its outcomes were known; empty: not said."""
    days = (
        str(one.get("resolution_date") or "")
        for one in resolutions
        if isinstance(one, dict) and str(one.get("resolved")).lower() == "false"
    )
    return max(days, default="")


def _settled(
    line: int, question: str, source: str, resolved: Any, to: Any, day: str, known: str
) -> StatedOutcome:
    if str(resolved).lower() != "true":
        raise InvalidInput("resolved (false): the price of that day, no outcome")
    # A market may resolve long before its deadline; a series of data has no value before its day.
    early = bool(known) and day > known and (source in MARKETS or source in CROWDS)
    share = None if _text(to) == "" else number(to, name="resolved_to")
    return StatedOutcome(
        line=line,
        question=question,
        outcome="annulled" if share not in (0, 1) else "yes" if share else "no",
        resolved_at=instant(known if early else day, name="resolution_date") + _DAY,
        source=f"ForecastBench ({source})",
        note="" if share in (0, 1) else f"resolved to {_text(to) or 'nothing'}",
    )


def _forecast(line: int, one: Any, due: str, page: Any, known: str) -> Iterator[Record]:
    source, day = str(required(one, "source")), _text(one.get("resolution_date"))
    number_of = str(required(one, "id"))
    if _text(one.get("direction")):
        raise InvalidInput("direction: a question on two at once is not read")
    maker = "/".join(str(page[key]) for key in ("organization", "model") if page.get(key))
    if source not in MARKETS and source not in CROWDS and not day:
        raise InvalidInput("resolution_date: is missing")
    yield StatedForecast(
        line=line,
        question=_id(source, number_of, due, day),
        forecaster=_text(one.get("user_id")) or maker,
        answer=probability(required(one, "forecast"), name="forecast"),
        issued_at=instant(due, name="forecast_due_date") + _DAY / 2,
        because=_text(one.get("reasoning")),
    )


def _table(source: Source, marked: dict[str, set[dt.datetime]]) -> Iterator[tuple[str, Record]]:
    rows = list(source.rows())
    prices: dict[str, list[Any]] = {}
    for _, row in rows:
        prices.setdefault(row["set"], []).append(row)
    known = {name: _known_by(of_set) for name, of_set in prices.items()}
    for line, row in rows:
        due = row["due"]
        with faulty() as fault:
            of = row["source"].strip()
            question = _id(of, row["id"].strip(), due, row["resolution_date"])
            opens, closes = _text(row.get("open")), _text(row.get("close"))
            yield due, Facts(question, _stated(row, of, opens, closes))
            at, crowd = row["freeze_datetime"], row["crowd"]
            resolved = row["resolved"].strip().lower() == "true"
            for one in _crowd_forecast(line, question, of, crowd, at):
                marked.setdefault(question, set()).update({one.issued_at} if resolved else ())
                yield due, one
            if resolved:
                to, day = row["resolved_to"], row["resolution_date"]
                yield due, _settled(line, question, of, "true", to, day, known[row["set"]])
        if fault.reason:
            yield due, Refused(line, fault.reason)


def brier(history: QuestionHistory) -> dict[str, list[float]]:
    """Score each forecast by itself; of a table, those in the rows that it marks as resolved."""
    marked = history.stated.get("marked")
    mine = [one for one in history.forecasts if marked is None or one.issued_at in marked]
    return brier_once(history._replace(forecasts=mine))


_KINDS = {"questions": _question, "resolutions": _resolution, "forecasts": _forecast}


FORMAT = Format(
    name=NAME,
    what="a set of ForecastBench",
    looks_like=looks_like,
    read=read,
    rules={
        "brier": PlatformRule(
            score=brier,
            convention="0 to 1, smaller is better, each forecast once",
            why="`forecast score` weighs by time, here each forecast counts once; the platform "
            "also puts a number in the place of a missing one, and takes off how hard one was",
        )
    },
)
