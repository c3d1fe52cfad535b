"""Several tickets worked on as one: under which number, and since when."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.storage.migrations import create_live_index

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    op.add_column("tickets", sa.Column("work", sa.Text, nullable=True), if_not_exists=True)
    merges = sa.Column("merges", postgresql.JSONB, nullable=False, server_default=sa.text("'[]'"))
    op.add_column("tickets", merges, if_not_exists=True)
    merged = sa.text("work IS NOT NULL")
    create_live_index("ix_tickets_work", "tickets", ["work"], postgresql_where=merged)


def downgrade() -> None:
    """Contract."""
    op.drop_index("ix_tickets_work", table_name="tickets")
    op.drop_column("tickets", "merges")
    op.drop_column("tickets", "work")
