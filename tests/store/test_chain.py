"""The form of an entry by hand, and what the chain, the digest and the bulk writer rest on."""

import datetime as dt
import hashlib
import unicodedata
from dataclasses import replace

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from forecasting.domain import Imported, Value, Withdrawal
from forecasting.domain.forecast import binary_value
from forecasting.errors import InvalidInput, Repeated
from forecasting.store import Ledger, transfer
from forecasting.store.canonical import FIRST, VERSION, dumps, instant_text, loads, number_text
from forecasting.store.entries import prepare
from tests.store import samples
from tests.store.samples import DAY, NOW, binary, one_of_each


def sha(data):
    return hashlib.sha256(data).digest()


def test_an_entry_hashes_as_anyone_can_work_out_from_its_text(memory):
    """h1 = SHA256(01 || 32 zero bytes || SHA256(00 || entry)), with the entry written out here."""
    (recorded,) = memory.append([Withdrawal("q", "ana", NOW)], recorded_at=NOW + DAY)
    entry = (
        '{"body":{"forecaster":"ana","question":"q","withdrawn_at":"2026-01-02T03:04:05.678901Z"},'
        '"kind":"withdrawal","recorded_at":"2026-01-03T03:04:05.678901Z","seq":1,'
        f'"tool":"{recorded.tool}","v":1}}'
    )
    assert recorded.hash == sha(b"\x01" + bytes(32) + sha(b"\x00" + entry.encode())).hex()
    (second,) = memory.append([Withdrawal("q", "ana", NOW)], recorded_at=NOW + DAY)
    entry = entry.replace('"seq":1', '"seq":2')
    first = bytes.fromhex(recorded.hash)
    assert second.hash == sha(b"\x01" + first + sha(b"\x00" + entry.encode())).hex()


def test_a_forecast_commits_to_its_decimal_its_wording_and_a_salted_rationale(path):
    import sqlite3

    spoken = replace(one_of_each()[4], model_run=None)
    with Ledger.open(str(path), create=True) as ledger:
        (recorded,) = ledger.append([spoken], recorded_at=NOW)
    with sqlite3.connect(path) as raw:
        salt, text = raw.execute("SELECT salt, text FROM rationale").fetchone()
        (leaf,) = raw.execute("SELECT leaf FROM entry").fetchone()
    raw.close()
    form = {
        "claim": "t1/3",
        "commitment": sha(bytes.fromhex(salt) + text.encode()).hex(),
        "entered": ["0.35"],
        "forecaster": "ana",
        "gate": "passed",
        "issued_at": "2026-01-02T03:04:05.678901Z",
        "kind": "live",
        "labels": ["yes"],
        "mcse": "0.0000001",
        "meta": {"why": "drawn", "🦊": "beyond the basic plane, before", "～": "in it"},
        "method": "psis",
        "p05": "0.2",
        "p50": "0.34",
        "p95": "0.5",
        "question": "truce@2026-12-31",
        "question_hash": "ab" * 32,
        "run": "a1b2",
        "sd": "0.1",
        "shape": "binary",
        "stated": "35%",
    }
    entry = {
        "v": 1,
        "seq": 1,
        "kind": "forecast",
        "recorded_at": "2026-01-02T03:04:05.678901Z",
        "tool": recorded.tool,
        "body": form,
    }
    assert text == spoken.because
    assert len(bytes.fromhex(salt)) == 32
    assert leaf == sha(b"\x00" + rfc8785.dumps(entry)).hex()


def test_an_empty_ledger_has_a_head_of_zeros(memory):
    assert memory.head() == (0, FIRST.hex()) == (0, "0" * 64)
    assert memory.verify().ok


@given(draft=samples.drafts)
def test_an_entry_is_written_as_rfc_8785_says(draft):
    """The parts that the store puts together are the standard's, byte for byte."""
    prepared = prepare(draft)
    row, effects = {**prepared.row, "seq": 2**40}, [{**e, "seq": 1} for e in prepared.effects]
    one = replace(
        prepared, row=row, effects=effects, seq=2**40, recorded_at=NOW, tool="é\x7f\u2028"
    )
    beside = {"kind": one.kind, "seq": one.seq, "recorded_at": instant_text(NOW), "tool": one.tool}
    assert one.canonical == dumps({"body": one.body, **beside, "v": VERSION})


@given(value=samples.plain)
def test_canonical_data_reads_back_and_is_a_fixed_point(value):
    written = dumps(value)
    assert loads(written.decode()) == value
    assert dumps(loads(written.decode())) == written


