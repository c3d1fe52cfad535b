"""知识库条目失效: the entry of the knowledge base that a supervision is about; what triggers asked for while
a higher rung stood.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    json, empty = postgresql.JSONB(astext_type=sa.Text()), sa.text("'[]'")
    column = sa.Column("stale_knowledge", json, nullable=True)
    op.add_column("supervisions", column, if_not_exists=True)
    column = sa.Column("kept_back", json, server_default=empty, nullable=False)
    op.add_column("assignments", column, if_not_exists=True)


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_column("assignments", "kept_back")
    op.drop_column("supervisions", "stale_knowledge")
