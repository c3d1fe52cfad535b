"""A citizen is heard without being called, answers may be partial, and corrections are known."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    op.add_column(
        "attempts",
        sa.Column("by_citizen", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column(
        "callbacks", sa.Column("said", postgresql.JSONB(astext_type=sa.Text()), nullable=True)
    )
    op.add_column(
        "tickets",
        sa.Column("number_corrected_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.add_column(
        "tickets", sa.Column("corrected", postgresql.JSONB(astext_type=sa.Text()), nullable=True)
    )


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_column("tickets", "corrected")
    op.drop_column("tickets", "number_corrected_at")
    op.drop_column("callbacks", "said")
    op.drop_column("attempts", "by_citizen")
