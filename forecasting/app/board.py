"""The board: what stands on every question now, kept while the ledger grows.

A listing of ten thousand questions cannot read a million forecasts each time it is looked at. The
board reads what came since it last looked, and works out again what that touches. What it says is
what a fresh look at the ledger would say.
"""

import datetime as dt
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from forecasting.app.catalog import Catalog
from forecasting.app.in_force import KINDS, Pair, Voice, placed
from forecasting.app.today import News, State, due_of, in_order, names, needs
from forecasting.domain.forecast import Forecast
from forecasting.domain.forecasters import MODEL
from forecasting.domain.question import Question
from forecasting.store import Ledger

#: A row is worked out again after this time, for what a look is worth changes with the clock.
FRESH = dt.timedelta(minutes=10)
#: Voices kept at once besides the model's: those heard longest ago go.
MOST_VOICES = 16


@dataclass(slots=True)
class _Heard:
    """One forecaster's live and backdated forecasts, by question, as far as they were read."""

    seq: int = 0
    said: dict[str, tuple[Forecast, ...]] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
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


class Board:
    """What stands on every question, for whoever asks; safe to ask from several threads."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = threading.RLock()
        self._marks: Mapping[str, int] = {}
        self._catalog: Catalog | None = None
        self._heard: dict[str, _Heard] = {}
        self._rows: dict[str, _Rows] = {}
        self._news: tuple[tuple[int, str], News] | None = None
        self._clock = 0

    def state(self, forecaster: str, now: dt.datetime) -> State:
        """Give what the ledger says at a moment, as today's view reads it."""
        with self._lock:
            marks = self._ledger.marks()
            if marks["dropped"] != self._marks.get("dropped") or marks["redaction"] != (
                self._marks.get("redaction")
            ):
                self._heard.clear()
                self._rows.clear()
                self._catalog = None
            stale = any(
                marks[name] != self._marks.get(name)
                for name in ("question", "resolution", "sealed")
            )
            if self._catalog is None or stale:
                self._catalog = Catalog.of(self._ledger)
            self._marks = marks
            pair = Pair(self._voice(forecaster, now), self._voice(MODEL, now))
            return State(self._catalog, pair, self._news_by(now), now)

    def _news_by(self, now: dt.datetime) -> News:
        """Give the news that stands; read again when there is more, or when a minute has passed."""
        key = (self._marks["evidence"], f"{now:%Y-%m-%dT%H:%M}")
        if self._news is None or self._news[0] != key:
            self._news = (key, News.of(self._ledger, now))
        return self._news[1]

    def _voice(self, forecaster: str, now: dt.datetime) -> Voice:
        self._clock += 1
        heard = self._heard.get(forecaster)
        if heard is None:
            while len(self._heard) > MOST_VOICES:
                del self._heard[min(self._heard, key=lambda name: self._heard[name].used)]
            heard = self._heard[forecaster] = _Heard()
        heard.used = self._clock
        if self._marks["forecast"] > heard.seq:
            new: dict[str, list[Forecast]] = {}
            for kind in KINDS:
                for one in self._ledger.forecasts(
                    forecaster=forecaster, kind=kind, since=heard.seq
                ):
                    new.setdefault(one.question, []).append(one)
            for question, said in new.items():
                both = [*heard.said.get(question, ()), *said]
                heard.said[question] = tuple(sorted(both, key=placed))
                heard.changed[question] = self._marks["forecast"]
            heard.seq = self._marks["forecast"]
        return Voice.heard(heard.said, self._ledger.withdrawals(), forecaster, now)

    def due(self, forecaster: str, now: dt.datetime) -> list[dict[str, Any]]:
        """Give the rows of due; those that nothing touched since are kept ones."""
        with self._lock:
            state = self.state(forecaster, now)
            kept = self._rows.setdefault(forecaster, _Rows())
            self._forget(kept, forecaster, state)
            found = []
            for name, question in state.catalog.questions.items():
                held = kept.rows.get(name)
                if held is None or now >= held[1] or now < held[1] - FRESH:
                    row = due_of(state, question)
                    held = (row, min(now + FRESH, _boundary(question, now)))
                    kept.rows[name] = held
                if held[0] is not None:
                    found.append(held[0])
        return in_order(found)

    def today(self, forecaster: str, now: dt.datetime) -> list[dict[str, Any]]:
        """Give the rows of :func:`forecasting.app.today.needs`."""
        with self._lock:
            rows = self.due(forecaster, now)
            return needs(self.state(forecaster, now), rows)

    def _forget(self, kept: _Rows, forecaster: str, state: State) -> None:
        """Drop the rows that something recorded since touches."""
        touched: set[str] = set()
        old = kept.catalog
        if old is None:
            kept.rows.clear()
        elif old is not state.catalog:
            touched |= {
                name
                for name, question in state.catalog.questions.items()
                if old.questions.get(name) is not question
                or old.outcomes.get(name) != state.catalog.outcomes.get(name)
            }
        for who, seen in ((forecaster, kept.mine), (MODEL, kept.model)):
            changed = self._heard[who].changed
            touched |= {name for name, seq in changed.items() if seq > seen}
        if kept.withdrawals != self._marks["withdrawal"]:
            touched |= {one.question for one in self._ledger.withdrawals()}
        if kept.evidence != self._marks["evidence"]:
            new = {
                effect.target.partition("=")[0]
                for item in self._ledger.evidence()
                if (item.seq or 0) > kept.evidence
                for effect in item.effects
            }
            # What a retraction takes back is named by its key alone.
            everything = any(target.startswith("evidence/") for target in new)
            touched |= {
                name
                for name, question in state.catalog.questions.items()
                if everything or names(question) & new
            }
        for name in touched | (kept.rows.keys() - state.catalog.questions.keys()):
            kept.rows.pop(name, None)
        kept.catalog = state.catalog
        kept.mine, kept.model = self._heard[forecaster].seq, self._heard[MODEL].seq
        kept.withdrawals, kept.evidence = self._marks["withdrawal"], self._marks["evidence"]


def _boundary(question: Question, now: dt.datetime) -> dt.datetime:
    """Give the next moment at which a question's status changes by the clock."""
    later = [at for at in (question.opens, question.closes, question.resolves_by) if at > now]
    return min(later, default=dt.datetime.max.replace(tzinfo=dt.UTC))
