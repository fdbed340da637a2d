"""The first ledger: one chain of entries, and a detail table for each kind of entry.

Revision ID: r0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "r0001"
down_revision = None
branch_labels = None
depends_on = None

APPLICATION_ID = 0x46435354  # "FCST"
SCHEMA_VERSION = 1

SEQ = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
NUMBER = sa.REAL().with_variant(sa.Double(), "postgresql")
INSTANT = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
MOMENT = (
    "[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T"
    "[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z"
)


def _sqlite() -> bool:
    return op.get_context().dialect.name == "sqlite"


def _text(*names: str, nullable: bool = False) -> list[sa.Column]:
    return [sa.Column(name, sa.Text(), nullable=nullable) for name in names]


def _instants(table: str, *names: str, nullable: bool = False) -> list[sa.schema.SchemaItem]:
    columns = [sa.Column(name, INSTANT, nullable=nullable) for name in names]
    if not _sqlite():
        return columns
    checks = [sa.CheckConstraint(f"{n} GLOB '{MOMENT}'", name=f"{table}_{n}") for n in names]
    return [*columns, *checks]


def _data(table: str, **names: str) -> list[sa.schema.SchemaItem]:
    # SQLite lets no JSON function into a CHECK while trusted_schema is off, as it is here.
    opening = {"array": "[", "object": "{"}
    checks = [
        sa.CheckConstraint(f"substr({name}, 1, 1) = '{opening[form]}'", name=f"{table}_{name}")
        for name, form in names.items()
    ]
    return [*(sa.Column(name, sa.Text(), nullable=False) for name in names), *checks]


def _ledger(name: str, *items: sa.schema.SchemaItem, of: str | None = "entry") -> None:
    key = sa.Column("seq", SEQ, primary_key=True, autoincrement=False)
    owner = (
        [] if of is None else [sa.ForeignKeyConstraint(["seq"], [f"{of}.seq"], f"{name}_of_{of}")]
    )
    op.create_table(name, key, *items, *owner, sqlite_strict=True)


def _one_of(column: str, *values: str) -> str:
    # SQLite builds a table for a list of three or more, once for every row inserted.
    return " OR ".join(f"{column} = '{value}'" for value in values)


def _check(name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=name)


def upgrade() -> None:
    """Create the tables; the triggers follow from forecasting.store.triggers."""
    _ledger(
        "entry",
        *_text("kind"),
        *_instants("entry", "recorded_at"),
        *_text("tool", "leaf", "hash"),
        _check("entry_seq", "seq >= 1"),
        _check("entry_leaf", "length(leaf) = 64"),
        _check("entry_hash", "length(hash) = 64"),
        sa.UniqueConstraint("hash", name="entry_hash_once"),
        of=None,
    )
    _ledger(
        "question",
        *_text("question", "wording_hash", "title", "criteria", "background", "type"),
        *_data("question", options="array"),
        sa.Column("lower", NUMBER),
        sa.Column("upper", NUMBER),
        *_text("unit", "zone"),
        *_instants("question", "opens", "closes", "resolves_by"),
        *_text("topic", "event"),
        *_data("question", tags="array", basis="object", model="object"),
        *_text("ladder", "parent", "condition_question", "condition_outcome", nullable=True),
        *_text("source"),
        _check("question_type", _one_of("type", "binary", "categorical", "ordered", "numeric")),
        # A CHECK passes on NULL, and NaN is stored as NULL, so the bounds are asked for by name.
        _check(
            "question_bounds",
            "type <> 'numeric' OR (lower IS NOT NULL AND upper IS NOT NULL AND lower < upper)",
        ),
        _check("question_condition", "(condition_question IS NULL) = (condition_outcome IS NULL)"),
    )
    op.create_index("question_by_id", "question", ["question"])
    _ledger(
        "model_run",
        *_text("family", "fitted", "worldview", "priors_hash", "evidence_hash"),
        *_instants("model_run", "as_of"),
        *_text("seed", "method", "gate"),
        *_data("model_run", diagnostics="object", versions="object"),
        *_text("run"),
        _check(
            "model_run_gate",
            "gate = 'passed' OR (substr(gate, 1, 9) = 'refused: ' AND length(gate) > 9)"
            " OR (substr(gate, 1, 12) = 'overridden: ' AND length(gate) > 12)",
        ),
    )
    op.create_index("model_run_by_run", "model_run", ["run"])
    _ledger(
        "replay_run",
        *_text("run", "event"),
        sa.Column("evidence_head", SEQ, nullable=False),
        *_data("replay_run", config="object"),
        _check("replay_run_event", _one_of("event", "started", "finished")),
        _check("replay_run_evidence_head", "evidence_head >= 0 AND evidence_head < seq"),
    )
    _ledger(
        "forecast",
        *_text("question", "question_hash", "forecaster", "kind", "shape"),
        *_data("forecast", labels="array", entered="array"),
        sa.Column("probability", NUMBER),
        *_text("stated"),
        *_instants("forecast", "issued_at"),
        *_text("commitment", nullable=True),
        *(sa.Column(name, NUMBER) for name in ("sd", "p05", "p50", "p95", "mcse")),
        *_text("method", nullable=True),
        sa.Column("model_run", SEQ),
        *_text("run", "claim", "gate"),
        *_data("forecast", meta="object"),
        sa.ForeignKeyConstraint(["model_run"], ["model_run.seq"], "forecast_of_model_run"),
        _check("forecast_kind", _one_of("kind", "live", "replay", "elicited", "imported")),
        _check("forecast_shape", _one_of("shape", "binary", "options", "quantiles")),
        _check(
            "forecast_probability",
            "(shape = 'binary' AND probability IS NOT NULL"
            " AND probability >= 0 AND probability <= 1)"
            " OR (shape <> 'binary' AND probability IS NULL)",
        ),
        _check("forecast_commitment", "commitment IS NULL OR length(commitment) = 64"),
        _check(
            "forecast_spread",
            "(method IS NULL AND sd IS NULL AND p05 IS NULL AND p50 IS NULL AND p95 IS NULL"
            " AND mcse IS NULL) OR (method IS NOT NULL AND sd IS NOT NULL AND p05 IS NOT NULL"
            " AND p50 IS NOT NULL AND p95 IS NOT NULL AND mcse IS NOT NULL)",
        ),
        _check("forecast_model_run", "model_run IS NULL OR model_run < seq"),
    )
    op.create_index("forecast_by_question", "forecast", ["question", "issued_at"])
    op.create_index("forecast_by_run", "forecast", ["run"])
    _ledger(
        "rationale",
        *_text("salt", "text", nullable=True),
        # Redaction takes both; the commitment in the entry stays.
        _check("rationale_whole", "(salt IS NULL) = (text IS NULL)"),
        _check("rationale_salt", "salt IS NULL OR length(salt) = 64"),
        of="forecast",
    )
    _ledger(
        "evidence",
        *_text("key", "kind", "title", "source"),
        *_instants("evidence", "event_at", nullable=True),
        *_instants("evidence", "known_at"),
        *_text("url", "certainty", "grade", "story", "stream", "note"),
        sa.Column("effects", sa.Integer(), nullable=False),
        _check("evidence_kind", _one_of("kind", "datum", "report")),
        _check("evidence_grade", _one_of("grade", "A", "B", "C", "D", "E", "F")),
        _check("evidence_effects", "effects >= 0"),
        _check("evidence_order", "event_at IS NULL OR event_at <= known_at"),
    )
    op.create_index("evidence_by_key", "evidence", ["key"])
    op.create_table(
        "evidence_effect",
        sa.Column("seq", SEQ, primary_key=True, autoincrement=False),
        sa.Column("position", sa.Integer(), primary_key=True, autoincrement=False),
        *_text("target", "form"),
        *_data("evidence_effect", detail="object"),
        *_text("stated"),
        sa.ForeignKeyConstraint(["seq"], ["evidence.seq"], "evidence_effect_of_evidence"),
        _check("evidence_effect_form", _one_of("form", "likelihood", "datum", "bears")),
        sqlite_strict=True,
    )
    _ledger(
        "resolution",
        *_text("question", "outcome"),
        *_instants("resolution", "resolved_at"),
        *_text("source", "certainty", "note"),
        sa.Column("version", sa.Integer(), nullable=False),
        _check("resolution_version", "version >= 1"),
    )
    op.create_index("resolution_by_question", "resolution", ["question"])
    _ledger(
        "withdrawal",
        *_text("question", "forecaster"),
        *_instants("withdrawal", "withdrawn_at"),
    )
    if _sqlite():
        op.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        op.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def downgrade() -> None:
    """A downgrade is a restore of the backup made before the upgrade."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
