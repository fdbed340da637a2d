"""What-if: how every question would stand once something is seen, brought about, or assumed.

A condition that is seen (`given`) weighs the paths; one that is brought about (`do`) is simulated
with what leads to it cut off; a number that somebody else gives is a target, to which the paths are
weighed with the least change. A condition that no path meets is refused, so nothing is repaired.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from itertools import combinations, pairwise
from math import isfinite, sqrt
from statistics import NormalDist
from typing import Any, cast

import numpy as np

from forecasting.app.world.scenario import Live, estimated, partition, simulated
from forecasting.arrays import BoolArray, FloatArray
from forecasting.domain.forecast import binary_value
from forecasting.domain.instants import iso, local_day, parse_when, zone
from forecasting.domain.predicate import (
    And,
    At,
    Entered,
    FirstOf,
    HighestAmong,
    HighestOf,
    Moment,
    Not,
    Occurred,
    Or,
    Predicate,
    StateOn,
    Through,
    Truth,
)
from forecasting.domain.predicate_text import parse_predicate
from forecasting.domain.question import Question
from forecasting.domain.scenario import ScenarioSet
from forecasting.errors import InvalidInput, nearest
from forecasting.evidence.relevant import asked, last_moment, moments
from forecasting.inference.estimate import (
    LARGEST,
    change_error,
    effective,
    number_error,
    number_gate,
    quantiles,
)
from forecasting.inference.raking import Sides, compatible, pull, raked
from forecasting.models.world.model import Run
from forecasting.models.world.reading import FEWEST, values
from forecasting.models.world.values import Do

SEEN = "given: if this is observed (what would lead to it becomes likelier too)"
DONE = "do: if this were brought about from outside (its own causes are cut); depends on the links"
AIMED = "target: as if this number were right (paths weighted to match it, with the least change)"
#: Below so many effective paths a condition is drawn more often.
ENOUGH = 2_000
#: So many times the paths are drawn where that could still take a row past its gate.
TIMES = (3, 6)
FEW = f"refused: fewer than {FEWEST} paths meet the condition"
#: Levels of a number that are shown, and their largest error: 5 % is then from 3 to 7.
CUTS, COARSE = (5.0, 50.0, 95.0), 0.02
#: How often noise alone moves one row by two standard errors, and then any row of a table.
BY_CHANCE = 0.0455

#: A truth on paths, with the window in which it is looked for.
type Condition = tuple[Truth, dt.datetime, dt.datetime]
#: A run, where something is so, and where it counts (None: everywhere).
type Asked = tuple[Run, BoolArray, BoolArray | None]


def what_if(
    live: Live, given: Sequence[str], do: Sequence[str], scenarios: ScenarioSet | None = None
) -> list[dict[str, Any]]:
    """Say how every open question and scenario stands once something is seen or brought about."""
    if not given and not do:
        msg = "what-if: needs a condition"
        raise InvalidInput(msg, hint='given="QUESTION=yes" or do="PROCESS=STATE"')
    acts = [act for text in do for act in intervention(live, text)]
    _check_acts(do, acts)
    targets = {text: target for text in given if (target := _target(live, text)) is not None}
    conditions = [condition(live, targets[text][0] if text in targets else text) for text in given]
    observed = [text for text in given if text not in targets]
    drawn, reach = live.run, _reach(live, conditions, scenarios)
    if acts:
        drawn = simulated(live.predictor, live.questions, live.as_of, reach, do=acts)
    decided = {text.partition("=")[0] for text in [*given, *do]}
    rows: list[dict[str, Any]] = []
    for times, more in zip((1, *TIMES), (*TIMES, 0), strict=True):
        if times > 1:
            drawn = _drawn_towards(live, conditions, acts, reach, times)
        elif given and effective(drawn.paths.weights(_seen(live, drawn, observed))) < ENOUGH:
            continue  # so few that more are drawn for a start
        run = aimed(live, drawn, targets)
        seen = _seen(live, run, observed)
        _check_possible(live, drawn, observed)
        pulled = [pull((sides(live, run, yes), p)) for yes, p in targets.values()]
        rows = _rows(live, run, seen, decided, scenarios, pulled)
        limits = {q.id: COARSE if q.type == "numeric" else LARGEST for q in live.questions}
        if not more or not _could_pass(rows, limits, more / times if times > 1 else None):
            break
    label = DONE if do else SEEN if observed else AIMED
    undated = [text for text in observed if _undated(live, text)]
    if undated:
        close = iso(max(q.closes for q in live.questions))
        label += (
            f"; {', '.join(undated)}: at any moment until {close}, the last close of an open "
            f'question ("{undated[0]} by DATE" for an earlier one)'
        )
    return sorted((row | {"basis": label} for row in rows), key=_order)


def _order(row: Mapping[str, Any]) -> tuple[bool, bool, float]:
    """Order rows: those that move most first, those without a number last."""
    if row["change"] is None:
        return True, True, 0.0
    by = abs(row["before"]) if row["state"].startswith("median") else 1.0
    return False, row["change"] == 0.0, -abs(row["change"]) / max(by, 1.0)


def _could_pass(
    rows: Sequence[Mapping[str, Any]], limits: Mapping[str, float], more: float | None
) -> bool:
    """Say whether so many times the paths could take a row past the gate that refused it.

    An error falls with the root of the paths; one that is not known beforehand counts as if it
    could.
    """
    left = [row for row in rows if row["gate"] != "passed"]
    if more is None:
        return bool(left)
    return any(
        not isfinite(row["mcse"])
        or row["mcse"] / sqrt(more) <= limits.get(row["question"], LARGEST)
        for row in left
    )


def _rows(
    live: Live,
    run: Run,
    seen: BoolArray | None,
    decided: Collection[str],
    scenarios: ScenarioSet | None,
    pulled: Sequence[FloatArray],
) -> list[dict[str, Any]]:
    """Give how each question and scenario stands before, and where the conditions are met."""
    asks = [q for q in live.questions if q.id not in decided and q.ladder not in decided]
    several = sum(len(q.space.options) for q in asks if q.type in ("categorical", "ordered"))
    several += sum(q.type in ("binary", "numeric") for q in asks)
    several += len(scenarios.named) + 1 if scenarios is not None else 0
    clear = _beyond(several)
    rows = []
    for question in asks:
        counts = live.counts(live.run, question), _and(live.counts(run, question), seen)
        if question.type == "numeric":
            rows.append(_number_row(live, question, run, counts, pulled, clear))
            continue
        before, after = live.truths(live.run, question), live.truths(run, question)
        for option in ["yes"] if question.type == "binary" else after:
            state = "" if question.type == "binary" else option
            then = (live.run, before[option], counts[0]), (run, after[option], counts[1])
            rows.append(_row(question.id, state, *then, clear, pulled))
    if scenarios is not None:
        pairs = zip(partition(live.run, scenarios), partition(run, scenarios), strict=True)
        for (name, _, _, old), (_, _, _, new) in pairs:
            then = (live.run, old, None), (run, new, seen)
            rows.append(_row(f"scenario:{name}", "", *then, clear, pulled))
    return rows


def _beyond(rows: int) -> float:
    """Give how many standard errors a change takes to be none of chance in any of so many rows.

    Examples
    --------
    >>> round(_beyond(1), 2), round(_beyond(50), 2)
    (2.0, 3.32)
    """
    return -NormalDist().inv_cdf(BY_CHANCE / 2 / max(rows, 1))


def _row(
    name: str,
    state: str,
    before: Asked,
    after: Asked,
    clear: float,
    pulled: Sequence[FloatArray] = (),
) -> dict[str, Any]:
    new, old = estimated(*after), estimated(*before)
    shown = new.gate == "passed"
    change = new.p - old.p if shown and old.gate == "passed" else None
    off = _change_error(before, after, pulled)
    return {
        "question": name,
        "state": state,
        "before": old.p if old.gate == "passed" else None,
        "after": new.p if shown else None,
        "lower": new.quantiles[0] if shown else None,
        "upper": new.quantiles[-1] if shown else None,
        "change": change if change is None or abs(change) > clear * off else 0.0,
        "change_mcse": off,
        "mcse": new.mcse,
        "gate": new.gate if np.isfinite(new.mcse) else FEW,
    }


def _change_error(before: Asked, after: Asked, pulled: Sequence[FloatArray]) -> float:
    """Give the standard error of how far a share of the paths moves."""
    (old, was, at), (run, now, then) = before, after
    one = was, old.paths.weights(at), old.world.repeats
    other = now, run.paths.weights(then), run.world.repeats
    if not other[1].any() or not one[1].any():
        return float("inf")
    return change_error(one, other, pulled)


def _number_row(
    live: Live,
    question: Question,
    run: Run,
    counts: tuple[BoolArray | None, BoolArray | None],
    pulled: Sequence[FloatArray],
    clear: float,
) -> dict[str, Any]:
    predicate, (at, seen) = live.predictor.asks[question.id], counts
    before, after = (values(of.paths, predicate, question) for of in (live.run, run))
    weights = run.paths.weights(seen)
    few = seen is not None and effective(weights) < FEWEST
    mcse = float("inf") if few else number_error(after, weights, run.world.repeats)
    gate = FEW if few else number_gate(mcse, COARSE)
    cuts = quantiles(after, weights, CUTS) if gate == "passed" else (None,) * len(CUTS)
    middle = quantiles(before, live.run.paths.weights(at), CUTS)[1]
    # The median moves where another share of the paths lies below the old one.
    below = (live.run, before <= middle, at), (run, after <= middle, seen)
    off = _change_error(*below, pulled)
    shares = [float(np.sum(r.paths.weights(c)[under])) for r, under, c in below]
    moves = abs(shares[1] - shares[0]) > clear * off
    change = None if cuts[1] is None else cuts[1] - middle if moves else 0.0
    return {
        "question": question.id,
        "state": f"median, {question.space.unit}".removesuffix(", "),
        "before": middle,
        "after": cuts[1],
        "lower": cuts[0],
        "upper": cuts[-1],
        "change": change,
        "change_mcse": off,
        "mcse": mcse,
        "gate": gate,
    }


def _and(one: BoolArray | None, other: BoolArray | None) -> BoolArray | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _seen(live: Live, run: Run, given: Sequence[str]) -> BoolArray | None:
    """Give the paths that meet all conditions; None if no condition is given."""
    if not given:
        return None
    seen = np.ones(run.world.draws, dtype=bool)
    for text in given:
        seen &= sides(live, run, text)[0]
    return seen


def sides(live: Live, run: Run, text: str) -> Sides:
    """Say on which paths a condition is met, and on which it is not.

    A question is answered as its own number is: by the options of its paths, where it counts.
    """
    if (named := _question(live, text)) is None:
        truth = run.paths.truth(*condition(live, text))
        return truth, ~truth
    question, outcome = named
    condition(live, text)  # refuses what is no outcome
    hit, counts = live.truths(run, question)[outcome], live.counts(run, question)
    return (hit, ~hit) if counts is None else (hit & counts, ~hit & counts)


def _check_possible(live: Live, run: Run, given: Sequence[str]) -> None:
    """Refuse conditions that no path meets, and name the pair that excludes each other."""
    one = "condition ({}): no path meets it", "forecast scenario show"
    two = "conditions ({}): no path meets both", "take one of them"
    every = "conditions ({}): no path meets all", "take fewer"
    kinds = [*(((text,), *one) for text in given), *((pair, *two) for pair in pairwise(given))]
    for texts, words, hint in [*kinds, (tuple(given), *every)]:
        met = _seen(live, run, texts)
        if met is not None and not met.any():
            msg = f"{words.format(', '.join(texts))}, seen from {_local(live, live.as_of)}"
            raise InvalidInput(msg, hint=hint)


def _local(live: Live, moment: dt.datetime) -> str:
    """Write a moment to the minute in the zone of the bank."""
    name = live.predictor.bank.zone
    return f"{moment.astimezone(zone(name)):%Y-%m-%d %H:%M} {name}"


def _reach(
    live: Live, conditions: Sequence[Condition], scenarios: ScenarioSet | None
) -> dict[str, dt.datetime]:
    """Give how far each process must be simulated for every answer of a what-if."""
    asks = live.predictor.asks
    ends = [(asked(asks[q.id]), last_moment(asks[q.id], q.closes)) for q in live.questions]
    truths = [(truth, closes) for truth, _, closes in conditions]
    if scenarios is not None:
        truths += [(named.when, scenarios.closes) for named in scenarios.named]
    ends += [(asked(Predicate(event)), max([end, *moments(event, end)])) for event, end in truths]
    reach: dict[str, dt.datetime] = {}
    for names, end in ends:
        for name in names:
            reach[name] = max(end, reach.get(name, end))
    return reach


def _drawn_towards(
    live: Live,
    conditions: Sequence[Condition],
    acts: Sequence[Do],
    reach: Mapping[str, dt.datetime],
    times: int,
) -> Run:
    """Simulate more paths, with the moves towards conditions drawn more often, weighed back."""
    truths: list[Truth] = [truth for truth, _, _ in conditions]
    towards = reduce(And, truths) if truths else None
    met = max((closes for _, _, closes in conditions), default=None)
    arguments = (live.predictor, live.questions, live.as_of, reach)
    return simulated(*arguments, do=acts, towards=towards, met=met, times=times)


def condition(live: Live, text: str) -> Condition:
    """Read a question's outcome, a process's state by the last close, or a predicate."""
    if (answered := _question(live, text)) is not None:
        truth, opens, closes = _outcome(live, *answered)
        given = live.predictor.asks[answered[0].id].given
        return (truth if given is None else And(given, truth)), opens, closes
    name, _, value = text.partition("=")
    questions = {q.id: q for q in live.questions}
    world = live.predictor.bank.world
    window = live.as_of, max(q.closes for q in live.questions)
    if name in world.processes and name not in live.run.paths.world.index:
        msg = f"condition ({text}): no open question rests on {name}, so nothing would move"
        raise InvalidInput(msg)
    if name in world.processes and value in world.processes[name].states:
        return Entered(name, (value,), Moment()), *window
    if name in world.processes and not value:
        return Occurred(name, Moment()), *window
    known_names = {*questions, *world.processes, *(q.ladder for q in live.questions if q.ladder)}
    head = name.split()[0] if name.split() else name
    if head not in world.processes and head not in {"not", "("} and " " not in name.strip("( "):
        why = _absent(live, name) or "no open question and no process has this name"
        hint = nearest(name, known_names) or "QUESTION=OUTCOME"
        raise InvalidInput(f"condition ({text}): {why}", hint=hint)
    if name in world.processes and value and " " not in value:
        # No predicate yet: a state that is misspelled.
        states = world.processes[name].states
        msg = f"condition ({text}): {name} has {', '.join(states)}"
        raise InvalidInput(msg, hint=f"{name}={nearest(value, states) or states[-1]}")
    event = parse_predicate(text, zone=live.predictor.bank.zone, world=world).event
    if not isinstance(event, Truth.__value__):
        msg = f"condition ({text}): must be true or false"
        raise InvalidInput(msg, hint="PROCESS=STATE by close")
    return event, *window


def _absent(live: Live, name: str) -> str:
    """Say why the paths do not answer a question on record; empty for a name that is not one."""
    if (question := live.predictor.catalog.questions.get(name)) is None:
        return ""
    if name not in live.predictor.asks:
        return f"no process answers {name}"
    status = live.predictor.catalog.status(question, live.as_of)
    if status != "open":
        return f"{name} is {status}"
    return next((note for note in live.notes if note.startswith(f"{name} ")), f"{name} is left out")


def _question(live: Live, text: str) -> tuple[Question, str] | None:
    """Read a question and its outcome; None where a condition names no question."""
    name, _, value = text.partition("=")
    questions = {q.id: q for q in live.questions}
    rungs = [q for q in live.questions if q.ladder == name]
    if name not in questions and rungs and "=" in text:
        name = max(rungs, key=lambda q: q.closes).id
    return (questions[name], (value or "yes").lower()) if name in questions else None


def _undated(live: Live, text: str) -> bool:
    """Say whether a condition is a process's state or event, which names no moment."""
    name, _, value = text.partition("=")
    process = live.predictor.bank.world.processes.get(name)
    asked_of = {*(q.id for q in live.questions), *(q.ladder for q in live.questions)}
    return process is not None and name not in asked_of and (not value or value in process.states)


