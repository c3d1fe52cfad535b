"""Whom a demand is about, as intake says it, and the area that may say whose town is meant."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    op.add_column("tickets", sa.Column("reported", postgresql.JSONB, nullable=True))
    op.add_column("tickets", sa.Column("area", sa.Text(), nullable=True))


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_column("tickets", "area")
    op.drop_column("tickets", "reported")
