"""The tables as queries see them: names, types and which columns are hashed.

The constraints live in ``db/migrations``, which alone make the schema; a test compares the two.
"""

import datetime as dt
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
    """An aware moment: fixed-width UTC text on SQLite, ``timestamptz`` on PostgreSQL.

    ``DateTime(timezone=True)`` drops the zone on SQLite, so it is not used.
    """

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


def _text(*names: str, nullable: bool = False) -> list[Column[Any]]:
    return [Column(name, Text, nullable=nullable) for name in names]


def _seq() -> Column[int]:
    return Column("seq", SEQ, primary_key=True, autoincrement=False)


entry = Table(
    "entry",
    metadata,
    _seq(),
    *_text("kind"),
    Column("recorded_at", Instant, nullable=False),
    *_text("tool", "leaf", "hash"),
)
question = Table(
    "question",
    metadata,
    _seq(),
    *_text("question", "wording_hash", "title", "criteria", "background", "type"),
    Column("options", Data, nullable=False),
    Column("lower", NUMBER),
    Column("upper", NUMBER),
    *_text("unit", "zone"),
    Column("opens", Instant, nullable=False),
    Column("closes", Instant, nullable=False),
    Column("resolves_by", Instant, nullable=False),
    *_text("topic", "event"),
    Column("tags", Data, nullable=False),
    Column("basis", Data, nullable=False),
    Column("model", Data, nullable=False),
    *_text("ladder", "parent", "condition_question", "condition_outcome", nullable=True),
    *_text("source"),
    *_text("answer", nullable=True),
    Column("zero_point", NUMBER),
    *_text("open_bounds", nullable=True),
)
model_run = Table(
    "model_run",
    metadata,
    _seq(),
    *_text("family", "fitted", "worldview", "priors_hash", "evidence_hash"),
    Column("as_of", Instant, nullable=False),
    *_text("seed", "method", "gate"),
    Column("diagnostics", Data, nullable=False),
    Column("versions", Data, nullable=False),
    *_text("run"),
)
replay_run = Table(
    "replay_run",
    metadata,
    _seq(),
    *_text("run", "event"),
    Column("evidence_head", SEQ, nullable=False),
    Column("config", Data, nullable=False),
)
forecast = Table(
    "forecast",
    metadata,
    _seq(),
    *_text("question", "question_hash", "forecaster", "kind", "shape"),
    Column("labels", Data, nullable=False),
    Column("entered", Data, nullable=False),
    Column("probability", NUMBER, **DERIVED),
    *_text("stated"),
    Column("issued_at", Instant, nullable=False),
    *_text("commitment", nullable=True),
    *(Column(name, NUMBER) for name in ("sd", "p05", "p50", "p95", "mcse")),
    *_text("method", nullable=True),
    Column("model_run", SEQ),
    *_text("run", "claim", "gate"),
    Column("meta", Data, nullable=False),
    Column("sealed", SEQ),
    *_text("seal_salt", nullable=True),
)
evidence = Table(
    "evidence",
    metadata,
    _seq(),
    *_text("key", "kind", "title", "source"),
    Column("event_at", Instant),
    Column("known_at", Instant, nullable=False),
    *_text("url", "certainty", "grade", "story", "stream", "note"),
    Column("effects", Integer, nullable=False, **DERIVED),
)
evidence_effect = Table(
    "evidence_effect",
    metadata,
    _seq(),
    Column("position", Integer, primary_key=True, autoincrement=False),
    *_text("target", "form"),
    Column("detail", Data, nullable=False),
    *_text("stated"),
)
resolution = Table(
    "resolution",
    metadata,
    _seq(),
    *_text("question", "outcome"),
    Column("resolved_at", Instant, nullable=False),
    *_text("source", "certainty", "note"),
    Column("version", Integer, nullable=False),
    *_text("status", nullable=True),
)
withdrawal = Table(
    "withdrawal",
    metadata,
    _seq(),
    *_text("question", "forecaster"),
    Column("withdrawn_at", Instant, nullable=False),
)
sealed = Table(
    "sealed",
    metadata,
    _seq(),
    *_text("question", "question_hash", "forecaster"),
    Column("issued_at", Instant, nullable=False),
    *_text("commitment"),
)
redaction = Table(
    "redaction", metadata, _seq(), Column("forecast", SEQ, nullable=False), *_text("reason")
)
watch = Table(
    "watch",
    metadata,
    _seq(),
    *_text("process"),
    Column("until", Instant, nullable=False),
    *_text("watcher", "because"),
)
setup = Table(
    "setup",
    metadata,
    _seq(),
    *_text("subject", "name"),
    Column("detail", Data, nullable=False),
    *_text("said_by"),
)
rationale = Table("rationale", metadata, _seq(), *_text("salt", "text", nullable=True))
#: Which act of writing came to which last entry; not in the chain.
receipt = Table("receipt", metadata, *_text("act"), Column("seq", SEQ, nullable=False))

#: The detail table of each kind of entry, in the order in which a batch is inserted.
DETAILS: dict[str, Table] = {
    "question": question,
    "model_run": model_run,
    "replay_run": replay_run,
    "sealed": sealed,
    "forecast": forecast,
    "evidence": evidence,
    "resolution": resolution,
    "withdrawal": withdrawal,
    "redaction": redaction,
    "watch": watch,
    "setup": setup,
}