def _outcome(live: Live, question: Question, value: str) -> Condition:
    """Give what leads to a question's outcome, as a truth on paths: enough to bring it about."""
    event, window = live.predictor.asks[question.id].event, (question.opens, question.closes)
    if question.type == "numeric":
        msg = f"condition ({question.id}={value}): a number cannot be a condition"
        raise InvalidInput(msg, hint=f"{event.process}=done" if hasattr(event, "process") else "")
    options = question.space.options
    if value not in options:
        msg = f"condition ({question.id}={value}): must be one of {', '.join(options)}"
        raise InvalidInput(msg)
    if isinstance(event, FirstOf | HighestAmong):
        entries = [
            (label, Entered(name, states, Moment())) for label, name, states in event.entries
        ]
        ways: list[Truth] = [way for _, way in entries]
        mine: list[Truth] = [way for label, way in entries if label == value]
        return (reduce(Or, mine) if mine else Not(reduce(Or, ways))), *window
    if isinstance(event, StateOn | HighestOf):
        states = live.predictor.bank.world.processes[event.process].states
        named = dict(event.named)
        among = tuple(s for s in states if named.get(s, s) == value)
        when = event.when if isinstance(event, StateOn) else Moment()
        return At(event.process, among, when), *window
    truth = cast("Truth", event)
    return (truth if value == "yes" else Not(truth)), *window


