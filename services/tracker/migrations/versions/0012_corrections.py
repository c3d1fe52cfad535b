"""Corrections are heeded, and terms may change while a clock runs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    op.add_column("assignments", sa.Column("terms_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "assignments",
        sa.Column("terms_seq", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column(
        "tickets", sa.Column("corrected", postgresql.JSONB(astext_type=sa.Text()), nullable=True)
    )
    op.add_column("tickets", sa.Column("terms_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_column("tickets", "terms_at")
    op.drop_column("tickets", "corrected")
    op.drop_column("assignments", "terms_seq")
    op.drop_column("assignments", "terms_at")
