"""Whether a file was imported before in another zone: its forecasts are held, hours apart."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable

from forecasting.errors import InvalidInput
from forecasting.exchange.held import Held, Plan
from forecasting.exchange.record import Statements

#: Zones lie quarters of an hour apart, and at most 26 hours.
_STEP, _MOST, _DAY = dt.timedelta(minutes=15), dt.timedelta(hours=26), dt.timedelta(days=1)

type Spoken = list[tuple[dt.datetime, str, tuple[str, ...]]]


def in_another_zone(statements: Statements, plan: Plan, held: Held, *, refuse: bool) -> None:
    """Note, or `refuse`, forecasts that the ledger holds in the same words at shifted times.

    Compared are questions of one id, or of one title where the id is made of local times.
    """
    titles = {
        (question.title, name.partition("-")[0]): name
        for name, question in held.questions.items()
        if name in held.imported
    }
    new = {question.id: question.title for question in plan.questions}
    twins = {
        one.question: titles.get((new.get(one.question, ""), one.question.partition("-")[0]))
        or one.question
        for one in plan.forecasts
    }
    if not twins.keys() - new.keys() and all(name == twin for name, twin in twins.items()):
        return
    in_ledger = _by_question(
        (key[0], key[2], key[1], entered) for key, (_, entered) in held.forecasts.items()
    )
    in_file = _by_question(
        (one.question, one.issued_at, one.forecaster, one.value.entered) for one in plan.forecasts
    )
    again = {
        one.question
        for one in statements.said
        if (one.question, one.forecaster, one.issued_at) in held.forecasts
    }
    count = sum(
        len(forecasts)
        for name, forecasts in in_file.items()
        if name not in again and _shifted(forecasts, in_ledger.get(twins[name], []))
    )
    if not count:
        return
    words = (
        f"{count:,} forecast{'s' * (count > 1)} of this file stand in the ledger at times a few "
        "hours apart"
    )
    if refuse and count == len(plan.forecasts):
        msg = f"zone: {words}; it was imported with another zone"
        raise InvalidInput(msg, hint="that zone again, or forecast import undo RUN first")
    plan.notes.append(f"{words}: was another zone meant before")


def _by_question(
    rows: Iterable[tuple[str, dt.datetime, str, tuple[str, ...]]],
) -> dict[str, Spoken]:
    by_question: dict[str, Spoken] = defaultdict(list)
    for question, at, who, entered in rows:
        by_question[question].append((at, who, entered))
    return {question: sorted(forecasts) for question, forecasts in by_question.items()}


def _shifted(one: Spoken, other: Spoken) -> bool:
    if len(one) != len(other):
        return False
    for (at, *content), (before, *other_content) in zip(one, other, strict=True):
        apart = abs(at - before)
        if content != other_content or not apart or apart > _MOST or apart % _STEP or apart == _DAY:
            return False
    return True
