"""Supervisions a supervisor withdrew: when, who and why."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    at = sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True)
    op.add_column("supervisions", at, if_not_exists=True)
    for name in ("withdrawn_by", "withdrawn_reason"):
        column = sa.Column(name, sa.Text, nullable=True)
        op.add_column("supervisions", column, if_not_exists=True)


def downgrade() -> None:
    """Contract."""
    for name in ("withdrawn_reason", "withdrawn_by", "withdrawn_at"):
        op.drop_column("supervisions", name)
