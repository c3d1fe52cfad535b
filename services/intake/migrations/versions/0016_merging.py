"""Several tickets worked on as one: under which number."""

import sqlalchemy as sa
from alembic import op

from shared.storage.migrations import create_live_index

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    op.add_column("ticket", sa.Column("work", sa.String, nullable=True), if_not_exists=True)
    merged = sa.text("work IS NOT NULL")
    create_live_index("ix_ticket_work", "ticket", ["work"], postgresql_where=merged)


def downgrade() -> None:
    """Contract."""
    op.drop_index("ix_ticket_work", table_name="ticket")
    op.drop_column("ticket", "work")
