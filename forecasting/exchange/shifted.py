"""Whether a file was read before in another time zone: all that it says is held, hours away."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable

from forecasting.errors import InvalidInput
from forecasting.exchange.held import Held, Plan
from forecasting.exchange.record import Statements

#: Zones lie quarters of an hour apart, and at most 26 hours.
_STEP, _MOST, _DAY = dt.timedelta(minutes=15), dt.timedelta(hours=26), dt.timedelta(days=1)

type Spoken = list[tuple[dt.datetime, str, tuple[str, ...]]]


def in_another_zone(statements: Statements, made: Plan, held: Held, *, refuse: bool) -> None:
    """Note, or `refuse`, forecasts that the ledger holds in the same words at shifted times.

    Compared are questions of one id, or of one title where the id is made of local times.
    """
    titles = {
        (question.title, name.partition("-")[0]): name
        for name, question in held.questions.items()
        if name in held.imported
    }
    new = {question.id: question.title for question in made.questions}
    twins = {
        one.question: titles.get((new.get(one.question, ""), one.question.partition("-")[0]))
        or one.question
        for one in made.forecasts
    }
    if not twins.keys() - new.keys() and all(name == twin for name, twin in twins.items()):
        return
    there = _spoken((key[0], key[2], key[1], said[1]) for key, said in held.forecasts.items())
    told = _spoken(
        (one.question, one.issued_at, one.forecaster, one.value.entered) for one in made.forecasts
    )
    again = {
        one.question
        for one in statements.said
        if (one.question, one.forecaster, one.issued_at) in held.forecasts
    }
    count = sum(
        len(said)
        for name, said in told.items()
        if name not in again and _shifted(said, there.get(twins[name], []))
    )
    if not count:
        return
    words = (
        f"{count:,} forecast{'s' * (count > 1)} of this file stand in the ledger at times a few "
        "hours apart"
    )
    if refuse and count == len(made.forecasts):
        msg = f"zone: {words}; it was imported with another zone"
        raise InvalidInput(msg, hint="that zone again, or forecast import undo RUN first")
    made.notes.append(f"{words}: was another zone meant before")


def _spoken(rows: Iterable[tuple[str, dt.datetime, str, tuple[str, ...]]]) -> dict[str, Spoken]:
    found: dict[str, Spoken] = defaultdict(list)
    for question, at, who, entered in rows:
        found[question].append((at, who, entered))
    return {question: sorted(said) for question, said in found.items()}


def _shifted(one: Spoken, other: Spoken) -> bool:
    if len(one) != len(other):
        return False
    for (at, *said), (before, *same) in zip(one, other, strict=True):
        apart = abs(at - before)
        if said != same or not apart or apart > _MOST or apart % _STEP or apart == _DAY:
            return False
    return True
