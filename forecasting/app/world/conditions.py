"""What a condition says: an outcome seen on the paths, or a state brought about."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from forecasting.domain.instants import iso, parse_when
from forecasting.domain.predicate import At, Entered, Moment, Not, Occurred, Truth
from forecasting.domain.question import Question
from forecasting.errors import InvalidInput, nearest
from forecasting.models.world.values import Do

if TYPE_CHECKING:
    from forecasting.app.world.scenario import Live


def condition(found: "Live", text: str) -> tuple[Truth, dt.datetime, dt.datetime]:
    """Read a condition: a question's outcome, a process's state by the last close, or a predicate.

    Returns
    -------
    (truth, opens, closes)
        To be read off paths.
    """
    name, _, value = text.partition("=")
    questions = {q.id: q for q in found.questions}
    rungs = [q for q in found.questions if q.ladder == name]
    if name not in questions and rungs and "=" in text:
        name = max(rungs, key=lambda q: q.closes).id
    if name in questions:
        return _outcome(found, questions[name], value or "yes")
    world = found.predictor.bank.world
    last = max(q.closes for q in found.questions)
    from forecasting.domain.predicate_text import parse_predicate

    if name in world.processes and value in world.processes[name].states:
        return Entered(name, (value,), Moment()), found.as_of, last
    if name in world.processes and not value:
        return Occurred(name, Moment()), found.as_of, last
    known_names = {*questions, *world.processes, *(q.ladder for q in found.questions if q.ladder)}
    head = name.split()[0] if name.split() else name
    if head not in world.processes and head not in {"not", "("} and " " not in name.strip("( "):
        msg = f"condition ({text}): no open question and no process has this name"
        raise InvalidInput(msg, hint=nearest(name, known_names) or "QUESTION=OUTCOME")
    predicate = parse_predicate(text, world=world)
    if not isinstance(predicate.event, Truth.__value__):
        msg = f"condition ({text}): must be true or false"
        raise InvalidInput(msg, hint="PROCESS=STATE by close")
    return predicate.event, found.as_of, last


def _outcome(
    found: "Live", question: Question, value: str
) -> tuple[Truth, dt.datetime, dt.datetime]:
    """Give a question's outcome as a truth on paths."""
    predicate = found.predictor.asks[question.id]
    event, window = predicate.event, (question.opens, question.closes)
    if question.type == "numeric":
        msg = f"condition ({question.id}={value}): a number cannot be a condition"
        raise InvalidInput(msg, hint=f"{event.process}=done" if hasattr(event, "process") else "")
    options = question.space.options
    if value.lower() not in options:
        msg = f"condition ({question.id}={value}): must be one of {', '.join(options)}"
        raise InvalidInput(msg)
    if question.type == "binary":
        truth: Truth = event  # type: ignore[assignment]
        return (truth if value.lower() == "yes" else Not(truth)), *window
    named = dict(getattr(event, "named", ()))
    process = getattr(event, "process", "")
    if not process:
        entries = [e for e in event.entries if e[0] == value]  # type: ignore[union-attr]
        if not entries:
            msg = f"condition ({question.id}={value}): no process enters it; it is the remainder"
            raise InvalidInput(msg, hint=", ".join(e[0] for e in event.entries))  # type: ignore[union-attr]
        return Entered(entries[0][1], entries[0][2], Moment()), *window
    states = tuple(
        state
        for state in found.predictor.bank.world.processes[process].states
        if named.get(state, state) == value
    )
    return At(process, states, Moment()), *window


def intervention(found: "Live", text: str) -> list[Do]:
    """Read what is brought about: a state at a moment, or with ``no`` that it never comes."""
    stated, _, when = (
        text.partition("@") if text.count("@") == 1 and "=" in text.split("@")[0] else _split(text)
    )
    moment = parse_when(when, day_means="begins") if when else found.as_of
    if moment < found.as_of:
        msg = f"do ({text}): {iso(moment)} has passed as of {iso(found.as_of)}"
        raise InvalidInput(msg, hint=f"{stated}@{iso(found.as_of)[:10]} or later")
    name, _, value = stated.partition("=")
    world, run = found.predictor.bank.world, found.run
    day = run.world.day(moment)
    if name in world.processes and name in run.world.index:
        process = world.processes[name]
        if value not in process.states:
            msg = f"do ({text}): {name} has no state {value}"
            raise InvalidInput(msg, hint=", ".join(process.states))
        return [Do(run.world.index[name], day, process.states.index(value))]
    truth, _, _ = condition(found, stated)
    barred = isinstance(truth, Not)
    inner: Any = truth.of if isinstance(truth, Not) else truth
    states = getattr(inner, "states", ())
    process_name = getattr(inner, "process", "")
    if not states or process_name not in run.world.index:
        msg = f"do ({text}): only a state can be brought about"
        raise InvalidInput(msg, hint="PROCESS=STATE@TIME")
    process = world.processes[process_name]
    places = tuple(process.states.index(state) for state in states)
    if barred:
        return [Do(run.world.index[process_name], day, None, places)]
    return [Do(run.world.index[process_name], day, places[0])]


def _split(text: str) -> tuple[str, str, str]:
    """Split the moment off a text whose question carries a deadline in its own name."""
    head, _, tail = text.rpartition("@")
    return (head, "@", tail) if "=" in head else (text, "", "")
