"""Indexes of what is open, for the page of what does not move."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    still_open = sa.text("withdrawn_at IS NULL AND closed < round")
    op.create_index("ix_tickets_open", "tickets", ["number"], postgresql_where=still_open)
    unsigned = sa.text("status = 'dispatched'")
    columns = ["unit", "dispatched_at"]
    op.create_index("ix_assignments_unsigned", "assignments", columns, postgresql_where=unsigned)


def downgrade() -> None:
    """Contract."""
    op.drop_index("ix_assignments_unsigned", table_name="assignments")
    op.drop_index("ix_tickets_open", table_name="tickets")
