"""Numbers on a logarithmic scale and with open bounds; questions matched with other platforms'.

Nullable columns only: every older entry stays as it is and hashes as it did. What a setup may speak
of is said by the guards of forecasting.store.triggers.

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


def upgrade() -> None:
    """Add two columns; the triggers follow from forecasting.store.triggers."""
    op.add_column("question", sa.Column("zero_point", NUMBER, nullable=True))
    op.add_column("question", sa.Column("open_bounds", sa.Text(), nullable=True))
    if op.get_context().dialect.name == "sqlite":
        op.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def downgrade() -> None:
    """A downgrade is a restore of the backup made before the upgrade."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
