"""A machine that speaks, attacks and breaks off, and keeps a plain list of what it said."""

import datetime as dt
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, IntegrityError

from forecasting.app.ledger import log, resolve
from forecasting.app.news import add as news
from forecasting.app.world.processes import watch
from forecasting.domain import Evidence, Forecast, Question, Resolution, Withdrawal
from forecasting.domain.forecast import binary_value
from forecasting.domain.process import ProcessSpec, WorldSpec
from forecasting.domain.resolution import outcomes as standing_outcomes
from forecasting.domain.watch import Watch, watched
from forecasting.errors import InvalidInput, NotFound
from forecasting.store import Ledger, verify
from forecasting.store.entries import prepare
from forecasting.store.ledger import append
from tests import databases
from tests.season import START, question
from tests.store import attacks
from tests.store.samples import binary

QUESTIONS = {"short": question("short", days=12), "long": question("long", opens=1, days=60)}
ASKED = st.sampled_from(sorted(QUESTIONS))
PEOPLE = ("ana", "ben")
PROCESSES = ("truce", "convoy", "relief")
WORLD = WorldSpec({name: ProcessSpec(name, "states", ("none", "on"), ()) for name in PROCESSES})
HOUR = dt.timedelta(hours=1)
COMPILED = {name: {} for name in databases.ENGINES}


class Crash(BaseException):
    """Ends a write from inside, as the end of a process does."""


