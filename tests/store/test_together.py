"""Several writers at once leave one gap-free chain, on either engine; many at once are one act."""

import multiprocessing

import pytest

from forecasting.store import Ledger
from tests import databases
from tests.store.samples import NOW, binary

DEEP = pytest.mark.deep


def write(path, name, ready, each):
    with Ledger.open(path, create=True) as ledger:
        ready.wait(120)
        for _ in range(each // 2):
            ledger.append([binary(forecaster=name), binary(forecaster=name)], recorded_at=NOW)


@pytest.mark.parametrize(
    ("engine", "writers", "each"),
    [
        *(("sqlite", 2, 100), pytest.param("sqlite", 8, 1000, marks=DEEP)),
        *(("postgresql", 2, 100), pytest.param("postgresql", 8, 1000, marks=DEEP)),
    ],
)
def test_several_processes_lose_nothing_and_leave_no_gap(engine, writers, each, request):
    """Each writes batches of two; without the lock most would be refused a number."""
    path = databases.of(engine, request).fresh()
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Barrier(writers)
    names = [f"writer {n}" for n in range(writers)]
    processes = [spawn.Process(target=write, args=(path, name, ready, each)) for name in names]
    for process in processes:
        process.start()
    for process in processes:
        process.join(300)
    assert [process.exitcode for process in processes] == [0] * writers
    with Ledger.open(path) as ledger:
        verification = ledger.verify()
        forecasts = ledger.forecasts()
        assert verification.ok
        assert verification.entries == verification.head_seq == writers * each
        assert sorted(forecast.seq for forecast in forecasts) == list(range(1, writers * each + 1))
        for name in names:
            mine = [forecast.seq for forecast in forecasts if forecast.forecaster == name]
            assert len(mine) == each
            # A batch is one transaction: its two entries stand side by side.
            assert all(
                second == first + 1 for first, second in zip(mine[::2], mine[1::2], strict=True)
            )
