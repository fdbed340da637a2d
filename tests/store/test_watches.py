"""Watches and setups in the ledger: recorded, hashed, guarded, and counted as of a moment."""

import dataclasses
import datetime as dt
import random
from dataclasses import replace

import pytest

from forecasting.domain.forecast import Spread
from forecasting.domain.provenance import Fitted, fits_of, in_batch, world_run
from forecasting.domain.setup import Setup
from forecasting.domain.watch import Watch, watched
from forecasting.errors import ForecastingError, InvalidInput
from tests.store.samples import DAY, NOW, binary, numeric_question

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


def test_a_predicate_stays_with_its_question_and_outside_its_hash(memory):
    plain = numeric_question()
    asked = replace(plain, answer="convoy count by close")
    recorded = memory.append([plain, asked], recorded_at=NOW)
    assert memory.questions() == [asked]
    assert asked.wording_hash == plain.wording_hash
    assert [entry.row["answer"] for entry in recorded] == [None, "convoy count by close"]
    assert memory.verify().ok


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
                reached = watched(watches[:head], as_of, live=live)
                assert reached == {name: until for name, until in expected.items() if until}
                assert all(until <= as_of for until in reached.values())


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
    forecasts = [
        binary(
            "0.0123",
            forecaster="model",
            gate=gate,
            spread=Spread(0.01, 0.002, 0.01, 0.03, mcse, "simulated"),
            model_run=in_batch(0),
        )
        for gate, mcse in (("passed", 0.0004), ("refused: error .006 of .012", 0.006))
    ]
    recorded = memory.append([run, *forecasts], recorded_at=NOW)
    (stored,) = memory.model_runs()
    assert stored == replace(run, seq=1, recorded_at=NOW)
    assert (stored.family, stored.fitted, stored.method) == ("world", "world", "simulated")
    assert stored.gate == "overridden: spells: few spells"
    assert stored.diagnostics["draws"] == 32_768
    assert fits_of(stored) == fits
    read = memory.forecasts()
    assert [(f.model_run, f.gate, f.spread) for f in read] == [
        (1, one.gate, one.spread) for one in forecasts
    ]
    assert [f.seq for f in read] == [entry.seq for entry in recorded[1:]]
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
    stated = {"bank_hash": "0" * 64, "evidence_hash": "1" * 64, "as_of": NOW, "seed": 0}
    assert world_run(**stated, draws=8, fits=fits).gate == whole
    with pytest.raises(InvalidInput, match="gate"):
        Fitted("0" * 64, "fine")
    with pytest.raises(InvalidInput, match="draws"):
        world_run(**stated, draws=0, fits=fits)


SAID = Setup("bank", "questions", {"digest": "ab" * 32, "zone": "UTC"}, said_by="ana")


def test_a_setup_reads_back_equal_and_a_head_hides_it(ledger):
    (recorded,) = ledger.append([SAID], recorded_at=NOW)
    (setup,) = ledger.setups()
    assert dataclasses.replace(setup, seq=None, recorded_at=None) == SAID
    assert setup.seq == recorded.seq == 1
    assert ledger.setups(head=0) == []
    assert ledger.verify().ok


def test_an_unknown_subject_is_refused_by_the_database(ledger):
    with pytest.raises(ForecastingError, match="no such subject"):
        ledger.append([dataclasses.replace(SAID, subject="weather")], recorded_at=NOW)
    assert ledger.head().seq == 0


def test_a_dropped_question_is_gone_with_its_forecasts_and_its_entries_stay(ledger):
    dropped = numeric_question(id="q")
    other = numeric_question(id="kept")
    ledger.append([dropped, other, binary(question="q"), binary(question="kept")], recorded_at=NOW)
    ledger.append([Setup("dropped", "q", {})], recorded_at=NOW + DAY)
    assert [question.id for question in ledger.questions()] == ["kept"]
    assert [forecast.question for forecast in ledger.forecasts()] == ["kept"]
    # As it stood before, it is still there; and so are its entries.
    assert len(ledger.questions(head=4)) == 2
    assert ledger.entry(3).value.question == "q"
    assert ledger.verify().ok


def test_a_question_may_be_made_again_after_it_was_dropped(ledger):
    first = numeric_question(id="q")
    ledger.append([first, binary(question="q"), Setup("dropped", "q", {})], recorded_at=NOW)
    again = dataclasses.replace(first, title="Another one", opens=NOW + dt.timedelta(1))
    ledger.append([again], recorded_at=NOW + DAY)
    assert [question.title for question in ledger.questions()] == ["Another one"]
    assert ledger.forecasts() == []
