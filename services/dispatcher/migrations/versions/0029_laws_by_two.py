"""待批准的法定时限: whose limit a second person is asked to let hold."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    law = sa.Column("law", JSONB(none_as_null=True), nullable=True)
    op.add_column("approvals", law, if_not_exists=True)


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_column("approvals", "law")
