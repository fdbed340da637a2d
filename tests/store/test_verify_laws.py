"""What verification finds in a chain that is whole: hashed anew, by somebody who owns the file.

A link says that nothing was edited since it was made, not that what was recorded makes sense; here
every entry is hashed as it stands, so that only the sense of one is wrong.
"""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from sqlalchemy.exc import OperationalError

from forecasting.domain import Redaction, Withdrawal
from forecasting.errors import ForecastingError
from forecasting.store import Ledger, verify
from forecasting.store.canonical import FIRST, leaf, link
from forecasting.store.seal import reveal, seal
from tests.store import attacks
from tests.store.samples import DAY, NOW, binary, one_of_each

SEALED, SHOWN, SPOKEN, LATER, REDACTED = 12, 13, 14, 15, 16


@pytest.fixture
def edited(path):
    """Write sixteen entries; give a function that edits the file, perhaps hashes all anew."""
    sealed, opener = seal(binary("0.4", because="sealed"))
    with Ledger.open(str(path), create=True) as ledger:
        *_, last = ledger.append([*one_of_each(), sealed], recorded_at=NOW)
        ledger.append([reveal(opener, last.value)], recorded_at=NOW + DAY)
        ledger.append([binary("0.5", because="one"), binary("0.6")], recorded_at=NOW + DAY)
        ledger.append([Redaction(SPOKEN, "names a source")], recorded_at=NOW + DAY)
        assert ledger.verify() == verify.Verification(
            True, 16, 16, ledger.head().hash, sealed=1, unrevealed=0, redacted=1
        )

    def edit(*statements, anew=True):
        attacks.past_the_triggers(path, *statements)
        if anew:
            with Ledger.open(str(path)) as ledger:
                statements = list(hashed(ledger))
            attacks.past_the_triggers(path, *statements)
        with Ledger.open(str(path)) as ledger:
            verification = ledger.verify()
            return verification.ok, verification.first_bad, verification.reason

    return edit


def hashed(ledger):
    """Give the statements that hash each entry anew as it stands."""
    previous = FIRST
    with ledger._engine.connect() as connection:
        for item in verify._batch(connection, 1, 16):
            now = leaf(item.canonical)
            previous = link(previous, now)
            yield (
                f"UPDATE entry SET leaf = '{now.hex()}', hash = '{previous.hex()}'"
                f" WHERE seq = {item.seq}"
            )


SENSELESS = {
    "an entry before the one it follows": (
        (14, "recorded before the entry that it follows"),
        "UPDATE entry SET recorded_at = '2026-01-02T03:04:05.678901Z' WHERE seq = 14",
    ),
    "a wording of another question": (
        (1, "its wording does not have the hash that was recorded"),
        f"UPDATE question SET wording_hash = '{'0' * 64}' WHERE seq = 1",
    ),
    "a number that is none": (
        (SPOKEN, "its numbers are not decimals"),
        f"UPDATE forecast SET entered = '[\"about half\"]' WHERE seq = {SPOKEN}",
    ),
    "numbers that are lists": (
        (SPOKEN, "its numbers are not decimals"),
        f"UPDATE forecast SET entered = '[[1]]' WHERE seq = {SPOKEN}",
    ),
    "a probability that was not entered": (
        (LATER, "its probability is not the decimal that was entered"),
        f"UPDATE forecast SET probability = 0.61 WHERE seq = {LATER}",
    ),
    "a rationale that came back": (
        (SPOKEN, "its rationale was redacted but is still there"),
        f"INSERT INTO rationale VALUES ({SPOKEN}, '{'0' * 64}', 'one')",
    ),
    "a rationale taken out in silence": (
        (SPOKEN, "its rationale is missing"),
        f"UPDATE redaction SET forecast = {SHOWN}",
        f"DELETE FROM rationale WHERE seq = {SHOWN}",
    ),
    "a redaction of what came after it": (
        (11, "a redaction of what came after it"),
        "UPDATE entry SET kind = 'redaction' WHERE seq = 11",
        "DELETE FROM withdrawal WHERE seq = 11",
        "INSERT INTO redaction (seq, forecast, reason) VALUES (11, 15, 'why')",
    ),
    "a redaction of itself": (
        (REDACTED, "a redaction of what came after it"),
        f"INSERT INTO rationale VALUES ({SPOKEN}, '{'0' * 64}', 'one')",
        f"UPDATE forecast SET commitment = NULL WHERE seq = {SPOKEN}",
        f"DELETE FROM rationale WHERE seq = {SPOKEN}",
        f"UPDATE redaction SET forecast = {REDACTED}",
    ),
    "a reveal of another number": (
        (SHOWN, f"it does not open the seal {SEALED}"),
        f"UPDATE forecast SET entered = '[\"0.1\"]', probability = 0.1 WHERE seq = {SHOWN}",
    ),
    "a reveal by another salt": (
        (SHOWN, f"it does not open the seal {SEALED}"),
        f"UPDATE forecast SET seal_salt = '{'0' * 64}' WHERE seq = {SHOWN}",
    ),
    "a reveal by a salt that is none": (
        (SHOWN, "the salt of its seal is broken"),
        f"UPDATE forecast SET seal_salt = '{'z' * 64}' WHERE seq = {SHOWN}",
    ),
    "a reveal of another entry": (
        (SHOWN, "no seal has the number 1, which it opens"),
        f"UPDATE forecast SET sealed = 1 WHERE seq = {SHOWN}",
    ),
    "a salt without a seal": (
        (SHOWN, "a salt without a seal"),
        f"UPDATE forecast SET sealed = NULL WHERE seq = {SHOWN}",
    ),
    "a seal opened without its salt": (
        (SHOWN, f"it does not open the seal {SEALED}"),
        f"UPDATE forecast SET seal_salt = NULL WHERE seq = {SHOWN}",
    ),
}


