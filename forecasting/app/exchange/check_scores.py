"""Whether an import was read right: each platform's own scores, beside those that it states."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from forecasting.app.catalog import Catalog
from forecasting.app.ledger.undone import undone
from forecasting.domain import Forecast, Withdrawal
from forecasting.domain.question import ANNULLED
from forecasting.domain.resolution import outcomes
from forecasting.exchange.format import Format, Told
from forecasting.exchange.held import Plan
from forecasting.exchange.record import Statements
from forecasting.store import Ledger

#: What rounding alone may explain.
SAME = 5e-4


def checked(
    ledger: Ledger, of: Format, statements: Statements, made: Plan
) -> dict[str, list[dict[str, Any]]]:
    """Score what the ledger holds of a file's questions by the rules of its platform.

    `rows` are a question, forecaster and rule each, with `theirs` (None where the file states none)
    and `ours`; `rules` say of each rule its convention, both means and the largest difference.
    """
    told = list(_told(ledger, statements, made))
    stated = {(one.question, one.forecaster, one.rule): one.score for one in statements.scored}
    rows: list[dict[str, Any]] = []
    rules: list[dict[str, Any]] = []
    for name, rule in of.rules.items():
        mine: list[dict[str, Any]] = []
        for one in told:
            for forecaster, ours in sorted(rule.score(one).items()):
                theirs = stated.get((one.question.id, forecaster, name))
                mine.append(
                    {
                        "question": one.question.id,
                        "forecaster": forecaster,
                        "rule": name,
                        "theirs": theirs,
                        "ours": ours,
                        "difference": None if theirs is None else ours - theirs,
                    }
                )
        found = {(row["question"], row["forecaster"]) for row in mine}
        mine += [
            {
                "question": question,
                "forecaster": forecaster,
                "rule": name,
                "theirs": theirs,
                "ours": None,
                "difference": None,
            }
            for (question, forecaster, of_rule), theirs in sorted(stated.items())
            if of_rule == name and (question, forecaster) not in found
        ]
        rows += mine
        both = [row for row in mine if row["difference"] is not None]
        worst = max(both, key=lambda row: abs(row["difference"]), default=None)
        rules.append(
            {
                "rule": name,
                "convention": rule.convention,
                "n": sum(row["ours"] is not None for row in mine),
                "n_stated": len(both),
                "theirs": _mean([row["theirs"] for row in both]),
                "ours": _mean([row["ours"] for row in (both or mine) if row["ours"] is not None]),
                "largest_difference": None if worst is None else abs(worst["difference"]),
                "where": "" if worst is None else worst["question"],
                "explained": rule.why,
            }
        )
    return {"rules": rules, "rows": rows}


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _told(ledger: Ledger, statements: Statements, made: Plan) -> Iterator[Told]:
    """Give what is held of each resolved question that a file speaks of."""
    catalog = Catalog.of(ledger)
    questions = {**catalog.questions, **{one.id: one for one in made.questions}}
    settled = {**catalog.outcomes, **outcomes(made.resolutions)}
    about = {one.question for one in statements.facts} | {one.question for one in statements.said}
    beyond: dict[str, dict[str, Any]] = defaultdict(dict)
    for facts in statements.facts:
        beyond[facts.question] |= facts.stated
    gone = undone(ledger)
    spoken: dict[str, dict[tuple[str, Any], Forecast]] = defaultdict(dict)
    said = [
        *gone.left(ledger.forecasts(kind="imported")),
        *(one.forecast for one in made.forecasts),
    ]
    for forecast in said:
        if forecast.question in about:
            spoken[forecast.question][forecast.forecaster, forecast.issued_at] = forecast
    withdrawn: dict[str, set[tuple[str, Any]]] = defaultdict(set)
    for taken in (*gone.withdrawals, *made.withdrawals):
        withdrawn[taken.question].add((taken.forecaster, taken.withdrawn_at))
    for name in sorted(about & questions.keys() & settled.keys()):
        if settled[name].outcome == ANNULLED:
            continue
        yield Told(
            questions[name],
            settled[name],
            sorted(spoken[name].values(), key=lambda one: (one.issued_at, one.forecaster)),
            withdrawals=[
                Withdrawal(name, who, at) for who, at in sorted(withdrawn[name], key=lambda w: w[1])
            ],
            stated=beyond[name],
        )
