"""What an import says of itself: its first rows as understood, and what will be scored of it."""

import datetime as dt
from collections import Counter
from typing import Any

from forecasting.app.catalog import Catalog
from forecasting.domain.question import ANNULLED, TOO_SOON, Question
from forecasting.domain.resolution import Resolution, outcomes
from forecasting.exchange import Plan

SHOWN = 5


def first_rows(made: Plan, catalog: Catalog) -> list[dict[str, Any]]:
    """Give the first forecasts of an import as they were understood."""
    questions, settled = _together(made, catalog)
    return [
        {
            "question": one.question,
            "forecaster": one.forecaster,
            "forecast": one.value.plain,
            "issued_at": one.issued_at,
            "closes": questions[one.question].closes,
            "outcome": None if (out := settled.get(one.question)) is None else out.outcome,
            "resolved_at": None if out is None else out.resolved_at,
        }
        for one in made.forecasts[:SHOWN]
    ]


def summary(made: Plan, catalog: Catalog, now: dt.datetime) -> str:
    """Say in one sentence how many forecasts there are, of what, and over which time each counts.

    Whatever will not be scored is said with its number and its reason.
    """
    questions, settled = _together(made, catalog)
    counts = Counter(one.question for one in made.forecasts)
    if not counts:
        return "no new forecasts" if made.duplicates else ""
    known = annulled = soon = scored = 0
    windows = []
    for name, count in counts.items():
        out, question = settled.get(name), questions[name]
        known += count * (out is not None)
        if out is None:
            continue
        if out.outcome == ANNULLED:
            annulled += count
        elif _too_soon(question, out):
            soon += count
        else:
            scored += count
            windows.append(question.closes - question.opens)
    n = counts.total()
    parts = [f"{n:,} forecast{'s' * (n != 1)}", f"{known:,} resolved"]
    if windows:
        low, high = (
            max(1, round(one / dt.timedelta(days=1))) for one in (min(windows), max(windows))
        )
        days = f"{low} days" if low == high else f"{low} to {high} days"
        parts.append(f"{scored:,} scored over the {days} from opening to closing")
    else:
        parts.append("none scored")
    left = [
        f"{count:,} {why}"
        for count, why in (
            (n - known, "without an outcome yet"),
            (soon, "resolved within two days of opening (too_soon=True scores them)"),
            (annulled, "annulled"),
        )
        if count
    ]
    return ", ".join(parts) + ("; left out: " + ", ".join(left) if left else "")


def _too_soon(question: Question, out: Resolution) -> bool:
    return out.outcome != ANNULLED and out.resolved_at - question.opens <= TOO_SOON


def _together(made: Plan, catalog: Catalog) -> tuple[dict[str, Question], dict[str, Resolution]]:
    questions = {**catalog.questions, **{question.id: question for question in made.questions}}
    settled = {**catalog.outcomes, **outcomes(made.resolutions)}
    return questions, settled
