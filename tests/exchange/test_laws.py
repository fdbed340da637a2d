"""The laws of bringing a track record in: once is enough, no order matters, nothing gets lost."""

import random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from forecasting.app.ledger import importing
from forecasting.app.ledger.export import export_record
from forecasting.app.ledger.importing import import_record
from forecasting.errors import DatabaseUnusable, InvalidInput
from forecasting.store.transfer import record_digest
from tests.exchange.conftest import NOW, memory
from tests.exchange.tables import START, record_of, row, stamp, stream, table, track_records

# A law that fails, fails in the first second; making its example smaller would take minutes.
QUICKLY = (Phase.explicit, Phase.generate)


def load(ledger, folder, text, format="csv", name="record"):
    path = folder / f"{name}.{format}"
    path.write_text(text, encoding="utf-8", newline="")
    try:
        return import_record(ledger, path, format, now=NOW)
    except InvalidInput as refused:
        if "nothing was written" not in refused.message:
            raise
        return None


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("laws")


@given(rows=track_records())
@settings(max_examples=30, phases=QUICKLY)
def test_rows_in_are_rows_added_duplicates_and_refused(folder, rows):
    with memory(folder) as ledger:
        counts = load(ledger, folder, table(rows))
        if counts is not None:
            assert counts["in"] == len(rows)
            assert counts["in"] == counts["added"] + counts["duplicates"] + len(counts["refused"])
            assert counts["added"] == counts["forecasts"] + counts["withdrawals"]
            assert len({one["line"] for one in counts["refused"]}) == len(counts["refused"])
            assert ledger.verify().ok
            assert {forecast.kind for forecast in ledger.forecasts()} <= {"imported"}


@given(rows=track_records())
@settings(max_examples=15, phases=QUICKLY)
def test_a_second_import_adds_nothing(folder, rows):
    with memory(folder) as ledger:
        first = load(ledger, folder, table(rows))
        head = ledger.head()
        second = load(ledger, folder, table(rows))
        assert ledger.head() == head
        if first is not None:
            assert second["added"] == 0
            assert second["duplicates"] == first["added"] + first["duplicates"]
            assert second["refused"] == first["refused"]


@given(rows=track_records(), order=st.randoms(use_true_random=False))
@settings(max_examples=15, phases=QUICKLY)
def test_the_order_of_the_rows_decides_nothing(folder, rows, order):
    mixed = list(rows)
    order.shuffle(mixed)
    with memory(folder) as one, memory(folder) as other:
        load(one, folder, table(rows))
        load(other, folder, table(mixed))
        assert one.content_digest() == other.content_digest()


@given(rows=track_records(), order=st.randoms(use_true_random=False), parts=st.integers(2, 4))
@settings(max_examples=15, phases=QUICKLY)
def test_a_record_in_parts_is_the_same_record(folder, rows, order, parts):
    with memory(folder) as whole, memory(folder) as pieces:
        counts = load(whole, folder, table(rows))
        reasons = [] if counts is None else counts["refused"]
        # Of two different numbers at one instant whichever part comes first would be kept.
        if any("disagree at that instant" in one["reason"] for one in reasons) or counts is None:
            return
        mixed = list(rows)
        order.shuffle(mixed)
        for number in range(parts):
            load(pieces, folder, table(mixed[number::parts]), name=f"part-{number}")
        assert record_digest(pieces) == record_digest(whole)


@given(rows=track_records())
@settings(max_examples=15, phases=QUICKLY)
def test_a_table_written_and_read_again_is_the_same_ledger(folder, rows):
    with memory(folder) as one, memory(folder) as other:
        load(one, folder, table(rows))
        lines, _ = export_record(one, "csv")
        again = load(other, folder, "".join(lines), name="again")
        assert again is None or (again["refused"], again["duplicates"]) == ([], 0)
        assert other.content_digest() == one.content_digest()
        assert record_digest(other) == record_digest(one)


@given(rows=track_records())
@settings(max_examples=12, phases=QUICKLY)
def test_a_ledger_in_lines_becomes_the_same_ledger(folder, rows):
    with memory(folder) as one, memory(folder) as other:
        load(one, folder, table(rows))
        lines, _ = export_record(one, "jsonl")
        counts = load(other, folder, "".join(lines), "jsonl")
        assert counts["entries"] == counts["added"] == one.head().seq
        assert other.head() == one.head()
        assert other.content_digest() == one.content_digest()


