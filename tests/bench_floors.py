"""The floors that writing to the ledger is measured against: what the rows alone need."""

import csv
import datetime as dt
import hashlib
import sqlite3
import time
from collections import deque


def track_record(folder, count):
    """Write a table of so many forecasts of 667 people on 500 questions."""
    start, month = dt.datetime(2025, 1, 1, tzinfo=dt.UTC), 2_600_000
    table = folder / "record.csv"
    with table.open("w") as file:
        file.write("question,forecaster,forecast,issued_at,opens,closes,outcome\n")
        for i in range(count):
            moment = (start + dt.timedelta(seconds=i * month // count)).isoformat()
            row = f"q-{i % 500},f-{i % 667},0.{i % 89:02d},{moment},2025-01-01,2025-02-01,yes"
            file.write(f"{row}\n")
    return table


def same_rows(source, target, count, clock=time.perf_counter):
    """Time what the database alone needs for the entries and forecasts that a ledger holds."""
    from forecasting.store import Ledger
    from forecasting.store.engine import CACHE

    Ledger.open(str(target), create=True).close()
    bare = sqlite3.connect(target, isolation_level=None)
    settings = ("synchronous=EXTRA", "foreign_keys=ON", "recursive_triggers=ON")
    for setting in (*settings, f"cache_size={-CACHE}"):
        bare.execute(f"PRAGMA {setting}")
    return inserted(bare, stored(source, count), clock)


def least(table, source, target):
    """Time what nothing can do without: read, digest each row, insert each stored column, bare."""
    rows = stored(source)
    began = time.process_time()
    deque(digested(table), maxlen=0)
    seconds = time.process_time() - began
    return seconds + inserted(bare(target, rows), rows, time.process_time)


def as_it_is(table, target):
    """Time the digest of each row of a table, and the rows put into a bare one as they are."""
    began = time.process_time()
    rows = {"rows": list(digested(table))}
    seconds = time.process_time() - began
    return seconds + inserted(bare(target, rows), rows, time.process_time)


def digested(table):
    """Read a table and digest each row."""
    with table.open(newline="", encoding="utf-8") as file:
        for row in csv.reader(file):
            hashlib.sha256(",".join(row).encode()).digest()
            yield row


def bare(target, rows):
    """Open a file with a bare table for each kind of row."""
    opened = sqlite3.connect(target, isolation_level=None)
    for setting in ("journal_mode=WAL", "synchronous=EXTRA"):
        opened.execute(f"PRAGMA {setting}")
    for name, found in rows.items():
        opened.execute(f"CREATE TABLE {name} ({','.join(f'c{i}' for i in range(len(found[0])))})")
    return opened


def stored(source, count=2**31):
    """Give the first entries and forecasts of a ledger as the rows that they are."""
    raw = sqlite3.connect(source)
    rows = {
        name: raw.execute(f"SELECT * FROM {name} WHERE seq <= ?", (count,)).fetchall()
        for name in ("entry", "forecast")
    }
    raw.close()
    return rows


def inserted(bare, rows, clock):
    """Insert rows in one transaction and close; give its seconds, by a clock."""
    began = clock()
    bare.execute("BEGIN IMMEDIATE")
    for name, found in rows.items():
        marks = ",".join("?" * len(found[0]))
        bare.executemany(f"INSERT INTO {name} VALUES ({marks})", found)
    bare.execute("COMMIT")
    seconds = clock() - began
    bare.close()
    return seconds
