"""The answers of a replay, simulated ahead by several processes: its walk then finds them.

All chance is keyed by the seed, so where and in which order a moment was simulated changes no
digit of a replay. What a worker could not know (what moved a probability) is simulated in the walk.
"""

import copyreg
import datetime as dt
import os
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from forecasting.domain.instants import iso
from forecasting.errors import InvalidInput

if TYPE_CHECKING:
    from forecasting.app.catalog import Catalog
    from forecasting.app.forecast.replay import Plan
    from forecasting.bank import Bank
    from forecasting.domain.evidence import Evidence
    from forecasting.domain.watch import Watch

type Ahead = Mapping[tuple[str, dt.datetime, str], Any]
type Progress = Callable[[Sequence[Any], Callable[[Any], str]], None]

#: Neighbouring steps share fits, so they stay together; several parts a worker even out their work.
PARTS = 4


def _frozen(given: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(given)


# Frozen values hold frozen mappings, which pickle does not know.
copyreg.pickle(MappingProxyType, lambda given: (_frozen, (dict(given),)))


@contextmanager
def executor(workers: int, dask: str = "") -> Iterator[tuple[Executor, int]]:
    """Give an executor of some local processes, or of a Dask cluster, and how many work in it.

    Raises
    ------
    InvalidInput
        If Dask is not installed, or nothing answers at the address.
    """
    if not dask:
        # Each thread that samples would keep a heap of its own (glibc).
        os.environ.setdefault("MALLOC_ARENA_MAX", "2")
        # A process that was forked would share locks with the threads of this one.
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            yield pool, workers
        return
    try:
        from distributed import Client
    except ImportError as missing:
        msg = f"dask ({dask}): the package distributed is not installed"
        raise InvalidInput(msg, hint="pip install 'scenario-forecasting[dask]'") from missing
    try:
        client = Client(dask, timeout=10)
    except (OSError, ValueError) as silent:
        msg = f"dask ({dask}): no scheduler answers at this address"
        raise InvalidInput(msg, hint="dask=tcp://127.0.0.1:8786") from silent
    with client:
        yield client.get_executor(), max(1, len(client.nthreads()))


def answers_ahead(
    catalog: "Catalog",
    evidence: Sequence["Evidence"],
    watches: Sequence["Watch"],
    bank: "Bank",
    made: "Plan",
    moments: Sequence[dt.datetime],
    *,
    seed: int,
    pool: Executor,
    workers: int,
    progress: Progress,
) -> Ahead:
    """Simulate some moments of a replay in the processes of an executor.

    Parameters
    ----------
    catalog, evidence, watches, bank, made, seed
        Of the replay, up to its evidence cut.
    pool, workers
        As `executor` gives them.
    progress : callable
        Goes through the parts of the work, as through the steps of the walk.

    Returns
    -------
    mapping
        Answers by forecaster, moment and question.
    """
    job = pickle.dumps((catalog, tuple(evidence), tuple(watches), bank, made, seed))
    size = max(1, -(-len(moments) // (PARTS * workers)))
    parts = [tuple(moments[start : start + size]) for start in range(0, len(moments), size)]
    futures = {part: pool.submit(answers_of, job, part) for part in parts}
    found: dict[tuple[str, dt.datetime, str], Any] = {}

    def take(part: tuple[dt.datetime, ...]) -> str:
        found.update(futures[part].result())
        return f"simulated to {iso(part[-1])[:10]}"

    progress(parts, take)
    return found


def answers_of(job: bytes, moments: Sequence[dt.datetime]) -> Ahead:
    """Simulate some moments, in whatever process this is."""
    from forecasting.app.forecast.predict import REPLAY_DRAWS, Predictor

    catalog, evidence, watches, bank, made, seed = pickle.loads(job)
    predictor = Predictor(catalog, evidence, bank, seed=seed, watches=watches, draws=REPLAY_DRAWS)
    found: dict[tuple[str, dt.datetime, str], Any] = {}
    for moment in moments:
        asked = made.asked(catalog, predictor.asks, moment)
        for (name, question), answer in predictor.answers(asked, moment).items():
            found[name, moment, question] = answer
    return found
