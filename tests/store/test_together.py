"""Several writers leave one gap-free chain; a disk that fills leaves before or after."""

import multiprocessing
import subprocess
import sys

import pytest

from forecasting.errors import ForecastingError
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


def state(ledger):
    return ledger.head(), ledger.content_digest()


def refusal(ledger, drafts):
    try:
        ledger.append(drafts, recorded_at=NOW)
    except ForecastingError as fault:
        return fault
    return None


def test_a_disk_that_fills_at_any_page_leaves_before_or_after(path):
    """SQLite's own limit on pages, raised one by one until the append fits."""
    with Ledger.open(str(path), create=True) as ledger:
        ledger.append([binary()], recorded_at=NOW)
        before = state(ledger)
        drafts = [binary(because="x" * 800) for _ in range(12)]
        refused = 0
        for more in range(100):
            with ledger._engine.connect() as connection:
                pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
                connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + more}")
            fault = refusal(ledger, drafts)
            if fault is None:
                break
            refused += 1
            assert fault.exit_code == 3
            assert "disk is full" in str(fault)
            assert state(ledger) == before
        assert refused >= 3
        assert ledger.head().seq == 13
        assert ledger.verify().ok


FULL = """
import resource, signal, sys
from forecasting.store import Ledger
from tests.store.samples import NOW, binary
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
ledger = Ledger.open(sys.argv[1])
size = __import__("os").path.getsize(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (size + int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    ledger.append([binary(because="x" * 3000) for _ in range(100)], recorded_at=NOW)
except Exception as fault:
    print(fault.exit_code, fault)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on the size of files")
def test_a_file_that_may_not_grow_is_refused_and_whole(path):
    """The system refuses the write itself, half-way through the transaction."""
    with Ledger.open(str(path), create=True) as ledger:
        ledger.append(one_of_each(), recorded_at=NOW)
        before = state(ledger)
    ran = subprocess.run(
        [sys.executable, "-c", FULL, str(path), "40000"], capture_output=True, text=True, check=True
    )
    assert ran.stdout.startswith("3 database"), ran.stdout
    with Ledger.open(str(path)) as ledger:
        assert state(ledger) == before
        assert ledger.verify().ok
        assert ledger.append([binary()], recorded_at=NOW)[0].seq == before[0].seq + 1
