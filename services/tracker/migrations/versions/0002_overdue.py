"""An index of what is overdue, for the page of what does not move."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    overdue = sa.text("breached_at IS NOT NULL AND ended_at IS NULL")
    op.create_index("ix_clocks_overdue", "clocks", ["due"], postgresql_where=overdue)


def downgrade() -> None:
    """Contract."""
    op.drop_index("ix_clocks_overdue", table_name="clocks")
