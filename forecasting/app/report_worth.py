"""Sources reviewed like forecasters: whether the model's numbers are better for their reports."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from forecasting.app.catalog import Catalog
from forecasting.app.frames import Selection, resolved, select
from forecasting.domain.forecasters import MODEL
from forecasting.scoring.checks import LEAST_CLUSTERS
from forecasting.store import Ledger

if TYPE_CHECKING:
    import pandas as pd

#: Stands for the reports of every source together.
ALL = "all reports"
#: As sure as a number is read before a move in log-odds is taken off it.
_CLIP = 1e-6


def worth(ledger: Ledger, wanted: Selection) -> dict[str, dict[str, Any]]:
    """Compare the model's numbers after reports with those before, by source and for all.

    With each of its forecasts the model records how far each new item moved it, in log-odds. So a
    forecast after a source's reports is compared with itself less what those reports moved: of
    one moment, with what else came and the time gone by in both. One mean a question, and one
    interval over events.

    Returns
    -------
    dict
        By source, and ``all reports`` last: ``reports`` that moved a number, ``moves`` (forecasts),
        ``moved_questions``, ``moved_events``; ``change``, the mean half Brier score after less
        before (below 0: better after), with ``change_lower, change_upper`` (95 %), all three null
        below 8 events; ``verdict`` in words. Resolved yes-no questions alone.
    """
    frame = resolved(ledger, replace(wanted, forecaster=MODEL))
    frame = frame[(frame["type"] == "binary") & ~frame["too_soon"]]
    if frame.empty:
        return {}
    facts = frame.drop_duplicates("question").set_index("question")
    outcome, event = facts["outcome"].astype(float).to_dict(), facts["event"].to_dict()
    scored = set(zip(frame["question"], frame["issued_at"], strict=True))
    source = {item.key: item.source for item in ledger.evidence() if item.kind == "report"}
    rows = []
    for forecast in select(ledger, Catalog.of(ledger), replace(wanted, forecaster=MODEL)):
        if "moved" not in forecast.meta or (forecast.question, forecast.issued_at) not in scored:
            continue
        moved = [
            (source[key], key, change[0])
            for key, change in json.loads(forecast.meta["moved"])
            if key in source
        ]
        p, y = forecast.value.probability or 0.0, outcome[forecast.question]
        for name in dict.fromkeys([*(who for who, _, _ in moved), *([ALL] if moved else [])]):
            its = [(key, change) for who, key, change in moved if name in (who, ALL)]
            before = _less(p, sum(change for _, change in its))
            rows.append(
                {
                    "source": name,
                    "question": forecast.question,
                    "event": event[forecast.question],
                    "gain": (p - y) ** 2 - (before - y) ** 2,
                    "reports": frozenset(key for key, _ in its),
                }
            )
    return _by_source(rows)


def _less(p: float, change: float) -> float:
    sure = min(max(p, _CLIP), 1 - _CLIP)
    return 1 / (1 + math.exp(change - math.log(sure / (1 - sure))))


def _by_source(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    import pandas as pd

    table = pd.DataFrame(list(rows))
    if table.empty:
        return {}
    found = {str(name): _row(part) for name, part in table.groupby("source")}
    whole = found.pop(ALL)
    return {**found, ALL: whole}


def _row(part: "pd.DataFrame") -> dict[str, Any]:
    from forecasting.comparison import difference_interval

    questions = part.groupby("question").agg({"gain": "mean", "event": "first"})
    n = int(questions["event"].nunique())
    row: dict[str, Any] = {
        "reports": len(frozenset().union(*part["reports"])),
        "moves": len(part),
        "moved_questions": len(questions),
        "moved_events": n,
        **dict.fromkeys(("change", "change_lower", "change_upper")),
    }
    if n < LEAST_CLUSTERS:
        return {**row, "verdict": f"too few: {n} of {LEAST_CLUSTERS} events"}
    known = difference_interval(questions["gain"], questions["event"].tolist())
    row["change"] = known.mean
    if known.note:
        return {**row, "verdict": known.note}
    row.update(change_lower=known.lower, change_upper=known.upper)
    if known.lower <= 0 <= known.upper:
        return {**row, "verdict": "may be chance"}
    return {**row, "verdict": "better after" if known.upper < 0 else "worse after"}
