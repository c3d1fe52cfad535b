"""Whether the ladder rules whose duty a ticket is, as the dispatcher said last."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    seq = sa.Column("arbitration_seq", sa.Integer(), server_default="0", nullable=False)
    op.add_column("ticket", sa.Column("arbitration", sa.Uuid(), nullable=True), if_not_exists=True)
    op.add_column("ticket", seq, if_not_exists=True)


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_column("ticket", "arbitration_seq")
    op.drop_column("ticket", "arbitration")
