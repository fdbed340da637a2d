"""The three graphs, and the kinds of process: those of a world file and those of one's own."""

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any, Protocol

from forecasting.domain.process import ProcessSpec
from forecasting.errors import NotFound
from forecasting.evidence.history import Past
from forecasting.models.world.assembly import Hazard

__all__ = ["GROUP", "WORLD_VERSION", "OwnKind", "get", "graphs", "kinds", "own"]

#: Changes when a simulation of the same world gives other numbers.
WORLD_VERSION = "1"
GROUP = "forecasting.processes"
_GRAPHS = {
    "rates": "forecasting.models.rates:Rates",
    "spells": "forecasting.models.spells:Spells",
    "deliveries": "forecasting.models.deliveries:Deliveries",
}
#: Kinds that a world file states by its fields.
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "states": "states and the moves between them, each with a phrase or a day",
        "event": "a counted event that may come again and again",
        "delivery": "parts that arrive until what was agreed is reached",
        "scheduled": "something planned for a day, which may come earlier",
    }
)
#: Families of before, and what answers their questions now.
_BEFORE = {
    "base-rate": "event or states",
    "competing-risks": "states with several moves out of one",
    "exchange-count": "delivery",
    "forecaster": "pooling and recalibration: forecast pool",
    "news-log-odds": "any process, with reports on it",
    "scenario": "links between processes",
    "staged": "states in a row, or links",
    "survival": "states with a move of shape below 1",
    "worldview-ensemble": "worldviews: forecast worldviews",
}


class OwnKind(Protocol):
    """A kind of process of one's own: one class, named by an entry point of the group.

    ``process`` fills in states and moves from the settings in the world file. ``hazards`` may give
    the parameters of its moves, one value a parameter point; without it the moves' phrases hold.
    """

    def process(self, spec: ProcessSpec) -> ProcessSpec:
        """Give the process with its states and moves."""
        ...

    def hazards(
        self, spec: ProcessSpec, pasts: Mapping[str, Past], points: int, seed: int
    ) -> Mapping[str, Hazard]:
        """Give the parameters of each move by its name (``start > end``)."""
        ...


def graphs() -> dict[str, Any]:
    """Give the three PyMC graphs by name.

    Examples
    --------
    >>> sorted(graphs())
    ['deliveries', 'rates', 'spells']
    """
    return {name: _load(address) for name, address in _GRAPHS.items()}


def kinds() -> dict[str, str]:
    """Give the kinds of process with what each is, those of installed plug-ins included.

    Examples
    --------
    >>> list(kinds())[:2]
    ['states', 'event']
    """
    found = dict(KINDS)
    for point in entry_points(group=GROUP):
        text = (point.load().__doc__ or "").strip().split("\n")[0]
        found.setdefault(point.name, text)
    return found


def own(name: str) -> Any | None:
    """Give a kind of one's own by name; None if no plug-in has it."""
    points = {point.name: point for point in entry_points(group=GROUP)}
    return points[name].load() if name in points else None


def get(name: str) -> Any:
    """Give a graph, or a kind of process of one's own.

    Raises
    ------
    NotFound
        No such name; a family of before names what answers its questions now.

    Examples
    --------
    >>> get("rates").family
    'rates'
    >>> get("survival")
    Traceback (most recent call last):
    forecasting.errors.NotFound: model (survival): questions are now answered by processes of \
one world. Try: states with a move of shape below 1
    """
    if name in _GRAPHS:
        return _load(_GRAPHS[name])
    if (found := own(name)) is not None:
        return found
    if name in _BEFORE:
        message = f"model ({name}): questions are now answered by processes of one world"
        raise NotFound(message, hint=_BEFORE[name])
    known = [*_GRAPHS, *kinds()]
    near = get_close_matches(name, known, n=1, cutoff=0.4)
    message = f"model ({name}): no graph or kind of process has this name"
    raise NotFound(message, hint=near[0] if near else ", ".join(known))


def _load(address: str) -> Any:
    module, _, attribute = address.partition(":")
    return getattr(import_module(module), attribute)
