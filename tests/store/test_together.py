"""Several writers at once leave one gap-free chain, on either engine; many at once are one act."""

import multiprocessing
import time
from datetime import timedelta

import pytest

from forecasting.domain.provenance import in_batch
from forecasting.store import Ledger
from tests import databases
from tests.store.samples import NOW, binary, one_of_each

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


def test_many_forecasts_are_recorded_in_one_append(memory, capsys):
    """The figure is printed, not asserted: it is the machine's."""
    spread = one_of_each()[4].spread
    drafts = [
        binary(
            issued_at=NOW + timedelta(hours=hour),
            because="why" if hour % 2 else "",
            spread=spread,
            model_run=in_batch(0),
        )
        for hour in range(4000)
    ]
    started = time.process_time()
    recorded = memory.append([one_of_each()[2], *drafts], recorded_at=NOW)
    written = time.process_time()
    assert len(memory.forecasts()) == 4000
    read = time.process_time()
    assert memory.verify().ok
    verified = time.process_time()
    assert len(recorded) == 4001
    with capsys.disabled():
        print(
            f"\n[ledger: {4000 / (written - started):,.0f} forecasts/s appended, "
            f"{4000 / (read - written):,.0f} read, {4000 / (verified - read):,.0f} verified]"
        )
