"""报到: how long a unit has to come that was whistled for, and when it came."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    limit = sa.Column("attend_limit", sa.Text, nullable=True)
    op.add_column("assignments", limit, if_not_exists=True)
    at = sa.Column("attended_at", sa.DateTime(timezone=True), nullable=True)
    op.add_column("assignments", at, if_not_exists=True)


def downgrade() -> None:
    """Contract."""
    op.drop_column("assignments", "attended_at")
    op.drop_column("assignments", "attend_limit")
