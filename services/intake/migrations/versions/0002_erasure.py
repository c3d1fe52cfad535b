"""Erasure and retention: when a ticket ended, when its identity was erased, and what the log says."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    op.add_column("ticket", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("ticket", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    deed = sa.Column("deed", sa.String(), server_default="read", nullable=False)
    op.add_column("contact_read", deed)
    still_open = sa.text("status NOT IN ('closed', 'withdrawn')")
    op.create_index("ix_ticket_open", "ticket", ["number"], postgresql_where=still_open)
    kept = sa.text("erased_at IS NULL")
    op.create_index("ix_ticket_ended_at", "ticket", ["ended_at"], postgresql_where=kept)


def downgrade() -> None:
    """Contract."""
    op.drop_index("ix_ticket_ended_at", table_name="ticket")
    op.drop_index("ix_ticket_open", table_name="ticket")
    op.drop_column("contact_read", "deed")
    op.drop_column("ticket", "erased_at")
    op.drop_column("ticket", "ended_at")
