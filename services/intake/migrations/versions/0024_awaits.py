"""Whether a unit waits for the citizen, as the dispatcher said last."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    for column in (
        sa.Column("awaits", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("awaits_seq", sa.Integer(), server_default="0", nullable=False),
    ):
        op.add_column("assignment", column, if_not_exists=True)


def downgrade() -> None:
    """Back to the schema before."""
    for column in ("awaits_seq", "awaits"):
        op.drop_column("assignment", column)
