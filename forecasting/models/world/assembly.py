"""Put a world together: what is stated, known, learned and reported, as the numbers to simulate."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from forecasting.arrays import FloatArray
from forecasting.domain.process import LinkSpec, ProcessSpec, WorldSpec
from forecasting.errors import ForecastingError, InvalidInput
from forecasting.evidence.history import DAY, Record, links_on
from forecasting.models.world.chance import uniforms
from forecasting.models.world.values import Known, Link, Move, Process, Size, World


@dataclass(frozen=True, slots=True, eq=False)
class Hazard:
    """The parameters of one move, one value a parameter point (or one for all)."""

    rate: FloatArray | float
    shape: FloatArray | float = 1.0
    at_once: FloatArray | float = 0.0
    for_good: FloatArray | float = 0.0
    size: Size | None = None


def assemble(
    world: WorldSpec,
    records: Mapping[str, Record],
    hazard: Callable[[str, str], Hazard],
    beta: Callable[[LinkSpec], FloatArray],
    *,
    points: int,
    repeats: int,
    seed: int,
    gain: FloatArray | float = 1.0,
) -> World:
    """Give the world to simulate, without its reports."""
    origin = min(record.free for record in records.values())
    names = list(world.processes)
    processes = []
    for name in names:
        try:
            spec, record = world.processes[name], records[name]
            dates = _dates(spec, record, origin, points * repeats, seed)
            processes.append(_process(spec, record, hazard, origin, dates))
        except ForecastingError:
            raise  # it names what is at fault
        except (ArithmeticError, ValueError, LookupError) as fault:
            # Whatever is at fault is at fault in this process: what rests on others is answered.
            raise InvalidInput(f"process ({name}): {type(fault).__name__}: {fault}") from fault
    links = []
    for link in world.links:
        child = world.processes[link.child]
        children = tuple(
            (names.index(link.child), place)
            for place, move in enumerate(child.moves)
            if links_on(link, move, child) and child.at is None and move.phrase.at is None
        )
        parent = world.processes[link.parent]
        states = tuple(parent.states.index(state) for state in link.states)
        ratio = _one_number(beta(link))
        links.append(Link(link.name, names.index(link.parent), states, children, ratio, link.once))
    return World(
        tuple(processes), tuple(links), (), origin, points * repeats, repeats, _one_number(gain)
    )


def _one_number(value: FloatArray | float) -> FloatArray | float:
    """Give a parameter that is the same in all points as one number."""
    if not isinstance(value, np.ndarray):
        return value
    return float(value[0]) if np.ptp(value) == 0.0 else value


def _process(
    spec: ProcessSpec,
    record: Record,
    hazard: Callable[[str, str], Hazard],
    origin: dt.datetime,
    dates: FloatArray | None,
) -> Process:
    place = {state: k for k, state in enumerate(spec.states)}
    known = [Known((record.since - origin) / DAY, place[record.start])]
    known += [
        Known((step.at - origin) / DAY, place[step.state], step.amount, step.counted)
        for step in record.steps
    ]
    if dates is not None:
        moves = [Move(0, 1, at=dates)]
    else:
        moves = [
            Move(place[move.start], place[move.end], at=np.full(1, (at - origin) / DAY))
            if (at := move.phrase.at) is not None
            else _move(place, move.start, move.end, hazard(spec.name, move.name))
            for move in spec.moves
        ]
    delivery = spec.delivery
    return Process(
        spec.name,
        spec.states,
        tuple(moves),
        tuple(known),
        (record.free - origin) / DAY,
        np.inf if delivery is None else delivery.agreed,
        0.0 if delivery is None else delivery.delivered,
        -1 if delivery is None else place["done"],
    )


def _move(place: Mapping[str, int], start: str, end: str, hazard: Hazard) -> Move:
    size = hazard.size
    if size is not None:
        size = Size(_one_number(size.mean), _one_number(size.precision), _one_number(size.whole))
    return Move(
        place[start],
        place[end],
        _one_number(hazard.rate),
        _one_number(hazard.shape),
        _one_number(hazard.at_once),
        _one_number(hazard.for_good),
        renews=start == end and not np.all(np.equal(hazard.shape, 1.0)),
        size=size,
    )


def _dates(
    spec: ProcessSpec, record: Record, origin: dt.datetime, draws: int, seed: int
) -> FloatArray | None:
    """Give a scheduled day in each draw, evenly spread over what its watch leaves of the range."""
    if spec.at is None:
        return None
    first, last = ((moment - origin) / DAY for moment in spec.at)
    first = min(max(first, (record.free - origin) / DAY), last)
    if first == last:
        return np.full(1, last)
    return first + (last - first) * uniforms(draws, seed, "date", spec.name)
