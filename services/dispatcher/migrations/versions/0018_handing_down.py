"""二次派单: the unit that handed an order down."""

import sqlalchemy as sa
from alembic import op

from shared.storage.migrations import create_live_index

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    handed_by = sa.Column("handed_by", sa.Text, nullable=True)
    op.add_column("assignments", handed_by, if_not_exists=True)
    handed = sa.text("handed_by IS NOT NULL")
    create_live_index(
        "ix_assignments_handed", "assignments", ["handed_by", "id"], postgresql_where=handed
    )


def downgrade() -> None:
    """Contract."""
    op.drop_index("ix_assignments_handed", table_name="assignments")
    op.drop_column("assignments", "handed_by")
