"""Whatever ends a write, the ledger is as before it or as after it, and what was said is kept."""

import os
import random
import select
import signal
import sqlite3
import subprocess
import sys

import pytest
from sqlalchemy import event

from forecasting.errors import ForecastingError
from forecasting.store import Ledger
from tests.store.samples import NOW, binary, one_of_each
from tests.store.writer import BATCH, acknowledged, forking, write


def killed(path, instant, processes):
    """Let a process write, kill it at an instant after its first word, give what it had said."""
    ear, mouth = processes.Pipe(duplex=False)
    writer = processes.Process(target=write, args=(str(path), mouth))
    writer.start()
    mouth.close()
    select.select([ear], [], [], 60)
    select.select([], [], [], instant)
    os.kill(writer.pid, signal.SIGKILL)
    writer.join(60)
    assert writer.exitcode == -signal.SIGKILL
    said = acknowledged(ear.fileno())
    ear.close()
    writer.close()
    return said


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system kills no process at once")
@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=pytest.mark.deep)])
def test_a_killed_process_loses_nothing_that_it_acknowledged(tmp_path, kills):
    """0 acknowledged entries lost, 0 partial batches, the chain whole, and the next one writes."""
    draw = random.Random(kills)
    processes = forking()
    lost = partial = 0
    for kill in range(kills):
        # Ten kills each, so that the walk along the chain stays short.
        path = tmp_path / f"ledger-{kill // 10}.db"
        said = killed(path, draw.uniform(0, 0.04), processes)
        with Ledger.open(str(path)) as ledger:
            head = ledger.head().seq
            lost += sum(ledger.hash_at(seq) != digest for seq, digest in said)
            partial += head % BATCH != 0
            found = ledger.verify()
            assert found.ok, found.reason
            assert head >= (said[-1][0] if said else 0)
            with ledger._engine.connect() as connection:
                whole = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
                assert whole == "ok"
    assert (lost, partial) == (0, 0)


def state(ledger):
    return ledger.head(), ledger.content_digest()


def refusal(ledger, drafts):
    try:
        ledger.append(drafts, recorded_at=NOW)
    except ForecastingError as fault:
        return fault
    return None


def failing(name):
    fault = sqlite3.OperationalError("injected")
    fault.sqlite_errorname = name
    return fault


FAULTS = {
    "SQLITE_FULL": "the disk is full",
    "SQLITE_IOERR_FSYNC": "the disk failed",
    "SQLITE_BUSY": "locked",
    "SQLITE_READONLY": "read-only",
}


@pytest.mark.parametrize(("name", "words"), FAULTS.items())
def test_a_fault_at_any_statement_of_an_append_changes_nothing(memory, name, words):
    """From the first statement to the commit; exit code 3, one line, and then it works again."""
    memory.append(one_of_each(), recorded_at=NOW)
    before = state(memory)
    countdown = [0]

    def count(*_):
        countdown[0] -= 1
        if countdown[0] == 0:
            raise failing(name)

    event.listen(memory._engine, "before_cursor_execute", count)
    event.listen(memory._engine, "commit", count)
    failed = 0
    for nth in range(1, 40):
        countdown[0] = nth
        fault = refusal(memory, one_of_each())
        countdown[0] = 0
        if fault is None:
            break
        failed += 1
        assert fault.exit_code == 3
        assert words in str(fault)
        assert state(memory) == before
    # BEGIN, the head, eleven tables, COMMIT.
    assert failed == 14 - 1
    assert state(memory) != before
    assert memory.verify().ok


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
        assert ledger.append([binary()], recorded_at=NOW)[0].seq == BATCH + 1
