"""Readings: rows of the ledger up to a head, as domain values."""

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Row,
    ScalarSelect,
    Select,
    Table,
    and_,
    func,
    literal,
    or_,
    select,
)

from forecasting.domain import (
    Evidence,
    Forecast,
    Question,
    Redaction,
    Resolution,
    Sealed,
    Withdrawal,
)
from forecasting.domain.forecast import Said, Value
from forecasting.domain.provenance import ModelRun, ReplayMark
from forecasting.domain.setup import Setup
from forecasting.domain.watch import Watch
from forecasting.errors import NotFound
from forecasting.store.append import Recorded
from forecasting.store.tables import (
    DETAILS,
    entry,
    evidence_effect,
    forecast,
    model_run,
    question,
    rationale,
    redaction,
    replay_run,
    resolution,
    sealed,
    setup,
    watch,
    withdrawal,
)
from forecasting.store.tables import evidence as evidence_table
from forecasting.store.values import restore

_PREFIX = re.compile(r"[0-9a-f]{4,64}")


def _up_to(table: FromClause, head: int | None) -> list[ColumnElement[bool]]:
    return [] if head is None else [table.c.seq <= head]


def _kept(connection: Connection, table: FromClause, head: int | None) -> list[ColumnElement[bool]]:
    """Leave out what belongs to a question that was dropped, up to the entry that dropped it."""
    dropped = select(setup.c.name, func.max(setup.c.seq)).where(
        setup.c.subject == "dropped", *_up_to(setup, head)
    )
    return [
        or_(table.c.question != name, table.c.seq > seq)
        for name, seq in connection.execute(dropped.group_by(setup.c.name))
    ]


def _rows(
    connection: Connection,
    table: Table,
    *where: ColumnElement[bool],
    order: tuple[ColumnElement[Any], ...] = (),
) -> list[dict[str, Any]]:
    """Read the entries of one kind with their details, by number unless told otherwise."""
    columns = [column.label(f"_{column.name}") for column in entry.columns if column.name != "leaf"]
    source = table.join(entry, entry.c.seq == table.c.seq)
    extra: list[Any] = []
    if table is forecast:
        source = source.outerjoin(rationale, rationale.c.seq == table.c.seq)
        extra = [rationale.c.text.label("_because")]
    statement: Select[Any] = (
        select(*table.columns, *columns, *extra)
        .select_from(source)
        .where(and_(True, *where))
        .order_by(*(order or (table.c.seq,)))
    )
    found = connection.execute(statement)
    names = [*found.keys()]
    rows = [dict(zip(names, row, strict=True)) for row in found.all()]
    if table is evidence_table:
        effects = _effects(connection, *where)
        for row in rows:
            row["_effects"] = effects.get(row["_seq"], ())
    return rows


def _recorded(connection: Connection, table: Table, *where: ColumnElement[bool]) -> list[Recorded]:
    """Read the entries of one kind as they stand in the ledger."""
    return [
        Recorded(
            row["_seq"],
            row["_kind"],
            row["_recorded_at"],
            row["_tool"],
            row["_hash"],
            row,
            row.get("_effects", ()),
            row.get("_because") or "",
        )
        for row in _rows(connection, table, *where)
    ]


def _values[T](
    connection: Connection,
    table: Table,
    kind: type[T],
    *where: ColumnElement[bool],
    order: tuple[ColumnElement[Any], ...] = (),
) -> list[T]:
    """Read the domain values of one kind, without the entries around them."""
    found = [
        restore(
            row["_kind"],
            row,
            seq=row["_seq"],
            recorded_at=row["_recorded_at"],
            hash=row["_hash"],
            effects=row.get("_effects", ()),
            because=row.get("_because") or "",
        )
        for row in _rows(connection, table, *where, order=order)
    ]
    return [value for value in found if isinstance(value, kind)]


