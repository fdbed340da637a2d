"""Watches in the ledger: recorded, hashed, guarded, copied, and counted as of a moment."""

import datetime as dt
import hashlib
import random
import sqlite3
from dataclasses import replace

import pytest

from forecasting.app.ledger.export import export_record
from forecasting.app.ledger.importing import import_record
from forecasting.app.upkeep.workspace import doctor
from forecasting.domain.forecast import Spread
from forecasting.domain.provenance import Fitted, fits_of, in_batch, world_run
from forecasting.domain.watch import Watch, watched, watched_until
from forecasting.errors import InvalidInput
from forecasting.store import Ledger, backup, restore, status
from tests.store.samples import DAY, NOW, binary, fill, numeric_question, one_of_each

LOOKED = [
    Watch("truce", NOW - 3 * DAY, watcher="ana", because="the wires of the week"),
    Watch("convoy", NOW, watcher="ana"),
    Watch("truce", NOW - 3 * DAY, watcher="ben"),
]


def test_a_watch_reads_back_equal_and_a_head_hides_it(memory):
    recorded = memory.append(LOOKED, recorded_at=NOW)
    expected = tuple(replace(one, seq=n, recorded_at=NOW) for n, one in enumerate(LOOKED, start=1))
    assert tuple(entry.value for entry in recorded) == memory.watches() == expected
    assert memory.watches(head=2) == memory.watches(2) == expected[:2]
    assert memory.entry(2).value == expected[1]
    assert memory.verify().ok


def test_a_watch_is_hashed_as_anyone_can_work_out_from_its_text(memory):
    (entry,) = memory.append(LOOKED[:1], recorded_at=NOW)
    text = (
        '{"body":{"because":"the wires of the week","process":"truce",'
        '"until":"2025-12-30T03:04:05.678901Z","watcher":"ana"},'
        '"kind":"watch","recorded_at":"2026-01-02T03:04:05.678901Z","seq":1,'
        f'"tool":"{entry.tool}","v":1}}'
    )
    leaf = hashlib.sha256(b"\0" + text.encode()).digest()
    assert entry.hash == hashlib.sha256(b"\1" + bytes(32) + leaf).hexdigest()


def test_a_watch_of_the_future_or_one_that_goes_backwards_is_refused_whole(memory):
    memory.append(LOOKED, recorded_at=NOW)
    tick = dt.timedelta(microseconds=1)
    for bad, words in (
        (Watch("relief", NOW + tick, watcher="ana"), "no further than"),
        (Watch("truce", NOW - 3 * DAY - tick, watcher="ana"), "does not go backwards"),
    ):
        with pytest.raises(InvalidInput, match=words):
            memory.append([Watch("convoy", NOW), bad], recorded_at=NOW)
    with pytest.raises(InvalidInput, match="zone"):
        memory.append([Watch("relief", dt.datetime(2026, 1, 1))], recorded_at=NOW)
    with pytest.raises(InvalidInput, match="must name the process that was looked at"):
        Watch(" ", NOW)
    assert memory.head().seq == 3


def test_an_edited_watch_is_found_at_its_entry(path):
    with Ledger.open(str(path), create=True) as ledger:
        ledger.append([*one_of_each(), *LOOKED], recorded_at=NOW)
    raw = sqlite3.connect(path)
    raw.execute("DROP TRIGGER watch_no_update")
    raw.execute("UPDATE watch SET until = '2026-01-02T03:04:05.678901Z' WHERE seq = 14")
    raw.commit()
    raw.close()
    with Ledger.open(str(path)) as ledger:
        assert ledger.verify().first_bad == 14
    found = {item["check"]: item["ok"] for item in doctor(str(path))}
    assert (found["triggers"], found["chain"]) == (False, False)


def test_a_predicate_stays_with_its_question_and_outside_its_hash(memory):
    plain = numeric_question()
    asked = replace(plain, answer="convoy count by close")
    recorded = memory.append([plain, asked], recorded_at=NOW)
    assert memory.questions() == [asked]
    assert asked.wording_hash == plain.wording_hash
    assert [entry.row["answer"] for entry in recorded] == [None, "convoy count by close"]
    assert memory.verify().ok


def test_a_ledger_with_watches_is_copied_restored_and_carried_as_lines(path, tmp_path):
    with Ledger.open(str(path), create=True) as ledger:
        fill(ledger)
        kept = ledger.head(), ledger.content_digest(), ledger.watches()
        export_record(ledger, "jsonl", out=tmp_path / "ledger.jsonl")
    assert backup(str(path), tmp_path / "copy.db").ok
    restore(tmp_path / "copy.db", str(tmp_path / "restored.db"))
    with Ledger.open(str(tmp_path / "lines.db"), create=True) as ledger:
        assert import_record(ledger, tmp_path / "ledger.jsonl", "jsonl", now=NOW + DAY)["added"]
    for name in ("copy", "restored", "lines"):
        with Ledger.open(str(tmp_path / f"{name}.db")) as ledger:
            assert (ledger.head(), ledger.content_digest(), ledger.watches()) == kept
            assert ledger.verify().ok
    assert status(str(tmp_path / "restored.db")).entries == kept[0].seq


