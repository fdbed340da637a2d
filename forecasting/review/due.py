"""What needs the forecaster: today's view, and what a fresh look is worth."""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import compress
from typing import Any

from forecasting.domain.catalog import Catalog, Pair, difference
from forecasting.domain.evidence import Evidence, standing
from forecasting.domain.forecast import BriefForecast
from forecasting.domain.instants import deadline, last_day
from forecasting.domain.process import WorldSpec
from forecasting.domain.question import Question, Status
from forecasting.evidence import without_retracted

DAY = dt.timedelta(days=1)
#: A question that closes within this time closes soon.
SOON = dt.timedelta(days=7)
#: The model moved if its number changed by this much since your forecast, or within a week.
MOVED = 0.05
#: A forecast older than this is stale.
STALE = 30.0
#: What one item of news may do to a number: its standard deviation in log-odds.
NEWS = 0.3
#: The expected squared error of a question nobody answered, where there is no model: as if the
#: right number could be any between 0 and 1, and silence counts as one half.
UNKNOWN = 1 / 12
ROW = (
    *("question", "reason", "value", "mine", "withdrawn", "model", "difference", "age_days"),
    *("staleness", "hazard", "news_since", "distance", "change", "deadline", "ends", "by", "title"),
    *("decided", "status"),
)
NEWS_ROW = ("seq", "known_at", "source", "on")
ORDERS = ("value", "date")
SECTIONS = ("fresh look", "due", "closes soon", "moved", "never answered", "news not coded")
MOST = 5
#: A fresh look worth less than this is none: it prints as nothing.
LEAST = 0.0005
RECORD = "record the outcome"


type Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class News:
    """The items that stand at a moment, and when each target was spoken of.

    `facts`: everything that states one, the dated history of the bank's files too.
    """

    items: tuple[Evidence, ...]
    about: Mapping[str, tuple[dt.datetime, ...]]
    facts: tuple[Evidence, ...]

    @classmethod
    def of(cls, evidence: Sequence[Evidence], now: dt.datetime) -> "News":
        """Read what was known by now."""
        items = tuple(item for item in standing(evidence) if item.known_at <= now)
        about: dict[str, list[dt.datetime]] = {}
        for item in items:
            for target in {effect.target for effect in item.effects}:
                about.setdefault(target.partition("=")[0], []).append(item.known_at)
        times_of = {name: tuple(sorted(times)) for name, times in about.items()}
        known = without_retracted(item for item in evidence if item.known_at <= now)
        stated = (any(effect.form == "datum" for effect in item.effects) for item in known)
        return cls(items, times_of, tuple(compress(known, stated)))


@dataclass(frozen=True, slots=True)
class State:
    """What the ledger says at one moment to one forecaster."""

    catalog: Catalog
    pair: Pair
    news: News
    now: dt.datetime
    decided: Mapping[str, str]

    def news_since(self, question: Question, moment: dt.datetime) -> int:
        """Count the items known since a moment that bear on a question or its processes."""
        about = self.news.about
        return sum(
            known > moment for name in names(question) & about.keys() for known in about[name]
        )


def names(question: Question) -> frozenset[str]:
    """Give the names by which news may speak of a question: its own, and those of its processes."""
    return _words(question.answer) | {question.id, question.ladder or question.id}


def decided_by_facts(
    catalog: Catalog, news: News, now: dt.datetime, world: Callable[[], WorldSpec]
) -> dict[str, str]:
    """Give the open questions to which facts known by now leave one outcome, with that outcome."""
    latest: dict[str, dt.datetime] = {}
    for item in sorted(news.facts, key=lambda item: item.known_at):
        latest |= {each.target: item.known_at for each in item.effects if each.form == "datum"}
    touched = {
        name: question
        for name, question in catalog.questions.items()
        if latest
        and question.answer
        and catalog.status(question, now) == "open"
        and any(latest[word] > question.opens for word in names(question) & latest.keys())
    }
    if not touched:
        return {}
    from forecasting.evidence.predicates import NewsWorld, decided

    asking = NewsWorld.of(world(), replace(catalog, questions=touched))
    outcomes = {name: decided(asking, touched[name], news.facts, now) for name in asking.predicates}
    return {name: outcome for name, outcome in outcomes.items() if outcome is not None}


