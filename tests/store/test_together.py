"""Several writers at once leave one gap-free chain; whatever is done, it reads as a list does."""

import multiprocessing
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy.exc import IntegrityError

from forecasting.domain import Forecast, Question
from forecasting.domain.provenance import in_batch
from forecasting.errors import InvalidInput
from forecasting.store import Ledger, guard
from tests.store import samples
from tests.store.samples import NOW, binary, one_of_each

EACH = 200


def write(path, name, ready):
    with Ledger.open(path, create=True) as ledger:
        ready.wait(60)
        for _ in range(EACH // 2):
            ledger.append([binary(forecaster=name), binary(forecaster=name)], recorded_at=NOW)


def test_two_processes_lose_nothing_and_leave_no_gap(path):
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Barrier(2)
    writers = [
        spawn.Process(target=write, args=(str(path), name, ready)) for name in ("ana", "ben")
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0, 0]
    with Ledger.open(str(path)) as ledger:
        found = ledger.verify()
        said = ledger.forecasts()
        assert found.ok
        assert found.entries == found.head_seq == 2 * EACH
        assert sorted(forecast.seq for forecast in said) == list(range(1, 2 * EACH + 1))
        for name in ("ana", "ben"):
            mine = [forecast.seq for forecast in said if forecast.forecaster == name]
            assert len(mine) == EACH
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

    @rule(pick=st.integers(0, 10**6), statement=st.sampled_from(["UPDATE", "DELETE", "REPLACE"]))
    def attack(self, pick, statement):
        if not self.kept:
            return
        seq = pick % len(self.kept) + 1
        sql = {
            "UPDATE": f"UPDATE entry SET tool = 'x' WHERE seq = {seq}",
            "DELETE": f"DELETE FROM entry WHERE seq = {seq}",
            "REPLACE": f"REPLACE INTO entry SELECT seq, kind, recorded_at, 'x', leaf, hash "
            f"FROM entry WHERE seq = {seq}",
        }[statement]
        with self.ledger._engine.connect() as connection, guard.lifted(connection):
            connection.exec_driver_sql("PRAGMA recursive_triggers = OFF")
            with pytest.raises(IntegrityError):
                connection.exec_driver_sql(sql)

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
