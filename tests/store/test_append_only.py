"""The database itself refuses to change the ledger, whatever its connection has switched off."""

import sqlite3

import pytest

from forecasting.store import Ledger, triggers, upgrade
from tests.store.samples import NOW, binary, one_of_each

H = "f" * 64
LATER = "2026-01-02T03:04:05.678901Z"
ENTRY = "INTO entry VALUES ({seq}, '{kind}', '{at}', 'x', '{leaf}', '{hash}')"


def entry(seq=13, kind="withdrawal", at=LATER, leaf=H, hash=H):
    return ENTRY.format(seq=seq, kind=kind, at=at, leaf=leaf, hash=hash)


ATTACKS = {
    **{f"update {table}": f"UPDATE {table} SET seq = seq" for table in triggers.LEDGER},
    **{f"delete {table}": f"DELETE FROM {table}" for table in triggers.LEDGER},
    "update the rowid": "UPDATE forecast SET rowid = 99 WHERE seq = 12",
    "replace an entry": "INSERT OR REPLACE " + entry(seq=5),
    "replace a hash": "INSERT OR REPLACE INTO entry SELECT 13, kind, recorded_at, tool, leaf, hash "
    "FROM entry WHERE seq = 5",
    "upsert": "INSERT " + entry(seq=5) + " ON CONFLICT DO UPDATE SET tool = 'y'",
    "replace a forecast": "INSERT OR REPLACE INTO forecast SELECT seq, question, question_hash, "
    "forecaster, kind, shape, labels, entered, 0.99, stated, issued_at, commitment, sd, p05, p50, "
    "p95, mcse, method, model_run, run, claim, gate, meta FROM forecast WHERE seq = 12",
    "replace a rationale": f"INSERT OR REPLACE INTO rationale VALUES (5, '{H}', 'I knew')",
    "add a rationale": f"INSERT INTO rationale VALUES (12, '{H}', 'I knew')",
    "replace an effect": "INSERT OR REPLACE INTO evidence_effect"
    " VALUES (8, 0, 't', 'bears', '{}', '')",
    "add an effect": "INSERT INTO evidence_effect VALUES (8, 3, 't', 'bears', '{}', '')",
    "leave a gap": "INSERT " + entry(seq=14),
    "number backwards": "INSERT " + entry(seq=0),
    "no number": f"INSERT INTO entry VALUES (NULL, 'forecast', '{LATER}', 'x', '{H}', '{H}')",
    "record in the past": "INSERT " + entry(at="2020-01-02T03:04:05.678901Z"),
    "another kind": "INSERT " + entry(kind="regret"),
    "a short hash": "INSERT " + entry(hash="f"),
    "a local time": "INSERT " + entry(at="2026-01-02T03:04:05.678901+02:00"),
    "a detail of no entry": f"INSERT INTO withdrawal VALUES (13, 'q', 'ana', '{LATER}')",
    "a detail of another kind": f"INSERT INTO withdrawal VALUES (5, 'q', 'ana', '{LATER}')",
}


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    file = tmp_path_factory.mktemp("book") / "ledger.db"
    with Ledger.open(str(file), create=True) as ledger:
        ledger.append([*one_of_each(), binary()], recorded_at=NOW)
    return file


def refused(file, *sound, attack, **pragmas):
    raw = sqlite3.connect(file, isolation_level=None)
    for name, value in pragmas.items():
        raw.execute(f"PRAGMA {name} = {value}")
    raw.execute("BEGIN IMMEDIATE")
    try:
        for statement in sound:
            raw.execute(statement)
        with pytest.raises(sqlite3.IntegrityError):
            raw.execute(attack)
    finally:
        raw.rollback()
        raw.close()


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_the_ledger_refuses_edits_even_with_the_pragmas_off(book, attack):
    refused(book, attack=attack, recursive_triggers="OFF", foreign_keys="OFF")
    refused(book, attack=attack, recursive_triggers="ON", foreign_keys="ON")


def test_the_ledger_refuses_edits_after_another_upgrade(path):
    with Ledger.open(str(path), create=True) as ledger:
        ledger.append([*one_of_each(), binary()], recorded_at=NOW)
    upgrade(str(path))
    for attack in ATTACKS.values():
        refused(path, attack=attack, recursive_triggers="OFF", foreign_keys="OFF")
    with Ledger.open(str(path)) as ledger:
        assert ledger.verify().ok


FORECAST = (
    "INSERT INTO forecast VALUES (13, 'q', 'h', 'ana', '{kind}', '{shape}', '{labels}',"
    " '{entered}', {p}, '', '"
    + LATER
    + "', NULL, {sd}, NULL, NULL, NULL, NULL, NULL, NULL, '', '', '', '{{}}')"
)


def forecast(**given):
    whole = {"kind": "live", "shape": "binary", "labels": '["yes"]', "entered": '["0.5"]'}
    return FORECAST.format(**whole | {"p": "0.5", "sd": "NULL"} | given)


PAIR = {"shape": "options", "labels": '["a","b"]', "p": "NULL"}
REFUSED = {
    "no probability": forecast(p="NULL"),
    "above one": forecast(p="1.0000000000000002"),
    "below zero": forecast(p="-1e-300"),
    "infinite": forecast(p="9e999"),
    "text": forecast(p="'often'"),
    "another kind": forecast(kind="remembered"),
    "another shape": forecast(shape="hunch"),
    "half a spread": forecast(sd="0.1"),
    "two numbers": forecast(entered='["0.5","0.5"]'),
    "no number": forecast(entered="[]", labels="[]"),
    "no data": forecast(entered="0.5"),
    "options with a number of yes": forecast(**PAIR | {"entered": '["0.5","0.5"]', "p": "0.5"}),
    "options above one": forecast(**PAIR, entered='["0.5","0.6"]'),
    "options below zero": forecast(**PAIR, entered='["-0.5","1.5"]'),
    "options that are missing": forecast(**PAIR, entered='["1"]'),
    "options that are words": forecast(**PAIR, entered='["a","b"]'),
    "no options": forecast(**PAIR | {"labels": "[]"}, entered="[]"),
}


@pytest.mark.parametrize("row", REFUSED.values(), ids=REFUSED.keys())
def test_no_row_holds_what_is_no_forecast(book, row):
    refused(book, "INSERT " + entry(kind="forecast"), attack=row)


def test_a_sound_row_is_not_refused(book):
    """The rows above are refused for what is wrong with them, not for anything else."""
    raw = sqlite3.connect(book, isolation_level=None)
    raw.execute("PRAGMA trusted_schema = OFF")
    for sound in (forecast(), forecast(**PAIR, entered='["0.4","0.6"]')):
        raw.execute("BEGIN IMMEDIATE")
        raw.execute("INSERT " + entry(kind="forecast"))
        raw.execute(sound)
        raw.rollback()
    raw.close()


def test_not_a_number_is_stored_as_null_and_refused(book):
    """NaN binds as NULL, which a bare CHECK lets through."""
    raw = sqlite3.connect(book, isolation_level=None)
    raw.execute("BEGIN IMMEDIATE")
    raw.execute("INSERT " + entry(kind="forecast"))
    with pytest.raises(sqlite3.IntegrityError, match="forecast_probability"):
        raw.execute(forecast(p=":p"), {"p": float("nan")})
    raw.rollback()
    raw.close()
