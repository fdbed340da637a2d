"""Worldviews side by side: what each said last of each question, beside the model."""

import datetime as dt
from typing import Any

from forecasting.app.catalog import Catalog
from forecasting.app.frames import Selection, select
from forecasting.domain.forecast import Forecast
from forecasting.domain.forecasters import MODEL, POOL, family, ordered
from forecasting.store import Ledger


def beside(ledger: Ledger, *, now: dt.datetime, kind: str, run: str = "") -> dict[str, Any]:
    """Give a row for each open question and option that a worldview has spoken on.

    Returns
    -------
    dict
        ``forecasters`` in the fixed order; ``rows``: ``question, title, outcome, type, unit`` and
        ``says``, a number by forecaster (of quantiles the median); ``apart``: the largest
        difference between two worldviews, None for numbers.
    """
    catalog = Catalog.of(ledger)
    latest: dict[tuple[str, str], Forecast] = {}
    for forecast in select(ledger, catalog, Selection(kind, run)):
        if forecast.forecaster in (MODEL, POOL) or family(forecast.forecaster) == "worldview":
            latest[forecast.question, forecast.forecaster] = forecast
    names = ordered({name for _, name in latest})
    rows = []
    for question in catalog.open_at(now):
        mine = [name for name in names if (question.id, name) in latest]
        spoken = {name: latest[question.id, name] for name in mine}
        views = [name for name in spoken if family(name) == "worldview"]
        if not views:
            continue
        for outcome, says in _numbers(question.type, spoken):
            among = [says[name] for name in views if name in says]
            numeric = question.type == "numeric"
            rows.append(
                {
                    "question": question.id,
                    "title": question.title,
                    "outcome": outcome,
                    "type": question.type,
                    "unit": question.space.unit if numeric else "",
                    "says": says,
                    "apart": None if numeric or not among else max(among) - min(among),
                }
            )
    return {"forecasters": names, "rows": rows, "kind": kind}


def _numbers(kind: str, spoken: dict[str, Forecast]) -> list[tuple[str, dict[str, float]]]:
    if kind == "binary":
        return [("", {name: said.value.numbers[0] for name, said in spoken.items()})]
    if kind == "numeric":
        middle = {}
        for name, said in spoken.items():
            levels = [abs(float(label) - 50.0) for label in said.value.labels]
            middle[name] = said.value.numbers[levels.index(min(levels))]
        return [("median", middle)]
    options = next(iter(spoken.values())).value.labels
    return [
        (option, {name: said.value.numbers[k] for name, said in spoken.items()})
        for k, option in enumerate(options)
    ]
