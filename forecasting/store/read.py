"""Readings: what the ledger holds up to a head, as domain values."""

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    FromClause,
    Select,
    Table,
    Text,
    and_,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
    union_all,
)

from forecasting.domain import (
    Evidence,
    Forecast,
    Kind,
    Question,
    Redaction,
    Resolution,
    Sealed,
    Withdrawal,
)
from forecasting.domain.forecast import SHOWN_KINDS, STORED_KINDS, BriefForecast, Value, kind_named
from forecasting.domain.provenance import ModelRun, ReplayMark
from forecasting.domain.setup import Setup
from forecasting.domain.watch import Watch
from forecasting.errors import NotFound
from forecasting.store import tables
from forecasting.store.canonical import FIRST, loads, read_instant
from forecasting.store.engine import translated_faults
from forecasting.store.entries import Entry
from forecasting.store.memo import Memo
from forecasting.store.tables import CODED, DETAILS, entry, evidence_effect, rationale

#: Rows that are fetched at once.
_BATCH = 1_000
_PREFIX = re.compile(r"[0-9a-f]{4,64}")
# Put together once, for it is read before every append.
_NEWEST = (
    select(entry.c.seq, entry.c.hash, type_coerce(entry.c.recorded_at, Text))
    .order_by(entry.c.seq.desc())
    .limit(1)
)


_MARKS = select(
    *(
        select(func.coalesce(func.max(table.c.seq), 0)).scalar_subquery().label(kind)
        for kind, table in DETAILS.items()
    ),
    select(func.coalesce(func.max(tables.setup.c.seq), 0))
    .where(tables.setup.c.subject == "dropped")
    .scalar_subquery()
    .label("dropped"),
)


#: The columns of the numbers of a forecast and of what each is for.
_NUMBERS = ("labels", "entered")


class Head(NamedTuple):
    """The last entry of a ledger: its number and its hash."""

    seq: int
    hash: str


class Step(NamedTuple):
    """What a forecaster did on a question at a moment; a withdrawal has no kind and no value."""

    seq: int
    question: str
    forecaster: str
    at: dt.datetime
    kind: str
    value: Value | None


def read_head(connection: Connection) -> tuple[Head, dt.datetime | None]:
    """Read the last entry and its time; an empty ledger has number 0 and 32 zero bytes."""
    row = connection.execute(_NEWEST).first()
    if row is None:
        return Head(0, FIRST.hex()), None
    return Head(row[0], row[1]), read_instant(row[2])


