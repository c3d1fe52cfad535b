"""Which demands are confidential: their citizens are told in neutral words."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    op.add_column("tickets", sa.Column("confidential", sa.Boolean(), nullable=True))


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_column("tickets", "confidential")
