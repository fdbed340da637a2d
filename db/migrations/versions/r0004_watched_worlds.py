"""Watches and setups, kinds of entry of their own, and the predicate that answers a question.

New tables and a nullable column only: every older entry stays as it is and hashes as it did. What
a row may hold is said by the guards of forecasting.store.triggers.

Revision ID: r0004
Revises: r0003
"""

import sqlalchemy as sa
from alembic import op

revision = "r0004"
down_revision = "r0003"
branch_labels = None
depends_on = None

SCHEMA_VERSION = 4

SEQ = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
INSTANT = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
MOMENT = (
    "[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T"
    "[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z"
)


def upgrade() -> None:
    """Add two tables and a column; the triggers follow from forecasting.store.triggers."""
    sqlite = op.get_context().dialect.name == "sqlite"
    moment = sa.CheckConstraint(f"until GLOB '{MOMENT}'", name="watch_until")
    op.create_table(
        "watch",
        sa.Column("seq", SEQ, primary_key=True, autoincrement=False),
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.Column("watcher", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        *([moment] if sqlite else []),
        sa.ForeignKeyConstraint(["seq"], ["entry.seq"], "watch_of_entry"),
        sa.CheckConstraint("length(process) > 0", name="watch_process"),
        sqlite_strict=True,
    )
    op.create_index("watch_by_process", "watch", ["process", "until"])
    op.create_table(
        "setup",
        sa.Column("seq", SEQ, primary_key=True, autoincrement=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("said_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["entry.seq"], "setup_of_entry"),
        sa.CheckConstraint("length(name) > 0", name="setup_name"),
        sqlite_strict=True,
    )
    op.create_index("setup_by_subject", "setup", ["subject", "name"])
    op.add_column("question", sa.Column("answer", sa.Text(), nullable=True))
    if sqlite:
        op.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def downgrade() -> None:
    """A downgrade is a restore of the backup made before the upgrade."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