def _effects(
    connection: Connection, *where: ColumnElement[bool]
) -> Mapping[int, list[Mapping[str, Any]]]:
    statement = (
        select(evidence_effect)
        .join(evidence_table, evidence_table.c.seq == evidence_effect.c.seq)
        .where(and_(True, *where))
        .order_by(evidence_effect.c.seq, evidence_effect.c.position)
    )
    found: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in connection.execute(statement).mappings():
        found[row["seq"]].append({**row})
    return found


def questions(connection: Connection, *, head: int | None = None) -> list[Question]:
    """Give the latest version of each question, in the order of their first versions."""
    where = and_(True, *_up_to(question, head), *_kept(connection, question, head))
    latest = select(func.max(question.c.seq)).where(where).group_by(question.c.question)
    firsts = select(question.c.question, func.min(question.c.seq)).where(where)
    place = {
        name: first for name, first in connection.execute(firsts.group_by(question.c.question))
    }
    found = _values(connection, question, Question, question.c.seq.in_(latest))
    return sorted(found, key=lambda held: place[held.id])


def question_history(
    connection: Connection, name: str, *, head: int | None = None
) -> list[Recorded]:
    """Give every version of a question, oldest first."""
    return _recorded(connection, question, question.c.question == name, *_up_to(question, head))


def forecasts(
    connection: Connection, *, head: int | None = None, **equal: str | None
) -> list[Forecast]:
    """Give forecasts whose named columns equal what is asked, by issue time, then number."""
    where = [forecast.c[name] == value for name, value in equal.items() if value is not None]
    # A revealed forecast has the place of its seal: the order of revealing decides nothing.
    place = func.coalesce(forecast.c.sealed, forecast.c.seq)
    order = (forecast.c.issued_at, place)
    where += [*_up_to(forecast, head), *_kept(connection, forecast, head)]
    return _values(connection, forecast, Forecast, *where, order=order)


def last_said(
    connection: Connection,
    forecaster: str,
    *,
    kinds: Sequence[str],
    by: dt.datetime,
    since: str = "",
    otherwise: dt.datetime | None = None,
) -> dict[str, Said]:
    """Give a forecaster's last forecast of each question; see :meth:`Ledger.last_said`.

    The index finds each one, so that a long history costs no more than a short one.
    """
    asked = select(question.c.question.label("name")).distinct().subquery()

    def last(who: str, until: ColumnElement[Any]) -> ScalarSelect[int]:
        one = forecast.alias()
        found = select(one.c.seq).where(
            one.c.question == asked.c.name,
            one.c.forecaster == who,
            one.c.kind.in_(kinds),
            one.c.issued_at <= until,
            *_kept(connection, one, None),
        )
        order = (one.c.issued_at.desc(), func.coalesce(one.c.sealed, one.c.seq).desc())
        return found.order_by(*order).limit(1).correlate(asked).scalar_subquery()

    moment = forecast.c.issued_at.type
    until: ColumnElement[Any] = literal(by, moment)
    if since:
        theirs = forecast.alias()
        said = select(theirs.c.issued_at).where(theirs.c.seq == last(since, until))
        until = func.coalesce(said.scalar_subquery(), literal(otherwise or by, moment))
    names = ("question", "shape", "labels", "entered", "stated", "issued_at")
    statement = select(*(forecast.c[name] for name in names)).select_from(
        asked.join(forecast, forecast.c.seq == last(forecaster, until))
    )
    return {
        name: Said(name, Value(shape, tuple(labels), tuple(entered), stated), issued_at)
        for name, shape, labels, entered, stated, issued_at in connection.execute(statement).all()
    }


def head_at(connection: Connection, moment: dt.datetime) -> int:
    """Give the number of the last entry recorded by a moment; 0 where there is none."""
    # No entry is recorded before the one it follows, so that the last such number is the head.
    seq = select(func.max(entry.c.seq)).where(entry.c.recorded_at <= moment)
    return connection.execute(seq).scalar() or 0


def kinds(connection: Connection) -> set[str]:
    """Give the kinds of forecast that there are."""
    return set(connection.execute(select(forecast.c.kind).distinct()).scalars())