class Readings:
    """The readings of a ledger; each takes `head`: only entries up to that number are seen."""

    _reader: Engine
    _where: str
    _memo: Memo

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that only reads; each of its faults becomes one line."""
        with translated_faults(self._where), self._reader.connect() as connection:
            yield connection

    def _values[T](
        self, of: type[T], table: Table, *where: ColumnElement[bool], **more: Any
    ) -> list[T]:
        """Read the entries of one kind as domain values, by number unless `order` is given."""
        with self.reading() as connection:
            entries = _entries(connection, table, *where, **more)
            return [value for one in entries if isinstance(value := one.value, of)]

    def _grown[T](
        self,
        of: type[T],
        table: Table,
        head: int | None,
        *where: ColumnElement[bool],
        joined: Callable[[Sequence[T], Sequence[T]], Sequence[T]] | None = None,
    ) -> list[T]:
        """Read the values of one kind; up to now, while the ledger is open, only newer ones."""
        if head is not None:
            return self._values(of, table, *where)
        with self.reading() as connection:

            def newer(since: int) -> list[T]:
                entries = _entries(connection, table, table.c.seq > since, *where)
                return [value for one in entries if isinstance(value := one.value, of)]

            return self._memo.read(connection, read_head(connection)[0], table, newer, joined)

    def marks(self) -> dict[str, int]:
        """Give the number of the last entry of each kind, and of the last question dropped."""
        with self.reading() as connection:
            return dict(connection.execute(_MARKS).mappings().one())

    def entries(self, *, before: int | None = None, most: int = 50) -> list[Entry]:
        """Give the last entries, or the last before a number, newest first."""
        statement = select(entry.c.seq, entry.c.kind).order_by(entry.c.seq.desc()).limit(most)
        if before is not None:
            statement = statement.where(entry.c.seq < before)
        kinds: dict[str, list[int]] = defaultdict(list)
        with self.reading() as connection:
            for seq, kind in connection.execute(statement):
                kinds[kind].append(seq)
            entries = [
                one
                for kind, numbers in kinds.items()
                for one in _entries(connection, DETAILS[kind], DETAILS[kind].c.seq.in_(numbers))
            ]
        return sorted(entries, key=attrgetter("seq"), reverse=True)

    def head(self) -> Head:
        """Give the last entry's number and hash; 0 and zeros for an empty ledger."""
        with self.reading() as connection:
            return read_head(connection)[0]

    def head_at(self, moment: dt.datetime) -> int:
        """Give the number of the last entry recorded by a moment; 0 if none was recorded."""
        # No entry is recorded before the one it follows, so that the last such number is the head.
        last = select(func.max(entry.c.seq)).where(entry.c.recorded_at <= moment)
        with self.reading() as connection:
            return connection.execute(last).scalar() or 0

    def kinds(self) -> set[str]:
        """Give the kinds of forecast that the ledger holds."""
        with self.reading() as connection:
            stored = connection.execute(select(tables.forecast.c.kind).distinct()).scalars()
            return {kind_named(word) for word in stored}

    def hash_at(self, seq: int) -> str | None:
        """Give the hash that stands at a number, whatever else is wrong there; None for none."""
        with self.reading() as connection:
            return connection.execute(select(entry.c.hash).where(entry.c.seq == seq)).scalar()

    def entry(self, name: int | str) -> Entry:
        """Look an entry up by number, else by the start of its hash (four digits or more)."""
        with self.reading() as connection:
            return _entry_named(connection, name)

    def questions(self, *, about: Collection[str] = (), head: int | None = None) -> list[Question]:
        """Give the latest version of each question (of `about` and their ladders), oldest first."""
        table = tables.question
        if head is None and not about:
            # The latest version of each, in the place of its first.
            return self._grown(
                Question, table, None, *without_dropped(table, None), joined=_latest_versions
            )
        where = without_dropped(table, head)
        if about:
            named = or_(table.c.question.in_(about), table.c.ladder.in_(about))
            beside = select(table.c.ladder).where(table.c.question.in_(about))
            where.append(or_(named, table.c.ladder.in_(beside)))
        versions = (
            select(func.max(table.c.seq).label("latest"), func.min(table.c.seq).label("first"))
            .where(and_(True, *where))
            .group_by(table.c.question)
            .subquery()
        )
        source = table.join(versions, versions.c.latest == table.c.seq)
        return self._values(Question, table, source=source, order=(versions.c.first,))

    def question_history(self, question: str, *, head: int | None = None) -> list[Entry]:
        """Give every version of a question, oldest first."""
        table = tables.question
        with self.reading() as connection:
            where = [table.c.question == question, *up_to(table, head)]
            return [*_entries(connection, table, *where)]

    def forecasts(
        self,
        *,
        question: str | Collection[str] | None = None,
        forecaster: str | None = None,
        kind: Kind | None = None,
        run: str | None = None,
        head: int | None = None,
    ) -> list[Forecast]:
        """Give forecasts, of one or several questions, by when they were issued, then by number."""
        table = tables.forecast
        stored = None if kind is None else STORED_KINDS.get(kind, kind)
        equal = {"forecaster": forecaster, "kind": stored, "run": run}
        where = [table.c[name] == value for name, value in equal.items() if value is not None]
        if question is not None:
            several = (question,) if isinstance(question, str) else question
            where.append(table.c.question.in_(several))
        # A revealed forecast has the place of its seal: the order of revealing decides nothing.
        order = (table.c.issued_at, func.coalesce(table.c.sealed, table.c.seq))
        return self._values(Forecast, table, *where, *without_dropped(table, head), order=order)

    def spoken_of(self, kinds: Collection[Kind]) -> set[str]:
        """Give the questions that have a forecast of some kinds."""
        of = tables.forecast
        stored = [STORED_KINDS.get(kind, kind) for kind in kinds]
        query = select(of.c.question).where(of.c.kind.in_(stored), *without_dropped(of, None))
        with self.reading() as connection:
            return {str(name) for name in connection.execute(query.distinct()).scalars()}

    def spoke(self, forecaster: str, *, replays: bool = False) -> bool:
        """Say whether somebody has a forecast or a seal, of whatever question, or in `replays`."""
        queries = [
            select(of.c.seq).where(of.c.forecaster == forecaster, *more)
            for of, more in (
                (tables.forecast, [] if replays else [tables.forecast.c.kind != "replay"]),
                (tables.sealed, []),
            )
        ]
        with self.reading() as connection:
            # Whoever logs logged lately: the newest come first.
            return any(
                connection.execute(each.order_by(each.selected_columns[0].desc()).limit(1)).first()
                for each in queries
            )

    def forecasters(self, *, replays: bool = False) -> set[str]:
        """Give everybody who has a forecast or a seal, those of `replays` too or left out."""
        of = tables.forecast
        counted = [] if replays else [of.c.kind != "replay"]
        query = union_all(
            select(of.c.forecaster).where(*counted).distinct(),
            select(tables.sealed.c.forecaster).distinct(),
        )
        with self.reading() as connection:
            return {str(name) for name in connection.execute(query).scalars()}

    def brief_forecasts(
        self, forecaster: str, kinds: Collection[Kind], *, since: int = 0
    ) -> list[BriefForecast]:
        """Give what a forecaster said, as :meth:`forecasts` orders it, without the rest."""
        of = tables.forecast
        stored = [STORED_KINDS.get(kind, kind) for kind in kinds]
        columns = [type_coerce(of.c[name], Text) for name in ("labels", "entered", "issued_at")]
        statement = (
            select(
                of.c.question, of.c.shape, of.c.stated, of.c.seq, of.c.sealed, of.c.kind, *columns
            )
            .where(of.c.forecaster == forecaster, of.c.kind.in_(stored), of.c.seq > since)
            .where(*without_dropped(of, None))
            .order_by(of.c.issued_at, func.coalesce(of.c.sealed, of.c.seq))
        )
        with self.reading() as connection:
            rows = connection.execute(statement).all()
        return [
            BriefForecast(
                name,
                _value(shape, labels, entered, stated),
                read_instant(at),
                seq,
                sealed,
                SHOWN_KINDS.get(kind, kind),
            )
            for name, shape, stated, seq, sealed, kind, labels, entered, at in rows
        ]

    def steps(self, questions: Collection[str], forecasters: Collection[str]) -> list[Step]:
        """Give what forecasters said and took back, by time, then number; replays are left out."""
        forecasts, withdrawals = tables.forecast, tables.withdrawal
        value = [
            forecasts.c.kind,
            forecasts.c.shape,
            *[type_coerce(forecasts.c[n], Text) for n in _NUMBERS],
        ]
        nothing = [literal("").label("kind"), *[null().label(n) for n in ("shape", *_NUMBERS)]]
        queries = [
            select(of.c.seq, of.c.question, of.c.forecaster, type_coerce(at, Text), *what).where(
                of.c.question.in_(questions), of.c.forecaster.in_(forecasters), *more
            )
            for of, at, what, more in (
                (
                    forecasts,
                    forecasts.c.issued_at,
                    value,
                    [forecasts.c.kind != "replay", *without_dropped(forecasts, None)],
                ),
                (
                    withdrawals,
                    withdrawals.c.withdrawn_at,
                    nothing,
                    without_dropped(withdrawals, None),
                ),
            )
        ]
        with self.reading() as connection:
            rows = connection.execute(union_all(*queries)).all()
        steps = [
            Step(
                seq,
                name,
                who,
                read_instant(at),
                SHOWN_KINDS.get(kind, kind),
                Value(shape, tuple(loads(labels)), tuple(loads(entered))) if shape else None,
            )
            for seq, name, who, at, kind, shape, labels, entered in rows
        ]
        return sorted(steps, key=attrgetter("at", "seq"))

    def evidence(self, *, head: int | None = None, entire: bool = False) -> list[Evidence]:
        """Give every item as recorded; only `entire` keeps what it did to what was dropped."""
        items = self._grown(Evidence, tables.evidence, head, *up_to(tables.evidence, head))
        dropped = {} if entire else self._dropped(head)
        return [_after_dropping(item, dropped) for item in items] if dropped else items

    def _dropped(self, head: int | None) -> dict[str, int]:
        """Give the number of the entry that dropped a question, ladder or process, by its name."""
        return {
            setup.name: setup.seq or 0
            for setup in self.setups(head=head)
            if setup.subject == "dropped" or (setup.subject == "process" and not setup.detail)
        }

    def resolutions(
        self, *, question: str | Collection[str] | None = None, head: int | None = None
    ) -> list[Resolution]:
        """Give every version of every outcome in the order of recording."""
        where = without_dropped(tables.resolution, head, question)
        if question is not None:
            return self._values(Resolution, tables.resolution, *where)
        return self._grown(Resolution, tables.resolution, head, *where)

    def withdrawals(self, *, head: int | None = None) -> list[Withdrawal]:
        """Give every withdrawal in the order of recording."""
        return self._grown(
            Withdrawal, tables.withdrawal, head, *without_dropped(tables.withdrawal, head)
        )

    def seals(self, *, question: str | None = None, head: int | None = None) -> list[Sealed]:
        """Give every sealed entry ordered by when it was issued, revealed since or not."""
        where = without_dropped(tables.sealed, head, question)
        if head is None and question is None:
            return self._grown(Sealed, tables.sealed, None, *where, joined=_by_issue)
        order = (tables.sealed.c.issued_at, tables.sealed.c.seq)
        return self._values(Sealed, tables.sealed, *where, order=order)

    def redactions(self, *, head: int | None = None) -> list[Redaction]:
        """Give every redaction in the order of recording."""
        return self._grown(Redaction, tables.redaction, head, *up_to(tables.redaction, head))

    def watches(self, head: int | None = None) -> tuple[Watch, ...]:
        """Give every watch in the order of recording: who looked at what, and up to when."""
        return tuple(self._grown(Watch, tables.watch, head, *up_to(tables.watch, head)))

    def setups(self, *, head: int | None = None) -> list[Setup]:
        """Give what the ledger was told about itself, in the order of recording."""
        return self._grown(Setup, tables.setup, head, *up_to(tables.setup, head))

    def model_runs(self, *, run: str | None = None, head: int | None = None) -> list[ModelRun]:
        """Give the model fits in the order of recording, of one replay run or of all."""
        return self._values(ModelRun, tables.model_run, *_of_run(tables.model_run, run, head))

    def replay_runs(self, *, run: str | None = None, head: int | None = None) -> list[ReplayMark]:
        """Give the starts and ends of replay runs in the order of recording."""
        return self._values(ReplayMark, tables.replay_run, *_of_run(tables.replay_run, run, head))


