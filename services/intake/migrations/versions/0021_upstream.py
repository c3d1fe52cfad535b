"""When the platform that passed a demand on wants the answer."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    due = sa.Column("upstream_due", sa.DateTime(timezone=True), nullable=True)
    op.add_column("ticket", due, if_not_exists=True)


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_column("ticket", "upstream_due")