class AsAList(RuleBasedStateMachine):
    """The machine; `databases` says on which engine, `attackers` who attacks by which `table`."""

    databases = table = None
    attackers = ("program", "anyone")

    @initialize()
    def begin(self):
        self.url = self.databases.fresh()
        self.open()
        self.now = START
        self.drafts = []
        self.heads = [self.ledger.head().hash]
        self.looked = None
        self.append(*QUESTIONS.values())

    def teardown(self):
        if hasattr(self, "ledger"):
            self.ledger.close()
            self.databases.drop(self.url)

    def open(self):
        self.ledger = Ledger.open(self.url)
        # Statements compiled for one ledger serve the next: half of a step would go into that.
        for opened in (self.ledger._engine, self.ledger._reader):
            opened.update_execution_options(compiled_cache=COMPILED[self.databases.engine])

    def append(self, *drafts):
        self.keep(drafts, self.ledger.append(drafts, recorded_at=self.now))

    def keep(self, drafts, recorded):
        """Note drafts as they were given; the ledger adds to each its number, time and hash."""
        assert [entry.seq for entry in recorded] == [
            len(self.drafts) + 1 + i for i in range(len(drafts))
        ]
        assert all(entry.recorded_at == self.now for entry in recorded)
        self.drafts += drafts
        self.heads += [entry.hash for entry in recorded]

    def keep_rows(self, drafts, rows):
        """Note what a use case recorded, which it tells in rows."""
        recorded = [self.ledger.entry(row["seq"]) for row in rows]
        self.keep(drafts, recorded)

    def of(self, what, /, **named):
        return [
            (seq, item)
            for seq, item in enumerate(self.drafts, start=1)
            if isinstance(item, what)
            and all(getattr(item, name) == value for name, value in named.items())
        ]

    def standing(self, asked):
        """Give the last outcome, unless the question was reopened after it."""
        last = None
        for _, version in self.of(Resolution, question=asked.id):
            if version.status != "disputed":
                last = None if version.status == "reopened" else version
        return last

    def open_at(self, asked, moment):
        outcome = self.standing(asked)
        return asked.opens <= moment < asked.closes and not (
            outcome is not None and moment >= outcome.resolved_at
        )

    @rule(hours=st.integers(1, 24 * 9))
    def time_passes(self, hours):
        self.now += hours * HOUR

    @rule(
        asked=ASKED,
        who=st.sampled_from(PEOPLE),
        percent=st.integers(0, 100),
        back=st.sampled_from([0, 0, 1, 30, 100]),
        because=st.sampled_from(["", "a whim", "„zwei Wochen“"]),
    )
    def log_or_correct(self, asked, who, percent, back, because):
        asked = QUESTIONS[asked]
        at, probability = self.now - back * HOUR, f"{percent}%"

        def ask():
            return log.log(
                self.ledger,
                asked.id,
                forecaster=who,
                now=self.now,
                at=at if back else None,
                probability=probability,
                because=because,
            )

        if not self.open_at(asked, at):
            with pytest.raises(InvalidInput):
                ask()
            return
        draft = Forecast(
            asked.id,
            asked.wording_hash,
            who,
            binary_value(probability),
            at,
            "live" if back == 0 else "backdated",
            because=because,
        )
        self.keep_rows([draft], ask())

    @rule(asked=ASKED, who=st.sampled_from(PEOPLE))
    def withdraw(self, asked, who):
        asked = QUESTIONS[asked]
        issued = [f.issued_at for _, f in self.of(Forecast, question=asked.id, forecaster=who)
                if f.issued_at <= self.now]  # fmt: skip
        taken = [w.withdrawn_at for _, w in self.of(Withdrawal, question=asked.id, forecaster=who)]
        if not issued or (taken and max(taken) >= max(issued)):
            with pytest.raises(NotFound):
                log.withdraw(self.ledger, asked.id, forecaster=who, now=self.now)
            return
        rows = log.withdraw(self.ledger, asked.id, forecaster=who, now=self.now)
        self.keep_rows([Withdrawal(asked.id, who, self.now)], rows)

    @rule(asked=ASKED, outcome=st.sampled_from(["no", "yes"]), back=st.integers(0, 60))
    def resolve_or_resolve_again(self, asked, outcome, back):
        asked = QUESTIONS[asked]
        at = self.now - back * HOUR

        def ask():
            return resolve.resolve(
                self.ledger, asked.id, outcome, source="a court", now=self.now, at=at, sure=True
            )

        standing = self.standing(asked)
        # The same words once more say nothing new.
        again = standing is not None and (
            (standing.outcome, standing.source, standing.resolved_at) == (outcome, "a court", at)
        )
        if again or at <= asked.opens:
            with pytest.raises(InvalidInput):
                ask()
            return
        version = 1 + len(self.of(Resolution, question=asked.id))
        self.keep_rows([Resolution(asked.id, outcome, at, "a court", version=version)], ask())

    @rule(asked=ASKED, what=st.sampled_from(["annul", "dispute", "reopen"]))
    def annul_dispute_or_reopen(self, asked, what):
        """Each is a version of the outcome; each is refused where it would change nothing."""
        asked = QUESTIONS[asked]
        standing = self.standing(asked)
        outcome = None if standing is None else standing.outcome
        options = {"source": "a court", "now": self.now}
        other = "no" if outcome == "yes" else "yes"
        act, refused, draft = {
            "annul": (
                lambda: resolve.annul(self.ledger, asked.id, **options),
                outcome == "annulled",
                ("annulled", self.now, ""),
            ),
            "dispute": (
                lambda: resolve.dispute(self.ledger, asked.id, other, **options),
                (standing.resolved_at if standing else self.now) <= asked.opens,
                (other, standing.resolved_at if standing else self.now, "disputed"),
            ),
            "reopen": (
                lambda: resolve.reopen(self.ledger, asked.id, **options),
                standing is None,
                ("", self.now, "reopened"),
            ),
        }[what]
        if refused:
            with pytest.raises(InvalidInput):
                act()
            return
        version = 1 + len(self.of(Resolution, question=asked.id))
        word, at, status = draft
        resolution = Resolution(asked.id, word, at, "a court", version=version, status=status)
        self.keep_rows([resolution], act())

    @rule(asked=ASKED, title=st.sampled_from(["talks", "an envoy", "a raid"]))
    def add_news(self, asked, title):
        asked = QUESTIONS[asked]
        if not self.open_at(asked, self.now):
            return
        row = news.add(
            self.ledger,
            f"{title} {self.now.isoformat()}",
            source="wire",
            known_at=self.now,
            on=[asked.id],
            now=self.now,
        )
        entry = self.ledger.entry(row["seq"])
        assert entry.value.effects[0].target == asked.id
        self.keep([entry.value], [entry])

    @rule(
        names=st.lists(st.sampled_from(PROCESSES), max_size=2, unique=True),
        who=st.sampled_from(PEOPLE),
        back=st.sampled_from([-1, 0, 0, 5, 200]),
    )
    def look(self, names, who, back):
        """Somebody looked, at some processes or at all; never backwards, never into the future."""
        until = self.now - back * HOUR
        chosen = names or list(PROCESSES)

        def ask():
            return watch(
                self.ledger, names, until=until, now=self.now, every=not names, who=who, world=WORLD
            )

        if back < 0 or any(w.until > until for _, w in self.of(Watch) if w.process in chosen):
            with pytest.raises(InvalidInput):
                ask()
            return
        self.keep_rows([Watch(name, until, watcher=who) for name in chosen], ask())

    @rule(probability=st.sampled_from(["1.01", "nan", "-0.1", "perhaps not"]))
    def say_what_is_no_forecast(self, probability):
        with pytest.raises(InvalidInput):
            log.log(self.ledger, "long", forecaster="ana", now=self.now, probability=probability)

    @rule(nth=st.integers(1, 7), drafts=st.integers(1, 3))
    def crash_inside(self, nth, drafts):
        """The process ends at the n-th statement of an append, or at its commit."""
        left = [nth]

        def step(*_):
            left[0] -= 1
            if not left[0]:
                raise Crash

        # Of a later time than any of the machine's: beside what is in force, and never part of it.
        batch = [binary(question="long", because="x") for _ in range(drafts)]
        listened = self.ledger._engine
        event.listen(listened, "before_cursor_execute", step)
        event.listen(listened, "commit", step)
        try:
            with suppress(Crash):
                self.keep(batch, self.ledger.append(batch, recorded_at=self.now))
        finally:
            event.remove(listened, "before_cursor_execute", step)
            event.remove(listened, "commit", step)

    @rule(drafts=st.integers(1, 3))
    def crash_without_a_word(self, drafts):
        """The connection of a writer is gone before it commits, and the ledger is opened anew."""
        batch = [prepare(binary(question="long")) for _ in range(drafts)]
        connection = self.ledger._engine.connect()
        append(connection, batch, recorded_at=self.now, tool="x")
        connection.connection.driver_connection.close()
        connection.invalidate()
        connection.close()
        self.reopen()

    @rule()
    def reopen(self):
        self.ledger.close()
        self.open()

    @rule(data=st.data(), pick=st.integers(0, 10**6))
    def attack(self, data, pick):
        """Refused to the program itself, and by the triggers alone to anyone else."""
        seq = pick % len(self.drafts) + 1
        table = self.table or attacks.ON[self.databases.engine]
        name = data.draw(st.sampled_from(sorted(table)))
        who = data.draw(st.sampled_from(self.attackers))
        statement = table[name].format(
            seq=seq,
            kind=self.ledger.entry(seq).kind,
            next=len(self.drafts) + 1,
            last=len(self.drafts),
            hash=f"{pick:064x}",
        )
        try:
            if who == "program":
                with self.ledger._engine.begin() as connection:
                    connection.exec_driver_sql(statement)
            else:
                with self.databases.bare(self.url) as connection:
                    if self.databases.engine == "sqlite":
                        connection.connection.driver_connection.execute(
                            "PRAGMA recursive_triggers = OFF"
                        )
                    connection.exec_driver_sql(statement)
                    connection.commit()
        except DBAPIError as refusal:
            if who != "program" and not isinstance(refusal, IntegrityError):
                raise
        else:
            msg = f"the attack went through: {name}, by {who}"
            raise AssertionError(msg)

    @rule(pick=st.integers(0, 10**6), column=st.sampled_from(["tool", "leaf", "hash"]))
    def tamper(self, pick, column):
        """Past the triggers an edit is possible, and found at its entry; then it never was."""
        seq = pick % len(self.drafts) + 1
        other = {"tool": "'x'"}.get(column, f"substr({column}, 33) || substr({column}, 1, 32)")
        off = {
            "sqlite": "DROP TRIGGER entry_no_update",
            "postgresql": "ALTER TABLE entry DISABLE TRIGGER USER",
        }[self.databases.engine]
        with self.databases.bare(self.url) as connection:
            connection.exec_driver_sql(off)
            connection.exec_driver_sql(f"UPDATE entry SET {column} = {other} WHERE seq = {seq}")
            verification = verify.verify(connection)
            connection.rollback()
        assert (verification.ok, verification.first_bad) == (False, seq), (
            f"the edit was not found: {column}"
        )

    @invariant()
    def reads_as_the_list_does(self):
        if not hasattr(self, "ledger"):
            return
        verification = self.ledger.verify()
        assert (verification.ok, verification.entries, verification.head_seq) == (
            True,
            *[len(self.drafts)] * 2,
        )
        assert verification.head_hash == self.heads[-1]
        read = self.ledger.forecasts()
        assert [_forecast(item) for item in read] == [
            (seq, *_forecast(item)[1:])
            for seq, item in sorted(self.of(Forecast), key=lambda i: (i[1].issued_at, i[0]))
        ]
        assert [item.seq for item in self.ledger.evidence()] == [s for s, _ in self.of(Evidence)]
        assert [(w.seq, w.question, w.forecaster, w.withdrawn_at) for w in
                self.ledger.withdrawals()] == [
            (seq, w.question, w.forecaster, w.withdrawn_at) for seq, w in self.of(Withdrawal)
        ]  # fmt: skip
        looked = self.ledger.watches()
        assert [(w.seq, w.process, w.until, w.watcher) for w in looked] == [
            (seq, w.process, w.until, w.watcher) for seq, w in self.of(Watch)
        ]
        for name in PROCESSES:
            ends = [w.until for _, w in self.of(Watch, process=name)]
            reached = watched(looked, self.now, live=True)
            assert reached.get(name) == max(ends, default=None)
        assert [_version(item) for item in self.ledger.resolutions()] == [
            _version(item) for _, item in self.of(Resolution)
        ]
        assert self.ledger.questions() == [item for _, item in self.of(Question)]
        outcomes = {asked.id: self.standing(asked) for asked in QUESTIONS.values()}
        assert {
            name: (item.outcome, item.resolved_at, item.version)
            for name, item in standing_outcomes(self.ledger.resolutions()).items()
        } == {
            name: (item.outcome, item.resolved_at, item.version)
            for name, item in outcomes.items()
            if item is not None
        }

    @invariant()
    def what_is_in_force_is_the_last_word_not_taken_back(self):
        # Nothing else moves what is in force.
        if not hasattr(self, "ledger") or self.looked == (len(self.drafts), self.now):
            return
        self.looked = (len(self.drafts), self.now)
        for asked in QUESTIONS.values():
            rows = log.history(self.ledger, asked.id)
            for moment in (self.now, self.now - 31 * HOUR, asked.closes - HOUR):
                assert {row["seq"] for row in rows if row["from"] <= moment < row["until"]} == (
                    self.in_force(asked, moment)
                )

    def in_force(self, asked, moment):
        """Work out from the list which forecasts stand at a moment: one a person and kind."""
        if not self.open_at(asked, moment):
            return set()
        seqs = set()
        for who in PEOPLE:
            taken = [w.withdrawn_at for _, w in self.of(Withdrawal, question=asked.id)
                     if w.forecaster == who]  # fmt: skip
            for kind in ("live", "backdated"):
                mine = self.of(Forecast, question=asked.id, forecaster=who, kind=kind)
                spoken = [(item.issued_at, seq) for seq, item in mine if item.issued_at <= moment]
                if spoken:
                    at, seq = max(spoken)
                    if not any(at <= back <= moment for back in taken):
                        seqs.add(seq)
        return seqs


def _version(item):
    return (item.question, item.outcome, item.resolved_at, item.version, item.status)


def _forecast(item):
    return (item.seq, item.question, item.forecaster, item.value, item.issued_at, item.kind,
            item.because)  # fmt: skip


def machine(stores, **more):
    return type("Machine", (AsAList,), {"databases": stores, **more})


def run(stores, *, examples, steps, **more):
    """Run the machine; without shrinking, for a failure is read from its steps."""
    run_state_machine_as_test(
        machine(stores, **more),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=[Phase.generate],
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
