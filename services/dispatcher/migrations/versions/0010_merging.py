"""Several tickets worked on as one: under which number, and who completed it for each of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.storage.migrations import create_live_index

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    op.add_column("tickets", sa.Column("work", sa.Text, nullable=True), if_not_exists=True)
    op.add_column(
        "tickets",
        sa.Column("work_seq", sa.Integer, nullable=False, server_default="0"),
        if_not_exists=True,
    )
    op.add_column(
        "tickets", sa.Column("answered", postgresql.JSONB, nullable=True), if_not_exists=True
    )
    merged = sa.text("work IS NOT NULL")
    create_live_index("ix_tickets_work", "tickets", ["work"], postgresql_where=merged)


def downgrade() -> None:
    """Contract."""
    op.drop_index("ix_tickets_work", table_name="tickets")
    op.drop_column("tickets", "answered")
    op.drop_column("tickets", "work_seq")
    op.drop_column("tickets", "work")
