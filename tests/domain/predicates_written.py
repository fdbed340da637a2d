"""Write predicates in the grammar of `forecasting.domain.predicate_text`."""

import datetime as dt
import re
from collections.abc import Sequence

from forecasting.domain import predicate as ask
from forecasting.domain.instants import day_begins, day_ends, iso, local_day
from forecasting.domain.process import target

_CLOSE = ask.Moment()


def format_predicate(predicate: ask.Predicate, *, zone: str = "UTC") -> str:
    """Write a predicate in the grammar; reading it again gives an equal one."""
    asked = _event(predicate.event, zone)
    return asked if predicate.given is None else f"{asked} given {_truth(predicate.given, zone)}"


def _event(event: ask.Event, zone: str) -> str:
    match event:
        case ask.StateOn(process=process, when=when, named=named):
            return f"{process} on {_moment(when, zone)}{_as(named)}"
        case ask.HighestOf(process=process, until=until, named=named):
            return f"highest of {process} by {_moment(until, zone)}{_as(named)}"
        case ask.FirstOf(entries=entries, otherwise=otherwise):
            return f"first of {_entries(entries)}, else {_option(otherwise)}"
        case ask.HighestAmong(entries=entries, otherwise=otherwise):
            return f"highest of {_entries(entries)}, else {_option(otherwise)}"
        case ask.Total(process=process, when=when, since_opening=since_opening):
            by = "" if when == _CLOSE else f" by {_moment(when, zone)}"
            return f"{process} {'count' if since_opening else 'total'}{by}"
        case _:
            return _truth(event, zone)


def _truth(truth: ask.Truth, zone: str, binds: int = 0) -> str:
    """Write a truth; one that binds less than its surroundings is put in brackets."""
    match truth:
        case ask.Or(left=left, right=right):
            text, own = f"{_truth(left, zone, 1)} or {_truth(right, zone, 2)}", 1
        case ask.And(left=left, right=right):
            text, own = f"{_truth(left, zone, 2)} and {_truth(right, zone, 3)}", 2
        case ask.Not(of=inner):
            text, own = f"not {_truth(inner, zone, 3)}", 3
        case _:
            text, own = _atom(truth, zone), 4
    return f"({text})" if own < binds else text


def _atom(truth: ask.Atom, zone: str) -> str:
    match truth:
        case ask.Entered(until=until, since=since):
            return f"{target(truth.process, truth.states)} {_window(since, until, zone)}"
        case ask.Occurred(process=process, until=until, least=least, since=since):
            count = f" count >= {least}" if least > 1 else ""
            return f"{process}{count} {_window(since, until, zone)}"
        case ask.At(when=when):
            return f"{target(truth.process, truth.states)} on {_moment(when, zone)}"
        case ask.Through(until=until):
            return f"{target(truth.process, truth.states)} through {_moment(until, zone)}"
        case ask.Within(days=days):
            cause = target(truth.cause, truth.cause_states)
            return f"{target(truth.process, truth.states)} within {days!r}d of {cause}".replace(
                ".0d of", "d of"
            )


def _window(since: ask.Moment | None, until: ask.Moment, zone: str) -> str:
    if since is None:
        return f"by {_moment(until, zone)}"
    first = "close"
    if since.at is not None:
        day = local_day(since.at, zone)
        first = day.isoformat() if day_begins(day, zone) == since.at else iso(since.at)
    return f"between {first} and {_moment(until, zone)}"


def _entries(entries: Sequence[tuple[str, str, tuple[str, ...]]]) -> str:
    return ", ".join(f"{_option(option)}: {target(p, states)}" for option, p, states in entries)


def _as(named: Sequence[tuple[str, str]]) -> str:
    options: dict[str, list[str]] = {}
    for state, option in named:
        options.setdefault(option, []).append(state)
    parts = [f"{_option(option)}: {'|'.join(states)}" for option, states in options.items()]
    return f" as {', '.join(parts)}" if parts else ""


def _option(option: str) -> str:
    return option if re.fullmatch(r'[^\s=|(),:"<>]+', option) else f'"{option}"'


def _moment(moment: ask.Moment, zone: str) -> str:
    """Write a moment as the day that it ends, where it ends one."""
    if moment.at is None:
        return "close"
    day = local_day(moment.at, zone) - dt.timedelta(days=1)
    return day.isoformat() if day_ends(day, zone) == moment.at else iso(moment.at)
