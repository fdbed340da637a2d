"""The statements that would change what is recorded: one table, for both engines and any ledger.

In a statement {seq} is an entry that stands and {kind} its table, {last} the last entry and {next}
one past it, {hash} a hash that no entry has. Each is refused by the triggers, whoever asks.
"""

import sqlite3
import subprocess
import sys

from forecasting.store import triggers


def _entry(seq="{next}", kind="kind", at="recorded_at", hash="'{hash}'"):
    """Record the last entry once more, with this of it changed."""
    return (
        f"INSERT INTO entry SELECT {seq}, {kind}, {at}, tool, leaf, {hash}"
        " FROM entry WHERE seq = {last}"
    )


ON_BOTH = {
    "change an entry": "UPDATE entry SET tool = 'x' WHERE seq = {seq}",
    "change a detail": "UPDATE {kind} SET seq = seq WHERE seq = {seq}",
    "delete an entry": "DELETE FROM entry WHERE seq = {seq}",
    "delete a detail": "DELETE FROM {kind} WHERE seq = {seq}",
    "leave a gap": _entry(seq="{next} + 5"),
    "number again": _entry(seq="{seq}"),
    "number backwards": _entry(seq="0"),
    "hash again": _entry(hash="hash"),
    "a short hash": _entry(hash="'f'"),
    "record in the past": _entry(at="'2001-01-01T00:00:00.000000Z'"),
    "another kind": _entry(kind="'regret'"),
    "a detail again": "INSERT INTO {kind} SELECT * FROM {kind} WHERE seq = {seq}",
    "a detail of no entry": "INSERT INTO withdrawal VALUES"
    " ({next}, 'q', 'ana', '2026-01-02T03:04:05.678901Z')",
}
ON = {
    "sqlite": ON_BOTH
    | {
        "renumber a detail": "UPDATE {kind} SET rowid = 99 WHERE seq = {seq}",
        "no number": _entry(seq="NULL"),
        "a local time": _entry(at="'2099-01-02T03:04:05.678901+02:00'"),
        "replace an entry": "INSERT OR REPLACE INTO entry SELECT seq, kind, recorded_at, 'x',"
        " leaf, hash FROM entry WHERE seq = {seq}",
        "replace a hash": _entry(hash="hash").replace("INSERT", "INSERT OR REPLACE"),
        "replace a detail": "INSERT OR REPLACE INTO {kind} SELECT * FROM {kind} WHERE seq = {seq}",
        "upsert": "INSERT INTO entry SELECT * FROM entry WHERE seq = {seq}"
        " ON CONFLICT DO UPDATE SET tool = 'x'",
    },
    "postgresql": ON_BOTH
    | {
        "truncate": "TRUNCATE {kind} CASCADE",
        "upsert": "INSERT INTO entry SELECT * FROM entry WHERE seq = {seq}"
        " ON CONFLICT (seq) DO UPDATE SET tool = 'x'",
        "merge": "MERGE INTO entry USING (SELECT {seq} AS n) AS t ON seq = n"
        " WHEN MATCHED THEN UPDATE SET tool = 'x'",
        "delete and give back": "WITH gone AS (DELETE FROM {kind} WHERE seq = {seq} RETURNING *)"
        " SELECT * FROM gone",
    },
}
#: On what `samples.fill` leaves: 5 has a rationale, 12 none, 15 a redacted one, 8 three effects.
BESIDE = {
    **{f"update {table}": f"UPDATE {table} SET seq = seq" for table in triggers.LEDGER},
    **{f"delete {table}": f"DELETE FROM {table}" for table in triggers.LEDGER},
    "a rationale afterwards": "INSERT INTO rationale VALUES (12, '{hash}', 'I knew')",
    "a redacted rationale again": "INSERT INTO rationale VALUES (15, '{hash}', 'it named him')",
    "delete a rationale that nobody redacted": "DELETE FROM rationale WHERE seq = 5",
    "an effect afterwards": "INSERT INTO evidence_effect VALUES (8, 3, 't', 'bears', '{{}}', '')",
    "a receipt for another entry": "INSERT INTO receipt VALUES ('{hash}', 5)",
}
ALSO = {
    "sqlite": {
        f"replace {table}": f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"
        for table in ("rationale", "evidence_effect", "receipt")
    },
    "postgresql": {f"truncate {table}": f"TRUNCATE {table} CASCADE" for table in triggers.LEDGER},
}


def on_each(ledger, engine):
    """Give, for a filled ledger, each attack by name as its statements: one for each entry."""
    last = ledger.head().seq
    table = ON[engine] | BESIDE | ALSO[engine]
    values = {"last": last, "next": last + 1, "hash": "f" * 64}
    kinds = {seq: ledger.entry(seq).kind for seq in range(1, last + 1)}
    return {
        name: list(
            dict.fromkeys(text.format(seq=seq, kind=kind, **values) for seq, kind in kinds.items())
        )
        for name, text in table.items()
    }


#: The names alone, for a table of tests.
NAMES = {engine: [*ON[engine], *BESIDE, *ALSO[engine]] for engine in ON}


def script(path, text):
    """Run SQL on a file past the program, its triggers in place."""
    raw = sqlite3.connect(path)
    raw.executescript(text)
    raw.close()


def past_the_triggers(path, *statements):
    """Edit a file as its owner can, without triggers, keys and checks; every edit meets a row."""
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("PRAGMA ignore_check_constraints=ON")
    raw.execute("PRAGMA foreign_keys=OFF")
    named = "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
    for (name,) in raw.execute(named).fetchall():
        raw.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        assert raw.execute(statement).rowcount != 0, statement
    raw.close()


def damage(path, begins=8192):
    """Overwrite a file; in another process, for closing a file drops this one's locks on it."""
    size = path.stat().st_size - begins
    text = f"f = open({str(path)!r}, 'r+b'); f.seek({begins}); f.write(b'\\xff' * {size})"
    subprocess.run([sys.executable, "-c", text], check=True)
