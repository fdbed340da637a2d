"""Which outcomes of a question can be known before its close, by what it asks alone.

``by close`` can come early as a yes, ``through close`` as a no, ``on close`` as neither.
"""

import datetime as dt

from forecasting.domain import predicate as ask
from forecasting.domain.outcome import NO, YES

_BOTH = frozenset({True, False})
_NEITHER: frozenset[bool] = frozenset()


def knowable(predicate: ask.Predicate, at: dt.datetime, closes: dt.datetime) -> frozenset[str]:
    """Give the outcomes that can be known at a moment before a question closes.

    Of a choice, the options that nothing later can undo: of ``first of`` all but the remainder, of
    ``highest of`` the last listed. A number is known at its moment alone.
    """
    event = predicate.event
    if isinstance(event, ask.FirstOf):
        return frozenset(entry[0] for entry in event.entries) - {event.otherwise}
    if isinstance(event, ask.HighestAmong):
        return frozenset({event.entries[-1][0]})
    if isinstance(event, ask.StateOn | ask.HighestOf | ask.Total):
        return frozenset()
    return frozenset({True: YES, False: NO}[truth] for truth in _truth(event, at, closes))


def _truth(truth: ask.Truth, at: dt.datetime, closes: dt.datetime) -> frozenset[bool]:
    match truth:
        case ask.Not(of=inner):
            return frozenset(not value for value in _truth(inner, at, closes))
        case ask.And(left=left, right=right):
            return _joined(_truth(left, at, closes), _truth(right, at, closes), decisive=False)
        case ask.Or(left=left, right=right):
            return _joined(_truth(left, at, closes), _truth(right, at, closes), decisive=True)
        case ask.At(when=when):
            return _BOTH if at >= when.of(closes) else _NEITHER
        case ask.Through(until=until):
            return _BOTH if at >= until.of(closes) else frozenset({False})
        case ask.Entered(until=until, since=since) | ask.Occurred(until=until, since=since):
            if since is not None and at < since.of(closes):
                return _NEITHER
            return _BOTH if at >= until.of(closes) else frozenset({True})
        case ask.Within():
            return _BOTH if at >= closes else frozenset({True})


def _joined(left: frozenset[bool], right: frozenset[bool], *, decisive: bool) -> frozenset[bool]:
    """Join two parts: either can decide alone, and only both together can fail to."""
    values = set()
    if decisive in left | right:
        values.add(decisive)
    if (not decisive) in left & right:
        values.add(not decisive)
    return frozenset(values)