@lru_cache(maxsize=16_384)
def _value(shape: Any, labels: str, entered: str, stated: str) -> Value:
    return Value(shape, tuple(loads(labels)), tuple(loads(entered)), stated)


def _after_dropping(item: Evidence, dropped: Mapping[str, int]) -> Evidence:
    effects = tuple(
        effect
        if dropped.get(effect.about, 0) < (item.seq or 0)
        else replace(effect, form="bears", detail={}, stated="")
        for effect in item.effects
    )
    return item if effects == item.effects else replace(item, effects=effects)


def _latest_versions(earlier: Sequence[Question], newer: Sequence[Question]) -> list[Question]:
    """Put newer versions in the places of earlier ones, and new questions behind them."""
    by_id = {one.id: one for one in earlier}
    by_id.update((one.id, one) for one in newer)
    return [*by_id.values()]


def _by_issue(earlier: Sequence[Sealed], newer: Sequence[Sealed]) -> list[Sealed]:
    return sorted([*earlier, *newer], key=lambda one: (one.issued_at, one.seq or 0))


def up_to(table: Table, head: int | None) -> list[ColumnElement[bool]]:
    """Leave out what was recorded after a head."""
    return [] if head is None else [table.c.seq <= head]


def _of_run(table: Table, run: str | None, head: int | None) -> list[ColumnElement[bool]]:
    return up_to(table, head) + ([] if run is None else [table.c.run == run])


