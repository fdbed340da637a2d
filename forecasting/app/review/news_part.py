"""The evidence of a question as the review page shows it: items, their weight, what they moved."""

import json
import math
import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from forecasting.app.catalog import Catalog
from forecasting.domain.evidence import Effect, Evidence
from forecasting.domain.forecast import Forecast
from forecasting.domain.forecasters import MODEL
from forecasting.domain.question import Question
from forecasting.review import data as page

_CAUSES = {
    "time": "time, and what was learned of the past",
    "history": "what was learned of the past",
}
_WORD = re.compile(r"[a-z][a-z0-9-]*")


def moved_of(
    items: Sequence[Evidence], catalog: Catalog, forecasts: Sequence[Forecast]
) -> dict[str, list[page.Moved]]:
    """Say why the model's forecasts moved, by question, from what was recorded with each."""
    by_key = {item.key: item for item in items}
    found: dict[str, list[page.Moved]] = {}
    for forecast in sorted(forecasts, key=lambda forecast: forecast.issued_at):
        if forecast.forecaster != MODEL or "moved" not in forecast.meta:
            continue
        question = catalog.questions[forecast.question]
        causes = []
        for key, change in json.loads(forecast.meta["moved"]):
            item = by_key.get(key)
            causes.append(
                page.Cause(
                    # What names no item is time, or an item that was retracted since.
                    item.title if item else _CAUSES.get(key, f"{key}, retracted since"),
                    dict(zip(_names(question, change), change, strict=True)),
                    item.known_at if item else None,
                    item.url.split(" | ")[0] if item else "",
                )
            )
        found.setdefault(forecast.question, []).append(page.Moved(forecast.issued_at, causes))
    return found


def _names(question: Question, change: Sequence[float]) -> tuple[str, ...]:
    return question.space.options if len(change) > 1 else ("",)


def marks_of(
    items: Sequence[Evidence], catalog: Catalog, forecasts: Sequence[Forecast]
) -> dict[str, list[page.Mark]]:
    """Give each question's evidence: what bears on it, and whatever moved its model."""
    moves: dict[str, dict[str, list[float]]] = {}
    for forecast in forecasts:
        if forecast.forecaster == MODEL and "moved" in forecast.meta:
            moves.setdefault(forecast.question, {}).update(json.loads(forecast.meta["moved"]))
    # The words of a predicate name its processes.
    asked = {
        question.id: {question.id, question.ladder, *_WORD.findall(question.answer)}
        for question in catalog.questions.values()
    }
    marks: dict[str, list[page.Mark]] = {}
    for item in sorted(items, key=lambda item: (item.known_at, item.key)):
        targets = {effect.target.partition("=")[0] for effect in item.effects}
        for question in catalog.questions.values():
            change = moves.get(question.id, {}).get(item.key)
            if change is None and not asked[question.id] & targets:
                continue
            weight, half_life = _weight(item, asked[question.id])
            marks.setdefault(question.id, []).append(
                page.Mark(
                    item.known_at,
                    item.title,
                    item.certainty,
                    item.url.split(" | ")[0],
                    item.kind,
                    dict(zip(_names(question, change), change, strict=True)) if change else {},
                    # What the bank says beside its facts would make the page twice as long.
                    item.note if item.stream == "news" else "",
                    weight,
                    half_life,
                )
            )
    return marks


def _weight(item: Evidence, asked: AbstractSet[str | None]) -> tuple[float | None, float]:
    """Give the log hazard ratio of a report and its half-life; the nearest to the question counts.

    An item coded on several moves is drawn once: by what it says of the question itself, else by
    its largest ratio.
    """
    coded = [
        (effect.target.partition("=")[0] in asked, abs(size), size, effect.detail)
        for effect in item.effects
        if (size := _log_ratio(effect)) is not None
    ]
    if not coded:
        return None, page.HALF_LIFE
    _, _, weight, detail = max(coded, key=lambda one: one[:2])
    stated = detail.get("half_life", page.HALF_LIFE)
    return weight, math.inf if stated == "lasting" else float(stated)


def _log_ratio(effect: Effect) -> float | None:
    detail = effect.detail
    if effect.form == "likelihood":
        return math.log(float(detail["a"]) / float(detail["b"]))
    if effect.form == "stance" and "code" in detail:
        return float(detail["code"]) * math.log(2.0)
    return None
