"""What was really said and is kept, though no other door would take it."""

import datetime as dt
from collections import defaultdict
from decimal import Decimal

from forecasting.domain.ladder import falls
from forecasting.exchange.held import Held, Plan


def flags(made: Plan, held: Held) -> list[str]:
    """Say what was really said and is kept, though no other door would take it."""
    said = []
    questions = {**held.questions, **{question.id: question for question in made.questions}}
    steps: dict[tuple[str, str], dict[str, list[tuple[dt.datetime, Decimal | None]]]] = {}
    new: dict[tuple[str, str], list[dt.datetime]] = defaultdict(list)

    ladders = {name: one.ladder for name, one in questions.items() if one.ladder}

    def step(question: str, who: str, at: dt.datetime, p: Decimal | None) -> None:
        rungs = steps.setdefault((ladders[question], who), {})
        rungs.setdefault(question, []).append((at, p))

    for one in made.forecasts if ladders else ():
        if one.question in ladders:
            step(one.question, one.forecaster, one.issued_at, Decimal(one.value.entered[0]))
            new[ladders[one.question], one.forecaster].append(one.issued_at)
    for (question, who, at), (labels, entered) in held.forecasts.items() if new else ():
        if (ladders.get(question), who) in new and labels == ("yes",):
            step(question, who, at, Decimal(entered[0]))
    for taken in made.withdrawals:
        if taken.question in ladders:
            step(taken.question, taken.forecaster, taken.withdrawn_at, None)
    found = 0
    for about, rungs in steps.items():
        # The day of a rung's name sorts as its deadline does.
        ordered = {rung: rungs[rung] for rung in sorted(rungs)}
        found += sum(fall.at in new[about] for fall in falls(ordered))
    if found:
        said.append(
            f"{found} forecast{'s' * (found > 1)} of a ladder fall from an earlier deadline to a "
            "later one; kept as stated"
        )
    nothing = _take_nothing_back(made, held)
    if nothing:
        said.append(
            f"{nothing} withdrawal{'s' * (nothing > 1)} of a forecast that was not in force; kept "
            "as stated"
        )
    return said


def _take_nothing_back(made: Plan, held: Held) -> int:
    concerned = {(one.question, one.forecaster) for one in made.withdrawals}
    if not concerned:
        return 0
    events: dict[tuple[str, str], list[tuple[dt.datetime, bool, bool]]] = defaultdict(list)
    for f in made.forecasts:
        events[f.question, f.forecaster].append((f.issued_at, True, True))
    for w in made.withdrawals:
        events[w.question, w.forecaster].append((w.withdrawn_at, False, True))
    for keys, speaks in ((held.forecasts, True), (held.withdrawals, False)):
        for question, who, at in keys:
            if (question, who) in concerned:
                events[question, who].append((at, speaks, False))
    count = 0
    for about in concerned:
        stands = False
        for _, speaks, new in sorted(events[about]):
            count += new and not speaks and not stands
            stands = speaks
    return count
