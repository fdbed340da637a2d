"""A small world and its questions in a ledger, so that the laws of news need no bank."""

import datetime as dt

from forecasting.domain import Basis, ModelChoice, OutcomeSpace, Question
from forecasting.domain.process import DeliverySpec, MoveSpec, Phrase, ProcessSpec, WorldSpec
from forecasting.store import Ledger

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
SINCE = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def _process(name, *moves, kind="states", states="", **more):
    ways = tuple(MoveSpec(*move.split(" > "), Phrase("history")) for move in moves)
    names = states.split() or list(dict.fromkeys(s for way in ways for s in (way.start, way.end)))
    fields = {"since": SINCE, "start": names[0]} | more
    return ProcessSpec(name, kind, tuple(names), ways, **fields)


WORLD = WorldSpec(
    {
        process.name: process
        for process in (
            _process("truce", "none > on", "on > none"),
            _process("guarantees", "none > soft", "soft > firm", "soft > none"),
            _process("convoy", kind="event", states="waiting"),
            _process("election", kind="scheduled", states="ahead held"),
            _process(
                "detainees",
                kind="delivery",
                states="agreed begun stalled failed done",
                delivery=DeliverySpec(1000.0, SINCE, SINCE, delivered=205.0, unit="people"),
            ),
        )
    }
)
_ANSWERS = {
    "truce-2026@2026-11-30": "truce=on by close",
    "truce-2026@2026-12-31": "truce=on by close",
    "truce-holds": "truce=on through close",
    "convoys": "convoy count >= 2 by close",
    "level": "guarantees on close",
    "returned": "detainees total",
    "vote": "election=held by close",
    "mute": "",
}
RUNG = "truce-2026@2026-12-31"


def _space(name):
    if name == "level":
        return OutcomeSpace("categorical", ("none", "soft", "firm"), None, None, "")
    if name == "returned":
        return OutcomeSpace("numeric", (), 0.0, 1000.0, "people")
    return OutcomeSpace("binary", ("no", "yes"), None, None, "")


def question(name):
    slug, _, day = name.partition("@")
    closes = dt.datetime.fromisoformat(f"{day or '2026-12-31'}T00:00Z") + 24 * HOUR
    return Question(
        name, f"Will {name} be?", "As reported.", "", _space(name), "UTC", SINCE + 24 * HOUR,
        closes, closes, "war", slug, (), Basis("context", ()),
        ModelChoice("world", "world", "none", {}), ladder=slug if day else None,
        answer=_ANSWERS[name],
    )  # fmt: skip


def laid(url="sqlite:///:memory:"):
    """Give a ledger that holds the questions."""
    ledger = Ledger.open(url, create=True)
    ledger.append([question(name) for name in _ANSWERS], recorded_at=SINCE)
    return ledger
