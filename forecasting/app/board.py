"""The board: what stands on every question now, kept while the ledger grows.

A listing of ten thousand questions cannot read a million forecasts each time it is looked at. The
board reads what came since it last looked, and works out again what that touches. What it says is
what a fresh look at the ledger would say.
"""

import datetime as dt
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from forecasting.app.upkeep import banks
from forecasting.domain.catalog import KINDS, Catalog, Pair, Voice
from forecasting.domain.forecast import BriefForecast
from forecasting.domain.forecasters import MODEL
from forecasting.domain.process import WorldSpec
from forecasting.domain.question import Question, Status
from forecasting.domain.sealed import placed
from forecasting.review.due import (
    News,
    Row,
    State,
    decided_by_facts,
    due_of,
    in_order,
    names,
    sections,
    uncoded,
)
from forecasting.review.listing import Chosen, Listed, Wanted, matching, page_of, tags_of
from forecasting.store import Ledger
from forecasting.store.undone import undone

if TYPE_CHECKING:
    from forecasting.bank import Bank
    from forecasting.evidence.reports import Weights

#: A row is worked out again after this time, for what a look is worth changes with the clock.
FRESH = dt.timedelta(minutes=10)
NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)
FOREVER = dt.datetime.max.replace(tzinfo=dt.UTC)
#: Voices kept at once besides the model's: those heard longest ago go.
MOST_VOICES = 16
#: Lists kept at once, each of a filter and an order.
MOST_LISTS = 32


@dataclass(slots=True)
class _History:
    """One forecaster's forecasts but replays, by question, as far as they were read."""

    seq: int = 0
    forecasts: dict[str, tuple[BriefForecast, ...]] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    last: dt.datetime = NEVER
    voice: Voice | None = None
    withdrawals: int = -1
    used: int = 0


@dataclass(slots=True)
class _Rows:
    """The due rows of one forecaster, each with when it was worked out and how long it holds."""

    catalog: Catalog | None = None
    evidence: int = 0
    withdrawals: int = 0
    mine: int = 0
    model: int = 0
    rows: dict[str, tuple[dict[str, Any] | None, dt.datetime]] = field(default_factory=dict)
    listed: Sequence[Row] = ()
    made_at: dt.datetime = NEVER
    until: dt.datetime = NEVER
    parts: tuple[Any, Any, Any, dict[str, Sequence[Row]]] | None = None


