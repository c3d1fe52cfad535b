"""Whom a demand is about: several units, posts and villages in words, or nobody."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    op.add_column("ticket", sa.Column("reported", postgresql.JSONB, nullable=True))


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_column("ticket", "reported")