def without_dropped(
    table: Table, head: int | None, question: str | Collection[str] | None = None
) -> list[ColumnElement[bool]]:
    """Leave out what belongs to a question that was dropped, up to the entry that dropped it."""
    if question is not None:
        names = [question] if isinstance(question, str) else question
        return [*without_dropped(table, head), table.c.question.in_(names)]
    if head is None:
        return [~_dropped_since(table).exists()]
    return [table.c.seq <= head, ~_dropped_since(table).where(tables.setup.c.seq <= head).exists()]


@lru_cache(maxsize=16)
def _dropped_since(table: Table) -> Select[Any]:
    """Choose the entries that dropped a question after a row of a table; put together once."""
    setup = tables.setup
    return select(setup.c.seq).where(
        setup.c.subject == "dropped", setup.c.name == table.c.question, setup.c.seq >= table.c.seq
    )


#: How a stored value is read, column by column, where it is not as it is stored.
_DECODE = {
    table: [(name, read_instant if moment else loads) for name, moment in coded]
    for table, coded in CODED.items()
}
_STORED = {
    # As it is stored, for the types of Core call a function for every value.
    table: [
        type_coerce(column, Text).label(column.name) if column.name in dict(coded) else column
        for column in table.columns
    ]
    for table, coded in CODED.items()
}


