"""Units that are no more, and who goes on with their assignments."""

import sqlalchemy as sa
from alembic import op

from shared.storage.migrations import create_dissolved, drop_dissolved

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    create_dissolved()
    seq = sa.Column("unit_seq", sa.Integer, nullable=False, server_default=sa.text("0"))
    op.add_column("assignment", seq)


def downgrade() -> None:
    """Contract."""
    op.drop_column("assignment", "unit_seq")
    drop_dissolved()
