"""A fact held against the record: what is there already, and what it would contradict."""

import datetime as dt
from collections.abc import Sequence

from forecasting.domain.evidence import Effect, Evidence
from forecasting.domain.instants import day_of, iso
from forecasting.domain.process import DELIVERY_ENDS, DELIVERY_STATES, ProcessSpec
from forecasting.errors import InvalidInput
from forecasting.evidence.history import Record, Step
from forecasting.evidence.leads import check_state, moves_of
from forecasting.evidence.predicates import NewsWorld


def check_fact(
    world: NewsWorld,
    process: ProcessSpec,
    effect: Effect,
    happened: dt.datetime,
    evidence: Sequence[Evidence],
    now: dt.datetime,
) -> list[str]:
    """Refuse a fact that contradicts what is known by now; note one that is on record already."""
    record = world.record(process, evidence, now)
    begun = process.delivery.announced if process.delivery else process.since
    if begun is not None and happened < begun:
        word = "was agreed" if process.delivery else "was first watched"
        msg = (
            f"process ({process.name}): the item is dated {iso(happened)}, "
            f"before it {word} ({iso(begun)})"
        )
        raise InvalidInput(msg, hint="event_at=TIME, when it happened")
    # An item that says that a delivery is done adds an amount that nobody counted as a part.
    parts = [item for item in evidence if not _says_done(item, process.name)]
    plain = world.record(process, parts, now)
    if effect.name == "state":
        state = str(effect.detail["state"])
        _check_moment(process, record, state, happened)
        _check_move(process, record, state, happened)
    elif _is_recorded(plain, effect, happened):
        return [
            f"{process.name}={effect.stated}: the same day ({_day(process, happened)}) "
            "has one already, so it is not counted again"
        ]
    elif effect.name == "part":
        value = float(effect.detail["value"])
        _check_part(process, record, plain, value, happened)
    return []


def _day(process: ProcessSpec, moment: dt.datetime) -> str:
    """Name the day that a fact of a process is of, and its zone."""
    return f"{day_of(moment, process.zone)} {process.zone}"


def _same_day(record: Record, happened: dt.datetime) -> list[Step]:
    """Give what is known of a process on the day of a moment, in the zone of the process."""
    zone = record.process.zone
    day = day_of(happened, zone)
    return [step for step in record.steps if day_of(step.at, zone) == day]


def _check_moment(process: ProcessSpec, record: Record, state: str, happened: dt.datetime) -> None:
    """Refuse two states of one moment: nobody could say which one holds from then on."""
    others = [s for s in record.steps if s.at == happened and not s.counted and s.state != state]
    if others and process.delivery is None:
        msg = (
            f"fact ({process.name}={state}): {process.name} became {others[-1].state} at the same "
            f"moment ({iso(happened)}), and which came first is not said"
        )
        raise InvalidInput(msg, hint="event_at=TIME, to the hour")


def _is_recorded(record: Record, effect: Effect, happened: dt.datetime) -> bool:
    """Say whether an event or a part is on record already: a day has one."""
    same = _same_day(record, happened)
    if effect.name == "event":
        return any(step.counted for step in same)
    return any(step.amount == effect.detail.get("value") for step in same)


def _says_done(item: Evidence, name: str) -> bool:
    return any(
        effect.form == "datum" and effect.target == name and effect.detail.get("state") == "done"
        for effect in item.effects
    )


def _check_part(
    process: ProcessSpec, record: Record, plain: Record, value: float, happened: dt.datetime
) -> None:
    assert process.delivery is not None  # for the type checker
    name, agreed = process.name, process.delivery.agreed
    if (state := record.state_at(happened)) in DELIVERY_ENDS:
        msg = (
            f"part ({value:g}): {name} was {state} on {day_of(record.entered, process.zone)}, "
            "and nothing comes after that"
        )
        ended = next(step.key for step in reversed(record.steps) if not step.counted)
        hint = f"event_at=TIME, if it came before; else forecast news retract {ended}"
        raise InvalidInput(msg, hint=hint)
    same = [step for step in _same_day(plain, happened) if step.amount > 0.0]
    if same:
        msg = (
            f"part ({value:g}): {name} has one of {same[0].amount:g} on that day already; "
            "a day has one"
        )
        raise InvalidInput(msg, hint="their sum, with instead_of=N")
    before = plain.total
    if before + value > agreed:
        msg = (
            f"part ({value:g}): with the {before:g} known before makes {before + value:g} of the "
            f"{agreed:g} agreed ({name})"
        )
        rest = agreed - before
        hint = f"at most {name}={rest:g}" if rest > 0 else "instead_of=N, if a part was less"
        raise InvalidInput(msg, hint=hint)


def _check_move(process: ProcessSpec, record: Record, state: str, happened: dt.datetime) -> None:
    if any(s.state == state and not s.counted for s in _same_day(record, happened)):
        return
    ended = process.delivery is not None and state in DELIVERY_ENDS
    if ended and (after := [step for step in record.steps if step.at > happened]):
        msg = (
            f"fact ({process.name}={state}): nothing comes after that, and {process.name} was "
            f"{after[-1].state} on {day_of(after[-1].at, process.zone)}"
        )
        raise InvalidInput(msg, hint="event_at=TIME, a later one")
    before = record.state_at(happened)
    if process.kind == "scheduled":
        ways = {(process.states[0], process.states[-1])}
    else:
        ways = set(moves_of(process))
        if process.kind == "delivery":
            # Parts that add up make it done; somebody may say so without counting them.
            ways |= {(start, "done") for start in DELIVERY_STATES[:3]}
    if process.own or (before, state) in ways:
        return
    if process.kind == "delivery" and state not in DELIVERY_STATES:
        check_state(process, state)
    ends = [end for start, end in sorted(ways) if start == before and end != before]
    rule = (
        "was already in that state" if before == state else f"has no move from {before} to {state}"
    )
    msg = f"fact ({process.name}={state}): {process.name} {rule} at {iso(happened)}"
    way_out = (
        f"forecast watch {process.name}"
        if before == state
        else (" or ".join(f"{process.name}={end}" for end in ends) or f"it stays {before}")
    )
    raise InvalidInput(msg, hint=way_out)
