"""What an import comes to: its first rows, how much is scored, and scores beside a platform's."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from heapq import nsmallest
from operator import attrgetter
from statistics import fmean
from typing import Any

from forecasting.domain.catalog import Catalog
from forecasting.domain.question import ANNULLED, TOO_SOON, Question
from forecasting.domain.resolution import Resolution, outcomes
from forecasting.exchange import Plan
from forecasting.exchange.format import Format, QuestionHistory
from forecasting.exchange.record import Statements

SHOWN = 5


def title_notes(new: Iterable[Question], before: Catalog, *, platform: bool) -> list[str]:
    """Name the new questions whose title one on record has, under another id."""
    titles = before.titles()
    twice = [
        f"{one.id} ({name})"
        for one in new
        if one.id not in before.questions and (name := titles.get(one.whole_title.casefold()))
    ]
    if not twice:
        return []
    names = ", ".join(twice[:3]) + (f" and {len(twice) - 3} more" if len(twice) > 3 else "")
    way_out = "take the import back and give the id on record in the column question"
    if platform:
        there, _, here = twice[0].removesuffix(")").partition(" (")
        way_out = f"forecast questions same-as {here} {there} sets its forecasts beside yours"
    return [
        f"the title of a question on record, under another id: {names}; if it is the same one, "
        f"{way_out}"
    ]


def first_rows(plan: Plan, catalog: Catalog) -> list[dict[str, Any]]:
    """Give the first forecasts of an import as they were understood."""
    questions, settled = questions_and_outcomes(plan, catalog)
    return [
        {
            "question": one.question,
            "title": questions[one.question].title,
            "forecaster": one.forecaster,
            "forecast": one.value.plain_of(questions[one.question].space),
            "issued_at": one.issued_at,
            "closes": questions[one.question].closes,
            "outcome": None
            if (out := settled.get(one.question)) is None
            else questions[one.question].space.shown(out.outcome),
            "resolved_at": None if out is None else out.resolved_at,
        }
        for one in nsmallest(SHOWN, plan.forecasts, key=attrgetter("issued_at"))
    ]


def summary(plan: Plan, catalog: Catalog) -> str:
    """Say how many forecasts will be scored and over what; and what will not, and why."""
    questions, settled = questions_and_outcomes(plan, catalog)
    counts = Counter(map(attrgetter("question"), plan.forecasts))
    if not counts:
        return "no new forecasts" if plan.duplicates else ""
    ends = {name: min(questions[name].closes, settled[name].resolved_at)
            for name in counts if name in settled}  # fmt: skip
    after = Counter(
        one.question
        for one in plan.forecasts
        if (end := ends.get(one.question)) is not None and one.issued_at >= end
    )
    resolved = annulled = soon = late = scored = 0
    windows = []
    for name, count in counts.items():
        out, question = settled.get(name), questions[name]
        resolved += count * (out is not None)
        if out is None:
            continue
        if out.outcome == ANNULLED:
            annulled += count
        elif out.resolved_at - question.opens <= TOO_SOON:
            soon += count
        else:
            late += after[name]
            scored += count - after[name]
            if count > after[name]:
                windows.append(question.closes - question.opens)
    n = counts.total()
    parts = [f"{n:,} forecast{'s' * (n != 1)}", f"{resolved:,} resolved"]
    if windows:
        low, high = (
            max(1, round(one / dt.timedelta(days=1))) for one in (min(windows), max(windows))
        )
        days = f"{low} days" if low == high else f"{low} to {high} days"
        parts.append(f"{scored:,} scored over the {days} from opening to closing")
    else:
        parts.append("none scored")
    left_out = [
        f"{count:,} {why}"
        for count, why in (
            (n - resolved, "without an outcome yet"),
            (soon, "resolved within two days of opening (too_soon=True scores them)"),
            (annulled, "annulled"),
            (late, "made after the close or the outcome"),
        )
        if count
    ]
    return ", ".join(parts) + ("; left out: " + ", ".join(left_out) if left_out else "")


def questions_and_outcomes(
    plan: Plan, catalog: Catalog
) -> tuple[dict[str, Question], dict[str, Resolution]]:
    """Give the questions and outcomes as they will stand once an import is recorded."""
    questions = {**catalog.questions, **{question.id: question for question in plan.questions}}
    settled = {**catalog.outcomes, **outcomes(plan.resolutions)}
    return questions, settled


def checked(
    of: Format, statements: Statements, cases: Sequence[QuestionHistory]
) -> dict[str, list[dict[str, Any]]]:
    """Score `cases`, what the ledger holds of a file's questions, by the rules of its platform."""
    of_question = {one.question.id: one for one in cases}
    rows: list[dict[str, Any]] = []
    rules: list[dict[str, Any]] = []
    for name, rule in of.rules.items():
        each: list[float] = []
        ours: dict[tuple[str, str], float] = {}
        for one in cases:
            for forecaster, score in sorted(rule.score(one).items()):
                once = score if isinstance(score, list) else []
                each += once
                ours[one.question.id, forecaster] = fmean(once) if once else score
        their_scores = {
            (s.question, s.forecaster): s.score for s in statements.scored if s.rule == name
        }
        mine: list[dict[str, Any]] = [
            {
                "question": question,
                "forecaster": forecaster,
                "rule": name,
                "theirs": (theirs := their_scores.get((question, forecaster))),
                "ours": (own := ours.get((question, forecaster))),
                "difference": None if own is None or theirs is None else own - theirs,
            }
            for question, forecaster in [*ours, *sorted(their_scores.keys() - ours.keys())]
        ]
        rows += mine
        scored = [row for row in mine if row["ours"] is not None]
        both = [row for row in mine if row["difference"] is not None]
        worst = max(both, key=lambda row: abs(row["difference"]), default=None)
        rules.append(
            {
                "rule": name,
                "convention": rule.convention,
                "n": len(scored),
                "n_stated": len(both),
                "theirs": fmean([row["theirs"] for row in both]) if both else None,
                "ours": fmean([row["ours"] for row in both or scored]) if scored else None,
                "per_forecast": fmean(each) if each else None,
                "n_forecasts": len(each) or None,
                "largest_difference": None if worst is None else abs(worst["difference"]),
                "where": "" if worst is None else worst["question"],
                "explained": rule.why
                if worst is None or rule.because is None
                else rule.because(of_question[worst["question"]]),
            }
        )
    return {"rules": rules, "rows": rows}
