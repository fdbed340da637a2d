"""Redaction: the text of a rationale leaves the database, and everything else stays as it was."""

import json
import sqlite3
import subprocess

import pytest

from forecasting.app.ledger import log as use
from forecasting.app.ledger import seal
from forecasting.app.questions import page as questions
from forecasting.cli import run
from forecasting.domain import Redaction
from forecasting.errors import InvalidInput, NotFound
from forecasting.store import Ledger, backup, engine, restore
from tests import season as ours
from tests.season import DAY, START, Diary
from tests.store.samples import NOW, binary

SECRET = "the source is called Zwetschgenknödel"
BYTES = SECRET.encode()


def spoken(path="sqlite:///:memory:", *, because=SECRET, sealed=False):
    made, asked = Diary(path), ours.question("q")
    made.write(0, asked)
    use.log(
        made.ledger,
        "q",
        forecaster="ann",
        now=START + DAY,
        probability="0.7",
        because=because,
        sealed=sealed,
    )
    return made


def taken(made, name="2", *, who="ann", reason="names  a\nsource", day=2):
    return seal.redact(made.ledger, name, forecaster=who, reason=reason, now=START + day * DAY)


def test_the_text_goes_and_the_forecast_its_hash_and_the_chain_stay():
    made = spoken()
    before = made.ledger.entry(2)
    row = taken(made)
    assert (row["forecast"], row["reason"], row["copies"]) == (2, "names a source", [])
    (forecast,) = made.ledger.forecasts()
    assert (forecast.because, forecast.value, forecast.hash) == (
        "",
        before.value.value,
        before.hash,
    )
    found = made.ledger.verify()
    assert (found.ok, found.entries, found.redacted) == (True, 3, 1)
    (line,) = use.history(made.ledger, "q")
    assert line["because"] == "[redacted: names a source]"
    (shown,) = questions.show(made.ledger, "q", START + 3 * DAY)
    assert shown["forecasts"][0]["because"] == "[redacted: names a source]"


def test_what_cannot_be_redacted_is_refused_and_nothing_is_written():
    made = spoken()
    use.log(made.ledger, "q", forecaster="ann", now=START + DAY, probability="0.6")
    head = made.ledger.head()
    for words, error, given in (
        ("is ann's, and bob cannot", InvalidInput, {"who": "bob"}),
        ("is a question", InvalidInput, {"name": "1"}),
        ("no rationale", InvalidInput, {"name": "3"}),
        ("no such number", NotFound, {"name": "99"}),
        ("must be given", InvalidInput, {"reason": " \n"}),
    ):
        with pytest.raises(error, match=words):
            taken(made, **given)
        assert made.ledger.head() == head
    taken(made)
    with pytest.raises(InvalidInput, match="was redacted by entry 4: names a source"):
        taken(made)
    sealed = spoken(sealed=True)
    with pytest.raises(InvalidInput, match="is a sealed"):
        taken(sealed)


def test_a_seal_still_verifies_after_its_rationale_is_gone():
    made = spoken(sealed=True)
    seal.reveal(made.ledger, "q", forecaster="ann", now=START + 2 * DAY)
    (kept,) = seal.folder().iterdir()
    row = taken(made, "3", day=3)
    assert row["copies"] == [str(kept)]
    found = made.ledger.verify()
    assert (found.ok, found.sealed, found.unrevealed, found.redacted) == (True, 1, 0, 1)


