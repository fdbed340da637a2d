"""${message}.

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}
"""

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Ledger tables only gain columns or sibling tables: never batch_alter_table here."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """A downgrade is a restore of the backup made before the upgrade."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
