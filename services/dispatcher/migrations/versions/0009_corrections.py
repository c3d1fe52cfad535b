"""Corrections are heeded, and doubts wait for the desk."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.storage.migrations import create_live_index

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    op.add_column(
        "tickets",
        sa.Column("corrected", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        if_not_exists=True,
    )
    op.add_column(
        "tickets",
        sa.Column("doubted_at", sa.DateTime(timezone=True), nullable=True),
        if_not_exists=True,
    )
    op.add_column(
        "tickets", sa.Column("doubted_reason", sa.Text(), nullable=True), if_not_exists=True
    )
    create_live_index(
        "ix_tickets_doubted",
        "tickets",
        ["number"],
        unique=False,
        postgresql_where=sa.text("doubted_at IS NOT NULL"),
    )


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_index(
        "ix_tickets_doubted",
        table_name="tickets",
        postgresql_where=sa.text("doubted_at IS NOT NULL"),
    )
    op.drop_column("tickets", "doubted_reason")
    op.drop_column("tickets", "doubted_at")
    op.drop_column("tickets", "corrected")