@lru_cache(maxsize=4096)
def _words(answer: str) -> frozenset[str]:
    return frozenset(re.findall(r"[\w-]+", answer))


def in_order(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort rows by what a look is worth, outcomes to record first."""
    return sorted(rows, key=lambda r: (not to_record(r), -(r["value"] or 0), r["deadline"]))


def to_record(row: Row) -> bool:
    """Say whether a row asks for an outcome: its deadline has passed, or facts decide it."""
    return row["status"] == "due" or row["decided"] is not None


def due_of(state: State, question: Question) -> dict[str, Any] | None:
    """Give the row of one question; None where it needs nobody."""
    status = state.catalog.status(question, state.now)
    outcome = state.decided.get(question.id)
    if status == "due":
        return {
            **_row(state, question, status),
            "reason": RECORD,
            "age_days": _days(state.now - question.resolves_by),
            "deadline": question.resolves_by,
            "ends": deadline(question.resolves_by, question.zone),
        }
    if outcome is not None:
        reason = f"{RECORD}, facts say {outcome}"
        return {**_row(state, question, status), "reason": reason, "decided": outcome}
    return _open_row(state, question) if status == "open" else None


def _open_row(state: State, question: Question) -> dict[str, Any] | None:
    """Give the row of an open question; without a reason it needs nobody."""
    mine, model = state.pair.mine.in_force(question.id), state.pair.model.in_force(question.id)
    time_left = question.closes - state.now
    since = question.opens if mine is None else mine.issued_at
    age = _days(state.now - since)
    news = state.news_since(question, since)
    reasons = []
    if mine is None:
        withdrawn = state.pair.mine.is_withdrawn(question.id)
        reasons.append("withdrawn" if withdrawn else "never answered")
    if time_left <= SOON:
        reasons.append("closes soon")
    change = _model_move(state, question, mine, model)
    if change is not None:
        reasons.append("the model moved")
    if mine is not None and news:
        reasons.append(f"{news} news since")
    if mine is not None and age > STALE:
        reasons.append("stale")
    if not reasons:
        return None
    own, other = _numbers(question, mine), _numbers(question, model)
    numbers = own or other
    hazard = None
    stale = None
    if question.type == "binary" and numbers is not None:
        hazard = _hazard(numbers[0], time_left)
        stale = 0.0 if mine is None else _staleness(numbers[0], mine.issued_at, question, state.now)
    row = _row(state, question, "open")
    return {
        **row,
        "reason": ", ".join(reasons),
        "value": _value(question, own, other, stale, news, time_left),
        "age_days": age,
        "staleness": stale,
        "hazard": hazard,
        "news_since": news,
        "distance": _widest(row["difference"]),
        "change": change,
    }


def _row(state: State, question: Question, status: Status) -> dict[str, Any]:
    return {
        "question": question.id,
        "reason": "",
        "value": None,
        **state.pair.row(question),
        "age_days": None,
        "staleness": None,
        "hazard": None,
        "news_since": None,
        "distance": None,
        "change": None,
        "deadline": question.closes,
        "ends": deadline(question.closes, question.zone),
        "by": last_day(question.closes, question.zone),
        "title": question.title,
        "decided": None,
        "status": status,
    }


def _days(span: dt.timedelta) -> float:
    return round(span / DAY, 2)


def _numbers(question: Question, forecast: BriefForecast | None) -> tuple[float, ...] | None:
    """Give the probabilities of a forecast; None for quantiles."""
    return None if forecast is None or question.type == "numeric" else forecast.value.numbers


def _hazard(p: float, time_left: dt.timedelta) -> float | None:
    """Give the chance a day of the less likely answer, at a constant hazard up to the deadline."""
    least, days = min(p, 1 - p), time_left / DAY
    return None if days <= 0 else 1 - (1 - least) ** (1 / days)


def _staleness(p: float, issued_at: dt.datetime, question: Question, now: dt.datetime) -> float:
    """Say by how much quiet days since a forecast should have moved it, at that hazard."""
    least = min(p, 1 - p)
    whole = (question.closes - issued_at) / DAY
    if whole <= 0:
        return 0.0
    still: float = (1 - least) ** ((question.closes - now) / DAY / whole)
    return least - (1 - still)


def _widest(apart: float | dict[str, float] | None) -> float | None:
    """Give the largest difference over the options, whatever its sign."""
    if apart is None:
        return None
    return max(map(abs, apart.values())) if isinstance(apart, dict) else abs(apart)


def _value(
    question: Question,
    own: tuple[float, ...] | None,
    other: tuple[float, ...] | None,
    stale: float | None,
    news: int,
    time_left: dt.timedelta,
) -> float | None:
    """Give what a fresh look is worth, as `Book.due` says; None for numbers and dates."""
    if question.type == "numeric":
        return None
    window = question.closes - question.opens
    share = time_left / window if window > dt.timedelta(0) else 0.0
    options = max(len(question.space.options), 2)
    silent = tuple([0.5] if question.type == "binary" else [1 / options] * options)
    probabilities = own or silent
    half = 1.0 if len(probabilities) == 1 else 0.5
    if other is not None and len(other) == len(probabilities):
        gain = half * sum((a - b) ** 2 for a, b in zip(probabilities, other, strict=True))
    else:
        gain = 0.0 if own is not None else UNKNOWN
    spread = half * sum((NEWS * p * (1 - p)) ** 2 for p in probabilities)
    return share * (gain + (stale or 0.0) ** 2 + news * spread)


def _model_move(
    state: State, question: Question, mine: BriefForecast | None, model: BriefForecast | None
) -> float | None:
    """Say by how much the model moved since my forecast, or else within a week, where it did."""
    since = state.now - SOON if mine is None else mine.issued_at
    apart = difference(question, model, state.pair.model.at(question.id, since))
    if apart is None:
        return None
    widest = max(apart.values(), key=abs) if isinstance(apart, dict) else apart
    return widest if abs(widest) >= MOVED else None


def sections(state: State, rows: Sequence[Row], news: Sequence[Row]) -> dict[str, Sequence[Row]]:
    """Put the rows of due, and the news that nobody coded, into today's sections."""
    now = state.now
    open_ones = [row for row in rows if not to_record(row)]
    soon = sorted(
        (row for row in open_ones if row["deadline"] - now <= SOON),
        key=lambda row: (row["deadline"], row["question"]),
    )
    fresh = [row for row in open_ones if (row["value"] or 0.0) >= LEAST][:MOST]
    shown = {row["question"] for row in (*fresh, *soon)}
    return {
        "fresh look": fresh,
        "due": sorted(filter(to_record, rows), key=lambda row: row["deadline"]),
        "closes soon": soon,
        "moved": sorted(
            (row for row in open_ones if row["change"] is not None),
            key=lambda row: -abs(row["change"]),
        ),
        "never answered": [
            row
            for row in open_ones
            if "never answered" in row["reason"] and row["question"] not in shown
        ],
        "news not coded": news,
    }


def uncoded(state: State) -> list[dict[str, Any]]:
    """Give the items that bear on an open question, or on none yet, and have no weight."""
    bare = [item for item in state.news.items if all(each.form == "bears" for each in item.effects)]
    if not bare:
        return []
    open_ones: set[str] = set()
    for question in state.catalog.questions.values():
        if state.catalog.status(question, state.now) == "open":
            open_ones |= names(question)
    return [
        {
            "seq": item.seq,
            "known_at": item.known_at,
            "source": item.source,
            "title": item.title,
            "on": [effect.target for effect in item.effects],
        }
        for item in sorted(bare, key=lambda item: item.known_at, reverse=True)
        if all(effect.about in open_ones for effect in item.effects)
    ]