class Board:
    """What stands on every question, for whoever asks; safe to ask from several threads."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = threading.RLock()
        self._marks: Mapping[str, int] = {}
        self._catalog: Catalog | None = None
        self._histories: dict[str, _History] = {}
        self._rows: dict[str, _Rows] = {}
        self._news: tuple[tuple[int, str], News] | None = None
        self._decided: tuple[Catalog, News, Mapping[str, str]] | None = None
        self._bare: tuple[tuple[int, int], Sequence[Row], State] | None = None
        self._statuses: tuple[Catalog, dt.datetime, dt.datetime, Mapping[str, Status]] | None = None
        self._ordered: tuple[Catalog, Sequence[Question], Sequence[str]] | None = None
        self._lists: dict[tuple[Wanted, str], Chosen] = {}
        self._weights: tuple[Catalog, News, str, Weights] | None = None
        self._clock = 0

    def state(self, forecaster: str, now: dt.datetime) -> State:
        """Give what the ledger says at a moment, as today's view reads it."""
        with self._lock:
            catalog, pair = self.read(forecaster, now)
            news = self._news_by(now)
            return State(catalog, pair, news, now, self._decided_by(catalog, news, now))

    def read(self, forecaster: str, now: dt.datetime) -> tuple[Catalog, Pair]:
        """Give the questions, and what a forecaster and the model say of them, without the news."""
        with self._lock:
            marks = self._ledger.marks()
            if marks["dropped"] != self._marks.get("dropped") or marks["redaction"] != (
                self._marks.get("redaction")
            ):
                self._histories.clear()
                self._rows.clear()
                self._catalog = self._news = None
            stale = any(
                marks[name] != self._marks.get(name)
                for name in ("question", "resolution", "sealed")
            )
            if self._catalog is None or stale:
                self._catalog = Catalog.of(self._ledger)
            self._marks = marks
            return self._catalog, Pair(self._voice(forecaster, now), self._voice(MODEL, now))

    def _news_by(self, now: dt.datetime) -> News:
        """Give the news that stands; read again when there is more, or when a minute has passed."""
        key = (self._marks["evidence"], f"{now:%Y-%m-%dT%H:%M}")
        if self._news is None or self._news[0] != key:
            self._news = (key, News.of(self._ledger.evidence(), now))
        return self._news[1]

    def _decided_by(self, catalog: Catalog, news: News, now: dt.datetime) -> Mapping[str, str]:
        """Give what facts decide; read again with the news."""
        if self._decided is None or self._decided[0] is not catalog or self._decided[1] is not news:
            outcomes = decided_by_facts(catalog, news, now, partial(banks.world_of, self._ledger))
            self._decided = (catalog, news, outcomes)
        return self._decided[2]

    def weights(self, state: State, bank: "Bank | None") -> "Weights":
        """Give what every report weighs in a bank's world, or in none; as old as the news."""
        from forecasting.evidence.predicates import NewsWorld
        from forecasting.evidence.reports import Weights

        catalog, news, digest = state.catalog, state.news, bank.digest if bank else ""
        with self._lock:
            cached = self._weights
            if cached is None or not (
                cached[0] is catalog and cached[1] is news and cached[2] == digest
            ):
                world = NewsWorld.of(bank.world if bank else WorldSpec({}), catalog)
                weights = Weights.of(self._ledger.evidence(), state.now, catalog, world)
                cached = self._weights = (catalog, news, digest, weights)
            return cached[3]

    def _voice(self, forecaster: str, now: dt.datetime) -> Voice:
        self._clock += 1
        history = self._histories.get(forecaster)
        if history is None:
            while len(self._histories) > MOST_VOICES:
                del self._histories[
                    min(self._histories, key=lambda name: self._histories[name].used)
                ]
            history = self._histories[forecaster] = _History()
        history.used = self._clock
        if self._marks["forecast"] > history.seq:
            new: dict[str, list[BriefForecast]] = {}
            for one in self._ledger.brief_forecasts(forecaster, KINDS, since=history.seq):
                new.setdefault(one.question, []).append(one)
                history.last = max(history.last, one.issued_at)
            for question, added in new.items():
                both = [*history.forecasts.get(question, ()), *added]
                history.forecasts[question] = tuple(sorted(both, key=placed))
                history.changed[question] = self._marks["forecast"]
            history.seq = self._marks["forecast"]
            history.voice = None if new else history.voice
        withdrawals = self._marks["withdrawal"]
        if history.voice is None or history.withdrawals != withdrawals or history.last > now:
            undo = undone(self._ledger)
            history.voice = Voice.as_of(dict(history.forecasts), undo, forecaster, now)
            late = any(one.withdrawn_at > now for one in undo.withdrawals)
            # What lies after now is left out, so the voice is made again next time.
            history.withdrawals = -1 if late else withdrawals
        return history.voice

    def due(self, forecaster: str, now: dt.datetime) -> Sequence[Row]:
        """Give the rows of due; those that nothing has touched since are cached ones."""
        with self._lock:
            return self._due(self.state(forecaster, now), forecaster)

    def _due(self, state: State, forecaster: str) -> Sequence[Row]:
        now = state.now
        cache = self._rows.setdefault(forecaster, _Rows())
        touched = self._forget(cache, forecaster, state)
        if not touched and cache.made_at <= now < cache.until and now < cache.made_at + FRESH:
            return cache.listed
        rows = []
        cache.until = FOREVER
        for name, question in state.catalog.questions.items():
            entry = cache.rows.get(name)
            if entry is None or now >= entry[1] or now < entry[1] - FRESH:
                entry = (due_of(state, question), min(now + FRESH, _boundary(question, now)))
                cache.rows[name] = entry
            cache.until = min(cache.until, entry[1])
            if entry[0] is not None:
                rows.append(entry[0])
        cache.listed, cache.made_at = in_order(rows), now
        return cache.listed

    def today(
        self, forecaster: str, now: dt.datetime, *, once: tuple[str, ...] = ()
    ) -> dict[str, Sequence[Row]]:
        """Give the rows of today's view, by section; a question in the first of `once` alone."""
        with self._lock:
            state = self.state(forecaster, now)
            rows = self._due(state, forecaster)
            key = (id(state.catalog), id(state.news))
            if self._bare is None or self._bare[0] != key:
                self._bare = (key, uncoded(state), state)
            cache = self._rows[forecaster]
            if (
                cache.parts is None
                or cache.parts[0] is not rows
                or cache.parts[1] is not self._bare
                or cache.parts[2] != once
            ):
                parts = sections(state, rows, self._bare[1])
                cache.parts = (rows, self._bare, once, _each_once(parts, once) if once else parts)
            return cache.parts[3]

    def statuses(self, state: State) -> Mapping[str, Status]:
        """Give the status of each question at a moment; cached until the clock changes one."""
        with self._lock:
            cached = self._statuses
            if (
                cached is None
                or cached[0] is not state.catalog
                or not cached[1] <= state.now < cached[2]
            ):
                catalog, now = state.catalog, state.now
                statuses = {
                    name: catalog.status(each, now) for name, each in catalog.questions.items()
                }
                until = min(
                    (_boundary(each, now) for each in catalog.questions.values()), default=FOREVER
                )
                cached = self._statuses = (catalog, now, until, statuses)
            return cached[3]

    def listing(self, forecaster: str, now: dt.datetime, wanted: "Wanted") -> "Listed":
        """Give one page of the questions that are wanted."""
        with self._lock:
            state = self.state(forecaster, now)
            statuses = self.statuses(state)
            if self._ordered is None or self._ordered[0] is not state.catalog:
                every = state.catalog.questions.values()
                questions = sorted(every, key=lambda q: (q.closes, q.ladder or q.id, q.id))
                self._ordered = (state.catalog, questions, tags_of(questions))
            uses_voices = bool(wanted.answered) or wanted.sort == "difference"
            voices = (state.pair.mine, state.pair.model) if uses_voices else ()
            made_of = (state.catalog, statuses, *voices)
            key = (replace(wanted, page=1), forecaster if uses_voices else "")
            cached = self._lists.get(key)
            if cached is None or any(
                a is not b for a, b in zip(cached.made_of, made_of, strict=True)
            ):
                # Lists of an older catalogue are of no use, and would keep it in memory.
                self._lists = {
                    other: each
                    for other, each in self._lists.items()
                    if each.made_of[0] is made_of[0] and each.made_of[1] is made_of[1]
                }
                while len(self._lists) >= MOST_LISTS:
                    del self._lists[next(iter(self._lists))]
                cached = Chosen(made_of, *matching(state, wanted, statuses, self._ordered[1]))
                self._lists[key] = cached
            return page_of(state, wanted, cached, self._ordered[2])

    def _forget(self, cache: _Rows, forecaster: str, state: State) -> bool:
        """Drop the rows that something recorded since touches; say whether there are any."""
        touched: set[str] = set()
        old = cache.catalog
        if old is None:
            cache.rows.clear()
        elif old is not state.catalog:
            touched |= {
                name
                for name, question in state.catalog.questions.items()
                if old.questions.get(name) is not question
                or old.outcomes.get(name) != state.catalog.outcomes.get(name)
            }
        for who, since in ((forecaster, cache.mine), (MODEL, cache.model)):
            if (history := self._histories[who]).seq > since:
                touched |= {name for name, seq in history.changed.items() if seq > since}
        if cache.withdrawals != self._marks["withdrawal"]:
            touched |= {one.question for one in self._ledger.withdrawals()}
        if cache.evidence != self._marks["evidence"]:
            new = {
                effect.about
                for item in self._ledger.evidence()
                if (item.seq or 0) > cache.evidence
                for effect in item.effects
            }
            # A retraction names only the key of its item, so any question may be touched.
            everything = any(target.startswith("evidence/") for target in new)
            touched |= {
                name
                for name, question in state.catalog.questions.items()
                if everything or names(question) & new
            }
        if old is not state.catalog:
            touched |= cache.rows.keys() - state.catalog.questions.keys()
        for name in touched:
            cache.rows.pop(name, None)
        cache.catalog = state.catalog
        cache.mine, cache.model = self._histories[forecaster].seq, self._histories[MODEL].seq
        cache.withdrawals, cache.evidence = self._marks["withdrawal"], self._marks["evidence"]
        return old is None or bool(touched)


def _boundary(question: Question, now: dt.datetime) -> dt.datetime:
    """Give the next moment at which a question's status changes by the clock."""
    later = [at for at in (question.opens, question.closes, question.resolves_by) if at > now]
    return min(later, default=FOREVER)


def _each_once(
    parts: Mapping[str, Sequence[Row]], order: Sequence[str]
) -> dict[str, Sequence[Row]]:
    """Leave each question in the first section that it stands in; news stays as it is."""
    questions: set[str] = set()
    result: dict[str, Sequence[Row]] = {}
    for section in order:
        result[section] = [row for row in parts[section] if row.get("question") not in questions]
        questions.update(row["question"] for row in result[section] if "question" in row)
    return result
