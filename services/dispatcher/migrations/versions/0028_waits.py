"""等待诉求人: what an order waits for, and when that is ruled on or over."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.storage.migrations import create_live_index

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    for column in (
        sa.Column("wait", JSONB(none_as_null=True), nullable=True),
        sa.Column("wait_due", sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column("assignments", column, if_not_exists=True)
    due = {"postgresql_where": sa.text("wait_due IS NOT NULL")}
    create_live_index("ix_assignments_wait", "assignments", ["wait_due"], **due)


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_index("ix_assignments_wait", table_name="assignments")
    for column in ("wait_due", "wait"):
        op.drop_column("assignments", column)
