"""An exported ledger: the same ledger in an empty database, statements in any other."""

import json

import pytest

from forecasting.app.ledger.export import export_record
from forecasting.errors import DatabaseUnusable, InvalidInput
from forecasting.store import transfer
from forecasting.store.transfer import record_digest
from tests.exchange.conftest import NOW, memory
from tests.exchange.tables import row, table
from tests.store import samples


@pytest.fixture
def other(tmp_path_factory):
    with memory(tmp_path_factory.mktemp("other")) as opened:
        yield opened


@pytest.fixture
def full(ledger):
    """A ledger with one of every kind of entry."""
    samples.fill(ledger)
    return ledger


def lines_of(ledger):
    return "".join(export_record(ledger, "jsonl")[0])


def test_every_kind_of_entry_comes_back_as_it_was(full, other, import_text):
    counts = import_text(lines_of(full), format="jsonl", into=other)
    assert (counts["entries"], counts["in"], counts["duplicates"]) == (full.head().seq,) * 2 + (0,)
    assert other.head() == full.head()
    assert other.content_digest() == full.content_digest()
    assert record_digest(other) == record_digest(full)
    assert (other.verify(), other.watches()) == (full.verify(), full.watches())
    kinds = {forecast.kind for forecast in other.forecasts()}
    assert kinds == {forecast.kind for forecast in full.forecasts()}
    assert counts["forecasts"] == len(full.forecasts())


def test_once_more_adds_nothing_and_a_longer_export_adds_the_rest(full, other, import_text):
    early = lines_of(full)
    import_text(early, format="jsonl", into=other)
    assert import_text(early, format="jsonl", into=other)["added"] == 0
    full.append([samples.binary(forecaster="ben")], recorded_at=NOW)
    later = lines_of(full)
    assert import_text(later, format="jsonl", into=other, dry_run=True)["added"] == 1
    assert other.head() != full.head()
    counts = import_text(later, format="jsonl", into=other)
    assert (counts["added"], counts["duplicates"]) == (1, full.head().seq - 1)
    assert other.head() == full.head()
    assert import_text(early, format="jsonl", into=other)["added"] == 0, "the beginning is there"


def test_an_empty_ledger_has_one_line(ledger, other, import_text):
    assert import_text(lines_of(ledger), format="jsonl", into=other)["in"] == 0


def test_another_ledger_takes_them_as_imported(full, other, import_text):
    full.append([samples.numeric_question(title="Anew?")], recorded_at=NOW)
    import_text(table([row()]), into=other)
    counts = import_text(lines_of(full), format="jsonl", into=other)
    assert counts["in"] == full.head().seq
    assert counts["in"] == counts["added"] + counts["duplicates"] + len(counts["refused"])
    assert {forecast.kind for forecast in other.forecasts()} == {"imported"}
    assert counts["news"] == 2
    reasons = " ".join(one["reason"] for one in counts["refused"])
    for why in (
        "was reworded",
        "in a replay",
        "a model fit",
        "a replay belongs",
        "a watch belongs",
    ):
        assert why in reasons
    question = next(one for one in other.questions() if one.id == "strikes")
    assert (question.title, question.model.fitted) == ("Anew?", "survival")
    again = import_text(lines_of(full), format="jsonl", into=other)
    assert again["added"] == 0
    assert again["refused"] == counts["refused"]


def test_news_of_the_future_is_not_taken_over(ledger, other, import_text):
    from forecasting.domain import Evidence

    later = NOW.replace(year=2030)
    ledger.append([Evidence("n", "report", "x", "y", later, ())], recorded_at=NOW)
    ledger.append([Evidence("m", "report", "x", "y", NOW, ())], recorded_at=NOW)
    import_text(table([row()]), into=other)
    counts = import_text(lines_of(ledger), format="jsonl", into=other)
    assert (counts["news"], [one["line"] for one in counts["refused"]]) == (1, [2])


def test_a_ledger_of_the_future_is_refused(ledger, other, import_text):
    ledger.append([samples.numeric_question()], recorded_at=NOW.replace(year=2030))
    with pytest.raises(InvalidInput, match="after now"):
        import_text(lines_of(ledger), format="jsonl", into=other)
    assert other.head().seq == 0


