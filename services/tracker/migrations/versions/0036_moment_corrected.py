"""Who put right when an upstream platform wants the answer, and why; which law was named, or taken back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    json = postgresql.JSONB(astext_type=sa.Text())
    righted = sa.Column("upstream_corrected", json, nullable=True)
    laws = sa.Column("laws", json, server_default=sa.text("'[]'"), nullable=False)
    for column in (righted, laws):
        op.add_column("tickets", column, if_not_exists=True)


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_column("tickets", "laws")
    op.drop_column("tickets", "upstream_corrected")
