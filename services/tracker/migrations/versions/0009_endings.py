"""What the hotline ends itself is heard here, too."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    op.add_column("rounds", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_column("rounds", "ended_at")
