"""等待诉求人: the times in which an order waited for its citizen."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    json, empty = postgresql.JSONB(astext_type=sa.Text()), sa.text("'[]'")
    column = sa.Column("waits", json, server_default=empty, nullable=False)
    op.add_column("assignments", column, if_not_exists=True)


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_column("assignments", "waits")
