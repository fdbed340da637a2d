"""Sources: how reliable each is, by grade and resolved claims, and what its reports were worth."""

import datetime as dt
import difflib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import exp, log
from typing import TYPE_CHECKING, Any

from forecasting.app.scores.frame import Selection, resolved, select
from forecasting.domain.catalog import Catalog
from forecasting.domain.evidence import NEWS, Effect, Evidence
from forecasting.domain.forecasters import MODEL
from forecasting.domain.instants import iso
from forecasting.domain.question import normalised
from forecasting.errors import InvalidInput, NotFound
from forecasting.evidence import known, learned, without_retracted
from forecasting.evidence.effects import graded, key_made_of
from forecasting.evidence.news_world import check_reason
from forecasting.evidence.reliability import STREAM, Reliabilities, check_grade, grades_of
from forecasting.evidence.reports import bound
from forecasting.scoring.checks import LEAST_CLUSTERS
from forecasting.store import Ledger

if TYPE_CHECKING:
    import pandas as pd


_LONGEST = 200


def rows(ledger: Ledger, *, as_of: dt.datetime, now: dt.datetime) -> list[dict[str, Any]]:
    """Give every source that an item names or a grading set: those of your own news first.

    `reliability` is learned from `claims` that resolved (mean and 90 %), `prior` goes by the grade
    alone, `effective` discounts copies; `bound` is the most that all it says may multiply a hazard
    by or divide it. Of `items`, `own` are news added here and `data` facts that came with the bank.
    """
    if as_of > now:
        msg = f"as_of ({iso(as_of)}): lies in the future (now {iso(now)})"
        raise InvalidInput(msg, hint="leave out as_of=TIME")
    items = known(ledger.evidence(), as_of)
    catalog = Catalog.of(ledger, recorded_by=as_of)
    reliabilities = learned(items, catalog.questions, catalog.outcomes, as_of)
    standing = without_retracted(items)
    set_for = graded(standing)
    count = dict.fromkeys(set_for, 0)
    own, data = Counter[str](), Counter[str]()
    for item in standing:
        if item.stream != STREAM:
            count[item.source] = count.get(item.source, 0) + 1
            own[item.source] += item.stream == NEWS
            data[item.source] += item.stream != NEWS and item.kind == "datum"
    grades = grades_of(standing)
    listed = []
    for source in count:
        taught = reliabilities.of(source, grades[source])
        prior = Reliabilities([]).of(source, grades[source])
        listed.append(
            {
                "source": source,
                "grade": taught.grade,
                "reliability": taught.mean,
                "lower": taught.quantile(0.05),
                "upper": taught.quantile(0.95),
                "claims": taught.claims,
                "effective": taught.effective,
                "right": taught.right,
                "wrong": taught.wrong,
                "bound": exp(bound(taught.mean)),
                "prior": prior.mean,
                "prior_lower": prior.quantile(0.05),
                "prior_upper": prior.quantile(0.95),
                "items": count[source],
                "own": own[source],
                "data": data[source],
                "set": source in set_for,
            }
        )

    def own_first(row: Mapping[str, Any]) -> tuple[Any, ...]:
        return not row["own"], -row["claims"], -row["items"], row["source"].casefold()

    return sorted(listed, key=own_first)


def folded(listed: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Give one line for the sources of data sets: facts of the bank that nothing was learned of."""
    shown: list[Mapping[str, Any]] = []
    rest: list[Mapping[str, Any]] = []
    for row in listed:
        is_data = row["items"] and row["data"] == row["items"] and not row["claims"]
        (rest if is_data and not row["set"] else shown).append(row)
    if len(rest) < 2:
        return list(listed)
    items = sum(row["items"] for row in rest)
    return [*shown, {"source": f"{len(rest)} sources of data sets", "items": items}]


def set_grade(
    ledger: Ledger,
    source: str,
    grade: str,
    *,
    now: dt.datetime,
    because: str = "",
    new: bool = False,
) -> dict[str, Any]:
    """Grade a source from now on; the entry overrides the grades that its items carry.

    The grade counts for forecasts as of now and later, never for earlier moments; `reweighed` says
    how many reports that stand weigh by it from now on. Only with `new` for a source that no item
    names yet: a mistyped name would stay for good.
    """
    name = normalised(source)
    if not name or len(name) > _LONGEST:
        msg = f"source ({name[:40]}): must be a name of 1 to {_LONGEST} characters"
        raise InvalidInput(msg, hint="forecast sources list")
    check_reason(because)
    letter = check_grade(grade)
    everything = known(ledger.evidence(), now)
    before = grades_of(without_retracted(everything)).get(name)
    named = {item.source for item in everything if item.stream != STREAM}
    if before is None and name not in named and not new:
        near = difflib.get_close_matches(name, sorted(named), n=1, cutoff=0.6)
        msg = f"source ({name}): no news item has this source"
        raise NotFound(
            msg, hint=f"{near[0]}, or new=True" if near else "new=True, to grade it anyway"
        )
    reweighed = sum(item.reports for item in without_retracted(everything) if item.source == name)
    draft = Evidence(
        key=key_made_of("grade", name, letter, iso(now)),
        kind="datum",
        title=f"Grade of {name}: {letter}",
        source="analyst",
        known_at=now,
        effects=(Effect(f"source/{name}", "datum", {"name": "graded", "grade": letter}, letter),),
        stream=STREAM,
        note=normalised(because),
    )
    (entry,) = ledger.append([draft], recorded_at=now)
    return {
        "seq": entry.seq,
        "id": entry.id,
        "source": name,
        "before": before,
        "grade": letter,
        "reweighed": reweighed,
        "recorded_at": entry.recorded_at,
    }


#: Stands for the reports of every source together.
ALL = "all reports"
#: As sure as a number is read before a move in log-odds is taken off it.
_CLIP = 1e-6


def worth(ledger: Ledger, wanted: Selection) -> dict[str, dict[str, Any]]:
    """Compare the model's numbers after reports with those before, by source and for all.

    With each of its forecasts the model records how far each new item moved it, in log-odds. So a
    forecast after a source's reports is compared with itself less what those reports moved: of one
    moment, with what else came and the time gone by in both. `change` is the mean half Brier score
    after less before (below 0: better after) over resolved yes-no questions, one mean a question,
    with a 95 % interval over events; null below 8 events.
    """
    import pandas as pd

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
            sure = min(max(p, _CLIP), 1 - _CLIP)
            moved_by = sum(change for _, change in its)
            before = 1 / (1 + exp(moved_by - log(sure / (1 - sure))))
            rows.append(
                {
                    "source": name,
                    "question": forecast.question,
                    "event": event[forecast.question],
                    "gain": (p - y) ** 2 - (before - y) ** 2,
                    "reports": frozenset(key for key, _ in its),
                }
            )
    table = pd.DataFrame(rows)
    if table.empty:
        return {}
    by_source = {str(name): _row(part) for name, part in table.groupby("source")}
    whole = by_source.pop(ALL)
    return {**by_source, ALL: whole}


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
    interval = difference_interval(questions["gain"], questions["event"].tolist())
    row["change"] = interval.mean
    if interval.note:
        return {**row, "verdict": interval.note}
    row.update(change_lower=interval.lower, change_upper=interval.upper)
    if interval.lower <= 0 <= interval.upper:
        return {**row, "verdict": "may be chance"}
    return {**row, "verdict": "better after" if interval.upper < 0 else "worse after"}
