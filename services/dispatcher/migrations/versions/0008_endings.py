"""What the hotline ends itself is heard here, too."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    op.add_column(
        "tickets", sa.Column("ended", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_column("tickets", "ended")
