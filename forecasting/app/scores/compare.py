"""Forecasters compared: two step by step on shared questions, and all of them on a leaderboard.

Ranks stand only where there can be any.
"""

import datetime as dt
import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from forecasting.app.scores.frame import Selection, resolved, seals_asked_for, spoken
from forecasting.app.scores.score import empty_note, known_forecaster
from forecasting.comparison.against import lifetime_scores, shared, window_of, with_reference
from forecasting.comparison.table import board
from forecasting.domain.catalog import Catalog
from forecasting.domain.forecasters import CLIMATOLOGY, UNIFORM
from forecasting.domain.question import ANNULLED
from forecasting.domain.scores import COMPARED, NATURAL, RANKED, SCORES, score_range
from forecasting.errors import InvalidInput
from forecasting.store import Ledger

if TYPE_CHECKING:
    import pandas as pd

#: Windows of proper scores, which a leaderboard may rank by.
RANKED_BY = ("scheduled", "spot")
#: The columns of the table, also of one without rows.
LEADERBOARD_COLUMNS = (
    *("rank", "forecaster", "raw", "adjusted", "lower", "upper", "p_best", "rank_lower"),
    *("rank_upper", "component", "n_questions", "n_events", "rule", "convention", "kind"),
    *("window", "type"),
)


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
    resamples: int = 4999,
) -> dict[str, Any]:
    """Compare A and B on the questions that both forecast, from when the later had spoken.

    The result has the contract's keys and more: ``steps`` in the sequence, ``waiting`` questions
    before their scheduled close, ``held_by`` the event whose late answer holds up others,
    ``other_types``.
    """
    from forecasting.comparison import paired_bootstrap

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
        raise InvalidInput(f"type ({question_type}): must be one of {', '.join(NATURAL)}")
    frame = resolved(ledger, wanted, seals="worst")
    for name in (a, b):
        if name in (UNIFORM, CLIMATOLOGY):
            frame = with_reference(frame, name)
        else:
            known_forecaster(ledger, name)
    frame = frame[frame["forecaster"].isin([a, b])]
    counting = frame[~frame["too_soon"]]
    mine, theirs = (
        counting.loc[counting["forecaster"] == name, ["question", "type"]] for name in (a, b)
    )
    both = mine[mine["question"].isin(theirs["question"])].drop_duplicates("question")
    counts = {kind: int((both["type"] == kind).sum()) for kind in NATURAL}
    fitting = [kind for kind in NATURAL if not rule or kind in SCORES[rule].types]
    chosen = question_type or max(fitting, key=lambda kind: counts[kind])
    used = rule or NATURAL[chosen]
    if chosen not in SCORES[used].types:
        msg = f"rule ({used}): does not score {chosen} questions"
        raise InvalidInput(msg, hint=f"rule={NATURAL[chosen]}")
    part, of_type = frame[frame["type"] == chosen], counting["type"] == chosen
    _one_unit(part[part["question"].isin(both["question"])], used)
    wide = shared(part, [a], b, rule=used, convention=convention, window=window)[a]
    # Unanswered questions keep their place in the sequence.
    pending = _pending(ledger, wanted, a, b, chosen)
    names, moment = (a, b), wanted.as_of or now
    result: dict[str, Any] = {
        "a": a,
        "b": b,
        "kind": wanted.kind,
        "type": chosen,
        "rule": used,
        "convention": convention if used == "brier" else "",
        "window": window,
        "proper": window.partition("@")[0] in ("scheduled", "spot"),
        **{
            key: int(counting.loc[of_type & (counting["forecaster"] == who), "question"].nunique())
            for key, who in (("n_a", a), ("n_b", b))
        },
        "other_types": {kind: n for kind, n in counts.items() if n and kind != chosen},
        "n_shared": len(wide),
        "n_events": int(wide["event"].nunique()),
        **dict.fromkeys(("difference", "lower", "upper", "detectable", "cs_lower", "cs_upper")),
        **dict.fromkeys(("e_a", "e_b")),
        "steps": 0,
        "waiting": 0,
        "held_by": None,
    }
    if wide.empty:
        return {**result, "reading": f"{a} and {b} share no question: no comparison."}
    cluster = wide["event"].tolist()
    lower, upper = score_range(used, convention)
    whole = paired_bootstrap(
        wide["a"], wide["b"], cluster=cluster, resamples=resamples, largest=upper - lower
    )
    sentences = [_with_names(whole.reading, names)]
    if early := int((wide["closes"] > moment).sum()):
        sentences.append(
            f"{early} of the {len(wide)} {'was' if early == 1 else 'were'} answered before a close "
            "that is still to come, which favours whoever expects early answers."
        )
    result.update(
        difference=whole.difference,
        lower=whole.lower,
        upper=whole.upper,
        detectable=whole.detectable,
        note=whole.note,
    )
    if math.isfinite(upper - lower):
        sentences.append(_sequence(result, wide, pending, names, upper - lower, moment))
    else:
        sentences.append("This score has no fixed bound, so there is no confidence sequence.")
    return {**result, "reading": "\n".join(sentences)}


