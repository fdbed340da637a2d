"""What the chain finds when the file is edited around the tool, and what by design it cannot.

A chain inside a file proves nothing against the file's owner: cutting off the tail, or hashing
everything anew, leaves a chain that is whole. Those two rows of the table hold the promise to what
is true; finding them takes a head kept elsewhere.
"""

import sqlite3

import pytest

from forecasting.store import Ledger
from forecasting.store.canonical import leaf, link
from forecasting.store.tables import DETAILS
from tests.store import attacks
from tests.store.samples import NOW, binary, one_of_each

EVERY = (*DETAILS, "evidence_effect", "rationale")


@pytest.fixture
def tampered(path):
    """Write twenty entries; give a function that edits the file and then verifies it."""
    with Ledger.open(str(path), create=True) as ledger:
        ledger.append(one_of_each(), recorded_at=NOW)
        ledger.append(
            [binary(f"0.{n}1", because=f"because {n}") for n in range(9)], recorded_at=NOW
        )
        assert ledger.verify().ok

    def edit(*statements):
        attacks.past_the_triggers(path, *statements)
        with Ledger.open(str(path)) as ledger:
            return ledger.verify()

    return edit


# Always another digit: a hash need not hold the one that a plain replacement looks for.
_FLIP = (
    "UPDATE entry SET {0} = CASE substr({0}, 1, 1) WHEN '0' THEN '1' ELSE '0' END"
    " || substr({0}, 2) WHERE seq = 15"
)
FOUND = {
    "edit the decimal": (
        15,
        "UPDATE forecast SET entered = '[\"0.99\"]', probability = 0.99 WHERE seq = 15",
    ),
    "edit the number alone": (15, "UPDATE forecast SET probability = 0.99 WHERE seq = 15"),
    "edit the time of issue": (
        15,
        "UPDATE forecast SET issued_at = '2020-01-02T03:04:05.678901Z' WHERE seq = 15",
    ),
    "edit the time of recording": (
        15,
        "UPDATE entry SET recorded_at = '2026-01-02T03:04:05.678900Z' WHERE seq = 15",
    ),
    "edit the tool": (15, "UPDATE entry SET tool = '9.9' WHERE seq = 15"),
    "edit the wording a forecaster saw": (
        15,
        "UPDATE forecast SET question_hash = replace(question_hash, 'ab', 'ba') WHERE seq = 15",
    ),
    "edit the question": (1, "UPDATE question SET criteria = 'whatever happened' WHERE seq = 1"),
    "edit a bound": (1, "UPDATE question SET upper = 1000 WHERE seq = 1"),
    "edit an effect": (
        8,
        'UPDATE evidence_effect SET detail = \'{"a":0.9,"b":0.15,"u":0.3}\' WHERE position = 0',
    ),
    "delete an effect": (8, "DELETE FROM evidence_effect WHERE position = 2"),
    "reorder effects": (
        8,
        "UPDATE evidence_effect SET position = 9 WHERE position = 0",
        "UPDATE evidence_effect SET position = 0 WHERE position = 1",
        "UPDATE evidence_effect SET position = 1 WHERE position = 9",
    ),
    "delete the effects and their count": (
        8,
        "DELETE FROM evidence_effect",
        "UPDATE evidence SET effects = 0 WHERE seq = 8",
    ),
    "miscount the effects": (8, "UPDATE evidence SET effects = 4 WHERE seq = 8"),
    "edit the outcome": (10, "UPDATE resolution SET outcome = 'yes' WHERE seq = 10"),
    "edit the gate's verdict": (3, "UPDATE model_run SET gate = 'passed' WHERE seq = 3"),
    "edit a spread": (5, "UPDATE forecast SET sd = 0.01 WHERE seq = 5"),
    "edit the rationale": (15, "UPDATE rationale SET text = 'I knew' WHERE seq = 15"),
    "delete the rationale": (15, "DELETE FROM rationale WHERE seq = 15"),
    "add a rationale": (6, f"INSERT INTO rationale VALUES (6, '{'0' * 64}', 'of course')"),
    "add a rationale to no forecast": (
        8,
        f"INSERT INTO rationale VALUES (8, '{'0' * 64}', 'of course')",
    ),
    "delete from the middle": (
        15,
        *(f"DELETE FROM {table} WHERE seq = 15" for table in ("forecast", "rationale", "entry")),
    ),
    "delete the first": (
        1,
        "DELETE FROM question WHERE seq = 1",
        "DELETE FROM entry WHERE seq = 1",
    ),
    "delete and close the gap": (
        15,
        *(f"DELETE FROM {table} WHERE seq = 15" for table in ("forecast", "rationale", "entry")),
        *(
            f"UPDATE {table} SET seq = seq - 1 WHERE seq > 15"
            for table in ("forecast", "rationale", "entry")
        ),
    ),
    "swap two forecasts": (
        15,
        "UPDATE forecast SET seq = 99 WHERE seq = 15",
        "UPDATE forecast SET seq = 15 WHERE seq = 16",
        "UPDATE forecast SET seq = 16 WHERE seq = 99",
    ),
    "swap two entries whole": (
        15,
        *(
            f"UPDATE {table} SET seq = {new} WHERE seq = {old}"
            for table in ("entry", "forecast", "rationale")
            for old, new in ((15, 99), (16, 15), (99, 16))
        ),
    ),
    "insert at the end": (
        21,
        "INSERT INTO entry SELECT 21, kind, recorded_at, tool, leaf, 'f' || substr(hash, 1, 63) "
        "FROM entry WHERE seq = 20",
        "INSERT INTO withdrawal VALUES (21, 'q', 'ana', '2026-01-02T03:04:05.678901Z')",
    ),
    "insert a detail of no entry": (
        77,
        "INSERT INTO withdrawal VALUES (77, 'q', 'ana', '2026-01-02T03:04:05.678901Z')",
    ),
    "insert a second detail": (
        15,
        "INSERT INTO withdrawal VALUES (15, 'q', 'ana', '2026-01-02T03:04:05.678901Z')",
    ),
    "change a kind": (11, "UPDATE entry SET kind = 'resolution' WHERE seq = 11"),
    "rename a kind": (11, "UPDATE entry SET kind = 'regret' WHERE seq = 11"),
    "edit a leaf": (15, _FLIP.format("leaf")),
    "edit a hash": (15, _FLIP.format("hash")),
    "write a time otherwise": (
        15,
        "UPDATE forecast SET issued_at = '2026-01-02 03:04:05.678901' WHERE seq = 15",
    ),
    "write no time": (15, "UPDATE forecast SET issued_at = 'yesterday' WHERE seq = 15"),
    "write data otherwise": (15, "UPDATE forecast SET labels = '[ \"yes\"]' WHERE seq = 15"),
    "write no data": (15, "UPDATE forecast SET labels = '[' WHERE seq = 15"),
    "write other data": (15, "UPDATE forecast SET entered = '{}' WHERE seq = 15"),
    "write no text": (15, "UPDATE forecast SET forecaster = CAST(x'ff' AS TEXT) WHERE seq = 15"),
}


