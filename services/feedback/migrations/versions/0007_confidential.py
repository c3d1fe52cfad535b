"""Whether a ticket is confidential: what was said at a callback then stays where it was taken down."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    op.add_column("tickets", sa.Column("confidential", sa.Boolean(), nullable=True))


def downgrade() -> None:
    """Contract."""
    op.drop_column("tickets", "confidential")
