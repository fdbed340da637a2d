"""The database itself refuses to change the ledger, whatever its connection has switched off."""

import sqlite3

import pytest

from forecasting.store import Ledger, triggers, upgrade
from tests.store.samples import fill

H = "f" * 64
LATER = "2026-01-02T03:04:05.678901Z"
ENTRY = "INTO entry VALUES ({seq}, '{kind}', '{at}', 'x', '{leaf}', '{hash}')"


#: What :func:`fill` leaves: twelve is a forecast, thirteen the seal that fourteen opens, sixteen
#: the redaction of fifteen, and seventeen a watch.
NEXT = 19


def entry(seq=NEXT, kind="withdrawal", at=LATER, leaf=H, hash=H):
    return ENTRY.format(seq=seq, kind=kind, at=at, leaf=leaf, hash=hash)


ATTACKS = {
    **{f"update {table}": f"UPDATE {table} SET seq = seq" for table in triggers.LEDGER},
    **{f"delete {table}": f"DELETE FROM {table}" for table in triggers.LEDGER},
    "update the rowid": "UPDATE forecast SET rowid = 99 WHERE seq = 12",
    "replace an entry": "INSERT OR REPLACE " + entry(seq=5),
    "replace a hash": "INSERT OR REPLACE INTO entry SELECT 19, kind, recorded_at, tool, leaf, hash "
    "FROM entry WHERE seq = 5",
    "upsert": "INSERT " + entry(seq=5) + " ON CONFLICT DO UPDATE SET tool = 'y'",
    "replace a forecast": "INSERT OR REPLACE INTO forecast SELECT seq, question, question_hash, "
    "forecaster, kind, shape, labels, entered, 0.99, stated, issued_at, commitment, sd, p05, p50, "
    "p95, mcse, method, model_run, run, claim, gate, meta, sealed, seal_salt FROM forecast"
    " WHERE seq = 12",
    "replace a rationale": f"INSERT OR REPLACE INTO rationale VALUES (5, '{H}', 'I knew')",
    "add a rationale": f"INSERT INTO rationale VALUES (12, '{H}', 'I knew')",
    "a redacted rationale again": f"INSERT INTO rationale VALUES (15, '{H}', 'it named him')",
    "delete a rationale that nobody redacted": "DELETE FROM rationale WHERE seq = 5",
    "redact again": "INSERT OR REPLACE INTO redaction VALUES (16, 15, 'another reason')",
    "redact another": "INSERT OR REPLACE INTO redaction VALUES (16, 5, 'another reason')",
    "replace a seal": "INSERT OR REPLACE INTO sealed SELECT seq, question, question_hash,"
    f" forecaster, issued_at, '{H}' FROM sealed",
    "replace an effect": "INSERT OR REPLACE INTO evidence_effect"
    " VALUES (8, 0, 't', 'bears', '{}', '')",
    "add an effect": "INSERT INTO evidence_effect VALUES (8, 3, 't', 'bears', '{}', '')",
    "replace a watch": f"INSERT OR REPLACE INTO watch VALUES (17, 'truce', '{LATER}', 'ben', '')",
    "lengthen a watch": f"UPDATE watch SET until = '{LATER}' WHERE seq = 17",
    "replace a receipt": f"INSERT OR REPLACE INTO receipt VALUES ('{16:064d}', 5)",
    "a receipt for another entry": f"INSERT INTO receipt VALUES ('{H}', 5)",
    "leave a gap": "INSERT " + entry(seq=NEXT + 1),
    "number backwards": "INSERT " + entry(seq=0),
    "no number": f"INSERT INTO entry VALUES (NULL, 'forecast', '{LATER}', 'x', '{H}', '{H}')",
    "record in the past": "INSERT " + entry(at="2020-01-02T03:04:05.678901Z"),
    "another kind": "INSERT " + entry(kind="regret"),
    "a short hash": "INSERT " + entry(hash="f"),
    "a local time": "INSERT " + entry(at="2026-01-02T03:04:05.678901+02:00"),
    "a detail of no entry": f"INSERT INTO withdrawal VALUES ({NEXT}, 'q', 'ana', '{LATER}')",
    "a detail of another kind": f"INSERT INTO withdrawal VALUES (5, 'q', 'ana', '{LATER}')",
}


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    file = tmp_path_factory.mktemp("book") / "ledger.db"
    with Ledger.open(str(file), create=True) as ledger:
        fill(ledger)
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
        fill(ledger)
    upgrade(str(path))
    for attack in ATTACKS.values():
        refused(path, attack=attack, recursive_triggers="OFF", foreign_keys="OFF")
    with Ledger.open(str(path)) as ledger:
        assert ledger.verify().ok


