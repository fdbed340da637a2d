"""The three graphs, and the kinds of process: those of a world file and those of one's own."""

from collections.abc import Mapping
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any

import numpy as np

from forecasting.domain.process import ProcessSpec
from forecasting.errors import InvalidInput, NotFound, nearest
from forecasting.evidence.history import Past
from forecasting.models.world.assembly import Hazard

type Key = tuple[str, str]

#: Changes when a simulation of the same world gives other numbers.
WORLD_VERSION = "1"
GROUP = "forecasting.processes"
#: Kinds that a world file states by its fields.
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "states": "states and the moves between them, each with a phrase or a day",
        "event": "a counted event that may come again and again",
        "delivery": "parts that arrive until what was agreed is reached",
        "scheduled": "something planned for a day, which may come earlier",
    }
)
#: What each parameter may be.
_RANGES = {
    "rate": (0.0, np.inf),
    "shape": (1e-3, 100.0),
    "at_once": (0.0, 1.0),
    "for_good": (0.0, 1.0),
}


def graphs() -> dict[str, Any]:
    """Give the three PyMC graphs by name.

    Examples
    --------
    >>> sorted(graphs())
    ['deliveries', 'rates', 'spells']
    """
    from forecasting.models.deliveries import Deliveries
    from forecasting.models.rates import Rates
    from forecasting.models.spells import Spells

    return {"rates": Rates, "spells": Spells, "deliveries": Deliveries}


def kinds() -> dict[str, str]:
    """Give the kinds of process with what each is, those of installed plug-ins included.

    Examples
    --------
    >>> list(kinds())[:2]
    ['states', 'event']
    """
    summaries = dict(KINDS)
    for point in entry_points(group=GROUP):
        text = (point.load().__doc__ or "").strip().split("\n")[0]
        summaries.setdefault(point.name, text)
    return summaries


def own(name: str) -> Any | None:
    """Give a kind of process of one's own by name; None if no plug-in has it.

    A class, named by an entry point of the group. Its ``process(spec)`` fills in states and moves
    from the settings in the world file. Its ``hazards(spec, pasts, points, seed)`` may give the
    parameters of its moves by name, one value a parameter point; else the moves' phrases hold.
    """
    points = entry_points(group=GROUP, name=name)
    return tuple(points)[-1].load() if points else None


def get(name: str) -> Any:
    """Give a graph, or a kind of process of one's own.

    Raises
    ------
    NotFound
        No such name.

    Examples
    --------
    >>> get("rates").family
    'rates'
    """
    if (model := graphs().get(name) or own(name)) is not None:
        return model
    known = [*graphs(), *kinds()]
    message = f"model ({name}): no graph or kind of process has this name"
    raise NotFound(message, hint=nearest(name, known) or ", ".join(known))


def own_hazards(
    process: ProcessSpec,
    pasts: Mapping[Key, Past],
    *,
    points: int,
    seed: int,
    shifts: Mapping[Key, float],
) -> dict[Key, Hazard] | None:
    """Give the parameters of a process whose kind has a ``hazards`` of its own."""
    kind = own(process.own) if process.kind == "own" else None
    kind = kind() if isinstance(kind, type) else kind
    if kind is None or not hasattr(kind, "hazards"):
        return None
    own_pasts = {move: past for (name, move), past in pasts.items() if name == process.name}
    try:
        by_move = kind.hazards(process, own_pasts, points, seed)
    except InvalidInput:
        raise
    except Exception as fault:
        # A plug-in may raise anything: it is a fault of this process alone.
        msg = f"{process.name}: kind ({process.own}): hazards: {type(fault).__name__}: {fault}"
        raise InvalidInput(msg, hint=f"correct the class behind {process.own}") from fault
    hazards: dict[Key, Hazard] = {}
    for move in process.moves:
        if move.phrase.at is not None:
            continue
        hazard = by_move.get(move.name)
        if not isinstance(hazard, Hazard):
            msg = f"{process.name}: kind ({process.own}): hazards give no Hazard for {move.name}"
            hint = f"a Hazard for each of {', '.join(each.name for each in process.moves)}"
            raise InvalidInput(msg, hint=hint)
        values = {
            each: _checked(process, move.name, each, getattr(hazard, each), points)
            for each in _RANGES
        }
        values["rate"] = values["rate"] * np.exp(shifts.get((process.name, move.name), 0.0))
        hazards[process.name, move.name] = Hazard(**values, size=hazard.size)
    return hazards


def _checked(process: ProcessSpec, move: str, name: str, value: Any, points: int) -> Any:
    """Give one parameter as numbers: one for all points or one for each, within its range."""
    array = np.asarray(value, dtype=np.float64)
    low, high = _RANGES[name]
    where = f"{process.name}: kind ({process.own}): {name} of {move}"
    if array.shape not in ((), (points,)):
        msg = f"{where} has shape {array.shape}: must be a number or ({points},)"
        raise InvalidInput(msg, hint="one value a parameter point")
    bad = ~((array >= low) & (array <= high) & np.isfinite(array))
    if bad.any():
        msg = f"{where} is {array[bad].flat[0]:g}: from {low:g} to {high:g}"
        raise InvalidInput(msg, hint="a day is the unit of time")
    return array if array.shape else float(array)
