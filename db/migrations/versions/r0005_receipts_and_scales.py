"""Receipts, and scales of numbers.

A receipt is which act of writing an entry came from, so that a form sent twice writes once: a table
outside of the chain. Questions with numbers may have a logarithmic scale and open bounds: nullable
columns. Every older entry stays as it is and hashes as it did.

Revision ID: r0005
Revises: r0004
"""

import sqlalchemy as sa
from alembic import op

revision = "r0005"
down_revision = "r0004"
branch_labels = None
depends_on = None

SCHEMA_VERSION = 5

NUMBER = sa.REAL().with_variant(sa.DOUBLE_PRECISION(), "postgresql")
SEQ = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def upgrade() -> None:
    """Add a table and two columns; the triggers follow from forecasting.store.triggers."""
    op.create_table(
        "receipt",
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("seq", SEQ, nullable=False),
        sa.PrimaryKeyConstraint("act", name="receipt_once"),
        sa.ForeignKeyConstraint(["seq"], ["entry.seq"], "receipt_of_entry"),
        sa.CheckConstraint("length(act) = 64", name="receipt_act"),
        sqlite_strict=True,
    )
    op.add_column("question", sa.Column("zero_point", NUMBER, nullable=True))
    op.add_column("question", sa.Column("open_bounds", sa.Text(), nullable=True))
    if op.get_context().dialect.name == "sqlite":
        op.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def downgrade() -> None:
    """A downgrade is a restore of the backup made before the upgrade."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