FORECAST = (
    "INSERT INTO forecast VALUES (19, '{question}', '{saw}', 'ana', '{kind}', '{shape}',"
    " '{labels}', '{entered}', {p}, '', '"
    + LATER
    + "', NULL, {sd}, NULL, NULL, NULL, NULL, NULL, NULL, '', '', '', '{{}}',"
    " {sealed}, {salt})"
)


def forecast(**given):
    whole = {"kind": "live", "shape": "binary", "labels": '["yes"]', "entered": '["0.5"]'}
    whole |= {"question": "q", "saw": "h", "sealed": "NULL", "salt": "NULL"}
    return FORECAST.format(**whole | {"p": "0.5", "sd": "NULL"} | given)


PAIR = {"shape": "options", "labels": '["a","b"]', "p": "NULL"}
OPENS = {
    "question": "truce@2026-12-31",
    "saw": "ab" * 32,
    "sealed": "13",
    "salt": f"'{H}'",
}
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
    "a seal opened twice": forecast(**OPENS),
    "a seal opened in place of": forecast(**OPENS).replace("INSERT", "INSERT OR REPLACE"),
    "a seal of another question": forecast(**OPENS | {"question": "q", "sealed": "13"}),
    "a seal that is none": forecast(**OPENS | {"sealed": "12"}),
    "a seal without its salt": forecast(**OPENS | {"salt": "NULL"}),
    "the salt of no seal": forecast(salt=f"'{H}'"),
    "no options": forecast(**PAIR | {"labels": "[]"}, entered="[]"),
}


OTHERS = {
    "a redaction of no forecast": ("redaction", f"INSERT INTO redaction VALUES ({NEXT}, 13, 'x')"),
    "a redaction of no rationale": ("redaction", f"INSERT INTO redaction VALUES ({NEXT}, 12, 'x')"),
    "a redaction twice": (
        "redaction",
        f"INSERT OR REPLACE INTO redaction VALUES ({NEXT}, 15, 'x')",
    ),
    "a redaction without a reason": ("redaction", f"INSERT INTO redaction VALUES ({NEXT}, 5, '')"),
    "a commitment twice": (
        "sealed",
        f"INSERT OR REPLACE INTO sealed SELECT {NEXT}, question, question_hash, forecaster,"
        " issued_at, commitment FROM sealed",
    ),
    "a short commitment": (
        "sealed",
        f"INSERT INTO sealed VALUES ({NEXT}, 'q', 'h', 'ana', '{LATER}', 'f')",
    ),
    "a watch of nothing": ("watch", f"INSERT INTO watch VALUES ({NEXT}, '', '{LATER}', 'a', '')"),
    "a watch until a local time": (
        "watch",
        f"INSERT INTO watch VALUES ({NEXT}, 'p', '2026-01-01T03:04:05.678901+02:00', 'a', '')",
    ),
    "a watch of nobody": ("watch", f"INSERT INTO watch VALUES ({NEXT}, 'p', '{LATER}', NULL, '')"),
    "another status": (
        "resolution",
        f"INSERT INTO resolution VALUES ({NEXT}, 'q', 'no', '{LATER}', '', '', '', 1, 'doubtful')",
    ),
}


@pytest.mark.parametrize(("kind", "row"), OTHERS.values(), ids=OTHERS.keys())
def test_no_row_holds_what_is_no_seal_no_redaction_and_no_status(book, kind, row):
    refused(book, "INSERT " + entry(kind=kind), attack=row)


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