@pytest.mark.parametrize("case", SENSELESS.values(), ids=SENSELESS)
def test_an_entry_that_makes_no_sense_is_found_in_a_chain_that_is_whole(edited, case):
    expected, *statements = case
    assert edited(*statements) == (False, *expected)


def test_a_seal_opened_twice_is_found_where_no_index_keeps_it_from_being(edited, path):
    with Ledger.open(str(path)) as ledger, ledger._engine.connect() as connection:
        references = verify._References({})
        *earlier, shown = verify._batch(connection, 1, SHOWN)
        assert [references.check(item) for item in (*earlier, shown)] == [""] * SHOWN
        assert references.check(shown) == f"the seal {SEALED} was opened before"


BROKEN = {
    "a kind that there is not": (
        (11, "no such kind of entry (regret)"),
        "DELETE FROM withdrawal WHERE seq = 11",
        "UPDATE entry SET kind = 'regret' WHERE seq = 11",
    ),
    "an entry without a row": (
        (11, "its withdrawal row is missing"),
        "DELETE FROM withdrawal WHERE seq = 11",
    ),
    "a number without an entry": (
        (11, "the entry is missing"),
        "DELETE FROM withdrawal WHERE seq = 11",
        "DELETE FROM entry WHERE seq = 11",
    ),
    "a number without end": (
        (1, "its content is not what was recorded"),
        "UPDATE question SET upper = 9e999 WHERE seq = 1",
    ),
    "a row of another entry": (
        (11, "a withdrawal row that no entry recorded"),
        "UPDATE entry SET kind = 'redaction' WHERE seq = 11",
    ),
    "an effect of no item": (
        (11, "a row of evidence_effect that no entry recorded"),
        "UPDATE evidence_effect SET seq = 11 WHERE seq = 8",
    ),
    "a rationale without a salt": (
        (SHOWN, "its salt is broken"),
        f"UPDATE rationale SET salt = 'zz' WHERE seq = {SHOWN}",
    ),
    "a rationale of another salt": (
        (SHOWN, "its rationale is not what was recorded"),
        f"UPDATE rationale SET salt = '{'0' * 64}' WHERE seq = {SHOWN}",
    ),
    "a first entry with the wrong hash": (
        (1, "its hash does not follow from the entry before it"),
        f"UPDATE entry SET hash = '{'0' * 64}' WHERE seq = 1",
    ),
}


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN)
def test_what_is_wrong_with_an_entry_is_said(edited, case):
    expected, *statements = case
    assert edited(*statements, anew=False) == (False, *expected)


