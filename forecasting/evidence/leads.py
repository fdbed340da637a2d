"""Which moves a report acts on: those that lead to what its target names, each with a sign."""

from collections.abc import Collection, Iterable, Mapping

from forecasting.domain import predicate as ask
from forecasting.domain.process import DELIVERY_MOVES, ProcessSpec, WorldSpec
from forecasting.domain.question import Question
from forecasting.errors import InvalidInput, nearest

#: A move of a process, as (process, ``start > end``).
type Way = tuple[str, str]
#: The moves that something acts on: +1 where it hastens them, -1 where it slows them.
type Signs = dict[Way, int]
_PARTS = (("agreed", "begun"), ("begun", "begun"))


def moves_of(process: ProcessSpec) -> tuple[tuple[str, str], ...]:
    """Give (start, end) of the moves that a report can act on; what has a date has none."""
    if process.kind == "scheduled":
        return ()
    if process.kind == "event":
        return ((process.states[0], process.states[0]),)
    stated = tuple((move.start, move.end) for move in process.moves)
    if process.kind == "delivery":
        return stated + tuple(move for move in DELIVERY_MOVES if move not in stated)
    return stated


def into(process: ProcessSpec, states: Iterable[str], *, stages: bool = False) -> Signs:
    """Give the moves into some states; the parts of a delivery lead to ``begun`` and ``done``."""
    wanted = set(states)
    moves = moves_of(process)
    if process.kind == "delivery" and wanted & {"begun", "done"}:
        return _signed(process, counted(process), 1) | into(process, wanted - {"begun", "done"})
    entering = [move for move in moves if move[1] in wanted]
    place = {state: k for k, state in enumerate(process.states)}
    reached = {start for start, _ in entering} - wanted
    while stages:
        more = [
            (start, end)
            for start, end in moves
            if end in reached and start not in wanted and place[start] < place[end]
        ]
        entering += [move for move in more if move not in entering]
        before = {start for start, _ in more} - reached
        if not before:
            break
        reached |= before
    return _signed(process, entering, 1)


def out_of(process: ProcessSpec, states: Iterable[str]) -> Signs:
    """Give the moves that leave some states, all of them slowed."""
    inside = set(states)
    left = [(a, b) for a, b in moves_of(process) if a in inside and b not in inside]
    return _signed(process, left, -1)


def counted(process: ProcessSpec) -> tuple[tuple[str, str], ...]:
    """Give the moves that are counted: the events of an event, the parts of a delivery."""
    if process.kind == "delivery":
        return _PARTS
    return tuple((a, b) for a, b in moves_of(process) if a == b)


def to_process(process: ProcessSpec, states: Iterable[str] = ()) -> Signs:
    """Give the moves of the target ``process`` or ``process=state``."""
    named = tuple(states)
    for state in named:
        check_state(process, state)
    ways = [move for move in process.moves if not named or move.end in named]
    if process.kind == "scheduled" or (ways and all(way.phrase.at is not None for way in ways)):
        msg = f"process ({process.name}): has a fixed date, which a report cannot change"
        raise InvalidInput(msg, hint=f'a fact: on="{process.name}={named[0] if named else "held"}"')
    if named and process.kind != "event":
        signs = into(process, named)
    else:
        signs = _signed(process, counted(process), 1)
    if not signs:
        options = " or ".join(f"{process.name}={state}" for state in process.states)
        word = f"{'|'.join(named)}: no move leads there" if named else "needs a state"
        msg = f"process ({process.name}): {word}"
        raise InvalidInput(msg, hint=f'on="{options}", followed by =x2')
    return signs


def check_state(process: ProcessSpec, state: str) -> None:
    """Refuse a state that a process does not have, with the nearest."""
    if state in process.states or (process.kind == "event" and state == "event"):
        return
    words = ("event",) if process.kind == "event" else process.states
    msg = f"state ({state}): {process.name} has {', '.join(words)}"
    raise InvalidInput(msg, hint=f"{process.name}={nearest(state, words) or words[0]}")


def to_question(predicate: ask.Predicate, world: WorldSpec, option: str = "") -> Signs:
    """Give the moves that lead to a question's yes, or to one of its options.

    ``entered``, ``occurred``: the moves into its states, and the forward moves of the stages
    before. ``at``: also the moves that leave, slowed. ``through``: those that leave, slowed.
    ``not`` reverses, ``and`` and ``or`` take both sides, ``within`` the process that responds,
    ``given`` the event and not the condition.
    """
    return {way: sign for way, sign in _event(predicate.event, world, option).items() if sign}


