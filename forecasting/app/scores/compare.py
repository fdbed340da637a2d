"""Two forecasters compared: on shared questions, over events, and step by step."""

import datetime as dt
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from forecasting.app.catalog import Catalog
from forecasting.app.frames import Selection, resolved, seals_asked_for, select
from forecasting.app.scores import paired
from forecasting.app.scores.references import CLIMATOLOGY, UNIFORM, known_forecaster, with_reference
from forecasting.domain.forecast import Forecast
from forecasting.domain.question import ANNULLED
from forecasting.domain.scores import COMPARED, NATURAL, SCORES, score_range
from forecasting.domain.sealed import Sealed
from forecasting.errors import InvalidInput
from forecasting.store import Ledger

if TYPE_CHECKING:
    import pandas as pd

#: The widest difference of two scores: only bounded ones have a confidence sequence.
#: Steps further apart than this, relative to the usual gap, make no regular series.
_IRREGULAR = 0.25
_LEAST_SERIES = 8


def compare(
    ledger: Ledger,
    a: str,
    b: str,
    *,
    now: dt.datetime,
    rule: str = "",
    convention: str = "half",
    window: str = "scheduled",
    question_type: str = "",
    selection: Selection | None = None,
    diebold_mariano: bool = False,
    resamples: int = 4999,
) -> dict[str, Any]:
    """Compare A and B on the questions that both forecast, from when the later had spoken.

    Parameters
    ----------
    a, b : str
        Forecasters; ``uniform`` and ``climatology`` are there where nobody logged them.
    question_type : str
        Types are never averaged together; empty: the one with most shared questions.
    diebold_mariano : bool
        Add the test for regular series, where the events close at regular intervals.

    Returns
    -------
    dict
        The contract's keys and more: ``steps`` that entered the sequence, ``waiting`` questions
        that resolved but have not reached their scheduled close, ``held_by`` the event whose late
        answer holds up those after it, ``other_types`` with their shared questions.

    Raises
    ------
    NotFound, InvalidInput
        For a name without forecasts, one name twice, or a rule that does not fit.
    """
    wanted = selection or Selection()
    if a == b:
        msg = f"forecasters ({a}, {b}): must be two different names"
        raise InvalidInput(msg, hint="forecast compare model base-rate")
    if rule and rule not in COMPARED:
        msg = (
            f"rule ({rule}): must be one of {', '.join(COMPARED)}; the other rules already compare "
            "forecasters"
        )
        raise InvalidInput(msg)
    if question_type and question_type not in NATURAL:
        msg = f"type ({question_type}): must be one of {', '.join(NATURAL)}"
        raise InvalidInput(msg)
    frame = resolved(ledger, wanted, seals="worst")
    for name in (a, b):
        if name in (UNIFORM, CLIMATOLOGY):
            frame = with_reference(frame, name)
        else:
            known_forecaster(ledger, name)
    frame = frame[frame["forecaster"].isin([a, b])]
    counts = {kind: _n_shared(frame[frame["type"] == kind], a, b) for kind in NATURAL}
    fitting = [kind for kind in NATURAL if not rule or kind in SCORES[rule].types]
    chosen = question_type or max(fitting, key=lambda kind: counts[kind])
    used = rule or NATURAL[chosen]
    if chosen not in SCORES[used].types:
        msg = f"rule ({used}): does not score {chosen} questions"
        raise InvalidInput(msg, hint=f"rule={NATURAL[chosen]}")
    part = frame[frame["type"] == chosen]
    wide = paired.shared(part, a, b, rule=used, convention=convention, window=window)
    result = {
        "a": a,
        "b": b,
        "kind": wanted.kind,
        "type": chosen,
        "rule": used,
        "convention": convention if used == "brier" else "",
        "window": window,
        "proper": window.partition("@")[0] in ("scheduled", "spot"),
        "n_a": int(part.loc[part["forecaster"] == a, "question"].nunique()),
        "n_b": int(part.loc[part["forecaster"] == b, "question"].nunique()),
        "other_types": {kind: n for kind, n in counts.items() if n and kind != chosen},
    }
    pending = _pending(ledger, wanted, a, b, chosen)
    lower, upper = score_range(used, convention)
    bound = upper - lower
    return {
        **result,
        **_compared(
            wide,
            pending,
            names=(a, b),
            bound=bound if math.isfinite(bound) else None,
            moment=wanted.as_of or now,
            series=diebold_mariano,
            resamples=resamples,
        ),
    }


def _compared(
    wide: "pd.DataFrame",
    pending: "pd.DataFrame",
    *,
    names: tuple[str, str],
    bound: float | None,
    moment: dt.datetime,
    series: bool,
    resamples: int,
) -> dict[str, Any]:
    from forecasting.comparison import paired_bootstrap

    found: dict[str, Any] = {
        "n_shared": len(wide),
        "n_events": int(wide["event"].nunique()),
        **dict.fromkeys(("difference", "lower", "upper", "detectable", "cs_lower", "cs_upper")),
        **dict.fromkeys(("e_a", "e_b")),
        "steps": 0,
        "waiting": len(wide),
        "held_by": None,
    }
    if wide.empty:
        return {**found, "reading": f"{names[0]} and {names[1]} share no question: no comparison."}
    whole = paired_bootstrap(
        wide["a"], wide["b"], cluster=wide["event"].tolist(), resamples=resamples
    )
    said = [_named(whole.reading, names)]
    found.update(
        difference=whole.difference,
        lower=whole.lower,
        upper=whole.upper,
        detectable=whole.detectable,
        note=whole.note,
    )
    if bound is None:
        said.append("This score has no bounds, so there is no confidence sequence.")
    else:
        said.append(_sequence(found, wide, pending, names, bound, moment))
    if series:
        said.append(_series(found, wide, names))
    return {**found, "reading": "\n".join(said)}


