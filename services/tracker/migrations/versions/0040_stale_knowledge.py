"""知识库条目失效: the entry of the knowledge base that a supervision is about."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    json = postgresql.JSONB(astext_type=sa.Text())
    column = sa.Column("stale_knowledge", json, nullable=True)
    op.add_column("supervisions", column, if_not_exists=True)


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_column("supervisions", "stale_knowledge")