def to_target(
    target: str,
    world: WorldSpec,
    questions: Mapping[str, Question],
    predicates: Mapping[str, ask.Predicate],
) -> Signs:
    """Give the moves that a report on a target acts on; empty where nothing answers it."""
    name, _, detail = target.partition("=")
    if name in world.processes:
        return to_process(world.processes[name], tuple(detail.split("|")) if detail else ())
    signs: Signs = {}
    for question in questions.values():
        if name in (question.id, question.ladder) and question.id in predicates:
            signs = _merged(signs, to_question(predicates[question.id], world, detail))
    return {way: sign for way, sign in signs.items() if sign}


def _event(event: ask.Event, world: WorldSpec, option: str) -> Signs:
    if isinstance(event, ask.StateOn | ask.HighestOf | ask.HighestAmong | ask.FirstOf):
        if not option:
            msg = "effect: a question with options needs one of them"
            raise InvalidInput(msg, hint='on="QUESTION=OPTION=x2"')
        return _choice(event, world, option)
    if option not in ("", "yes", "no"):
        msg = f"option ({option}): the question is answered by yes or no, or by a number"
        raise InvalidInput(msg, hint='on="QUESTION=x2"')
    signs = _truth(event, world)
    return _reversed(signs) if option == "no" else signs


def _truth(event: ask.Event, world: WorldSpec) -> Signs:
    match event:
        case ask.Not(of=inner):
            return _reversed(_truth(inner, world))
        case ask.And(left=left, right=right) | ask.Or(left=left, right=right):
            return _merged(_truth(left, world), _truth(right, world))
        case ask.Entered(process=name, states=states) | ask.Within(process=name, states=states):
            process = world.processes[name]
            if process.kind == "event" or not states:
                return _signed(process, counted(process), 1)
            return into(process, states, stages=True)
        case ask.Occurred(process=name) | ask.Total(process=name):
            return _signed(world.processes[name], counted(world.processes[name]), 1)
        case ask.At(process=name, states=states):
            process = world.processes[name]
            return _merged(_from_without(process, states), out_of(process, states))
        case ask.Through(process=name, states=states):
            return out_of(world.processes[name], states)
    return {}


def _choice(event: ask.Choice, world: WorldSpec, option: str) -> Signs:
    if isinstance(event, ask.FirstOf | ask.HighestAmong):
        return _entries(event, world, option)
    process = world.processes[event.process]
    named = dict(event.named)
    states = [state for state in process.states if named.get(state, state) == option]
    if not states:
        raise _no_option(option, [named.get(state, state) for state in process.states])
    signs = _from_without(process, states)
    if isinstance(event, ask.StateOn):
        return _merged(signs, out_of(process, states))
    # The highest stays what it is while nothing goes beyond: a way back down takes nothing from it.
    place = {state: k for k, state in enumerate(process.states)}
    top = max(place[state] for state in states)
    beyond = [(a, b) for a, b in moves_of(process) if a in states and place[b] > top]
    lower = {
        way: sign
        for way, sign in signs.items()
        if place[way[1].partition(" > ")[0]] < place[way[1].partition(" > ")[2]]
    }
    return _merged(lower, _signed(process, beyond, -1))


def _from_without(process: ProcessSpec, states: Collection[str]) -> Signs:
    """Give the moves that lead to some states from others."""
    moves = into(process, states, stages=True)
    return {way: sign for way, sign in moves.items() if way[1].partition(" > ")[0] not in states}


def _entries(event: ask.FirstOf | ask.HighestAmong, world: WorldSpec, option: str) -> Signs:
    """Hasten the entries of an option; slow all for the rest, and those that would outdo it."""
    places = [k for k, (label, _, _) in enumerate(event.entries) if label == option]
    if not places and option != event.otherwise:
        raise _no_option(option, [*(label for label, _, _ in event.entries), event.otherwise])
    signs: Signs = {}
    for k, (_, name, states) in enumerate(event.entries):
        moved = _truth(ask.Entered(name, states, ask.Moment()), world)
        if k in places:
            signs = _merged(signs, moved)
        elif not places or (isinstance(event, ask.HighestAmong) and k > max(places)):
            signs = _merged(signs, _reversed(moved))
    return signs


def _no_option(option: str, options: Iterable[str]) -> InvalidInput:
    msg = f"option ({option}): the question has no such option"
    return InvalidInput(msg, hint=", ".join(dict.fromkeys(options)))


def _signed(process: ProcessSpec, moves: Iterable[tuple[str, str]], sign: int) -> Signs:
    """Give moves a sign; one that has a date comes then, whatever is reported."""
    dated = {(move.start, move.end) for move in process.moves if move.phrase.at is not None}
    return {(process.name, f"{a} > {b}"): sign for a, b in moves if (a, b) not in dated}


def _reversed(signs: Signs) -> Signs:
    return {way: -sign for way, sign in signs.items()}


def _merged(one: Signs, other: Signs) -> Signs:
    """Put two together; a move that one side hastens and the other slows is left alone."""
    return one | {way: sign if one.get(way, sign) == sign else 0 for way, sign in other.items()}