def _rows(connection: Connection, statement: Any, table: Table) -> Iterator[dict[str, Any]]:
    result = connection.execute(statement)
    names = [*result.keys()]
    decode = _DECODE[table]
    # By the batch: a million rows are not held, and one at a time takes twice as long.
    for batch in result.partitions(_BATCH):
        for stored in batch:
            row = dict(zip(names, stored, strict=True))
            for name, read in decode:
                if (value := row[name]) is not None:
                    row[name] = read(value)
            yield row


def _entries(
    connection: Connection,
    table: Table,
    *where: ColumnElement[bool],
    source: FromClause | None = None,
    order: tuple[ColumnElement[Any], ...] = (),
) -> Iterator[Entry]:
    """Read the entries of one kind with their details, by number unless `order` is given."""
    joined = (table if source is None else source).join(entry, entry.c.seq == table.c.seq)
    extra: list[ColumnElement[Any]] = [
        entry.c.hash.label("_hash"),
        entry.c.tool.label("_tool"),
        type_coerce(entry.c.recorded_at, Text).label("_recorded_at"),
    ]
    if table is tables.forecast:
        joined = joined.outerjoin(rationale, rationale.c.seq == table.c.seq)
        extra.append(rationale.c.text.label("_because"))
    statement = (
        select(*_STORED[table], *extra)
        .select_from(joined)
        .where(and_(True, *where))
        .order_by(*(order or (table.c.seq,)))
    )
    effects: Mapping[int, list[Mapping[str, Any]]] = {}
    if table is tables.evidence:
        effects = _effects(connection, *where)
    for row in _rows(connection, statement, table):
        yield Entry(
            table.name,
            row,
            effects.get(row["seq"], ()),
            row.get("_because"),
            seq=row["seq"],
            recorded_at=read_instant(row["_recorded_at"]),
            tool=row["_tool"],
            hash=row["_hash"],
        )


def _effects(
    connection: Connection, *where: ColumnElement[bool]
) -> Mapping[int, list[Mapping[str, Any]]]:
    statement = (
        select(*_STORED[evidence_effect])
        .join(tables.evidence, tables.evidence.c.seq == evidence_effect.c.seq)
        .where(and_(True, *where))
        .order_by(evidence_effect.c.seq, evidence_effect.c.position)
    )
    by_entry: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in _rows(connection, statement, evidence_effect):
        by_entry[row["seq"]].append(row)
    return by_entry


def _entry_named(connection: Connection, name: int | str) -> Entry:
    text = str(name).strip().lower()
    rules: list[ColumnElement[bool]] = []
    if text.isascii() and text.isdigit() and len(text) <= 18:
        rules.append(entry.c.seq == int(text))
    if isinstance(name, str) and _PREFIX.fullmatch(text):
        # A range, so that the index on the hash serves.
        rules.append(and_(entry.c.hash >= text, entry.c.hash < text + "g"))
    matches: list[Any] = []
    if rules:
        statement = select(entry.c.seq, entry.c.kind, entry.c.hash).where(or_(*rules))
        matches = list(connection.execute(statement.order_by(entry.c.seq).limit(3)))
    exact = [row for row in matches if str(row.seq) == text]
    if not (chosen := exact or matches):
        msg = f"entry ({name}): no such number or id"
        raise NotFound(msg, hint="forecast history QUESTION --wide")
    if len(chosen) > 1:
        shown = ", ".join(row.hash[:12] for row in chosen)
        msg = f"entry ({name}): matches more than one id ({shown})"
        raise NotFound(msg, hint="more digits of the id")
    table = DETAILS[chosen[0].kind]
    (match,) = _entries(connection, table, table.c.seq == chosen[0].seq)
    return match
