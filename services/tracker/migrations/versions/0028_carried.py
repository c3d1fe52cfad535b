"""Orders of the same matter under other numbers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.storage.migrations import create_live_index

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    op.add_column(
        "tickets",
        sa.Column(
            "carried",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        if_not_exists=True,
    )
    at = sa.Column("due_counted", sa.DateTime(timezone=True), nullable=True)
    op.add_column("clocks", at, if_not_exists=True)
    counted = sa.text("due_counted IS NOT NULL")
    create_live_index("ix_clocks_due_counted", "clocks", ["due_counted"], postgresql_where=counted)


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_index("ix_clocks_due_counted", table_name="clocks")
    op.drop_column("clocks", "due_counted")
    op.drop_column("tickets", "carried")
