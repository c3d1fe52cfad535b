"""Which call a matter was split from, and since when its citizen waits."""

import sqlalchemy as sa
from alembic import op

from shared.storage.migrations import create_live_index

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    op.add_column("ticket", sa.Column("split_from", sa.String, nullable=True), if_not_exists=True)
    since = sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True)
    op.add_column("ticket", since, if_not_exists=True)
    split = sa.text("split_from IS NOT NULL")
    create_live_index("ix_ticket_split_from", "ticket", ["split_from"], postgresql_where=split)


def downgrade() -> None:
    """Contract."""
    op.drop_index("ix_ticket_split_from", table_name="ticket")
    op.drop_column("ticket", "accepted_at")
    op.drop_column("ticket", "split_from")
