"""What is said beside a table of scores: why it is empty, and what it leaves out or charges."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from forecasting.app.catalog import Catalog
from forecasting.app.frames import (
    IN_BULK,
    Selection,
    in_bulk,
    kinds_present,
    late,
    resolved,
    select,
    unrevealed,
)
from forecasting.domain.question import ANNULLED, TOO_SOON
from forecasting.domain.scores import SCORES
from forecasting.store import Ledger

#: Why an outcome that came at once is not scored: nobody had time to forecast it.
SOON = "question{s} resolved within two days of opening (too_soon=True scores them)"


def left_out(
    ledger: Ledger, wanted: Selection, *forecasters: str, counted: bool = True
) -> list[str]:
    """Say what a table leaves out of a selection, each with its count and its reason.

    Parameters
    ----------
    forecasters : str
        Whose; default: the selection's.
    counted : bool
        Whether the table reads seals as the worst they could hold, or leaves them out too.
    """
    reasons: Counter[str] = Counter()
    for kind in kinds_present(ledger) if wanted.kind == "all" else [wanted.kind]:
        reasons += _reasons(ledger, replace(wanted, kind=kind), forecasters)
    parts = [f"{n} {why.format(s='s' * (n > 1))}" for why, n in reasons.items()]
    notes = [f"left out: {', '.join(parts)}"] if parts else []
    notes += [late_note(ledger, wanted), seal_note(ledger, wanted, *forecasters, counted=counted)]
    return [note for note in notes if note]


def _reasons(ledger: Ledger, wanted: Selection, forecasters: Sequence[str]) -> Counter[str]:
    catalog = Catalog.of(ledger, reading=wanted.reading)
    whose = set(forecasters) or {wanted.forecaster} - {""}
    reasons: Counter[str] = Counter()
    if wanted.kind in IN_BULK:
        told = in_bulk(ledger, catalog, wanted)
        said = zip(told.question, told.forecaster, strict=True)
        about = {question for question, who in said if _one_of(who, whose)}
    else:
        spoken = select(ledger, catalog, wanted)
        about = {one.question for one in spoken if _one_of(one.forecaster, whose)}
    for name in sorted(about):
        standing, question = catalog.outcomes.get(name), catalog.questions[name]
        if standing is None or (wanted.as_of is not None and standing.resolved_at > wanted.as_of):
            reasons["question{s} without an outcome yet"] += 1
        elif standing.outcome == ANNULLED:
            reasons["annulled question{s}"] += 1
        elif wanted.closed_by is not None and question.closes > wanted.closed_by:
            reasons["question{s} before the scheduled close"] += 1
        elif not wanted.too_soon and standing.resolved_at - question.opens <= TOO_SOON:
            reasons[SOON] += 1
    return reasons


def _one_of(name: str, whose: set[str]) -> bool:
    return not whose or name in whose


def empty_note(
    ledger: Ledger,
    kind: str,
    *,
    rule: str = "",
    forecaster: str = "",
    wanted: Selection | None = None,
) -> str:
    """Say that there is nothing to score, of a kind, by a rule or of a forecaster, and what is."""
    if wanted is not None and kind != "all":
        soon = _reasons(ledger, replace(wanted, kind=kind), ())[SOON]
        if soon and not wanted.too_soon:
            return (
                f"no {kind} forecast to score: each question with an outcome resolved within two "
                "days of its opening"
            )
    if kind == "all":
        return "no forecast of a resolved question yet"
    if rule or forecaster:
        frame = resolved(ledger, Selection(kind=kind))
        if len(frame) and rule:
            types = " and ".join(SCORES[rule].types)
            return f"rule {rule} scores {types} questions: none has resolved here"
        if wanted is not None:
            frame = resolved(ledger, replace(wanted, forecaster="", kind=kind))
        names = sorted(set(frame["forecaster"]))
        if forecaster in names:
            return (
                f"no {kind} forecast by {forecaster} stood where calibration reads it, in the "
                "middle of the window: share=0 reads the first one"
            )
        if names:
            return (
                f"no {kind} forecast by {forecaster} of a resolved question yet; {names[0]} has one"
            )
    others = [other for other in kinds_present(ledger) if other != kind]
    if not others:
        return f"no {kind} forecast of a resolved question yet"
    named = " or ".join(f"kind={other}" for other in others)
    return f"no {kind} forecast of a resolved question yet; there are others: {named}"


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
    """Say how many seals a table of scores reads as the worst they could hold; empty for none.

    Parameters
    ----------
    forecasters : str
        Whose; default: the selection's.
    counted : bool
        Not so for a review of calibration, which leaves them out.
    """
    whose = forecasters or (wanted.forecaster,)
    n = sum(unrevealed(ledger, replace(wanted, forecaster=name)) for name in whose)
    if not n:
        return ""
    seals = f"{n} seal{'s' * (n > 1)} not revealed"
    if not counted:
        return f"{seals} left out (forecast reveal opens them)"
    each = "counts as the worst forecast it" if n == 1 else "count as the worst forecasts they"
    return f"{seals} {each} could hold (forecast reveal opens them)"
