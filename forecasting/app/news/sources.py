"""Sources: how reliable each is, by grade and resolved claims, and what its reports were worth."""

import datetime as dt
import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from math import exp
from typing import Any

from forecasting.domain.catalog import Catalog
from forecasting.domain.evidence import NEWS, Effect, Evidence
from forecasting.domain.instants import iso
from forecasting.domain.question import normalised
from forecasting.errors import InvalidInput, NotFound
from forecasting.evidence import known, learned, without_retracted
from forecasting.evidence.effects import check_reason, graded, key_made_of
from forecasting.evidence.reliability import STREAM, Reliabilities, check_grade, grades_of
from forecasting.evidence.reports import bound
from forecasting.store import Ledger

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
