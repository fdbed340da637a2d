"""Compiled models, kept for the life of the process.

Compiling costs seconds, sampling a tenth of one. A model is therefore compiled once for each
(family, version, structure, library versions); whatever can change from one fit to the next,
prior means and scales included, is data and is handed over at sampling time (see `inputs`).
"""

import threading
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from platform import python_version
from typing import Any, Protocol

from forecasting.arrays import Recent
from forecasting.inference.inputs import Layout

CAPACITY = 32
LIBRARIES = ("pymc", "pytensor", "nutpie", "numba", "numpy", "arviz-stats")


class Compilable(Protocol):
    """What `compiled` must know of a model."""

    @property
    def family(self) -> str:
        """Name of the model family."""

    @property
    def version(self) -> str:
        """Version of its mathematics."""

    @property
    def structure(self) -> tuple[Hashable, ...]:
        """Every option that changes the graph (not the numbers in it)."""

    @property
    def layout(self) -> Layout:
        """Every number in the graph by name: data and priors, see `inputs`."""

    def build_model(self) -> Any:
        """Build the ``pm.Model``, every changeable number a part of `inputs`."""


@dataclass(frozen=True, slots=True)
class CompiledModel:
    """A compiled model of nutpie, the arrays that it takes, and the names of its free variables."""

    program: Any
    layout: Layout
    parameters: tuple[str, ...]


@cache
def library_versions() -> tuple[tuple[str, str], ...]:
    """Return the versions that a fit depends on, Python's first."""
    versions = [("python", python_version())]
    for name in LIBRARIES:
        try:
            versions.append((name, version(name)))
        except PackageNotFoundError:
            versions.append((name, "absent"))
    return tuple(versions)


_models = Recent[tuple[Hashable, ...], CompiledModel](CAPACITY)
_lock = threading.RLock()
_count = 0


def compile_count() -> int:
    """Return how many models this process has compiled; a refit with other numbers adds none."""
    return _count


def compiled(model: Compilable) -> CompiledModel:
    """Return the compiled form of a model, compiling it at most once per process.

    Its ``family``, ``version`` and ``structure`` make the key, with the library versions. It is
    shared between callers: set its data with ``program.with_data``, which copies.
    """
    key = (model.family, model.version, model.structure, library_versions())
    # One lock for the whole compilation: two threads asking for one model compile it once.
    with _lock:
        return _models.of(key, lambda: _compile(model))


def _compile(model: Compilable) -> CompiledModel:
    global _count
    import nutpie
    from pytensor import config

    built = model.build_model()
    parameters = tuple(variable.name for variable in built.free_RVs)
    # With fast mathematics the sums are ordered as the compiler likes, and it likes another order
    # for code from its disk cache: the same seed then gave other draws on a machine's second run.
    with config.change_flags(numba__fastmath=False):
        program = nutpie.compile_pymc_model(built)
    _count += 1
    return CompiledModel(program, model.layout, parameters)
