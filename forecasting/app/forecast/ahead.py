"""What several processes do ahead of a replay's walk: first its fits, then its simulations.

Compiling a graph takes more memory than all else that a replay does, so each of the three is
compiled and sampled by a process of its own, which ends when it is done; its fits are read back
from the cache folder. All chance is keyed by the seed, so where and in which order something was
made changes no digit.
"""

import contextlib
import copyreg
import datetime as dt
import os
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from types import MappingProxyType
from typing import Any

from forecasting.app.catalog import Catalog
from forecasting.app.forecast.predict import REPLAY_DRAWS, Earlier, Predictor
from forecasting.bank import Bank
from forecasting.domain.evidence import Evidence
from forecasting.domain.instants import iso
from forecasting.domain.question import Question
from forecasting.domain.watch import Watch
from forecasting.errors import GateRefused, InvalidInput
from forecasting.inference.fits import Wanted, stored_fits
from forecasting.models.world.reading import Answer

#: Goes through steps of work with what takes each and says how far it is.
type Progress = Callable[[Sequence[Any], Callable[[Any], str]], None]
#: Answers by forecaster, moment and question.
type Ahead = Mapping[tuple[str, dt.datetime, str], Answer]
#: Neighbouring steps share fits, so they stay together; several parts a worker even out their work.
PARTS = 4


@dataclass(frozen=True, slots=True)
class Job:
    """What a process must know: the record, and the questions that are asked at each moment.

    `until` is the end of the run.
    """

    catalog: Catalog
    evidence: tuple[Evidence, ...]
    watches: tuple[Watch, ...]
    bank: Bank
    seed: int
    asked: Mapping[dt.datetime, Sequence[Question]]
    until: dt.datetime

    def predictor(self, wanted: dict[str, Wanted] | None = None) -> Predictor:
        """Give who answers, or who only says which fits are wanted."""
        return Predictor(
            self.catalog,
            self.evidence,
            self.bank,
            seed=self.seed,
            watches=self.watches,
            draws=REPLAY_DRAWS,
            wanted=wanted,
        )


def answers_ahead(job: Job, progress: Progress, *, workers: int, dask: str = "") -> Ahead:
    """Simulate every moment of a job in some processes; a cluster samples where it simulates."""
    if not dask:
        _fits_ahead(job, progress, workers)
    packed = pickle.dumps(job)
    found: dict[tuple[str, dt.datetime, str], Answer] = {}
    with _executor(workers, dask) as (pool, count):
        moments = list(job.asked)
        size = max(1, -(-len(moments) // (PARTS * count)))
        parts = [tuple(moments[start : start + size]) for start in range(0, len(moments), size)]
        futures = {part: pool.submit(answers_of, packed, part) for part in parts}

        def take(part: tuple[dt.datetime, ...]) -> str:
            found.update(futures[part].result())
            return f"simulated to {iso(part[-1])[:10]}"

        progress(parts, take)
    return found


def _fits_ahead(job: Job, progress: Progress, workers: int) -> None:
    """Make the fits that are not stored yet, each graph in a process that ends with it."""
    wanted: dict[str, Wanted] = {}
    predictor = job.predictor(wanted)
    latest: dict[str, Earlier] = {}

    def learn(moment: dt.datetime) -> str:
        predictor.learn(job.asked[moment], moment, latest)
        latest.update((question.id, Earlier(moment, ())) for question in job.asked[moment])
        return f"read to {iso(moment)[:10]}"

    progress(list(job.asked), learn)
    # The page shows the world at the end of the run.
    predictor.learn(list(job.asked.values())[-1] if job.asked else (), job.until, latest)
    graphs: dict[str, list[Wanted]] = {}
    for each in wanted.values():
        graphs.setdefault(each.model.family, []).append(each)
    if not graphs:
        return
    longest = sorted(graphs, key=lambda name: len(graphs[name]), reverse=True)
    # A process that ends gives its memory back.
    with _processes(min(workers, len(graphs)), max_tasks_per_child=1) as pool:
        made = {name: pool.submit(fits_of, job.seed, graphs[name]) for name in longest}
        progress(longest, lambda name: f"fitted {made[name].result()} {name}")


def fits_of(seed: int, wanted: Sequence[Wanted]) -> int:
    """Make some fits and store them, in whatever process this is; give how many."""
    fits = stored_fits(seed)
    for model, data, priors, options in wanted:
        with contextlib.suppress(GateRefused):  # whoever needs it is told
            fits.fit(model, data, priors, **options)
    return len(wanted)


def answers_of(packed: bytes, moments: Sequence[dt.datetime]) -> Ahead:
    """Simulate some moments of a job, in whatever process this is."""
    job: Job = pickle.loads(packed)
    predictor = job.predictor()
    return {
        (name, moment, question): answer
        for moment in moments
        for (name, question), answer in predictor.answers(job.asked[moment], moment).items()
    }


def _processes(workers: int, **options: Any) -> ProcessPoolExecutor:
    # Each thread that samples would keep a heap of its own (glibc).
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    # A process that was forked would share locks with the threads of this one.
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), **options)


@contextlib.contextmanager
def _executor(workers: int, dask: str = "") -> Iterator[tuple[Executor, int]]:
    """Give an executor of some local processes, or of a Dask cluster, and how many work in it."""
    if not dask:
        with _processes(workers) as pool:
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


def _frozen(given: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(given)


# Frozen values hold frozen mappings, which pickle does not know.
copyreg.pickle(MappingProxyType, lambda given: (_frozen, (dict(given),)))
