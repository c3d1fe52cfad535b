"""Which matter of a call a ticket is, for whoever asks its citizen."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    op.add_column("tickets", sa.Column("split_from", sa.String, nullable=True), if_not_exists=True)
    op.add_column("tickets", sa.Column("matter", sa.String, nullable=True), if_not_exists=True)


def downgrade() -> None:
    """Contract."""
    op.drop_column("tickets", "matter")
    op.drop_column("tickets", "split_from")
