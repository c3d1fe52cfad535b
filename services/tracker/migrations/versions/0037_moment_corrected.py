"""Who put right when an upstream platform wants the answer, and why."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0037"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    column = sa.Column("upstream_corrected", postgresql.JSONB(astext_type=sa.Text()), nullable=True)
    op.add_column("tickets", column, if_not_exists=True)


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_column("tickets", "upstream_corrected")