def test_the_watch_of_another_ledger_stays_there_and_is_named(path, tmp_path):
    other = tmp_path / "other.db"
    with Ledger.open(str(other), create=True) as ledger:
        ledger.append([numeric_question(), *LOOKED[:1]], recorded_at=NOW)
        export_record(ledger, "jsonl", out=tmp_path / "other.jsonl")
    with Ledger.open(str(path), create=True) as ledger:
        ledger.append([numeric_question(id="mine")], recorded_at=NOW)
        found = import_record(ledger, tmp_path / "other.jsonl", "jsonl", now=NOW + DAY)
        assert [one["reason"] for one in found["refused"]] == [
            "a watch belongs to the ledger in which it was recorded"
        ]
        assert ledger.watches() == ()


def by_hand(watches, process, as_of, *, live, head):
    """Work the rule out one watch at a time."""
    ends = []
    for one in watches:
        seen = one.seq <= head and (not live or one.recorded_at <= as_of)
        if one.process == process and seen:
            ends.append(one.until if one.until < as_of else as_of)
    return max(ends) if ends else None


@pytest.mark.parametrize("case", range(60))
def test_a_watch_counts_as_of_a_moment_by_the_rule(case):
    rng = random.Random(case)
    watches = []
    for seq in range(1, rng.randint(1, 12)):
        recorded = NOW + seq * DAY
        until = recorded - rng.choice([0, 1, 5, 30]) * DAY
        name = rng.choice(["truce", "convoy"])
        watches.append(Watch(name, until, recorded_at=recorded, seq=seq, watcher="ana"))
    for live in (True, False):
        for head in (0, 3, 99):
            for days in range(-32, 16, 3):
                as_of = NOW + days * DAY
                expected = {
                    name: by_hand(watches, name, as_of, live=live, head=head)
                    for name in ("truce", "convoy")
                }
                found = watched(watches, as_of, live=live, head=head)
                assert found == {name: until for name, until in expected.items() if until}
                for name, until in expected.items():
                    asked = watched_until(watches, name, as_of, live=live, head=head)
                    assert asked == until
                    assert asked is None or asked <= as_of


def test_a_watch_that_was_recorded_later_changes_no_live_reading():
    early = Watch("truce", NOW, recorded_at=NOW, seq=1)
    late = Watch("truce", NOW + 9 * DAY, recorded_at=NOW + 10 * DAY, seq=2)
    for days in range(10):
        as_of = NOW + days * DAY
        assert watched_until([early, late], "truce", as_of, live=True) == NOW
        assert watched_until([early, late], "truce", as_of, live=False) == as_of
        assert watched_until([early, late], "truce", as_of, live=False, head=1) == NOW


def test_the_run_of_a_world_and_its_forecasts_read_back_equal(memory):
    fits = {"rates": Fitted("2" * 64), "spells": Fitted("3" * 64, "overridden: few spells")}
    run = world_run(
        bank_hash="0" * 64,
        evidence_hash="1" * 64,
        as_of=NOW,
        seed=2**70,
        draws=32_768,
        fits=fits,
        diagnostics={"gain": 1.02, "ess": float("nan")},
    )
    said = [
        binary(
            "0.0123",
            forecaster="model",
            gate=gate,
            spread=Spread(0.01, 0.002, 0.01, 0.03, mcse, "simulated"),
            model_run=in_batch(0),
        )
        for gate, mcse in (("passed", 0.0004), ("refused: error .006 of .012", 0.006))
    ]
    recorded = memory.append([run, *said], recorded_at=NOW)
    (stands,) = memory.model_runs()
    assert stands == replace(run, seq=1, recorded_at=NOW)
    assert (stands.family, stands.fitted, stands.method) == ("world", "world", "simulated")
    assert stands.gate == "overridden: spells: few spells"
    assert stands.diagnostics["draws"] == 32_768
    assert fits_of(stands) == fits
    found = memory.forecasts()
    assert [(f.model_run, f.gate, f.spread) for f in found] == [
        (1, one.gate, one.spread) for one in said
    ]
    assert [f.seq for f in found] == [entry.seq for entry in recorded[1:]]
    assert memory.verify().ok


@pytest.mark.parametrize(
    ("gates", "whole"),
    [
        ({}, "passed"),
        ({"rates": "passed"}, "passed"),
        (
            {"rates": "overridden: known", "spells": "refused: r_hat 1.2"},
            "refused: spells: r_hat 1.2",
        ),
        (
            {"rates": "refused: bfmi .1", "spells": "refused: r_hat 1.2"},
            "refused: rates: bfmi .1; spells: r_hat 1.2",
        ),
    ],
)
def test_the_gate_of_a_world_is_that_of_its_fits(gates, whole):
    fits = {name: Fitted("0" * 64, gate) for name, gate in gates.items()}
    given = {"bank_hash": "0" * 64, "evidence_hash": "1" * 64, "as_of": NOW, "seed": 0}
    assert world_run(**given, draws=8, fits=fits).gate == whole
    with pytest.raises(InvalidInput, match="gate"):
        Fitted("0" * 64, "fine")
    with pytest.raises(InvalidInput, match="draws"):
        world_run(**given, draws=0, fits=fits)
