"""What an item of news would do: every question that it touches, before and after each code."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from forecasting.app.catalog import Catalog
from forecasting.app.forecast.predict import OWN, REPLAY_DRAWS, Predictor, watches_of
from forecasting.app.news.add import Entered, drafted
from forecasting.app.news.check import EffectCheck
from forecasting.app.news.code import CODES, written
from forecasting.app.news.shown import find
from forecasting.app.news.targets import NewsWorld
from forecasting.app.upkeep.banks import bank_of
from forecasting.domain.evidence import Evidence
from forecasting.domain.question import Question
from forecasting.evidence import known
from forecasting.models.world.reading import LEVELS, Answer
from forecasting.store import Ledger


def effect(
    ledger: Ledger,
    name: str,
    target: str,
    *,
    now: dt.datetime,
    half_life: str = "",
    codes: Sequence[str] = CODES,
    seed: int = 0,
    told: Callable[[str], None] = lambda step: None,
) -> dict[str, Any]:
    """Say what the model would answer if an item were coded so; nothing is written.

    With and without the item the paths start from the same seed, so that what differs is the item;
    they are fewer than an update draws. Any code, 0 too, says that somebody looked at the process
    up to when the item was known, and that ends what chance may have done unseen: `looked` has
    those processes, with the end of their watch before. A fact as `target` has ``("",)`` for codes.
    `rows` hold `before`, `after` by code (None: no number) and `mcse`, the simulation's error.
    """
    items = ledger.evidence()
    item = find(ledger, items, name)
    catalog = Catalog.of(ledger)
    world = NewsWorld.of(ledger, catalog)
    rest = [other for other in items if other.key != item.key]
    check = EffectCheck(catalog, rest, now=now, world=world)
    bank = bank_of(ledger)
    watches = watches_of(ledger, now, live=True)
    notes: list[str] = []
    variants: dict[str, Evidence] = {}
    for code in codes:
        on = written(target, code) if code else target
        entered = Entered(
            item.title,
            item.source,
            item.known_at,
            item.event_at,
            item.url,
            (on,),
            item.grade,
            item.story,
            half_life=half_life if code else "",
        )
        made, said = drafted(entered, check, now=now)
        notes += [note for note in said if note not in notes]
        variants[code] = replace(made, recorded_at=now)

    def predictor(more: Sequence[Evidence]) -> Predictor:
        evidence = known([*rest, *more], now, recorded=True)
        return Predictor(catalog, evidence, bank, seed=seed, watches=watches, draws=REPLAY_DRAWS)

    told("looking for what it touches")
    plain = predictor([])
    sample = next(iter(variants.values()), None)
    touched = [
        question
        for question in catalog.open_at(now)
        if question.id in plain.asks
        and sample is not None
        and plain.model.touching(question, [sample])
    ]
    told("simulating without it")
    before = plain.one(OWN[0], touched, now) if touched else {}
    after: dict[str, dict[str, Answer]] = {}
    for code, made in variants.items():
        told(f"simulating {code or 'with it'}")
        after[code] = predictor([made]).one(OWN[0], touched, now) if touched else {}
    return {
        "item": item.seq,
        "target": target,
        "half_life": half_life,
        "as_of": now,
        "draws": plain.model.draws,
        "codes": list(codes),
        "rows": [row for question in touched for row in _rows(question, before, after)],
        "notes": notes,
        "looked": _looked(plain, sample, now),
    }


def _looked(plain: Predictor, sample: Evidence | None, now: dt.datetime) -> dict[str, dt.datetime]:
    """Give the processes that the item is coded on, and until when they were watched without it."""
    spec = plain.bank.world.processes
    names = {effect.target.partition("=")[0] for effect in sample.effects} if sample else set()
    mine = sorted(names & set(spec))
    return plain.model.watched_until(mine, plain.facts(now), now, plain.watched(now))


def _rows(
    question: Question, before: dict[str, Answer], after: dict[str, dict[str, Answer]]
) -> list[dict[str, Any]]:
    """Give a row for a yes-no question, one for each option of others, the median of a number."""
    if question.type == "binary":
        places = [(0, "")]
    elif question.type == "numeric":
        places = [(LEVELS.index(50.0), "median")]
    else:
        places = list(enumerate(question.space.options))
    found = []
    for place, outcome in places:
        numbers = {code: _number(told.get(question.id), place) for code, told in after.items()}
        first = before.get(question.id)
        found.append(
            {
                "question": question.id,
                "title": question.title,
                "type": question.type,
                "outcome": outcome,
                "unit": question.space.unit if question.type == "numeric" else "",
                "before": _number(first, place),
                "after": numbers,
                "mcse": first.spread.mcse if first is not None and first.spread else None,
            }
        )
    return found


def _number(answer: Answer | None, place: int) -> float | None:
    return answer.numbers[place] if answer is not None and len(answer.numbers) > place else None