def evidence(connection: Connection, *, head: int | None = None) -> list[Evidence]:
    """Give every item of evidence in the order of recording."""
    return _values(connection, evidence_table, Evidence, *_up_to(evidence_table, head))


def resolutions(
    connection: Connection, *, question: str | None = None, head: int | None = None
) -> list[Resolution]:
    """Give the versions of every outcome, or of one question's, in the order of recording."""
    where = [] if question is None else [resolution.c.question == question]
    where += [*_up_to(resolution, head), *_kept(connection, resolution, head)]
    return _values(connection, resolution, Resolution, *where)


def withdrawals(connection: Connection, *, head: int | None = None) -> list[Withdrawal]:
    """Give every withdrawal in the order of recording."""
    where = [*_up_to(withdrawal, head), *_kept(connection, withdrawal, head)]
    return _values(connection, withdrawal, Withdrawal, *where)


def seals(
    connection: Connection, *, question: str | None = None, head: int | None = None
) -> list[Sealed]:
    """Give every sealed entry, or those of one question, by issue time, then number."""
    where = [] if question is None else [sealed.c.question == question]
    order = (sealed.c.issued_at, sealed.c.seq)
    where += [*_up_to(sealed, head), *_kept(connection, sealed, head)]
    return _values(connection, sealed, Sealed, *where, order=order)


def redactions(connection: Connection, *, head: int | None = None) -> list[Redaction]:
    """Give every redaction in the order of recording."""
    return _values(connection, redaction, Redaction, *_up_to(redaction, head))


def watches(connection: Connection, *, head: int | None = None) -> list[Watch]:
    """Give every watch in the order of recording."""
    return _values(connection, watch, Watch, *_up_to(watch, head))


def setups(connection: Connection, *, head: int | None = None) -> list[Setup]:
    """Give what the ledger was told about itself, in the order of recording."""
    return _values(connection, setup, Setup, *_up_to(setup, head))


def model_runs(
    connection: Connection, *, run: str | None = None, head: int | None = None
) -> list[ModelRun]:
    """Give the model fits, of one replay run or of all, in the order of recording."""
    where = [] if run is None else [model_run.c.run == run]
    return _values(connection, model_run, ModelRun, *where, *_up_to(model_run, head))


def replay_runs(
    connection: Connection, *, run: str | None = None, head: int | None = None
) -> list[ReplayMark]:
    """Give the starts and ends of replay runs in the order of recording."""
    where = [] if run is None else [replay_run.c.run == run]
    return _values(connection, replay_run, ReplayMark, *where, *_up_to(replay_run, head))


def entry_named(connection: Connection, name: int | str) -> Recorded:
    """Look an entry up by its number or by the start of its hash.

    A name of digits alone may be either; the number is taken where there is one.
    """
    text = str(name).strip().lower()
    rules: list[ColumnElement[bool]] = []
    if text.isascii() and text.isdigit() and len(text) <= 18:
        rules.append(entry.c.seq == int(text))
    if isinstance(name, str) and _PREFIX.fullmatch(text):
        # A range, so that the index on the hash serves.
        rules.append(and_(entry.c.hash >= text, entry.c.hash < text + "g"))
    found: list[Row[Any]] = []
    if rules:
        statement = select(entry.c.seq, entry.c.kind, entry.c.hash).where(or_(*rules))
        found = list(connection.execute(statement.order_by(entry.c.seq).limit(3)))
    exact = [row for row in found if str(row.seq) == text]
    if not (chosen := exact or found):
        msg = f"entry ({name}): no such number or id"
        raise NotFound(msg, hint="forecast history QUESTION")
    if len(chosen) > 1:
        shown = ", ".join(row.hash[:12] for row in chosen)
        msg = f"entry ({name}): the start of more than one id ({shown})"
        raise NotFound(msg, hint="more digits of the id")
    table = DETAILS[chosen[0].kind]
    (recorded,) = _recorded(connection, table, table.c.seq == chosen[0].seq)
    return recorded
