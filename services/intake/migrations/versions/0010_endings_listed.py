"""The lists of what the hotline answers itself, does not accept or hands over."""

import sqlalchemy as sa
from alembic import op

from shared.storage.migrations import create_live_index

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    create_live_index(
        "ix_ticket_ending",
        "ticket",
        ["ending", "number"],
        postgresql_where=sa.text("ending IS NOT NULL"),
    )


def downgrade() -> None:
    """Contract."""
    op.drop_index("ix_ticket_ending", table_name="ticket")
