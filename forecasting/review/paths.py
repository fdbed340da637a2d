"""One question as the review page shows it: forecasts over time, evidence, and what moved them."""

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Any

from forecasting.domain.catalog import Catalog
from forecasting.domain.evidence import Evidence, retractions
from forecasting.domain.forecast import DENSE, Forecast
from forecasting.domain.forecasters import MODEL
from forecasting.domain.question import Question
from forecasting.evidence.reports import CodedReport, Weights
from forecasting.review import data as page

_CAUSES = {
    "time": "time, and what was learned of the past",
    "history": "what was learned of the past",
}
_WORD = re.compile(r"[a-z][a-z0-9-]*")


def path_of(
    catalog: Catalog,
    question: Question,
    now: dt.datetime,
    *,
    paths: Mapping[str, Sequence[page.Point]],
    evidence: Sequence[page.Mark],
    scores: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    gate_note: str = "",
    moved: Sequence[page.Moved] = (),
) -> page.QuestionPath:
    """Put together what a drawing of one question's forecasts needs."""
    standing = catalog.outcomes.get(question.id)
    return page.QuestionPath(
        id=question.id,
        title=question.title,
        type=question.type,
        opens=question.opens,
        closes=question.closes,
        ends=catalog.ends(question),
        status=catalog.status(question, now),
        options=question.space.options if question.type != "binary" else (),
        unit=question.space.unit,
        lower=question.space.lower,
        upper=question.space.upper,
        outcome=None if standing is None else standing.outcome,
        resolved_at=None if standing is None else standing.resolved_at,
        resolution_source="" if standing is None else standing.source,
        certainty="" if standing is None else standing.certainty,
        note="" if standing is None else standing.note,
        event=question.event,
        topic=question.topic,
        ladder=question.ladder,
        model_label=question.model.label,
        gate_note=gate_note,
        too_soon=any(bool(row.get("excluded")) for row in scores.values()),
        paths=paths,
        evidence=[mark for mark in evidence if question.opens <= mark.known_at <= question.closes],
        scores=scores,
        moved=moved,
        answer=question.answer,
    )


def point_of(forecast: Forecast) -> page.Point:
    """Give a forecast as a point of a path."""
    spread = forecast.spread
    binary = forecast.value.shape == "binary"
    low = spread.p05 if spread is not None and binary else None
    high = spread.p95 if spread is not None and binary else None
    if forecast.value.shape != "quantiles":
        ends = json.loads(forecast.meta.get("intervals", "[]"))
        return page.Point(
            forecast.issued_at,
            forecast.value.numbers,
            low,
            high,
            lows=tuple(end[0] for end in ends),
            highs=tuple(end[1] for end in ends),
        )
    own = set(map(float, forecast.value.labels))
    # Ours, or those that were stated and the middle: of 10 and 90 % alone a path had no spread.
    ours = len(own) > DENSE or own.issuperset(page.LEVELS)
    levels = page.LEVELS if ours else tuple(sorted({*own, 50.0}))
    values = forecast.value.at(levels)
    return page.Point(forecast.issued_at, tuple(values[each] for each in levels), levels=levels)


def moved_of(
    items: Sequence[Evidence], catalog: Catalog, forecasts: Sequence[Forecast]
) -> dict[str, list[page.Moved]]:
    """Say why the model's forecasts moved, by question, from what was recorded with each."""
    by_key, gone = {item.key: item for item in items}, retractions(items)
    by_question: dict[str, list[page.Moved]] = {}
    for forecast in sorted(forecasts, key=lambda forecast: forecast.issued_at):
        if forecast.forecaster != MODEL or "moved" not in forecast.meta:
            continue
        question = catalog.questions[forecast.question]
        causes = []
        for key, change in json.loads(forecast.meta["moved"]):
            item = by_key.get(key)
            causes.append(
                page.Cause(
                    # A key of no item stands for the time gone by.
                    _titled(item, key in gone) if item else _CAUSES.get(key, key),
                    dict(zip(_names(question, change), change, strict=True)),
                    item.known_at if item else None,
                    item.url.split(" | ")[0] if item else "",
                )
            )
        by_question.setdefault(forecast.question, []).append(page.Moved(forecast.issued_at, causes))
    return by_question


def _titled(item: Evidence, gone: bool) -> str:
    return f"{item.title}, retracted since" if gone else item.title


def _names(question: Question, change: Sequence[float]) -> tuple[str, ...]:
    return question.space.options if len(change) > 1 else ("",)


def marks_of(
    items: Sequence[Evidence], catalog: Catalog, forecasts: Sequence[Forecast], weights: Weights
) -> dict[str, list[page.Mark]]:
    """Give each question's evidence: what bears on it, and what moved its model on a way to it."""
    moves: dict[str, dict[str, list[float]]] = {}
    for forecast in forecasts:
        if forecast.forecaster == MODEL and "moved" in forecast.meta:
            moves.setdefault(forecast.question, {}).update(json.loads(forecast.meta["moved"]))
    # The words of a predicate name its processes.
    names = {
        question.id: {question.id, question.ladder, *_WORD.findall(question.answer)}
        for question in catalog.questions.values()
    }
    marks: dict[str, list[page.Mark]] = {}
    for item in sorted(items, key=lambda item: (item.known_at, item.key)):
        targets = {effect.about for effect in item.effects}
        for question in catalog.questions.values():
            change = moves.get(question.id, {}).get(item.key)
            rests = weights.rests.get(question.id, frozenset())
            if not names[question.id] & targets and (
                change is None or not _has_way(item, weights, rests)
            ):
                continue
            report = _strongest(item, weights, rests, names[question.id])
            reports = item.reports
            marks.setdefault(question.id, []).append(
                page.Mark(
                    item.known_at,
                    item.title,
                    item.certainty,
                    item.url.split(" | ")[0],
                    item.kind,
                    dict(zip(_names(question, change), change, strict=True)) if change else {},
                    # The bank's notes on its facts would make the page twice as long.
                    item.note if item.stream == "news" else "",
                    report.log_ratio if report else 0.0 if reports else None,
                    report.half_life if report else page.HALF_LIFE,
                    weights.over.get(report) if report else None,
                )
            )
    return marks


def _has_way(item: Evidence, weights: Weights, rests: AbstractSet[str]) -> bool:
    """Say whether an item acts on what a question rests on; a case of a class may teach any."""
    facts = {e.about for e in item.effects if e.form == "datum"}
    acts = {report.process for report in weights.coded.get(item.key, ())}
    return bool((facts | acts) & rests) or bool(facts - weights.processes)


def _strongest(
    item: Evidence, weights: Weights, rests: AbstractSet[str], names: AbstractSet[str | None]
) -> CodedReport | None:
    """Give what an item weighs on a way to a question, first by a process that this names."""
    ways = [report for report in weights.coded.get(item.key, ()) if report.process in rests]
    return max(ways, key=lambda r: (r.process in names, abs(r.log_ratio)), default=None)
