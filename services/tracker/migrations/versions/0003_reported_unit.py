"""Whom a ticket complains of: that unit and its kin see nothing of it here either."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    op.add_column("tickets", sa.Column("reported_unit", sa.Text, nullable=True))


def downgrade() -> None:
    """Contract."""
    op.drop_column("tickets", "reported_unit")
