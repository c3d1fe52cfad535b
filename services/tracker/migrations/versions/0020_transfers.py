"""Units that are no more, and who goes on with their assignments and clocks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.storage.migrations import create_dissolved, drop_dissolved

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

EMPTY = sa.text("'[]'")


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    create_dissolved()
    for table, name in (("assignments", "transfers"), ("clocks", "former")):
        column = sa.Column(name, postgresql.JSONB, nullable=False, server_default=EMPTY)
        op.add_column(table, column)


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_column("clocks", "former")
    op.drop_column("assignments", "transfers")
    drop_dissolved()
