"""Readings: rows of the ledger up to a head, as domain values."""

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, and_, func, or_, select

from forecasting.domain import (
    Evidence,
    Forecast,
    Question,
    Redaction,
    Resolution,
    Sealed,
    Withdrawal,
)
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

_PREFIX = re.compile(r"[0-9a-f]{4,64}")


def up_to(table: Table, head: int | None) -> list[ColumnElement[bool]]:
    """Leave out what was recorded after a head."""
    return [] if head is None else [table.c.seq <= head]


def kept(connection: Connection, table: Table, head: int | None) -> list[ColumnElement[bool]]:
    """Leave out what belongs to a question that was dropped, up to the entry that dropped it."""
    dropped = select(setup.c.name, func.max(setup.c.seq)).where(
        setup.c.subject == "dropped", *up_to(setup, head)
    )
    return [
        or_(table.c.question != name, table.c.seq > seq)
        for name, seq in connection.execute(dropped.group_by(setup.c.name))
    ]


def _recorded(
    connection: Connection,
    table: Table,
    *where: ColumnElement[bool],
    order: tuple[ColumnElement[Any], ...] = (),
) -> list[Recorded]:
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
    rows = [dict(zip(names, row, strict=True)) for row in found]
    effects = _effects(connection, *where) if table is evidence_table else {}
    return [
        Recorded(
            row["_seq"],
            row["_kind"],
            row["_recorded_at"],
            row["_tool"],
            row["_hash"],
            row,
            effects.get(row["_seq"], ()),
            row.get("_because") or "",
        )
        for row in rows
    ]


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


def _values[T](recorded: list[Recorded], kind: type[T]) -> list[T]:
    return [value for item in recorded if isinstance(value := item.value, kind)]


def questions(connection: Connection, *, head: int | None = None) -> list[Question]:
    """Give the latest version of each question, in the order of their first versions."""
    where = and_(True, *up_to(question, head), *kept(connection, question, head))
    versions = (
        select(func.max(question.c.seq).label("latest"), func.min(question.c.seq).label("first"))
        .where(where)
        .group_by(question.c.question)
        .order_by(func.min(question.c.seq))
    )
    latest = {row.latest: position for position, row in enumerate(connection.execute(versions))}
    found = _recorded(
        connection,
        question,
        question.c.seq.in_(
            select(func.max(question.c.seq)).where(where).group_by(question.c.question)
        ),
    )
    return _values(sorted(found, key=lambda item: latest[item.seq]), Question)


def question_history(
    connection: Connection, name: str, *, head: int | None = None
) -> list[Recorded]:
    """Give every version of a question, oldest first."""
    return _recorded(connection, question, question.c.question == name, *up_to(question, head))


def forecasts(
    connection: Connection, *, head: int | None = None, **equal: str | None
) -> list[Forecast]:
    """Give forecasts whose named columns equal what is asked, by issue time, then number."""
    where = [forecast.c[name] == value for name, value in equal.items() if value is not None]
    # A revealed forecast has the place of its seal: the order of revealing decides nothing.
    place = func.coalesce(forecast.c.sealed, forecast.c.seq)
    order = (forecast.c.issued_at, place)
    where += [*up_to(forecast, head), *kept(connection, forecast, head)]
    found = _recorded(connection, forecast, *where, order=order)
    return _values(found, Forecast)


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
    found = _recorded(connection, evidence_table, *up_to(evidence_table, head))
    return _values(found, Evidence)


def resolutions(
    connection: Connection, *, question: str | None = None, head: int | None = None
) -> list[Resolution]:
    """Give the versions of every outcome, or of one question's, in the order of recording."""
    where = [] if question is None else [resolution.c.question == question]
    where += [*up_to(resolution, head), *kept(connection, resolution, head)]
    return _values(_recorded(connection, resolution, *where), Resolution)


def withdrawals(connection: Connection, *, head: int | None = None) -> list[Withdrawal]:
    """Give every withdrawal in the order of recording."""
    where = [*up_to(withdrawal, head), *kept(connection, withdrawal, head)]
    return _values(_recorded(connection, withdrawal, *where), Withdrawal)


def seals(
    connection: Connection, *, question: str | None = None, head: int | None = None
) -> list[Sealed]:
    """Give every sealed entry, or those of one question, by issue time, then number."""
    where = [] if question is None else [sealed.c.question == question]
    order = (sealed.c.issued_at, sealed.c.seq)
    where += [*up_to(sealed, head), *kept(connection, sealed, head)]
    return _values(_recorded(connection, sealed, *where, order=order), Sealed)


def redactions(connection: Connection, *, head: int | None = None) -> list[Redaction]:
    """Give every redaction in the order of recording."""
    return _values(_recorded(connection, redaction, *up_to(redaction, head)), Redaction)


def watches(connection: Connection, *, head: int | None = None) -> list[Watch]:
    """Give every watch in the order of recording."""
    return _values(_recorded(connection, watch, *up_to(watch, head)), Watch)


def setups(connection: Connection, *, head: int | None = None) -> list[Setup]:
    """Give what the ledger was told about itself, in the order of recording."""
    return _values(_recorded(connection, setup, *up_to(setup, head)), Setup)


def model_runs(
    connection: Connection, *, run: str | None = None, head: int | None = None
) -> list[ModelRun]:
    """Give the model fits, of one replay run or of all, in the order of recording."""
    where = [] if run is None else [model_run.c.run == run]
    return _values(_recorded(connection, model_run, *where, *up_to(model_run, head)), ModelRun)


def replay_runs(
    connection: Connection, *, run: str | None = None, head: int | None = None
) -> list[ReplayMark]:
    """Give the starts and ends of replay runs in the order of recording."""
    where = [] if run is None else [replay_run.c.run == run]
    return _values(_recorded(connection, replay_run, *where, *up_to(replay_run, head)), ReplayMark)


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
