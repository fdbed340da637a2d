"""Sealed forecasts and what opens them, redactions, and the standing of an outcome's version.

New tables and nullable columns only: every older entry stays as it is and hashes as it did. What a
new column may hold is said by the guards of forecasting.store.triggers.

Revision ID: r0003
Revises: r0002
"""

import sqlalchemy as sa
from alembic import op

revision = "r0003"
down_revision = "r0002"
branch_labels = None
depends_on = None

SCHEMA_VERSION = 3

SEQ = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
INSTANT = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
MOMENT = (
    "[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T"
    "[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z"
)


def upgrade() -> None:
    """Add two tables and three columns; the triggers follow from forecasting.store.triggers."""
    sqlite = op.get_context().dialect.name == "sqlite"
    moment = sa.CheckConstraint(f"issued_at GLOB '{MOMENT}'", name="sealed_issued_at")
    op.create_table(
        "sealed",
        sa.Column("seq", SEQ, primary_key=True, autoincrement=False),
        *(sa.Column(n, sa.Text(), nullable=False) for n in ("question", "question_hash")),
        sa.Column("forecaster", sa.Text(), nullable=False),
        sa.Column("issued_at", INSTANT, nullable=False),
        sa.Column("commitment", sa.Text(), nullable=False),
        *([moment] if sqlite else []),
        sa.ForeignKeyConstraint(["seq"], ["entry.seq"], "sealed_of_entry"),
        sa.CheckConstraint("length(commitment) = 64", name="sealed_commitment"),
        sa.UniqueConstraint("commitment", name="sealed_commitment_once"),
        sqlite_strict=True,
    )
    op.create_index("sealed_by_question", "sealed", ["question", "issued_at"])
    op.add_column("forecast", sa.Column("sealed", SEQ, nullable=True))
    op.add_column("forecast", sa.Column("seal_salt", sa.Text(), nullable=True))
    op.create_index(
        "forecast_by_seal",
        "forecast",
        ["sealed"],
        unique=True,
        sqlite_where=sa.text("sealed IS NOT NULL"),
        postgresql_where=sa.text("sealed IS NOT NULL"),
    )
    op.create_table(
        "redaction",
        sa.Column("seq", SEQ, primary_key=True, autoincrement=False),
        sa.Column("forecast", SEQ, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["entry.seq"], "redaction_of_entry"),
        sa.ForeignKeyConstraint(["forecast"], ["forecast.seq"], "redaction_of_forecast"),
        sa.CheckConstraint("forecast < seq", name="redaction_later"),
        sa.CheckConstraint("length(reason) > 0", name="redaction_reason"),
        sa.UniqueConstraint("forecast", name="redaction_once"),
        sqlite_strict=True,
    )
    op.add_column("resolution", sa.Column("status", sa.Text(), nullable=True))
    if sqlite:
        op.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def downgrade() -> None:
    """A downgrade is a restore of the backup made before the upgrade."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
