"""The forms of an effect leave the CHECK for the guard on INSERT, so a later one needs no rebuild.

SQLite can drop no CHECK, so the table is made anew and its rows are copied; its triggers go with
the old one and are installed again after the upgrade.

Revision ID: r0002
Revises: r0001
"""

import sqlalchemy as sa
from alembic import op

revision = "r0002"
down_revision = "r0001"
branch_labels = None
depends_on = None

SCHEMA_VERSION = 2


def upgrade() -> None:
    """Drop the CHECK on the form; every row stays as it is."""
    if op.get_context().dialect.name != "sqlite":
        op.drop_constraint("evidence_effect_form", "evidence_effect", type_="check")
        return
    op.rename_table("evidence_effect", "evidence_effect_before")
    op.create_table(
        "evidence_effect",
        sa.Column("seq", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("position", sa.Integer(), primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("target", "form", "detail")),
        sa.Column("stated", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["evidence.seq"], "evidence_effect_of_evidence"),
        sa.CheckConstraint("substr(detail, 1, 1) = '{'", name="evidence_effect_detail"),
        sqlite_strict=True,
    )
    columns = "seq, position, target, form, detail, stated"
    op.execute(
        f"INSERT INTO evidence_effect ({columns})"
        f" SELECT {columns} FROM evidence_effect_before ORDER BY seq, position"
    )
    op.drop_table("evidence_effect_before")
    op.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def downgrade() -> None:
    """A downgrade is a restore of the backup made before the upgrade."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