@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_reads_back_from_its_decimal(number):
    assert float(number_text(number)) == number
    assert "e" not in number_text(number)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_no_canonical_form_holds_a_number_that_is_not_finite(number):
    with pytest.raises(InvalidInput):
        dumps({"a": number})


def test_the_two_spellings_of_a_letter_are_one(memory):
    composed = "Łódź é"
    decomposed = unicodedata.normalize("NFD", composed)
    assert composed != decomposed
    memory.append([binary(because=decomposed, forecaster=decomposed)], recorded_at=NOW)
    (read,) = memory.forecasts()
    assert (read.because, read.forecaster) == (composed, composed)
    assert memory.verify().ok


def test_the_digest_of_the_content_does_not_depend_on_when_or_on_salts():
    def written(recorded_at, *, split, drafts):
        with Ledger.open("sqlite:///:memory:", create=True) as ledger:
            ledger.append(drafts[:split], recorded_at=recorded_at)
            ledger.append(drafts[split:], recorded_at=recorded_at + DAY)
            return ledger.content_digest(), ledger.head().hash

    drafts = one_of_each()
    first, head = written(NOW, split=5, drafts=drafts)
    again, other_head = written(NOW + DAY, split=7, drafts=drafts)
    assert first == again
    assert head != other_head
    assert written(NOW, split=5, drafts=[*drafts[:-1], binary()])[0] != first
    reworded = [*drafts[:4], replace(drafts[4], because="Talks resumed."), *drafts[5:]]
    assert written(NOW, split=5, drafts=reworded)[0] != first


def test_two_rationales_alike_have_commitments_unlike(memory):
    memory.append([binary(because="same"), binary(because="same")], recorded_at=NOW)
    one, two = (memory.entry(seq).row["commitment"] for seq in (1, 2))
    assert one != two


def test_moments_in_other_zones_are_the_same_moment():
    kyiv = NOW.astimezone(dt.timezone(dt.timedelta(hours=3)))
    one, two = (prepare(binary(issued_at=moment)) for moment in (NOW, kyiv))
    assert one.body == two.body


BULK_DAY = dt.timedelta(days=1)
BULK_NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
names = st.text(
    st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=12
)
values = st.one_of(
    st.integers(0, 100).map(lambda n: Value("binary", ("yes",), (f"{n / 100:.2f}",), f"{n}%")),
    st.just(Value("options", ("a", "é"), ("0.25", "0.75"))),
    st.just(Value("quantiles", ("5", "50"), ("-1.5", "2"))),
)
moments = st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2026, 1, 1)).map(
    lambda at: at.replace(tzinfo=dt.UTC)
)
forecasts = st.builds(
    Imported,
    question=names,
    question_hash=st.just("ab" * 32),
    forecaster=names,
    value=values,
    issued_at=st.one_of(
        moments, moments.map(lambda at: at.astimezone(dt.timezone(dt.timedelta(hours=3))))
    ),
    because=st.just(""),
)


@given(st.lists(forecasts, max_size=6))
def test_every_byte_is_what_the_general_writer_records(drafts):
    with (
        Ledger.open("sqlite:///:memory:", create=True) as many,
        Ledger.open("sqlite:///:memory:", create=True) as each,
    ):
        assert transfer.record(many, drafts, recorded_at=BULK_NOW, head=many.head())
        if drafts:
            each.append(drafts, recorded_at=BULK_NOW)
        assert many.head() == each.head()
        assert many.forecasts() == each.forecasts()
        assert many.verify().ok


def test_an_act_of_writing_is_recorded_in_bulk_once(tmp_path):
    drafts = [
        Imported("q", "ab" * 32, "ana", binary_value("0.5"), BULK_NOW - n * BULK_DAY)
        for n in (2, 1)
    ]
    with Ledger.open(str(tmp_path / "a.db"), create=True) as ledger:
        act = "ab" * 32
        # One that the bulk writer takes and one that it does not: still one act.
        mixed = [drafts[0], drafts[1]._replace(because="a reason")]
        assert transfer.record(ledger.once(act), mixed, recorded_at=BULK_NOW, head=ledger.head())
        assert ledger.written(act) == ledger.head().seq == 2
        with pytest.raises(Repeated):
            transfer.record(ledger.once(act), drafts, recorded_at=BULK_NOW, head=ledger.head())
        assert ledger.head().seq == 2
        assert ledger.verify().ok
