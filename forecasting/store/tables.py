"""The tables as queries see them: names, types and which columns are hashed.

The constraints live in ``db/migrations``, which alone make the schema; a test compares the two.
"""

import datetime as dt
from functools import partial
from itertools import chain
from typing import Any

from sqlalchemy import (
    DOUBLE_PRECISION,
    REAL,
    TIMESTAMP,
    BigInteger,
    Column,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from forecasting.errors import InvalidInput
from forecasting.store.canonical import dumps, instant_text, loads, read_instant


class Instant(TypeDecorator[dt.datetime]):
    """An aware moment (SQLite drops a zone): fixed-width UTC text there, else ``timestamptz``."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column type of the database."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> Any:
        """Refuse a naive moment; write an aware one."""
        if value is None:
            return None
        if value.tzinfo is None:
            msg = f"time ({value.isoformat()}): must carry a zone"
            raise InvalidInput(msg, hint=f"{value.isoformat()}Z")
        return value if dialect.name == "postgresql" else instant_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.datetime | None:
        """Read an aware moment in UTC."""
        return None if value is None else read_instant(value)


class Data(TypeDecorator[Any]):
    """Plain data as canonical JSON text, the same bytes on every database."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Write canonically."""
        return None if value is None else dumps(value).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Read back."""
        return None if value is None else loads(value)


SEQ = Integer().with_variant(BigInteger(), "postgresql")
NUMBER: TypeEngine[float] = REAL().with_variant(DOUBLE_PRECISION(), "postgresql")
#: Not in the entry's canonical form: derived from what is, and checked against it.
DERIVED: dict[str, Any] = {"info": {"derived": True}}

metadata = MetaData()


def _columns(of: Any, *names: str, nullable: bool = False) -> list[Column[Any]]:
    return [Column(name, of, nullable=nullable) for name in names]


_text, _nullable_text = partial(_columns, Text), partial(_columns, Text, nullable=True)
_time, _data, _whole = partial(_columns, Instant), partial(_columns, Data), partial(_columns, SEQ)
_number = partial(_columns, NUMBER, nullable=True)


def _table(name: str, *columns: list[Column[Any]]) -> Table:
    """Make a table whose rows belong to the entry of their number."""
    seq = Column("seq", SEQ, primary_key=True, autoincrement=False)
    return Table(name, metadata, seq, *chain(*columns))


entry = _table("entry", _text("kind"), _time("recorded_at"), _text("tool", "leaf", "hash"))
question = _table(
    "question",
    _text("question", "wording_hash", "title", "criteria", "background", "type"),
    _data("options"),
    _number("lower", "upper"),
    _text("unit", "zone"),
    _time("opens", "closes", "resolves_by"),
    _text("topic", "event"),
    _data("tags", "basis", "model"),
    _nullable_text("ladder", "parent", "condition_question", "condition_outcome"),
    _text("source"),
    _nullable_text("answer"),
    _number("zero_point"),
    _nullable_text("open_bounds"),
)
model_run = _table(
    "model_run",
    _text("family", "fitted", "worldview", "priors_hash", "evidence_hash"),
    _time("as_of"),
    _text("seed", "method", "gate"),
    _data("diagnostics", "versions"),
    _text("run"),
)
replay_run = _table("replay_run", _text("run", "event"), _whole("evidence_head"), _data("config"))
sealed = _table(
    "sealed",
    _text("question", "question_hash", "forecaster"),
    _time("issued_at"),
    _text("commitment"),
)
forecast = _table(
    "forecast",
    _text("question", "question_hash", "forecaster", "kind", "shape"),
    _data("labels", "entered"),
    [Column("probability", NUMBER, **DERIVED)],
    _text("stated"),
    _time("issued_at"),
    _nullable_text("commitment"),
    _number("sd", "p05", "p50", "p95", "mcse"),
    _nullable_text("method"),
    _whole("model_run", nullable=True),
    _text("run", "claim", "gate"),
    _data("meta"),
    _whole("sealed", nullable=True),
    _nullable_text("seal_salt"),
)
evidence = _table(
    "evidence",
    _text("key", "kind", "title", "source"),
    _time("event_at", nullable=True),
    _time("known_at"),
    _text("url", "certainty", "grade", "story", "stream", "note"),
    [Column("effects", Integer, nullable=False, **DERIVED)],
)
evidence_effect = _table(
    "evidence_effect",
    [Column("position", Integer, primary_key=True, autoincrement=False)],
    _text("target", "form"),
    _data("detail"),
    _text("stated"),
)
resolution = _table(
    "resolution",
    _text("question", "outcome"),
    _time("resolved_at"),
    _text("source", "certainty", "note"),
    [Column("version", Integer, nullable=False)],
    _nullable_text("status"),
)
withdrawal = _table("withdrawal", _text("question", "forecaster"), _time("withdrawn_at"))
redaction = _table("redaction", _whole("forecast"), _text("reason"))
watch = _table("watch", _text("process"), _time("until"), _text("watcher", "because"))
setup = _table("setup", _text("subject", "name"), _data("detail"), _text("said_by"))
rationale = _table("rationale", _nullable_text("salt", "text"))
#: Which act of writing came to which last entry; not in the chain.
receipt = Table("receipt", metadata, *_text("act"), *_whole("seq"))

#: The detail table of each kind of entry, in the order in which a batch is inserted.
DETAILS: dict[str, Table] = {
    table.name: table
    for table in (
        *(question, model_run, replay_run, sealed, forecast, evidence),
        *(resolution, withdrawal, redaction, watch, setup),
    )
}
#: Those whose rows an entry's form is made of.
HASHED = (*DETAILS.values(), evidence_effect)
#: All that a copy of a ledger holds.
COPIED = (entry, *HASHED, rationale)
#: The columns of a table that are stored as text for something else, and whether that is a moment.
CODED = {
    table: [
        (column.name, isinstance(column.type, Instant))
        for column in table.columns
        if isinstance(column.type, Instant | Data)
    ]
    for table in HASHED
}