def test_a_value_of_another_type_is_found_where_no_table_is_strict(edited, path):
    with Ledger.open(str(path)) as ledger, ledger._engine.connect() as connection:
        (first,) = verify._batch(connection, 1, 1)
    with pytest.raises(verify._Bad, match="a value that is not in its stored form"):
        verify._check(replace(first, row={**first.row, "upper": "high"}), FIRST, first.recorded_at)


def test_content_that_cannot_be_read_has_no_digest(edited, path):
    edited("UPDATE forecast SET labels = '[' WHERE seq = 14", anew=False)
    message = r"entry \(14\): a value that is not in its"
    with Ledger.open(str(path)) as ledger, pytest.raises(ForecastingError, match=message):
        ledger.content_digest()


def test_the_digest_up_to_an_entry_is_that_of_the_ledger_as_it_was(memory):
    memory.append([Withdrawal("q", "ana", NOW)], recorded_at=NOW)
    before = memory.content_digest()
    memory.append([Withdrawal("q", "ana", NOW)], recorded_at=NOW)
    with memory._engine.connect() as connection:
        upto = [verify.content_digest(connection, head=head) for head in (0, 1, 2, 9)]
    assert upto[1] == before
    assert upto[2] == upto[3] == memory.content_digest()
    assert len(set(upto)) == 3


def fault(*, invalidated=False, **original):
    error = OperationalError("SELECT", {}, SimpleNamespace(**original))
    error.connection_invalidated = invalidated
    return error


FAULTS = {
    "damaged pages": (True, fault(sqlite_errorname="SQLITE_CORRUPT_VTAB")),
    "no database": (True, fault(sqlite_errorname="SQLITE_NOTADB")),
    "text that is not UTF-8": (True, fault()),
    "text that is not UTF-8, decoded here": (True, UnicodeDecodeError("utf-8", b"\xff", 0, 1, "")),
    "pages that a server finds damaged": (True, fault(sqlstate="XX002")),
    "a value that a server cannot give": (True, fault(sqlstate="22021")),
    "a locked file": (False, fault(sqlite_errorname="SQLITE_BUSY")),
    "a disk that fails": (False, fault(sqlite_errorname="SQLITE_IOERR_READ")),
    "a server that is shut down": (False, fault(sqlstate="57P01")),
    "a right that was taken": (False, fault(sqlstate="42501")),
    "a connection that broke": (False, fault(invalidated=True)),
}


@pytest.mark.parametrize(("damage", "met"), FAULTS.values(), ids=FAULTS)
def test_a_fault_of_the_moment_accuses_no_entry(memory, monkeypatch, damage, met):
    """Damage is a verdict on the first entry that cannot be read; anything else is raised."""
    memory.append([Withdrawal("q", "ana", NOW)] * 5, recorded_at=NOW)

    def raw(connection, table, low, high):
        if low <= 4 <= high:
            raise met
        return read(connection, table, low, high)

    read = verify._raw
    monkeypatch.setattr(verify, "_raw", raw)
    with memory._engine.connect() as connection:
        if damage:
            walk = verify.verify(connection)
            assert (walk.ok, walk.first_bad, walk.reason) == (False, 4, "cannot be read")
        else:
            with pytest.raises(type(met)):
                verify.verify(connection)


def test_what_can_be_read_entry_by_entry_is_not_damaged(memory, monkeypatch):
    memory.append([Withdrawal("q", "ana", NOW)] * 5, recorded_at=NOW)

    def raw(connection, table, low, high):
        if low < high:
            raise fault(sqlite_errorname="SQLITE_CORRUPT")
        return read(connection, table, low, high)

    read = verify._raw
    monkeypatch.setattr(verify, "_raw", raw)
    with memory._engine.connect() as connection:
        assert verify.verify(connection).entries == 5
        assert [item.seq for item in verify._walk(connection, 5)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("batch", [1, 2, 5, 6, 7])
def test_the_walk_takes_every_entry_whatever_the_size_of_its_steps(memory, monkeypatch, batch):
    memory.append([Withdrawal("q", f"ana{n}", NOW) for n in range(6)], recorded_at=NOW)
    monkeypatch.setattr(verify, "_BATCH", batch)
    with memory._engine.connect() as connection:
        assert [item.seq for item in verify._walk(connection, 6)] == [1, 2, 3, 4, 5, 6]
        assert verify.verify(connection).ok
