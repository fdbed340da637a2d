"""Explain: why a model's probability is what it is, item by item, and what would undo it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.app.catalog import Catalog
from forecasting.app.effects import HISTORY, TIME, Cause, Effects, on_scale
from forecasting.app.log import check_moment
from forecasting.app.predict import Predictor, judgements_of
from forecasting.app.questions import bundled_bank
from forecasting.domain.evidence import GRADES, Evidence
from forecasting.domain.instants import iso
from forecasting.domain.question import Question
from forecasting.errors import InvalidInput
from forecasting.evidence.likelihood import ReliabilityOf, Report, total_log_odds
from forecasting.models.encoding.answer import LEVELS, Answer
from forecasting.models.encoding.fits import live_fits
from forecasting.store import Ledger

FloatArray = NDArray[np.float64]
#: Prior scales tried for the range beside the number: halved, doubled.
SCALES = {"priors halved in scale": 0.5, "priors doubled in scale": 2.0}


def explain(
    ledger: Ledger,
    name: str,
    *,
    now: dt.datetime,
    as_of: dt.datetime | None = None,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Explain the model's answer on a question, or on each open rung of a ladder.

    The prior is the same model at the same moment without evidence. Every item, the history of
    the reference class and the passing of time are rows whose effects add up to the change.

    Returns
    -------
    list of dict
        question, as_of, scale, prior, posterior, items, stories, sources, sensitivity, undo.

    Raises
    ------
    InvalidInput, NotFound
        No such question, or none of it is open at that moment.
    """
    moment = as_of or now
    check_moment(moment, now)
    catalog = Catalog.of(ledger, recorded_by=moment)
    found = catalog.find(name)
    asked = catalog.open_at(moment, found)
    if not asked:
        states = ", ".join(f"{q.id} {catalog.status(q, moment)}" for q in found)
        msg = f"question ({name}): is not open at {iso(moment)} ({states})"
        last = max(catalog.ends(question) for question in found)
        day = iso(max(last - dt.timedelta(days=1), min(q.opens for q in found)))[:10]
        raise InvalidInput(msg, hint=f"forecast explain {name} --as-of {day}")
    predictor = Predictor(
        catalog,
        ledger.evidence(),
        bundled_bank(),
        seed=seed,
        fits=live_fits(seed),
        judged=judgements_of(ledger, catalog),
    )
    facts = predictor.facts(moment)
    return [one(predictor, question, facts, moment, seed=seed) for question in asked]


def one(
    predictor: Predictor,
    question: Question,
    facts: Sequence[Evidence],
    as_of: dt.datetime,
    *,
    seed: int = 0,
) -> dict[str, Any]:
    """Explain one question's answer from facts known as of a moment."""
    effects = Effects(predictor, question, as_of, seed=seed)
    causes = effects.causes(facts)
    players = [item for cause in causes for item in cause.items]
    mine = {item.key for item in players}
    # What matters to nothing here stays throughout: it cannot change any answer.
    base = [item for item in facts if item.key not in mine]
    after = predictor.answer(question, facts, as_of)
    before = predictor.answer(question, base, as_of, timed=False)
    shares = effects.share(causes, base)
    told = _Told(question, effects, base, causes)
    rows = [
        row for cause, share in zip(causes, shares, strict=False) for row in told.rows(cause, share)
    ]
    rows.append(told.time(shares[-1]))
    return {
        "question": question.id,
        "as_of": as_of,
        "model": question.model.label,
        "method": after.method,
        "gate": after.gate,
        "scale": f"median in {question.space.unit or 'units'}"
        if question.type == "numeric"
        else "log-odds",
        "prior": plain(question, before.numbers),
        "posterior": plain(question, after.numbers),
        "change": one_or_more(question, shares.sum(axis=0)),
        "items": rows,
        "stories": summed(question, rows, "story"),
        "sources": summed(question, rows, "source"),
        "sensitivity": sensitivity(predictor, question, facts, as_of, after),
        "undo": undo(float(shares.sum()), predictor.reliability(as_of))
        if question.type == "binary"
        else None,
    }


