"""吹哨报到: the whistle an order's unit was called with, for whoever lists and counts them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.storage.migrations import create_live_index

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    whistle = sa.Column("whistle", JSONB(none_as_null=True), nullable=True)
    op.add_column("assignments", whistle, if_not_exists=True)
    whistled = sa.text("whistle IS NOT NULL")
    create_live_index("ix_assignments_whistled", "assignments", ["id"], postgresql_where=whistled)


def downgrade() -> None:
    """Contract."""
    op.drop_index("ix_assignments_whistled", table_name="assignments")
    op.drop_column("assignments", "whistle")
