"""Several writers at once leave one gap-free chain; whatever is done, it reads as a list does."""

import multiprocessing
import random
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)
from sqlalchemy.exc import IntegrityError

from forecasting.domain import Forecast, Question
from forecasting.domain.provenance import in_batch
from forecasting.errors import InvalidInput
from forecasting.store import Ledger, guard, triggers, verify
from tests.store import samples
from tests.store.samples import NOW, binary, one_of_each


def write(path, name, ready, each):
    with Ledger.open(path, create=True) as ledger:
        ready.wait(120)
        for _ in range(each // 2):
            ledger.append([binary(forecaster=name), binary(forecaster=name)], recorded_at=NOW)


@pytest.mark.parametrize(
    ("writers", "each"), [(2, 100), pytest.param(8, 1000, marks=pytest.mark.deep)]
)
def test_several_processes_lose_nothing_and_leave_no_gap(path, writers, each):
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Barrier(writers)
    names = [f"writer {n}" for n in range(writers)]
    processes = [spawn.Process(target=write, args=(str(path), name, ready, each)) for name in names]
    for process in processes:
        process.start()
    for process in processes:
        process.join(300)
    assert [process.exitcode for process in processes] == [0] * writers
    with Ledger.open(str(path)) as ledger:
        found = ledger.verify()
        said = ledger.forecasts()
        assert found.ok
        assert found.entries == found.head_seq == writers * each
        assert sorted(forecast.seq for forecast in said) == list(range(1, writers * each + 1))
        for name in names:
            mine = [forecast.seq for forecast in said if forecast.forecaster == name]
            assert len(mine) == each
            # A batch is one transaction: its two entries stand side by side.
            assert all(
                second == first + 1 for first, second in zip(mine[::2], mine[1::2], strict=True)
            )


def test_many_forecasts_are_recorded_in_one_append(memory, capsys):
    """The figure is printed, not asserted: it is the machine's."""
    spread = one_of_each()[4].spread
    drafts = [
        binary(
            issued_at=NOW + timedelta(hours=hour),
            because="why" if hour % 2 else "",
            spread=spread,
            model_run=in_batch(0),
        )
        for hour in range(4000)
    ]
    started = time.process_time()
    recorded = memory.append([one_of_each()[2], *drafts], recorded_at=NOW)
    written = time.process_time()
    assert len(memory.forecasts()) == 4000
    read = time.process_time()
    assert memory.verify().ok
    verified = time.process_time()
    assert len(recorded) == 4001
    with capsys.disabled():
        print(
            f"\n[ledger: {4000 / (written - started):,.0f} forecasts/s appended, "
            f"{4000 / (read - written):,.0f} read, {4000 / (verified - read):,.0f} verified]"
        )


ATTACKS = ("UPDATE", "DELETE", "REPLACE", "GAP", "DETAIL")


class AgainstAList(RuleBasedStateMachine):
    """A ledger is a list that only grows: whatever is done to it, it reads as the list does."""

    @initialize()
    def begin(self):
        self.ledger = Ledger.open("sqlite:///:memory:", create=True)
        self.kept = []
        self.heads = [(0, self.ledger.content_digest())]

    def teardown(self):
        if hasattr(self, "ledger"):
            self.ledger.close()

    @rule(batch=st.lists(samples.drafts, max_size=3))
    def append(self, batch):
        recorded = self.ledger.append(batch, recorded_at=NOW)
        self.kept += [
            draft
            if isinstance(draft, Question)
            else replace(
                draft,
                seq=entry.seq,
                recorded_at=NOW,
                **({"hash": entry.hash} if isinstance(draft, Forecast) else {}),
            )
            for draft, entry in zip(batch, recorded, strict=True)
        ]
        self.heads.append((self.ledger.head().seq, self.ledger.content_digest()))

    @rule(batch=st.lists(samples.forecasts, min_size=1, max_size=2))
    def fail_half_way(self, batch):
        with pytest.raises(InvalidInput):
            self.ledger.append([*batch, binary(model_run=10**6)], recorded_at=NOW)

    @rule(pick=st.integers(0, 10**6), statement=st.sampled_from(ATTACKS))
    def attack(self, pick, statement):
        if not self.kept:
            return
        seq = pick % len(self.kept) + 1
        kind = self.ledger.entry(seq).kind
        sql = {
            "UPDATE": f"UPDATE entry SET tool = 'x' WHERE seq = {seq}",
            "DELETE": f"DELETE FROM entry WHERE seq = {seq}",
            "REPLACE": f"REPLACE INTO entry SELECT seq, kind, recorded_at, 'x', leaf, hash "
            f"FROM entry WHERE seq = {seq}",
            "GAP": "INSERT INTO entry SELECT seq + 1000000, kind, recorded_at, tool, leaf, "
            f"substr(hash, 2) || 'x' FROM entry WHERE seq = {seq}",
            "DETAIL": f"REPLACE INTO {kind} SELECT * FROM {kind} WHERE seq = {seq}",
        }[statement]
        with self.ledger._engine.connect() as connection, guard.lifted(connection):
            connection.exec_driver_sql("PRAGMA recursive_triggers = OFF")
            with pytest.raises(IntegrityError):
                connection.exec_driver_sql(sql)

    @rule(pick=st.integers(0, 10**6), column=st.sampled_from(["hash", "leaf", "tool"]))
    def tamper(self, pick, column):
        """Edit an entry as one could without the triggers; it is named, and then it never was."""
        if not self.kept:
            return
        seq = pick % len(self.kept) + 1
        other = {"tool": "'x'"}.get(column, f"substr({column}, 33) || substr({column}, 1, 32)")
        with self.ledger._engine.connect() as connection, guard.lifted(connection):
            connection.exec_driver_sql("DROP TRIGGER entry_no_update")
            connection.exec_driver_sql(f"UPDATE entry SET {column} = {other} WHERE seq = {seq}")
            found = verify.verify(connection)
            connection.rollback()
        assert (found.ok, found.first_bad) == (False, seq)

    @rule(pick=st.integers(0, 10**6))
    def read_an_earlier_state(self, pick):
        seq, digest = self.heads[pick % len(self.heads)]
        assert self.ledger.content_digest(head=seq) == digest
        until = [item for item in self.kept[:seq] if isinstance(item, Forecast)]
        assert self.ledger.forecasts(head=seq) == sorted(
            until, key=lambda item: (item.issued_at, item.seq)
        )

    @invariant()
    def reads_as_the_list_does(self):
        if not hasattr(self, "ledger"):
            return
        assert self.ledger.head().seq == len(self.kept)
        assert [self.ledger.entry(seq).value for seq in range(1, len(self.kept) + 1)] == self.kept
        latest = {item.id: item for item in self.kept if isinstance(item, Question)}
        assert {item.id: item for item in self.ledger.questions()} == latest
        assert self.ledger.verify().ok


AgainstAList.TestCase.settings = settings(max_examples=15, stateful_step_count=10, deadline=None)
test_the_ledger_is_a_list_that_only_grows = AgainstAList.TestCase


def without_the_guard_of_the_sequence(monkeypatch):
    """Nothing asks any more whether an entry takes the next number."""
    made = triggers._guards
    monkeypatch.setattr(triggers, "_guards", lambda d: made(d) | {"entry": [("0", "nothing")]})


def without_recursive_triggers(monkeypatch):
    """The pragma alone stands between a REPLACE and a row, and the machine switches it off."""
    made = triggers._guards

    def guards(dialect):
        return made(dialect) | {kind: [("0", "nothing")] for kind in triggers.KINDS}

    monkeypatch.setattr(triggers, "_guards", guards)


def with_a_link_unchecked(monkeypatch):
    """The second link of the chain taken as it stands."""
    check = verify._check

    def lenient(found, previous, earlier):
        if found.seq == 2:
            return bytes.fromhex(found.hash)
        return check(found, previous, earlier)

    monkeypatch.setattr(verify, "_check", lenient)


@pytest.mark.parametrize(
    "seed_defect",
    [without_the_guard_of_the_sequence, without_recursive_triggers, with_a_link_unchecked],
)
def test_the_machine_finds_a_seeded_defect(monkeypatch, seed_defect):
    """A test of the test: its rules, drawn at random, find each hole and none without one."""
    walked(120)
    seed_defect(monkeypatch)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        walked(120)


def walked(steps):
    """Walk the machine's own rules over a few entries."""
    draw = random.Random(1)
    machine = AgainstAList()
    machine.begin()
    try:
        machine.append(one_of_each()[:2] + one_of_each()[9:])
        for _ in range(steps):
            pick = draw.randrange(10**6)
            if draw.random() < 0.5:
                machine.attack(pick, draw.choice(ATTACKS))
            else:
                machine.tamper(pick, draw.choice(["hash", "leaf", "tool"]))
        machine.reads_as_the_list_does()
    finally:
        machine.teardown()
