"""A season of questions with known forecasters, as a ledger: for scores, ranks and pools."""

import datetime as dt
import weakref
from dataclasses import replace

import numpy as np

from forecasting.domain import (
    Basis,
    Evidence,
    Forecast,
    ModelChoice,
    OutcomeSpace,
    Question,
    Resolution,
    Value,
    Withdrawal,
)
from forecasting.domain.forecast import binary_value, decimal_text, model_value
from forecasting.store import Ledger

START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def question(name, *, opens=0.0, days=40.0, event=None, tags=(), topic="war", space=None):
    closes = START + (opens + days) * DAY
    return Question(
        id=name,
        title=f"Will {name} happen?",
        criteria="As reported.",
        background="",
        space=space or OutcomeSpace("binary", ("no", "yes"), None, None, ""),
        zone="UTC",
        opens=START + opens * DAY,
        closes=closes,
        resolves_by=closes,
        topic=topic,
        event=event or name,
        tags=tags,
        basis=Basis("context", ()),
        model=ModelChoice("base-rate", "base-rate", "none", {}),
    )


def between(name, opens, closes, **more):
    """A question of yes or no from one moment to another."""
    stated = {"resolves_by": closes, "model": ModelChoice("world", "world", "", {}), "topic": "t"}
    return replace(question(name), opens=opens, closes=closes, **stated | more)


def word(asked, who, p, at):
    return Forecast(asked.id, asked.wording_hash, who, binary_value(p), at, "live")


def item(key, effect, at):
    return Evidence(key, "report", f"News {key}", "wire", at, (effect,), stream="news")


def said(asked, who, value, day, *, kind="live"):
    if isinstance(value, float):
        value = Value("binary", ("yes",), (decimal_text(value),))
    elif not isinstance(value, Value):
        value = model_value(asked.space, value, (5.0, 50.0, 95.0))
    return Forecast(asked.id, asked.wording_hash, who, value, START + day * DAY, kind)


def resolved(asked, outcome, day):
    return Resolution(asked.id, outcome, START + day * DAY, "https://example.org")


def withdrawn(asked, who, day):
    return Withdrawal(asked.id, who, START + day * DAY)


class Diary:
    """A ledger to which things are written on the day they happen."""

    def __init__(self, path="sqlite:///:memory:"):
        self.ledger = Ledger.open(str(path), create=True)
        # Closed when the last test lets go of it.
        weakref.finalize(self.ledger, self.ledger._engine.dispose)

    def write(self, day, *drafts):
        self.ledger.append(list(drafts), recorded_at=START + day * DAY)


def season(path="sqlite:///:memory:", *, events=24, rungs=2, seed=0, people=None):
    """Each event has rungs that share their luck; people see the log-odds with their own noise.

    `people` maps names to (bias, noise, share of the questions answered).
    """
    rng = np.random.default_rng(seed)
    people = people or {
        "ann": (0.0, 0.2, 1.0),
        "bob": (0.0, 0.8, 1.0),
        "cat": (0.5, 0.5, 0.8),
        "dan": (0.0, 1.6, 0.7),
    }
    drafts = []
    for number in range(events):
        truth, luck = rng.normal(-0.3, 1.3), rng.random()
        noise = {who: rng.normal(0, 1) for who in people}
        for rung in range(rungs):
            opens, days = 6.0 * number, 30.0 + 5 * rung
            asked = question(
                f"q{number:03d}-{rung}",
                opens=opens,
                days=days,
                event=f"e{number:03d}",
                tags=("even",) if number % 2 == 0 else (),
                topic="war" if number % 3 else "talks",
            )
            drafts.append((opens, 0, asked))
            odds = truth + 0.3 * rung
            for who, (bias, spread, share) in people.items():
                if rng.random() > share:
                    continue
                for step in (0.5, 0.35 * days, 0.6 * days):
                    seen = odds + bias + spread * (noise[who] + rng.normal(0, 0.3))
                    p = float(np.clip(1 / (1 + np.exp(-seen)), 0.01, 0.99))
                    drafts.append((opens + step, 1, said(asked, who, round(p, 3), opens + step)))
            yes = luck < 1 / (1 + np.exp(-odds))
            known = opens + days * (rng.uniform(0.65, 1) if yes else 1)
            drafts.append((known, 2, resolved(asked, "yes" if yes else "no", known)))
    diary = Diary(path)
    for day in sorted({day for day, _, _ in drafts}):
        rows = sorted((row for row in drafts if row[0] == day), key=lambda row: row[1])
        diary.write(day, *(draft for _, _, draft in rows))
    return diary