def intervention(live: Live, text: str) -> list[Do]:
    """Read what is brought about: a state at a moment, or with ``no`` that it never comes."""
    # A ladder's question carries a deadline in its own name, so the moment is what follows last.
    stated, _, when = text.rpartition("@")
    if "=" not in stated:
        stated, when = text, ""
    zone = live.predictor.bank.zone
    moment = parse_when(when, zone_name=zone, day_means="begins") if when else live.as_of
    if moment < live.as_of:
        then = _local(live, live.as_of)
        msg = f"do ({text}): {_local(live, moment)} has passed, seen from {then}"
        coming = local_day(live.as_of, zone) + dt.timedelta(days=1)
        raise InvalidInput(msg, hint=f"{stated} for now, or {stated}@{coming} or later")
    name, _, value = stated.partition("=")
    processes, place = live.predictor.bank.world.processes, live.run.world.index
    day = live.run.world.day(moment)
    if name in processes and name in place:
        states = processes[name].states
        if processes[name].kind == "event" and value in ("", "event"):
            value = states[0]
        if value not in states:
            raise InvalidInput(f"do ({text}): {name} has no state {value}", hint=", ".join(states))
        return [Do(place[name], day, states.index(value))]
    asks = _question(live, stated)
    truth, _, closes = condition(live, stated) if asks is None else _outcome(live, *asks)
    barred = isinstance(truth, Not)
    inner: Any = truth.of if isinstance(truth, Not) else truth
    wanted, name = getattr(inner, "states", ()), getattr(inner, "process", "")
    if not wanted or name not in place:
        msg = f"do ({text}): only a state can be brought about"
        raise InvalidInput(msg, hint="PROCESS=STATE@TIME")
    states, until = processes[name].states, live.run.world.day(max(moments(inner, closes)))
    if isinstance(inner, Through):
        # To hold on is to enter no other state; how it would end, nobody has said.
        others = tuple(k for k, state in enumerate(states) if state not in wanted)
        now = live.run.records[name].state
        if barred or now not in wanted:
            reason = "which state comes instead is not said" if barred else f"{name} is {now}"
            msg = f"do ({text}): {reason}"
            raise InvalidInput(msg, hint=f"{name}=STATE@TIME, one of {', '.join(states)}")
        return [Do(place[name], day, None, others, until)]
    indices = tuple(states.index(state) for state in wanted)
    if barred:
        return [Do(place[name], day, None, indices, until)]
    return [Do(place[name], day, indices[0])]


