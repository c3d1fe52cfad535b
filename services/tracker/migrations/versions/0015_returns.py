"""Returns: each request with its ruling, and how long the desk has for it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    returns = sa.Column("returns", postgresql.JSONB, nullable=False, server_default=sa.text("'[]'"))
    op.add_column("assignments", returns, if_not_exists=True)
    resumed = sa.Column("resumed_at", sa.DateTime(timezone=True), nullable=True)
    op.add_column("assignments", resumed, if_not_exists=True)


def downgrade() -> None:
    """Contract."""
    op.drop_column("assignments", "resumed_at")
    op.drop_column("assignments", "returns")