def _sequence(
    result: dict[str, Any],
    wide: "pd.DataFrame",
    pending: "pd.DataFrame",
    names: tuple[str, str],
    bound: float,
    moment: dt.datetime,
) -> str:
    """Add the confidence sequence to the result, and give the sentence on it."""
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
    result.update(
        steps=len(steps.score_a),
        waiting=steps.waiting,
        held_by=None if steps.held_by is None else str(steps.held_by),
    )
    wait_note = ""
    if steps.held_by is not None:
        wait_note = (
            f" It waits for {steps.held_by}, which is past its close without an answer: "
            "resolve it or annul it."
        )
    elif steps.waiting:
        wait_note = f" {steps.waiting} resolved early and wait for their scheduled close."
    if not len(steps.score_a):
        return f"No event has entered the sequence yet.{wait_note}"
    at = sequential(steps.score_a, steps.score_b, bounds=(-bound, bound))
    result.update(
        cs_lower=float(at.lower[-1]),
        cs_upper=float(at.upper[-1]),
        e_a=float(at.e_a[-1]),
        e_b=float(at.e_b[-1]),
    )
    return _with_names(at.reading, names) + wait_note


def _pending(ledger: Ledger, wanted: Selection, a: str, b: str, kind: str) -> "pd.DataFrame":
    """Give the questions that both forecast and that have no answer yet: their place is kept."""
    import pandas as pd

    catalog = Catalog.of(ledger)
    pairs = [(name, who) for name, who, _ in spoken(ledger, catalog, wanted)]
    if wanted.kind == "live":
        sealed = seals_asked_for(ledger, catalog, wanted, head=None)
        pairs += [(seal.question, seal.forecaster) for seal in sealed]
    whose: dict[str, set[str]] = {}
    for name, who in pairs:
        whose.setdefault(name, set()).add(who)
    rows = []
    for name, everybody in whose.items():
        question = catalog.questions[name]
        standing = catalog.outcomes.get(name)
        if standing is not None and (
            standing.outcome == ANNULLED
            or wanted.as_of is None
            or standing.resolved_at <= wanted.as_of
        ):
            continue
        if question.type == kind and {a, b} - {UNIFORM, CLIMATOLOGY} <= everybody:
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


def _with_names(reading: str, names: tuple[str, str]) -> str:
    """Put the names in for A and B."""
    name_of = {"A": names[0], "B": names[1]}
    return re.sub(r"\b[AB]\b", lambda letter: name_of[letter[0]], reading)


def leaderboard(
    ledger: Ledger,
    *,
    rule: str = "",
    convention: str = "half",
    window: str = "scheduled",
    question_type: str = "binary",
    selection: Selection | None = None,
    sample: bool = True,
    seed: int = 0,
) -> tuple[list[dict[str, Any]], list[str]]:
    """Give a row per forecaster of one question type, and what is to be said beside the table.

    ``rank`` and ``p_best`` are null below 8 events, in another component, and for every replay,
    whose questions were written with hindsight.
    """
    wanted = selection or Selection()
    used = rule or NATURAL.get(question_type, "")
    if question_type not in NATURAL:
        msg = f"type ({question_type}): must be one of {', '.join(NATURAL)}"
        raise InvalidInput(msg, hint="question_type=binary")
    if used not in RANKED or question_type not in SCORES[used].types:
        msg = (
            f"rule ({used}): must be one of {', '.join(RANKED)} and score {question_type} questions"
        )
        raise InvalidInput(msg, hint=f"rule={NATURAL[question_type]}")
    if window_of(window)[0] not in RANKED_BY:
        msg = f"window ({window}): is not a proper score, so no ranking is made"
        raise InvalidInput(msg, hint="window=scheduled or window=spot@0.5")
    asked = replace(wanted, forecaster="")
    frame = resolved(ledger, asked, seals="worst")
    frame = frame[(frame["type"] == question_type) & ~frame["too_soon"]]
    if frame.empty:
        return [], [empty_note(ledger, asked, types=(question_type,))]
    _one_unit(frame, used)
    scored = lifetime_scores(frame, rule=used, convention=convention, window=window)
    if window != "scheduled":
        scored = scored[scored["coverage"] == 1]
    events = frame.drop_duplicates("question").set_index("question")["event"]
    rows, notes = board(
        scored.join(events, on="question"),
        bounds=score_range(used, convention),
        withheld="a replay was written with hindsight" if wanted.kind == "replay" else "",
        sample=sample,
        seed=seed,
    )
    about = {"rule": used, "convention": scored["convention"].iloc[0], "kind": wanted.kind}
    rows = [{**row, **about, "window": window, "type": question_type} for row in rows]
    if wanted.forecaster:
        rows = [row for row in rows if row["forecaster"] == wanted.forecaster]
    return rows, notes


def _one_unit(frame: "pd.DataFrame", rule: str) -> None:
    """Refuse to average what is scored in several units, or in none that is stated."""
    units = frame.drop_duplicates("question")["unit"].value_counts()
    if not SCORES[rule].in_units or (len(units) < 2 and units.get("", 0) < 2):
        return
    named = ", ".join(f"{n} in {unit or 'no stated unit'}" for unit, n in units.items())
    msg = f"rule ({rule}): is in the unit of each question, so these have no mean ({named})"
    raise InvalidInput(msg, hint="questions or a tag of one unit")