def _check_acts(do: Sequence[str], acts: Sequence[Do]) -> None:
    """Refuse two acts that contradict each other: none of them could come first."""
    for (one, act), (other, second) in combinations(zip(do, acts, strict=True), 2):
        if act.process != second.process:
            continue
        pairs = ((act, second), (second, act))
        barred = any(a.state in b.barred and b.day <= a.day < b.until for a, b in pairs)
        both = act.day == second.day and None not in (act.state, second.state)
        if barred or (both and act.state != second.state):
            msg = f"do ({one}, {other}): contradict each other"
            raise InvalidInput(msg, hint="take one of them, or give each its own @TIME")


def _target(live: Live, text: str) -> tuple[str, float] | None:
    """Read ``QUESTION=NUMBER`` as the condition that it says yes, and with which probability."""
    name, _, value = text.partition("=")
    named = [q for q in live.questions if name in (q.id, q.ladder)]
    if not named or (not value.strip()[:1].isdigit() and value.strip()[:1] != "."):
        return None
    question = max(named, key=lambda q: q.closes)
    if question.type != "binary":
        kind = question.type
        msg = f"target ({text}): a probability alone fits a yes-or-no question, not {kind}"
        raise InvalidInput(msg, hint=f"{question.id}=OUTCOME")
    return f"{question.id}=yes", binary_value(value.strip()).numbers[0]


def aimed(live: Live, run: Run, targets: Mapping[str, tuple[str, float]]) -> Run:
    """Weigh the paths so that each event has its number, with the least change."""
    if not targets:
        return run
    weights = run.paths.weights()
    there = weights > 0
    aims = {text: (sides(live, run, yes), p) for text, (yes, p) in targets.items()}
    for text, ((met, unmet), p) in aims.items():
        has = (met[there].any(), unmet[there].any())
        if (p > 0.0 and not has[0]) or (p < 1.0 and not has[1]):
            msg = f"target ({text}): {'every' if has[0] else 'no'} path says yes"
            raise InvalidInput(msg, hint="forecast scenario show")
    for one, other in combinations(aims, 2):
        if not compatible(aims[one], aims[other], there):
            msg = f"targets ({one}, {other}): no weights of the paths give both"
            raise InvalidInput(msg, hint="take one of them")
    if (weights_aimed := raked(weights, list(aims.values()))) is None:
        msg = f"targets ({', '.join(targets)}): no weights give all of them"
        raise InvalidInput(msg, hint="take fewer")
    with np.errstate(divide="ignore"):
        return replace(run, paths=replace(run.paths, log_weight=np.log(weights_aimed)))