@dataclass(frozen=True, slots=True)
class _Told:
    """Tells causes as rows, each with the answer without it."""

    question: Question
    effects: Effects
    base: Sequence[Evidence]
    causes: Sequence[Cause]

    def rows(self, cause: Cause, share: FloatArray) -> list[dict[str, Any]]:
        others = [*self.base, *(i for c in self.causes if c is not cause for i in c.items)]
        if cause.key == HISTORY:
            without = self._without(others)
            title = f"The class before the opening ({len(cause.items)} items)"
            return [self._row(None, title, HISTORY, "reference class", share, without)]
        rows = []
        for item, part in zip(cause.items, self.effects.within(cause, share, others), strict=True):
            rest = [*others, *(other for other in cause.items if other is not item)]
            row = self._row(item.seq, item.title, cause.key, item.source, part, self._without(rest))
            rows.append(row | {"key": item.key, "known_at": item.known_at, "kind": item.kind})
        return rows

    def time(self, share: FloatArray) -> dict[str, Any]:
        everything = [*self.base, *(item for cause in self.causes for item in cause.items)]
        without = self._without(everything, timed=False)
        return self._row(None, "The passing of time", TIME, TIME, share, without)

    def _without(self, facts: Sequence[Evidence], *, timed: bool = True) -> Any:
        ordered = tuple(sorted(facts, key=lambda item: (item.known_at, item.key)))
        found = self.effects.predictor.answer(
            self.question, ordered, self.effects.as_of, timed=timed
        )
        return plain(self.question, found.numbers)

    def _row(
        self,
        news: int | None,
        title: str,
        story: str,
        source: str,
        share: FloatArray,
        without: Any,
    ) -> dict[str, Any]:
        return {
            "news": news,
            "key": story,
            "title": title,
            "source": source,
            "story": story,
            "known_at": None,
            "kind": story if story in {TIME, HISTORY} else "",
            "delta_logit": one_or_more(self.question, share),
            "without": without,
        }


def sensitivity(
    predictor: Predictor,
    question: Question,
    facts: Sequence[Evidence],
    as_of: dt.datetime,
    after: Answer,
) -> dict[str, Any]:
    """Give the answer under other priors: halved and doubled in scale, and each worldview.

    Returns
    -------
    dict
        One entry for each, and `lower` and `upper`: the range with the answer itself.
    """
    found: dict[str, Sequence[float]] = {
        name: predictor.answer(question, facts, as_of, scale=factor).numbers
        for name, factor in SCALES.items()
    }
    for worldview in predictor.bank.worldviews:
        if worldview.speaks_from <= as_of:
            answer = predictor.answer(question, facts, as_of, worldview=worldview)
            found[worldview.forecaster] = answer.numbers
    every = np.array([after.numbers, *found.values()])
    return {
        **{name: plain(question, numbers) for name, numbers in found.items()},
        "lower": plain(question, every.min(axis=0)),
        "upper": plain(question, every.max(axis=0)),
    }


def undo(change: float, reliability: ReliabilityOf | None = None) -> dict[str, Any]:
    """Say what one new report would have to be to take a change in log-odds back.

    Parameters
    ----------
    change : float
        In log-odds.
    reliability : ReliabilityOf, optional
        What claims had taught about sources in general; default the grades alone.

    Returns
    -------
    dict
        `ratio`: the likelihood ratio wanted of a source taken at its word; `by_grade`: what such a
        source of each grade would have to report, None where its doubt bounds what it can move.

    Examples
    --------
    >>> found = undo(0.6931471805599453)
    >>> round(found["ratio"], 3), found["by_grade"]["A"] < 0.5
    (0.5, True)
    """
    return {
        "ratio": exp(-change),
        "by_grade": {grade: _stated(-change, grade, reliability) for grade in GRADES},
    }


def _stated(wanted: float, grade: str, reliability: ReliabilityOf | None) -> float | None:
    """Find the ratio that a new source of a grade must state to move the log-odds that far."""
    from scipy.optimize import brentq

    def moves(log_ratio: float) -> float:
        report = Report("r", "", grade, "t", exp(log_ratio / 2), exp(-log_ratio / 2), 1.0)
        return total_log_odds([report], reliability=reliability) - wanted

    edge = 20.0 if wanted > 0 else -20.0
    if wanted == 0.0 or moves(0.0) * moves(edge) > 0:
        return 1.0 if wanted == 0.0 else None
    return exp(float(brentq(moves, 0.0, edge, xtol=1e-10)))


def plain(question: Question, numbers: Sequence[float] | FloatArray) -> Any:
    """Give an answer as the contract's shape; a number as its median."""
    if question.type == "binary":
        return float(numbers[0])
    if question.type == "numeric":
        return float(numbers[LEVELS.index(50.0)])
    return dict(zip(question.space.options, map(float, numbers), strict=True))


def one_or_more(question: Question, change: FloatArray) -> Any:
    """Give a change on the scale: one number, or one for each option."""
    if len(change) == 1:
        return float(change[0])
    return dict(zip(question.space.options, map(float, change), strict=True))


def summed(question: Question, rows: Sequence[Mapping[str, Any]], by: str) -> list[dict[str, Any]]:
    """Sum the effects of rows that share a story or a source, largest first."""
    totals: dict[str, Any] = {}
    for row in rows:
        part = row["delta_logit"]
        vector = np.array(list(part.values()) if isinstance(part, dict) else [part])
        totals[row[by]] = totals.get(row[by], 0.0) + vector
    ordered = sorted(totals.items(), key=lambda pair: (-float(np.abs(pair[1]).max()), pair[0]))
    return [{by: name, "delta_logit": one_or_more(question, total)} for name, total in ordered]


__all__ = ["explain", "on_scale", "one", "undo"]
