"""Use cases: each does one thing a person asks for, in one transaction.

A module of them is imported when it is first named, so that a command loads its own alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forecasting.app.forecast import explain, pool, replay, update, worldviews
    from forecasting.app.ledger import ask, export, importing, log, resolve, seal
    from forecasting.app.news import add, code, shown
    from forecasting.app.scores import compare, frame, review, score
    from forecasting.app.upkeep import banks, workspace
    from forecasting.app.world import processes, scenario, view

__all__ = ["ask", "explain", "export", "importing", "log", "pool", "replay", "update", "worldviews"]
__all__ += ["add", "code", "compare", "frame", "resolve", "review", "score", "seal", "shown"]
__all__ += ["banks", "processes", "scenario", "view", "workspace"]

_FOLDERS = {
    **dict.fromkeys(("explain", "pool", "replay", "update", "worldviews"), "forecast"),
    **dict.fromkeys(("ask", "export", "importing", "log", "resolve", "seal"), "ledger"),
    **dict.fromkeys(("add", "code", "shown"), "news"),
    **dict.fromkeys(("compare", "frame", "review", "score"), "scores"),
    **dict.fromkeys(("banks", "workspace"), "upkeep"),
    **dict.fromkeys(("processes", "scenario", "view"), "world"),
}


def __getattr__(name: str) -> Any:
    if name not in _FOLDERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = globals()[name] = import_module(f"{__name__}.{_FOLDERS[name]}.{name}")
    return module
