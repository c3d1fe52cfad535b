"""The law that gives a ticket a longer limit."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    law = sa.Column("law", postgresql.JSONB(astext_type=sa.Text()), nullable=True)
    op.add_column("tickets", law, if_not_exists=True)


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_column("tickets", "law")
