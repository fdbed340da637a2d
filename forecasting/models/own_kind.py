"""Hazards from a kind of process of one's own: asked for once, checked, and put with the others."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from forecasting.domain.process import ProcessSpec
from forecasting.errors import InvalidInput
from forecasting.evidence.history import Past
from forecasting.models.registry import own
from forecasting.models.world.assembly import Hazard

__all__ = ["own_hazards"]

type Key = tuple[str, str]
#: What each parameter may be.
_RANGES = {
    "rate": (0.0, np.inf),
    "shape": (1e-3, 100.0),
    "at_once": (0.0, 1.0),
    "for_good": (0.0, 1.0),
}


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
    told = {move: past for (name, move), past in pasts.items() if name == process.name}
    try:
        given = kind.hazards(process, told, points, seed)
    except InvalidInput:
        raise
    except Exception as fault:
        # The code is somebody else's: whatever it raises is a fault of this process alone.
        msg = f"{process.name}: kind ({process.own}): hazards: {type(fault).__name__}: {fault}"
        raise InvalidInput(msg, hint=f"correct the class behind {process.own}") from fault
    found: dict[Key, Hazard] = {}
    for move in process.moves:
        if move.phrase.at is not None:
            continue
        if not isinstance(given.get(move.name), Hazard):
            msg = f"{process.name}: kind ({process.own}): hazards give no Hazard for {move.name}"
            raise InvalidInput(msg, hint=f"a Hazard for each of {', '.join(_names(process))}")
        hazard = given[move.name]
        values = {
            name: _checked(process, move.name, name, getattr(hazard, name), points)
            for name in _RANGES
        }
        values["rate"] = values["rate"] * np.exp(shifts.get((process.name, move.name), 0.0))
        found[process.name, move.name] = Hazard(**values, size=hazard.size)
    return found


def _names(process: ProcessSpec) -> list[str]:
    return [move.name for move in process.moves]


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
