"""Sources: how reliable each is, by its grade and as learned from its resolved claims."""

import datetime as dt
import difflib
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from math import exp
from typing import Any

from forecasting.app.catalog import Catalog
from forecasting.app.news_standing import NEWS
from forecasting.domain.evidence import Effect, Evidence
from forecasting.domain.instants import iso
from forecasting.domain.question import normalised
from forecasting.errors import InvalidInput, NotFound
from forecasting.evidence import known, learned, retracted
from forecasting.evidence.reliability import STREAM, Reliabilities, check_grade, grades_of
from forecasting.evidence.reports import bound
from forecasting.store import Ledger

_LONGEST = 200
_LONGEST_REASON = 20_000


def rows(ledger: Ledger, *, as_of: dt.datetime, now: dt.datetime) -> list[dict[str, Any]]:
    """Give every source that an item names or a grading set: those of your own news first.

    Returns
    -------
    list of dict
        `grade`; `reliability, lower, upper` as learned (mean and 90 % interval); `prior,
        prior_lower, prior_upper` by the grade alone; `claims` that resolved, `effective` ones once
        copies are discounted, `right` and `wrong`; `bound`, the most that all it says may multiply
        the hazard of a move by (or divide it); `items` in all, `own` of them news that was added
        here and `data` facts that came with the bank; `set` where the grade was set for
        the source rather than read off its items.
    """
    if as_of > now:
        msg = f"as_of ({iso(as_of)}): lies in the future (now {iso(now)})"
        raise InvalidInput(msg, hint="leave out as_of=TIME")
    items = known(ledger.evidence(), as_of)
    catalog = Catalog.of(ledger, recorded_by=as_of)
    found = learned(items, catalog.questions, catalog.outcomes, as_of)
    before = Reliabilities([])
    standing = retracted(items)
    set_for = _set_for(standing)
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
        taught = found.of(source, grades[source])
        prior = before.of(source, grades[source])
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
    return sorted(
        listed,
        key=lambda row: (
            *(not row["own"], -row["claims"], -row["items"]),
            row["source"].casefold(),
        ),
    )


def folded(listed: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Give one line for the sources of data sets: facts of the bank that nothing was learned of."""
    shown: list[Mapping[str, Any]] = []
    rest: list[Mapping[str, Any]] = []
    for row in listed:
        is_data = row["items"] and row["data"] == row["items"] and not row["claims"]
        (rest if is_data and not row["set"] else shown).append(row)
    if len(rest) < 2:
        return list(listed)
    line = {
        "source": f"{len(rest)} sources of data sets",
        "items": sum(row["items"] for row in rest),
    }
    return [*shown, line]


def _set_for(standing: tuple[Evidence, ...]) -> set[str]:
    return {
        effect.target.removeprefix("source/")
        for item in standing
        if item.stream == STREAM
        for effect in item.effects
    }


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

    The grade counts for forecasts as of now and later, never for earlier moments, and the latest
    one known as of a moment is the one that counts.

    Parameters
    ----------
    new : bool
        Grade a source that no item names yet; a mistyped name would stay for good.

    Raises
    ------
    InvalidInput
        No such grade, or no name; nothing was written.
    NotFound
        No item names this source.
    """
    name = normalised(source)
    if not name or len(name) > _LONGEST:
        msg = f"source ({name[:40]}): must be a name of 1 to {_LONGEST} characters"
        raise InvalidInput(msg, hint="forecast sources list")
    if len(because) > _LONGEST_REASON:
        msg = f"because ({len(because)} characters): at most {_LONGEST_REASON}"
        raise InvalidInput(msg)
    wanted = check_grade(grade)
    everything = known(ledger.evidence(), now)
    before = grades_of(retracted(everything)).get(name)
    named = {item.source for item in everything if item.stream != STREAM}
    if before is None and name not in named and not new:
        near = difflib.get_close_matches(name, sorted(named), n=1, cutoff=0.6)
        msg = f"source ({name}): no news item has this source"
        raise NotFound(
            msg, hint=f"{near[0]}, or new=True" if near else "new=True, to grade it anyway"
        )
    unique = hashlib.sha256(f"{name}\0{wanted}\0{iso(now)}".encode()).hexdigest()[:12]
    draft = Evidence(
        key=f"grade-{unique}",
        kind="datum",
        title=f"Grade of {name}: {wanted}",
        source="analyst",
        known_at=now,
        effects=(Effect(f"source/{name}", "datum", {"name": "graded", "grade": wanted}, wanted),),
        stream=STREAM,
        note=normalised(because),
    )
    (entry,) = ledger.append([draft], recorded_at=now)
    return {
        "seq": entry.seq,
        "id": entry.id,
        "source": name,
        "before": before,
        "grade": wanted,
        "recorded_at": entry.recorded_at,
    }