@pytest.mark.parametrize("mode", [("delete", "EXTRA"), ("wal", "FULL")], ids=lambda mode: mode[0])
@pytest.mark.parametrize("long", [1, 800], ids=["short", "long"])
def test_the_bytes_leave_the_file_and_its_journal(tmp_path, monkeypatch, mode, long):
    """Those of many texts in neighbouring pages; at once, and at the end."""
    monkeypatch.setattr(engine, "journal", lambda: mode)
    path = tmp_path / "ledger.db"
    with Ledger.open(str(path), create=True) as ledger:
        texts = [f"{n:03d} {SECRET} " * long for n in range(60)]
        for n in range(0, 60, 6):
            ledger.append([binary(because=text) for text in texts[n : n + 6]], recorded_at=NOW)
        # In an order that merges pages: every second, then the rest but three.
        gone = [*range(1, 61, 2), *range(2, 55, 2)]
        for number in gone:
            ledger.append([Redaction(number, "names a source")], recorded_at=NOW)
            if number in gone[:2]:
                # The ledger is open: what lies beside the file counts as well.
                assert not _holds(tmp_path, texts[number - 1])
        assert ledger.verify().redacted == len(gone)
        kept = [forecast.because for forecast in ledger.forecasts() if forecast.because]
        assert kept == [texts[number - 1] for number in range(1, 61) if number not in gone]
    for number in gone:
        assert not _holds(tmp_path, texts[number - 1])
    assert _holds(tmp_path, kept[0])


def _holds(folder, text):
    # A long text lies in pieces: any of its own words gives it away.
    part = text.encode()[:24]
    # The files are those of another process: reading them here would drop this one's locks.
    copies = folder.parent / f"{folder.name}-seen"
    copies.mkdir(exist_ok=True)
    found = False
    for file in folder.iterdir():
        subprocess.run(["cp", str(file), str(copies / file.name)], check=True)
        found |= part in (copies / file.name).read_bytes()
    return found


def test_without_secure_delete_the_bytes_would_stay(tmp_path):
    """The test above looks where the text would be."""
    path = tmp_path / "ledger.db"
    with Ledger.open(str(path), create=True) as ledger:
        ledger.append([binary(because=SECRET)], recorded_at=NOW)
    raw = sqlite3.connect(path)
    raw.execute("PRAGMA secure_delete = OFF")
    raw.execute("DROP TRIGGER rationale_no_delete")
    raw.execute("DELETE FROM rationale")
    raw.commit()
    raw.close()
    assert _holds(tmp_path, SECRET)


def test_secure_delete_is_on_whatever_the_build_of_sqlite_would_have_it():
    raw = sqlite3.connect(":memory:")
    raw.execute("PRAGMA secure_delete = OFF")
    engine._configure(raw, memory=True, timeout=1)
    assert raw.execute("PRAGMA secure_delete").fetchone() == (1,)
    raw.close()


def test_a_backup_carries_seals_reveals_and_redactions_and_an_earlier_one_the_text(tmp_path):
    path = tmp_path / "ledger.db"
    made = spoken(path)
    for n, who in enumerate(("bob", "cat")):
        use.log(
            made.ledger,
            "q",
            forecaster=who,
            now=START + 2 * DAY,
            probability=f"0.{n + 1}",
            because="heard",
            sealed=True,
        )
    seal.reveal(made.ledger, "q", forecaster="bob", now=START + 3 * DAY)
    backup(str(path), tmp_path / "early.db")
    taken(made, day=4)
    digest, head = made.ledger.content_digest(), made.ledger.head()
    backup(str(path), tmp_path / "late.db")
    restore(tmp_path / "late.db", str(tmp_path / "restored.db"))
    for name in ("late.db", "restored.db"):
        with Ledger.open(str(tmp_path / name)) as ledger:
            assert (ledger.content_digest(), ledger.head()) == (digest, head)
            found = ledger.verify()
            assert (found.ok, found.sealed, found.unrevealed, found.redacted) == (True, 2, 1, 1)
    assert BYTES not in (tmp_path / "late.db").read_bytes()
    assert BYTES in (tmp_path / "early.db").read_bytes()


def test_the_command_says_what_it_cannot_reach(tmp_path, capsys, monkeypatch):
    path = tmp_path / "book.db"
    spoken(path).ledger.close()
    monkeypatch.setenv("FORECASTING_NOW", "2025-01-05T12:00:00Z")
    words = ["redact", "2", "--because", "names a source", "--db", str(path)]
    assert run([*words, "--as", "bob"]) == 2
    assert "is ann's" in capsys.readouterr().err
    assert run([*words, "--as", "ann", "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["forecast"] == 2
    assert "backups, exports, printed pages and earlier copies still hold it" in said.err
    assert run(["history", "q", "--db", str(path)]) == 0
    assert "[redacted:" in capsys.readouterr().out
