"""Which demands are confidential: no unit is told why its order ended."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    op.add_column("tickets", sa.Column("confidential", sa.Boolean(), nullable=True))


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_column("tickets", "confidential")