@pytest.mark.parametrize("attack", FOUND.values(), ids=FOUND.keys())
def test_an_edit_is_found_at_its_entry(tampered, attack):
    seq, *statements = attack
    verification = tampered(*statements)
    assert not verification.ok
    assert verification.first_bad == seq
    assert verification.reason


def test_cutting_off_the_tail_is_not_found_from_within(tampered):
    """By design: the chain up to the cut is whole. A head kept elsewhere shows it."""
    verification = tampered(
        *(f"DELETE FROM {table} WHERE seq > 12" for table in ("forecast", "rationale", "entry"))
    )
    assert verification.ok
    assert (verification.entries, verification.head_seq) == (12, 12)


def rehashed(path, *numbers):
    """Give the statements that hash these entries anew as they now stand, as an owner could."""
    with Ledger.open(str(path)) as ledger:
        previous = bytes.fromhex(ledger.entry(numbers[0] - 1).hash)
        statements = []
        for seq in numbers:
            entry = ledger.entry(seq)
            form = entry.canonical
            previous = link(previous, leaf(form))
            statements.append(
                f"UPDATE entry SET leaf = '{leaf(form).hex()}', hash = '{previous.hex()}' "
                f"WHERE seq = {seq}"
            )
    return statements


EDIT = "UPDATE forecast SET entered = '[\"0.99\"]', probability = 0.99 WHERE seq = 15"


def test_hashing_the_edited_entry_anew_breaks_the_link_of_the_next(tampered, path):
    assert tampered(EDIT).first_bad == 15
    assert tampered(*rehashed(path, 15)).first_bad == 16


def test_hashing_everything_anew_is_not_found_from_within(tampered, path):
    """By design: whoever owns the file can write another history; the head then differs."""
    with Ledger.open(str(path)) as ledger:
        head = ledger.head()
    assert tampered(EDIT).first_bad == 15
    verification = tampered(*rehashed(path, *range(15, 21)))
    assert verification.ok
    assert verification.head_seq == head.seq
    assert verification.head_hash != head.hash


def test_every_table_of_the_ledger_is_walked(path):
    """A table added later without a place in the walk is seen here."""
    with Ledger.open(str(path), create=True):
        pass
    raw = sqlite3.connect(path)
    tables = {name for (name,) in raw.execute("SELECT name FROM sqlite_schema WHERE type='table'")}
    raw.close()
    # A receipt says nothing of the world: it is no part of the chain.
    assert tables == {"alembic_version", "entry", "receipt", *EVERY}
