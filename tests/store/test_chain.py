"""The form of an entry, worked by hand, and what the chain and the digest depend on."""

import datetime as dt
import hashlib
import unicodedata
from dataclasses import replace

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from forecasting.domain import Withdrawal
from forecasting.errors import InvalidInput
from forecasting.store import Ledger
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
