"""Scores and calibration of a selection, by forecaster and by group; what a table leaves out."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from forecasting.app.scores.frame import (
    Selection,
    as_it_stood,
    kinds_present,
    late,
    plain_utc,
    resolved,
    spoken,
    unrevealed,
)
from forecasting.calibration.frame import GROUPS as CALIBRATED_BY
from forecasting.calibration.frame import (
    HORIZONS,
    LEAST_EVENTS,
    at_share,
    before_close,
    commonest_levels,
    group_row,
    numbers,
    picked,
    recalibrated,
)
from forecasting.calibration.frame import from_frame as calibrated
from forecasting.comparison.against import with_reference
from forecasting.comparison.table import check_table, from_frame
from forecasting.domain.forecasters import CLIMATOLOGY, UNIFORM, family
from forecasting.domain.question import ANNULLED, TOO_SOON
from forecasting.domain.scores import NATURAL, SCORES
from forecasting.errors import InvalidInput, NotFound
from forecasting.scoring.lifetime import where
from forecasting.store import Ledger

#: Why an outcome that came at once is not scored: nobody had time to forecast it.
SOON = "question{s} resolved within two days of opening (too_soon=True scores them)"
OPEN = "question{s} without an outcome yet"
#: Why a question with an outcome is in no frame: it was over before anybody spoke.
OVER = "question{s} forecast only after the close, or after the outcome could be known"
#: What is in a frame before its neighbours that stay quiet are.
EARLY = "early answers"
#: The columns of the table, also of one without rows.
SCORE_COLUMNS = (
    *("forecaster", "type", "unit", "rule", "convention", "orientation", "kind", "window"),
    *("proper", "n_questions", "n_forecasts", "n_events", "coverage", "possible_coverage", "mean"),
    *("lower", "upper", "while_open", "skill", "reference", "missing", "note"),
)


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
    """Score forecasters over the lifetime of questions, types apart; see `Book.scores`."""
    wanted = selection or Selection()
    check_table(rule, by, window, missing)
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


def calibration(
    ledger: Ledger,
    *,
    selection: Selection | None = None,
    share: float = 0.5,
    score: str = "brier",
    now: dt.datetime | None = None,
) -> dict[str, Any]:
    """Give the reliability curve, its band, the parts of the mean score and a reading.

    All rest on one forecast a question (at `share` of its window) and one question an event.
    """
    wanted = selection or Selection()
    if not 0 <= share < 1:
        raise InvalidInput(f"share ({share}): must lie in [0, 1)", hint="share=0.5")
    frame = resolved(ledger, wanted)
    moment = wanted.as_of or now
    result = calibrated(frame, share=share, score=score, moment=moment)
    if not result["n"]:
        who = wanted.forecaster
        note = empty_note(ledger, wanted, types=("binary",), whose=who, share=share)
        result["reading"] = f"{note[:1].upper()}{note[1:]}."
    if (frame["type"] == "numeric").any():
        result["numbers"] = numbers(frame, share=share)
    return result


def unread(
    ledger: Ledger, wanted: Selection, *, types: Sequence[str], share: float | None
) -> Counter[str]:
    """Count the scored questions that a calibration of some types does not read, by reason."""
    frame = resolved(ledger, wanted)
    frame = where(frame, ~frame["too_soon"])
    taken = frame["type"].isin(list(types))
    reasons: Counter[str] = Counter()
    for kind, n in frame[~taken].groupby("type")["question"].nunique().items():
        reasons[f"{kind} question{{s}}, which this does not read"] = int(n)
    frame = where(frame, taken)
    if "numeric" in types and (frame["type"] == "numeric").any():
        numeric = frame[frame["type"] == "numeric"]
        usual, levels = commonest_levels(numeric)
        odd = set(numeric["question"]) - set(numeric.loc[levels == usual, "question"])
        reasons["question{s} with other quantile levels than most"] = len(odd)
        frame = where(frame, ~frame["question"].isin(odd))
    if share is None or frame.empty:
        return +reasons
    read = at_share(share)(frame)["question"]
    silent = frame[~frame["question"].isin(read)]
    first = silent.sort_values("issued_at").drop_duplicates("question")
    moment = first["opens"] + share * (first["closes"] - first["opens"])
    over, unsaid = first["closed_at"] <= moment, first["issued_at"] > moment
    at = f"{100 * share:g} % of the window"
    reasons[f"question{{s}} resolved before {at}"] = int(over.sum())
    reasons[f"question{{s}} first forecast after {at}"] = int((unsaid & ~over).sum())
    reasons[f"question{{s}} withdrawn before {at}"] = int((~unsaid & ~over).sum())
    return +reasons


def by_group(
    ledger: Ledger,
    by: str,
    *,
    selection: Selection,
    share: float = 0.5,
    now: dt.datetime | None = None,
) -> list[dict[str, Any]]:
    """Give a calibration row for each forecaster, topic, month of scheduled close, or horizon."""
    if by not in CALIBRATED_BY:
        raise InvalidInput(f"by ({by}): must be one of {', '.join(CALIBRATED_BY)}")
    frame = resolved(ledger, selection)
    frame = where(frame, frame["type"] == "binary")
    if by == "horizon":
        chosen = {
            f"{days:g} d before close, still open": picked(frame, before_close(days))
            for days in (HORIZONS if len(frame) else ())
        }
    else:
        groups = frame["closes"].dt.strftime("%Y-%m") if by == "month" else frame[by]
        chosen = {
            str(label): picked(part, at_share(share)) for label, part in frame.groupby(groups)
        }
    rows = [group_row(by, label, each) for label, each in chosen.items()]
    if by == "forecaster" and rows:
        lines = recalibrated(frame, selection.as_of or now)
        rows = [
            row | (lines[row[by]] if row["n"] >= LEAST_EVENTS else dict.fromkeys(lines[row[by]]))
            for row in rows
        ]
    return [row for row in rows if row["n"]]


def left_out(
    ledger: Ledger,
    wanted: Selection,
    *forecasters: str,
    counted: bool = True,
    more: Counter[str] | None = None,
    now: dt.datetime | None = None,
) -> list[str]:
    """Say what a table leaves out of a selection, each with its count and its reason."""
    reasons: Counter[str] = Counter()
    for kind in kinds_present(ledger) if wanted.kind == "all" else [wanted.kind]:
        reasons += _reasons(ledger, replace(wanted, kind=kind), forecasters, wanted.as_of or now)
    # Of questions that run on, only what ends one early has an answer.
    early = reasons.pop(EARLY, 0) if now else 0
    reasons += more or Counter()
    notes = [f"left out: {_counted(reasons)}"] if reasons else []
    if early:
        notes.append(
            f"{early} question{'s were' if early > 1 else ' was'} answered before a scheduled "
            "close that is still to come; those that stay quiet are not in the table yet, which "
            "favours whoever expects early answers (past_close=True leaves such out)"
        )
    notes += [late_note(ledger, wanted), seal_note(ledger, wanted, *forecasters, counted=counted)]
    return [note for note in notes if note]


def _reasons(
    ledger: Ledger, wanted: Selection, forecasters: Sequence[str], moment: dt.datetime | None = None
) -> Counter[str]:
    """Count the questions that are in no frame by their reason, and what a `moment` came early."""
    head, catalog = as_it_stood(ledger, wanted)
    whose = set(forecasters) or {wanted.forecaster} - {""}
    reasons: Counter[str] = Counter()
    first: dict[str, dt.datetime] = {}
    for name, who, at in spoken(ledger, catalog, wanted, head=head):
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
        elif first[name] >= plain_utc(min(standing.resolved_at, question.closes)):
            reasons[OVER] += 1
        elif moment is not None and question.closes > moment:
            reasons[EARLY] += 1
    return reasons


def empty_note(
    ledger: Ledger,
    wanted: Selection,
    *,
    rule: str = "",
    types: Sequence[str] = (),
    whose: str = "",
    share: float | None = None,
) -> str:
    """Say why a table has nothing: of what resolved, what it leaves out; else what there is."""
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
    """Refuse a name without any forecast or seal; an empty one means all forecasters."""
    if not name or ledger.spoke(name, replays=True):
        return
    from difflib import get_close_matches

    present = sorted(ledger.forecasters(replays=True))
    msg = f"no forecaster named {name}"
    others = [one for one in present if family(one) == "person"]
    # Where the names themselves are the other way out, a far guess is none.
    near = next(
        iter(get_close_matches(name, others, 1) or get_close_matches(name, present, 1, 0.7)), ""
    )
    raise NotFound(msg, hint=near or ", ".join(others[:6]) or "forecast score")