def edited(text, at, change):
    lines = text.splitlines()
    record = json.loads(lines[at])
    change(record)
    lines[at] = json.dumps(record)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("at", "change"),
    [
        (6, lambda r: r["body"].update(entered=["0.99"])),
        (6, lambda r: r.update(recorded_at="2020-01-01T00:00:00.000000Z")),
        (6, lambda r: r.update(recorded_at=7)),
        (6, lambda r: r.update(recorded_at=r["recorded_at"].replace("Z", "+00:00"))),
        (6, lambda r: r.update(tool="9")),
        (6, lambda r: r.update(seq="6")),
        (6, lambda r: r.update(seq=7)),
        (6, lambda r: r.update(hash="0" * 64)),
        (6, lambda r: r.update(kind="riddle")),
        (6, lambda r: r.update(mood="fine")),
        (6, lambda r: r.update(v=2)),
        (6, lambda r: r.update(because=3)),
        (6, lambda r: r.update(body=[])),
        (6, lambda r: r["body"].update(mood="fine")),
        (6, lambda r: r["body"].update(model_run=1.5)),
        (6, lambda r: r["body"].update(sd=0.1)),
        (6, lambda r: r["body"].pop("entered")),
        (9, lambda r: r["body"]["effects"].pop()),
    ],
)
def test_a_line_that_was_changed_is_found(full, other, import_text, at, change):
    with pytest.raises(InvalidInput) as refused:
        import_text(edited(lines_of(full), at - 1, change), format="jsonl", into=other)
    assert refused.value.where == f"record.jsonl:{at}"
    assert other.head().seq == 0
    import_text(table([row()]), into=other)
    with pytest.raises(InvalidInput):
        import_text(edited(lines_of(full), at - 1, change), format="jsonl", into=other)


@pytest.mark.parametrize("change", [lambda r: r.update(because="another"), lambda r: r.pop("salt")])
def test_a_rationale_that_was_changed_is_found(full, other, import_text, change):
    text = lines_of(full)
    at = next(n for n, line in enumerate(text.splitlines()) if '"because"' in line)
    with pytest.raises(InvalidInput, match="nothing was written"):
        import_text(edited(text, at, change), format="jsonl", into=other)
    assert other.head().seq == 0


def test_lines_that_are_missing_or_in_another_order(full, other, import_text):
    lines = lines_of(full).splitlines(keepends=True)
    for cut in (lines[:-1], [*lines[:3], *lines[4:]], [lines[0], lines[2], lines[1], *lines[3:]]):
        with pytest.raises(InvalidInput):
            import_text("".join(cut), format="jsonl", into=other)
    assert other.head().seq == 0


def test_another_writer_meanwhile(full, other, tmp_path):
    lines = transfer.chained(
        ((n, json.loads(line)) for n, line in enumerate(transfer.export(full)) if n),
        transfer.Whole(*full.head()),
        "x",
    )
    with pytest.raises(InvalidInput, match="meanwhile"):
        transfer.restore_lines(other, lines, after=3)


def test_a_damaged_ledger_is_not_exported(full, monkeypatch):
    def broken(*_):
        raise transfer._Bad(3, "its row is missing")
        yield

    monkeypatch.setattr(transfer, "_walk", broken)
    for use in (lambda: list(transfer.export(full)), lambda: record_digest(full)):
        with pytest.raises(DatabaseUnusable, match="its row is missing"):
            use()


def test_a_ledger_without_its_guards_is_not_written_to(other, import_text, monkeypatch):
    monkeypatch.setattr(other, "_unguarded", DatabaseUnusable("unguarded"))
    with pytest.raises(DatabaseUnusable, match="unguarded"):
        import_text(table([row()]), into=other)


def test_anybody_can_work_the_chain_out(full):
    import hashlib

    import rfc8785

    previous = bytes(32)
    for line in list(transfer.export(full))[1:]:
        record = json.loads(line)
        beside = {name: record.pop(name) for name in ("hash", "salt", "because") if name in record}
        leaf = hashlib.sha256(b"\0" + rfc8785.dumps(record)).digest()
        previous = hashlib.sha256(b"\1" + previous + leaf).digest()
        assert previous.hex() == beside["hash"]
    assert previous.hex() == full.head().hash


def test_values_beyond_what_is_remembered_come_back_as_they_were(full, import_text, monkeypatch):
    monkeypatch.setattr(transfer, "_MOST", 1)
    lines = [row(forecast=f"0.{k}", day=k) for k in range(1, 5)]
    assert import_text(table(lines))["forecasts"] == 4
    numbers = {f.value.numbers[0] for f in full.forecasts(kind="imported")}
    assert {0.1, 0.2, 0.3, 0.4} <= numbers
