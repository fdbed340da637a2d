"""Which forecasts and withdrawals of a question are recorded, given those that the ledger holds."""

import datetime as dt
from decimal import Decimal
from functools import lru_cache
from itertools import groupby
from operator import attrgetter

from forecasting.domain import Imported, Question, Value, Withdrawal
from forecasting.domain.forecast import options_value, quantiles_value
from forecasting.domain.instants import iso
from forecasting.domain.outcome import OutcomeSpace
from forecasting.domain.reading import Ambiguous, Damaged, Manner, of_file, plainly
from forecasting.errors import InvalidInput
from forecasting.exchange.case import Case, Key
from forecasting.exchange.record import WITHDRAWN, Refused, StatedForecast

_PLACE = attrgetter("issued_at", "forecaster")


def keep(case: Case, question: Question, resolved_at: dt.datetime | None) -> int:
    """Keep the forecasts and withdrawals that may be kept; give how many the ledger then holds."""
    digest, opens, binary = question.wording_hash, question.opens, question.space.type == "binary"
    ends = min(filter(None, (question.closes, resolved_at, case.now)))
    value: Value | None
    # Of a million forecasts nearly all are alone at their instant, and in no ledger yet.
    alone = not (case.moments or case.existing.withdrawals)
    count = 0
    # In the order in which they are recorded, which puts those of one instant side by side.
    for (at, who), some in groupby(sorted(case.about.forecasts, key=_PLACE), key=_PLACE):
        group: list[tuple[StatedForecast, Value | None]] = []
        for one in some:
            try:
                answer = one.answer
                if answer == WITHDRAWN:
                    value = None
                elif binary and type(answer) is str:
                    value = _binary(answer, one.stated)
                elif isinstance(answer, Value):
                    value = answer
                else:
                    value = value_of(question.space, answer, manner=case.manner)
                if not opens <= at < ends:
                    _check_time(case, question, one, resolved_at)
            except (Ambiguous, Damaged) as damaged:
                raise of_file(damaged, f"{case.name}:{one.line}") from damaged
            except InvalidInput as wrong:
                case.plan.refused.append(Refused(one.line, str(wrong)))
            else:
                group.append((one, value))
        if alone and len(group) == 1:
            _keep(case, digest, *group[0])
            count += 1
        elif group:
            count += _at_one_instant(case, digest, (question.id, who, at), group)
    return count


def _at_one_instant(
    case: Case, digest: str, key: Key, group: list[tuple[StatedForecast, Value | None]]
) -> int:
    recorded = case.existing.forecasts.get(key)
    one, value = group[0]
    alike = value is not None and recorded == (value.labels, value.entered)
    if alike and len(group) == 1:
        # Of a file that comes again nearly all are what the ledger holds, to the letter.
        case.plan.duplicates += 1
        return 1
    if case.platform and len(group) > 1 and any(value is not None for _, value in group):
        # Where a new forecast follows at once, the end of the one before it is no withdrawal.
        ends = [pair for pair in group if pair[1] is None]
        case.plan.duplicates += len(ends)
        group = [pair for pair in group if pair[1] is not None]
    if case.platform and recorded is not None and all(value is None for _, value in group):
        case.plan.duplicates += len(group)
        return 1
    only_ended = case.platform and recorded is None and group[0][1] is not None
    if recorded is not None or (key in case.existing.withdrawals and not only_ended):
        in_ledger = None if recorded is None else _numbers(*recorded)
        other = [one.line for one, value in group if _exact(value) != in_ledger]
        case.refuse(other, f"forecast ({_named(key)}): the ledger has another at that instant")
        case.plan.duplicates += len(group) - len(other)
        return 1
    if len(group) > 1 and len({_exact(value) for _, value in group}) > 1:
        lines = sorted(one.line for one, _ in group)
        shown = ", ".join(map(str, lines[:5])) + (", ..." if len(lines) > 5 else "")
        clash = f"lines {shown} disagree" if len(set(lines)) > 1 else "one line says two things"
        reason = f"forecast ({_named(key)}): {clash} at that instant"
        if not case.platform:
            reason += ". Try: a time of day for each, or one of them"
        case.refuse(lines, reason)
        return 0
    one, value = group[0]
    if len(group) > 1:
        one, value = min(group, key=lambda pair: (pair[0].stated, pair[0].because))
    case.plan.duplicates += len(group) - 1
    _keep(case, digest, one, value)
    return 1


def _keep(case: Case, digest: str, one: StatedForecast, value: Value | None) -> None:
    plan = case.plan
    plan.added += 1
    if value is None:
        plan.withdrawals.append(Withdrawal(one.question, one.forecaster, one.issued_at))
        return
    if one.stated != value.stated:
        value = Value(value.shape, value.labels, value.entered, one.stated)
    plan.forecasts.append(
        Imported(one.question, digest, one.forecaster, value, one.issued_at, one.because)
    )


def _check_time(
    case: Case, question: Question, one: StatedForecast, resolved_at: dt.datetime | None
) -> None:
    at = one.issued_at
    if at > case.now:
        rule = f"lies in the future (now {iso(case.now)})"
    elif at < question.opens:
        rule = f"question {question.id} opens at {iso(question.opens)}"
    elif resolved_at is not None and at >= resolved_at:
        rule = f"question {question.id} had resolved at {iso(resolved_at)}"
    elif at >= question.closes:
        rule = f"question {question.id} had closed at {iso(question.closes)}"
    else:
        return
    if (case.platform or one.outside) and at <= case.now:
        when = rule.rpartition(" at ")[0].rpartition(" ")[2]
        case.outside["ended" if one.answer == WITHDRAWN else when] += 1
        return
    raise InvalidInput(f"issued_at ({iso(at)}): {rule}")


def _named(key: Key) -> str:
    return f"{key[1]} on {key[0]} at {iso(key[2])}"


def _exact(value: Value | None) -> tuple[tuple[str, Decimal], ...] | None:
    return None if value is None else _numbers(value.labels, value.entered)


@lru_cache(maxsize=65536)
def _binary(entered: str, stated: str) -> Value:
    """Give a probability; the thousands who say the same share one value."""
    return Value("binary", ("yes",), (entered,), stated)


@lru_cache(maxsize=65536)
def _numbers(labels: tuple[str, ...], entered: tuple[str, ...]) -> tuple[tuple[str, Decimal], ...]:
    return tuple(zip(labels, map(Decimal, entered), strict=True))


def value_of(
    space: OutcomeSpace, answer: str | tuple[tuple[str, str], ...], *, manner: Manner | None = None
) -> Value:
    """Give the value of a forecast on an outcome space: a decimal that was read, or pairs."""
    if space.type == "binary":
        if not isinstance(answer, str):
            names = plainly(", ".join(label for label, _ in answer))
            msg = f"forecast ({names}): the question is yes or no, and takes one probability"
            raise InvalidInput(msg, hint="0.35")
        return Value("binary", ("yes",), (answer,))
    if isinstance(answer, str):
        hint = "5=1;50=2;95=4" if space.type == "numeric" else "a=0.2;b=0.8"
        msg = f"forecast ({answer}): the question is {space.type}, and takes a number for each"
        raise InvalidInput(msg, hint=hint)
    if space.type == "numeric":
        return quantiles_value(space, dict(answer), manner=manner)
    value = options_value(space, dict(answer), manner=manner)
    return Value(value.shape, value.labels, value.entered)