def _sequence(
    found: dict[str, Any],
    wide: "pd.DataFrame",
    pending: "pd.DataFrame",
    names: tuple[str, str],
    bound: float,
    moment: dt.datetime,
) -> str:
    """Add the confidence sequence to what was found, and say how it reads."""
    import pandas as pd

    from forecasting.comparison import sequential, sequential_steps

    every = pd.concat([wide, pending], ignore_index=True) if len(pending) else wide
    steps = sequential_steps(
        every["a"].astype(float),
        every["b"].astype(float),
        scheduled_close=every["closes"],
        cluster=every["event"].tolist(),
        as_of=moment,
    )
    found.update(
        steps=len(steps.score_a),
        waiting=steps.waiting,
        held_by=None if steps.held_by is None else str(steps.held_by),
    )
    held = ""
    if steps.held_by is not None:
        held = (
            f" It waits for {steps.held_by}, which is past its close without an answer: "
            "resolve it or annul it."
        )
    elif steps.waiting:
        held = f" {steps.waiting} resolved early and wait for their scheduled close."
    if not len(steps.score_a):
        return f"No event has entered the sequence yet.{held}"
    at = sequential(steps.score_a, steps.score_b, bounds=(-bound, bound))
    found.update(
        cs_lower=float(at.lower[-1]),
        cs_upper=float(at.upper[-1]),
        e_a=float(at.e_a[-1]),
        e_b=float(at.e_b[-1]),
    )
    return _named(at.reading, names) + held


def _series(found: dict[str, Any], wide: "pd.DataFrame", names: tuple[str, str]) -> str:
    """Add the Diebold-Mariano test where the events close at regular intervals."""
    import numpy as np

    from forecasting.comparison import diebold_mariano

    steps = (
        wide.assign(d=wide["a"] - wide["b"]).groupby("event").agg({"d": "mean", "closes": "max"})
    )
    steps = steps.sort_values("closes")
    gaps = np.diff(steps["closes"].astype("int64").to_numpy())
    found.update(dm_statistic=None, dm_p_value=None)
    if len(steps) < _LEAST_SERIES:
        return f"Diebold-Mariano needs {_LEAST_SERIES} events in a row; there are {len(steps)}."
    usual = float(np.median(gaps))
    if usual <= 0 or bool(np.any(np.abs(gaps - usual) > _IRREGULAR * usual)):
        return "No Diebold-Mariano test: the events do not close at regular intervals."
    tested = diebold_mariano(steps["d"].to_numpy())
    found.update(dm_statistic=tested.statistic, dm_p_value=tested.p_value)
    if math.isnan(tested.statistic):
        return f"No Diebold-Mariano test: {tested.note}."
    return (
        f"Diebold-Mariano on {tested.n} regular steps: {tested.statistic:.2f}, p = "
        f"{tested.p_value:.2g}; below 0 {names[0]} is the better."
    )


def _n_shared(frame: "pd.DataFrame", a: str, b: str) -> int:
    frame = frame[~frame["too_soon"]]
    mine, theirs = (set(frame.loc[frame["forecaster"] == name, "question"]) for name in (a, b))
    return len(mine & theirs)


def _pending(ledger: Ledger, wanted: Selection, a: str, b: str, kind: str) -> "pd.DataFrame":
    """Give the questions that both forecast and that have no answer yet: their place is kept."""
    import pandas as pd

    catalog = Catalog.of(ledger)
    spoken: dict[str, set[str]] = {}
    sealed = seals_asked_for(ledger, catalog, wanted, head=None) if wanted.kind == "live" else []
    entries: list[Forecast | Sealed] = [*select(ledger, catalog, wanted), *sealed]
    for entry in entries:
        spoken.setdefault(entry.question, set()).add(entry.forecaster)
    rows = []
    for name, who in spoken.items():
        question = catalog.questions[name]
        standing = catalog.outcomes.get(name)
        if standing is not None and (
            standing.outcome == ANNULLED
            or wanted.as_of is None
            or standing.resolved_at <= wanted.as_of
        ):
            continue
        if question.type == kind and {a, b} - {UNIFORM, CLIMATOLOGY} <= who:
            rows.append(
                {
                    "question": name,
                    "a": math.nan,
                    "b": math.nan,
                    "event": question.event,
                    "closes": pd.Timestamp(question.closes),
                }
            )
    return pd.DataFrame(rows)


def _named(reading: str, names: tuple[str, str]) -> str:
    """Put the names in for A and B."""
    found: Mapping[str, str] = {"A": names[0], "B": names[1]}
    return re.sub(r"\b[AB]\b", lambda letter: found[letter[0]], reading)
