"""Due: what waits for a person."""

import datetime as dt
from typing import Any

from forecasting.app.ask import lacks_criteria
from forecasting.app.catalog import Catalog
from forecasting.store import Ledger


def due(ledger: Ledger, now: dt.datetime) -> list[dict[str, Any]]:
    """List questions without an outcome past their deadline, and open ones without criteria.

    Returns
    -------
    list of dict
        ``question, reason, age_days, next``: the longest overdue first, then what lacks criteria.
    """
    catalog = Catalog.of(ledger)
    late: list[tuple[dt.datetime, dict[str, Any]]] = []
    lacking: dict[str, dict[str, Any]] = {}
    for question in catalog.questions.values():
        status = catalog.status(question, now)
        if status in {"due", "closed"}:
            row = {
                "question": question.id,
                "reason": "outcome",
                "age_days": (now - question.closes).days,
                "next": f"forecast resolve {question.id} OUTCOME --source URL",
            }
            late.append((question.closes, row))
        elif status in {"open", "upcoming"} and lacks_criteria(question):
            slug = question.ladder or question.id
            lacking[slug] = {
                "question": slug,
                "reason": "no criteria",
                "age_days": max((now - question.opens).days, 0),
                "next": f"forecast questions edit {slug}",
            }
    late.sort(key=lambda pair: (pair[0], pair[1]["question"]))
    return [*(row for _, row in late), *lacking.values()]