@given(rows=track_records())
@settings(max_examples=20, phases=QUICKLY)
def test_a_stream_of_records_says_what_the_table_says(folder, rows):
    binary = [one for one in rows if one["type"] == "binary" and one["forecast"] != "withdrawn"]
    if len({one["question"] for one in binary}) != 1:
        return
    about = {k: v for k, v in binary[0].items() if k in ("question", "type", "opens", "closes")}
    about["tags"] = ["b", "a"]
    records = [{"kind": "question", **about}, *map(record_of, binary)]
    random.Random(len(records)).shuffle(records)
    plain = [{k: v for k, v in one.items() if k not in ("outcome", "resolved_at", "because",
              "title", "event")} for one in binary]  # fmt: skip
    with memory(folder) as one, memory(folder) as other:
        a, b = load(one, folder, table(plain)), load(other, folder, stream(records), "jsonl")
        if a is not None:
            assert (b["added"], b["duplicates"]) == (a["added"] + 1, a["duplicates"])
            assert sorted(f.issued_at for f in one.forecasts()) == sorted(
                f.issued_at for f in other.forecasts()
            )


@pytest.mark.parametrize("statement", [1, 2, 3, 5])
def test_an_import_that_breaks_off_leaves_nothing(import_text, ledger, monkeypatch, statement):
    from forecasting.store import transfer

    import_text(table([row("before")]))
    before = (ledger.head(), ledger.content_digest())
    rows = [row(f"q-{n}", forecaster=f"f{m}") for n in range(4) for m in range(4)]
    calls = iter(range(1, 99))

    def breaking(real):
        def breaks(*args, **named):
            if next(calls) == statement:
                raise RuntimeError("the machine stops")
            return real(*args, **named)

        return breaks

    monkeypatch.setattr(transfer, "_BATCH", 4)
    # Questions and outcomes go one way, plain forecasts the other.
    monkeypatch.setattr(transfer, "append", breaking(transfer.append))
    monkeypatch.setattr(transfer.Plain, "append", breaking(transfer.Plain.append))
    with pytest.raises(RuntimeError):
        import_text(table(rows))
    assert (ledger.head(), ledger.content_digest()) == before
    monkeypatch.undo()
    assert import_text(table(rows))["added"] == 16


def test_another_writer_meanwhile_is_seen(import_text, ledger, monkeypatch):
    from forecasting.app.ledger import importing as exchange

    real, other = exchange._plan, iter("ab")

    def slowly(*args, **named):
        plan = real(*args, **named)
        if next(other, ""):
            monkeypatch.setattr(exchange, "_plan", real)
            import_text(table([row(), row("p")]))
        return plan

    monkeypatch.setattr(exchange, "_plan", slowly)
    counts = import_text(table([row(), row(day=2)]))
    assert (counts["added"], counts["duplicates"]) == (1, 1)
    assert len(ledger.forecasts()) == 3


def test_a_database_that_never_rests_is_told_of(import_text, ledger, monkeypatch):
    from forecasting.store import transfer

    monkeypatch.setattr(transfer, "record", lambda *_, **__: False)
    with pytest.raises(DatabaseUnusable, match="keep writing"):
        import_text(table([row()]))
    assert ledger.head().seq == 0


def test_it_is_told_how_far_a_long_file_is_read(import_text, monkeypatch):
    monkeypatch.setattr(importing, "_TELLING", 2)
    told = []
    import_text(table([row(day=n) for n in range(1, 6)]), progress=lambda *word: told.append(word))
    read = [done for stage, done, _ in told if stage == "reading"]
    assert read == list(range(0, read[-1] + 1, 2))
    assert read[-1] >= 4


def test_forecasts_are_recorded_now_and_stated_as_they_were_made(import_text, ledger):
    import_text(table([row(forecast="35%")]))
    (forecast,) = ledger.forecasts()
    assert forecast.recorded_at == NOW
    assert stamp(forecast.issued_at) == stamp(START.replace(day=2))
    assert (forecast.value.entered, forecast.value.stated, forecast.kind) == (
        ("0.35",),
        "35%",
        "imported",
    )
