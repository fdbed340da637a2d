"""What is said beside a table of scores: why it is empty, and what it leaves out or charges."""

from dataclasses import replace

from forecasting.app.frames import Selection, kinds_present, late, resolved, unrevealed
from forecasting.app.score import FITTING
from forecasting.store import Ledger


def empty_note(ledger: Ledger, kind: str, *, rule: str = "", forecaster: str = "") -> str:
    """Say that there is nothing to score, of a kind, by a rule or of a forecaster, and what is."""
    if kind == "all":
        return "no forecast of a resolved question yet"
    if rule or forecaster:
        frame = resolved(ledger, Selection(kind=kind))
        if len(frame) and rule:
            types = " and ".join(FITTING[rule])
            return f"rule {rule} scores {types} questions: none has resolved here"
        if names := sorted(set(frame["forecaster"])):
            return (
                f"no {kind} forecast by {forecaster} of a resolved question yet; "
                f"there are others: --forecaster {names[0]}"
            )
    others = [other for other in kinds_present(ledger) if other != kind]
    if not others:
        return f"no {kind} forecast of a resolved question yet"
    named = " or ".join(f"--kind {other}" for other in others)
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
        return f"{seals} left out: forecast reveal"
    each = "counts as the worst it" if n == 1 else "count as the worst they"
    return f"{seals} {each} could hold: forecast reveal"
