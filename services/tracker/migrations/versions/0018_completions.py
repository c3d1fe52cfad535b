"""Answers with their audits: one that is sent back is undone."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    kind = postgresql.JSONB
    completions = sa.Column("completions", kind, nullable=False, server_default=sa.text("'[]'"))
    op.add_column("assignments", completions, if_not_exists=True)


def downgrade() -> None:
    """Contract."""
    op.drop_column("assignments", "completions")
