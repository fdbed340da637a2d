"""Scores by forecaster and by group, with intervals over events, and what a table leaves out."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from forecasting.app.scores.frame import (
    IN_BULK,
    Selection,
    as_it_stood,
    in_bulk,
    kinds_present,
    late,
    resolved,
    select,
    unrevealed,
)
from forecasting.comparison.against import (
    with_reference,
)
from forecasting.comparison.table import _check, from_frame
from forecasting.domain.forecasters import CLIMATOLOGY, UNIFORM, family
from forecasting.domain.question import ANNULLED, TOO_SOON
from forecasting.domain.scores import NATURAL, SCORES
from forecasting.errors import NotFound, nearest
from forecasting.scoring.lifetime import where
from forecasting.store import Ledger

#: Why an outcome that came at once is not scored: nobody had time to forecast it.
SOON = "question{s} resolved within two days of opening (too_soon=True scores them)"
OPEN = "question{s} without an outcome yet"
#: Why a question with an outcome is in no frame: it was over before anybody spoke.
OVER = "question{s} forecast only after the close, or after the outcome could be known"


def scores(
    ledger: Ledger,
    *,
    rule: str = "",
    convention: str = "half",
    by: str = "forecaster",
    window: str = "scheduled",
    selection: Selection | None = None,
    against: str = "",
    missing: str = "leave-out",
    resamples: int = 4999,
) -> list[dict[str, Any]]:
    """Score forecasters over the lifetime of questions, question types apart.

    CRPS is in the unit of its question: units are apart too, and without one there is no mean.

    Parameters
    ----------
    rule : str
        ``brier``, ``log``, ``spherical``, ``rps``, ``crps``, ``baseline``, ``peer``,
        ``relative``; empty: each question type by its natural rule. The last two compare with
        everybody of that kind in force on the question, and are not proper scores.
    by : str
        ``forecaster``, or that within ``question``, ``topic``, ``tag``, ``horizon``, ``month``
        (of the scheduled close).
    window : str
        ``scheduled`` (proper), ``spot@SHARE_OR_TIME`` (proper), ``until-resolution`` and ``last``
        (marked as not proper).
    against : str
        A forecaster, ``uniform`` or ``climatology`` to take the difference from, on shared
        questions and the same part of each window; empty: the base rate, by forecaster alone.
    missing : str
        ``leave-out``: a question that a forecaster skipped is not in their mean.
        ``uniform``: it counts as the uniform forecast, coverage 0.

    Returns
    -------
    list of dict
        A row per forecaster, group and question type; see the contract for the keys. `mean` is
        smaller when better unless `orientation` says ``larger``; ``skill`` is larger when better.
        ``while_open`` is the mean until each resolution, beside the scheduled one (not proper).
    """
    wanted = selection or Selection()
    _check(rule, by, window, missing)
    known_forecaster(ledger, wanted.forecaster)
    rows: list[dict[str, Any]] = []
    for kind in kinds_present(ledger) if wanted.kind == "all" else [wanted.kind]:
        frame = resolved(ledger, replace(wanted, kind=kind, forecaster=""), seals="worst")
        # A forecaster may have forecasts of one kind and not of another.
        there = {UNIFORM, CLIMATOLOGY, *frame["forecaster"]}
        if against and len(frame) and (wanted.kind != "all" or against in there):
            frame = with_reference(frame, against)
        rows += from_frame(
            frame,
            kind=kind,
            rule=rule,
            convention=convention,
            by=by,
            window=window,
            against=against,
            missing=missing,
            resamples=resamples,
        )
    return [
        {**row, "reading": wanted.reading}
        for row in rows
        if not wanted.forecaster or row["forecaster"] == wanted.forecaster
    ]


def left_out(
    ledger: Ledger,
    wanted: Selection,
    *forecasters: str,
    counted: bool = True,
    more: Counter[str] | None = None,
) -> list[str]:
    """Say what a table leaves out of a selection, each with its count and its reason.

    Seals are `counted` as the worst that they could hold, or left out too. `more` are the reasons
    of one table alone, with their counts.
    """
    reasons: Counter[str] = Counter()
    for kind in kinds_present(ledger) if wanted.kind == "all" else [wanted.kind]:
        reasons += _reasons(ledger, replace(wanted, kind=kind), forecasters)
    reasons += more or Counter()
    notes = [f"left out: {_counted(reasons)}"] if reasons else []
    notes += [late_note(ledger, wanted), seal_note(ledger, wanted, *forecasters, counted=counted)]
    return [note for note in notes if note]


def _reasons(ledger: Ledger, wanted: Selection, forecasters: Sequence[str]) -> Counter[str]:
    head, catalog = as_it_stood(ledger, wanted)
    whose = set(forecasters) or {wanted.forecaster} - {""}
    reasons: Counter[str] = Counter()
    if wanted.kind in IN_BULK:
        forecasts = in_bulk(ledger, catalog, wanted, head=head)
        moments: Iterable[dt.datetime] = forecasts.issued_at.tolist()
        spoken: Iterable[tuple[str, str, dt.datetime]]
        spoken = zip(forecasts.question, forecasts.forecaster, moments, strict=True)
    else:
        selected = select(ledger, catalog, wanted, head=head)
        spoken = ((one.question, one.forecaster, _plain(one.issued_at)) for one in selected)
    first: dict[str, dt.datetime] = {}
    for name, who, at in spoken:
        if (not whose or who in whose) and not (name in first and first[name] <= at):
            first[name] = at
    for name in sorted(first):
        standing, question = catalog.outcomes.get(name), catalog.questions[name]
        if standing is None or (wanted.as_of is not None and standing.resolved_at > wanted.as_of):
            reasons[OPEN] += 1
        elif standing.outcome == ANNULLED:
            reasons["annulled question{s}"] += 1
        elif wanted.closed_by is not None and question.closes > wanted.closed_by:
            reasons["question{s} before the scheduled close"] += 1
        elif not wanted.too_soon and standing.resolved_at - question.opens <= TOO_SOON:
            reasons[SOON] += 1
        elif first[name] >= _plain(min(standing.resolved_at, question.closes)):
            reasons[OVER] += 1
    return reasons


def _plain(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.UTC).replace(tzinfo=None)


def empty_note(
    ledger: Ledger,
    wanted: Selection,
    *,
    rule: str = "",
    types: Sequence[str] = (),
    whose: str = "",
    share: float | None = None,
) -> str:
    """Say why a table has nothing: of what resolved, what it leaves out; else what there is.

    It scores by `rule`, takes questions of `types` (default: those of the rule, or all), is of
    `whose` forecasts, and reads them at a `share` of each window.
    """
    kinds = kinds_present(ledger) if wanted.kind == "all" else [wanted.kind]
    noun = "forecast" if wanted.kind == "all" else f"{wanted.kind} forecast"
    noun += f" by {whose}" if whose else ""
    takes = types or (SCORES[rule].types if rule else tuple(NATURAL))
    reasons: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for kind in kinds:
        asked = replace(wanted, kind=kind)
        reasons += _reasons(ledger, asked, ())
        frame = resolved(ledger, asked)
        questions = where(frame, ~frame["too_soon"]).drop_duplicates("question")
        counts.update(str(name) for name in questions["type"])
    if share is not None and (n := sum(counts[name] for name in takes)):
        return (
            f"{n} question{'s have' if n > 1 else ' has'} resolved, none with a {noun} in force "
            f"where it is read, {100 * share:.0f} % into the window, and open until then: a "
            "smaller share=SHARE reads it earlier"
        )
    reasons.pop(OPEN, None)
    if counts and not any(counts[name] for name in takes):
        table = f"rule {rule} scores" if rule else "this takes"
        return f"{table} {' and '.join(takes)} questions: none has resolved here"
    if reasons:
        return f"no {noun} to score; left out: {_counted(reasons)}"
    empty = f"no {noun} of a resolved question yet"
    if wanted.kind == "all":
        return empty
    if whose:
        frame = resolved(ledger, replace(wanted, forecaster=""))
        if names := sorted(set(frame["forecaster"])):
            return f"{empty}; {names[0]} has one"
    others = [f"kind={other}" for other in kinds_present(ledger) if other != wanted.kind]
    return f"{empty}; there are others: {' or '.join(others)}" if others else empty


def _counted(reasons: Counter[str]) -> str:
    return ", ".join(f"{n} {why.format(s='s' * (n > 1))}" for why, n in reasons.items())


def late_note(ledger: Ledger, wanted: Selection) -> str:
    """Say how many live forecasts a table leaves out for coming too late; empty for none."""
    n = late(ledger, wanted)
    if not n:
        return ""
    return (
        f"{n} late forecast{'s' * (n > 1)} left out: recorded at or after the close, or when the "
        "outcome could be known"
    )


def seal_note(ledger: Ledger, wanted: Selection, *forecasters: str, counted: bool = True) -> str:
    """Say how many seals a table reads as the worst they could hold, or leaves out (`counted`)."""
    whose = forecasters or (wanted.forecaster,)
    n = sum(unrevealed(ledger, replace(wanted, forecaster=name)) for name in whose)
    if not n:
        return ""
    seals = f"{n} seal{'s' * (n > 1)} not revealed"
    if not counted:
        return f"{seals} left out (forecast reveal opens them)"
    each = "counts as the worst forecast it" if n == 1 else "count as the worst forecasts they"
    return f"{seals} {each} could hold (forecast reveal opens them)"


def known_forecaster(ledger: Ledger, name: str) -> None:
    """Refuse a name without any forecast; an empty one means all forecasters."""
    if not name or ledger.forecasts(forecaster=name):
        return
    from difflib import get_close_matches

    present = dict.fromkeys(forecast.forecaster for forecast in ledger.forecasts())
    msg = f"no forecaster named {name}"
    others = [one for one in present if family(one) == "person"]
    near = nearest(name, others) or next(iter(get_close_matches(name, present, 1, 0.7)), "")
    raise NotFound(msg, hint=near or ", ".join(others[:6]) or "forecast score")
