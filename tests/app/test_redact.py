"""Redaction: the text of a rationale leaves the database, and everything else stays as it was."""

import json
import subprocess

import pytest

from forecasting.app import page as questions
from forecasting.app.ledger import log as use
from forecasting.app.ledger import seal
from forecasting.cli import run
from forecasting.domain import Redaction
from forecasting.errors import InvalidInput, NotFound
from forecasting.store import Ledger, backup, engine, restore
from forecasting.store import seal as seals
from tests import season as ours
from tests.season import DAY, START, Diary
from tests.store.samples import NOW, binary

SECRET = "the source is called Zwetschgenknödel"
BYTES = SECRET.encode()


def verified(ledger):
    report = ledger.verify()
    return report.ok, report.sealed, report.unrevealed, report.redacted


def diary_with_rationale(path="sqlite:///:memory:", *, because=SECRET, sealed=False):
    diary, asked = Diary(path), ours.question("q")
    diary.write(0, asked)
    use.log(
        diary.ledger,
        "q",
        forecaster="ann",
        now=START + DAY,
        probability="0.7",
        because=because,
        sealed=sealed,
    )
    return diary


def redact(diary, name="2", *, who="ann", reason="names  a\nsource", day=2):
    return seal.redact(diary.ledger, name, forecaster=who, reason=reason, now=START + day * DAY)


def test_the_text_goes_and_the_forecast_its_hash_and_the_chain_stay():
    diary = diary_with_rationale()
    before = diary.ledger.entry(2)
    row = redact(diary)
    assert (row["forecast"], row["reason"], row["copies"]) == (2, "names a source", [])
    (forecast,) = diary.ledger.forecasts()
    assert (forecast.because, forecast.value, forecast.hash) == (
        "",
        before.value.value,
        before.hash,
    )
    verification = diary.ledger.verify()
    assert (verification.ok, verification.entries, verification.redacted) == (True, 3, 1)
    (line,) = use.history(diary.ledger, "q")
    assert line["because"] == "[redacted: names a source]"
    (shown,) = questions.show(diary.ledger, "q", START + 3 * DAY)
    assert shown["forecasts"][0]["because"] == "[redacted: names a source]"


def test_what_cannot_be_redacted_is_refused_and_nothing_is_written():
    diary = diary_with_rationale()
    use.log(diary.ledger, "q", forecaster="ann", now=START + DAY, probability="0.6")
    head = diary.ledger.head()
    for words, error, arguments in (
        ("is ann's, and bob cannot", InvalidInput, {"who": "bob"}),
        ("is a question", InvalidInput, {"name": "1"}),
        ("no rationale", InvalidInput, {"name": "3"}),
        ("no such number", NotFound, {"name": "99"}),
        ("must be given", InvalidInput, {"reason": " \n"}),
    ):
        with pytest.raises(error, match=words):
            redact(diary, **arguments)
        assert diary.ledger.head() == head
    redact(diary)
    with pytest.raises(InvalidInput, match="was redacted by entry 4: names a source"):
        redact(diary)
    sealed = diary_with_rationale(sealed=True)
    with pytest.raises(InvalidInput, match="is a sealed"):
        redact(sealed)


def test_a_seal_still_verifies_after_its_rationale_is_gone():
    diary = diary_with_rationale(sealed=True)
    seal.reveal(diary.ledger, "q", forecaster="ann", now=START + 2 * DAY)
    (file,) = seals.folder().iterdir()
    row = redact(diary, "3", day=3)
    assert row["copies"] == [str(file)]
    assert verified(diary.ledger) == (True, 1, 0, 1)


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
        redacted = [*range(1, 61, 2), *range(2, 55, 2)]
        for number in redacted:
            ledger.append([Redaction(number, "names a source")], recorded_at=NOW)
            if number in redacted[:2]:
                # The ledger is open: what lies beside the file counts as well.
                assert not _holds(tmp_path, texts[number - 1])
        assert ledger.verify().redacted == len(redacted)
        others = [forecast.because for forecast in ledger.forecasts() if forecast.because]
        assert others == [texts[number - 1] for number in range(1, 61) if number not in redacted]
    for number in redacted:
        assert not _holds(tmp_path, texts[number - 1])
    assert _holds(tmp_path, others[0])


def _holds(folder, text):
    # A long text lies in pieces: any of its own words gives it away.
    part = text.encode()[:24]
    # The files are those of another process: reading them here would drop this one's locks.
    copies = folder.parent / f"{folder.name}-seen"
    copies.mkdir(exist_ok=True)
    holds = False
    for file in folder.iterdir():
        subprocess.run(["cp", str(file), str(copies / file.name)], check=True)
        holds |= part in (copies / file.name).read_bytes()
    return holds


def test_a_backup_carries_seals_reveals_and_redactions_and_an_earlier_one_the_text(tmp_path):
    path = tmp_path / "ledger.db"
    diary = diary_with_rationale(path)
    for n, who in enumerate(("bob", "cat")):
        use.log(
            diary.ledger,
            "q",
            forecaster=who,
            now=START + 2 * DAY,
            probability=f"0.{n + 1}",
            because="heard",
            sealed=True,
        )
    seal.reveal(diary.ledger, "q", forecaster="bob", now=START + 3 * DAY)
    backup(str(path), tmp_path / "early.db")
    redact(diary, day=4)
    digest, head = diary.ledger.content_digest(), diary.ledger.head()
    backup(str(path), tmp_path / "late.db")
    restore(tmp_path / "late.db", str(tmp_path / "restored.db"))
    for name in ("late.db", "restored.db"):
        with Ledger.open(str(tmp_path / name)) as ledger:
            assert (ledger.content_digest(), ledger.head()) == (digest, head)
            assert verified(ledger) == (True, 2, 1, 1)
    assert BYTES not in (tmp_path / "late.db").read_bytes()
    assert BYTES in (tmp_path / "early.db").read_bytes()


def test_the_command_says_what_it_cannot_reach(tmp_path, capsys, monkeypatch):
    path = tmp_path / "book.db"
    diary_with_rationale(path).ledger.close()
    monkeypatch.setenv("FORECASTING_NOW", "2025-01-05T12:00:00Z")
    words = ["redact", "2", "--because", "names a source", "--db", str(path)]
    assert run([*words, "--as", "bob"]) == 2
    assert "is ann's" in capsys.readouterr().err
    assert run([*words, "--as", "ann", "--json"]) == 0
    output = capsys.readouterr()
    assert json.loads(output.out)["forecast"] == 2
    assert "backups, exports, printed pages and earlier copies still hold it" in output.err
    assert run(["history", "q", "--db", str(path)]) == 0
    assert "[redacted:" in capsys.readouterr().out
