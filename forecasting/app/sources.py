"""Sources: how reliable each is, by its grade and as learned from its resolved claims."""

import datetime as dt
import difflib
import hashlib
from typing import Any

from forecasting.app.catalog import Catalog
from forecasting.app.news_shown import retracts
from forecasting.domain.evidence import Effect, Evidence
from forecasting.domain.instants import iso
from forecasting.domain.question import normalised
from forecasting.errors import InvalidInput
from forecasting.evidence import known, learned, retracted
from forecasting.evidence.reliability import STREAM, Reliabilities, check_grade, grades_of
from forecasting.store import Ledger

_LONGEST = 200
_LONGEST_REASON = 20_000


def rows(ledger: Ledger, *, as_of: dt.datetime) -> list[dict[str, Any]]:
    """Give every source that an item names or a grading set, the most tested first.

    Returns
    -------
    list of dict
        `grade`; `reliability, lower, upper` as learned (mean and 90 % interval); `prior,
        prior_lower, prior_upper` by the grade alone; `claims` that resolved, `effective` ones once
        copies are discounted, `right` and `wrong`; `items` in all; `set` where the grade was set
        for the source rather than read off its items.
    """
    items = known(ledger.evidence(), as_of)
    catalog = Catalog.of(ledger)
    found = learned(items, catalog.questions, catalog.outcomes, as_of)
    before = Reliabilities([])
    standing = retracted(items)
    set_for = _set_for(standing)
    count = dict.fromkeys(set_for, 0)
    for item in standing:
        if item.stream != STREAM:
            count[item.source] = count.get(item.source, 0) + 1
    grades = grades_of(standing)
    listed = []
    for source in count:
        now = found.of(source, grades[source])
        prior = before.of(source, grades[source])
        listed.append(
            {
                "source": source,
                "grade": now.grade,
                "reliability": now.mean,
                "lower": now.quantile(0.05),
                "upper": now.quantile(0.95),
                "claims": now.claims,
                "effective": now.effective,
                "right": now.right,
                "wrong": now.wrong,
                "prior": prior.mean,
                "prior_lower": prior.quantile(0.05),
                "prior_upper": prior.quantile(0.95),
                "items": count[source],
                "set": source in set_for,
            }
        )
    return sorted(listed, key=lambda row: (-row["claims"], -row["items"], row["source"].casefold()))


def _set_for(standing: tuple[Evidence, ...]) -> set[str]:
    return {
        effect.target.removeprefix("source/")
        for item in standing
        if item.stream == STREAM
        for effect in item.effects
    }


def set_grade(
    ledger: Ledger, source: str, grade: str, *, now: dt.datetime, because: str = ""
) -> tuple[dict[str, Any], str]:
    """Grade a source from now on; the entry overrides the grades that its items carry.

    The grade counts for forecasts as of now and later, never for earlier moments, and the latest
    one known as of a moment is the one that counts.

    Returns
    -------
    (row, warning)
        The entry; and a word of warning where no item names this source yet.

    Raises
    ------
    InvalidInput
        No such grade, or no source; nothing was written.
    """
    name = normalised(source)
    if not name or len(name) > _LONGEST:
        msg = f"source ({name[:40]}): must be a name of 1 to {_LONGEST} characters"
        raise InvalidInput(msg, hint="forecast sources list")
    if len(because) > _LONGEST_REASON:
        msg = f"because ({len(because)} characters): at most {_LONGEST_REASON}"
        raise InvalidInput(msg)
    wanted = check_grade(grade)
    items = retracted(known(ledger.evidence(), now))
    before = grades_of(items).get(name)
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
    row = {
        "seq": entry.seq,
        "id": entry.id,
        "source": name,
        "before": before,
        "grade": wanted,
        "recorded_at": entry.recorded_at,
    }
    if before is not None:
        return row, ""
    named = {item.source for item in items if item.stream != STREAM and not retracts(item)}
    near = difflib.get_close_matches(name, named, n=1, cutoff=0.6)
    meant = f"; did you mean {near[0]}?" if near else ""
    return row, f"no item names {name} yet{meant}"
