"""Versions of the working calendar, and by which of them a clock was laid out."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.storage.migrations import create_live_index

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    op.create_table(
        "calendars",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_calendars")),
    )
    op.add_column("clocks", sa.Column("floor", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "clocks", sa.Column("calendar", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    create_live_index(
        "ix_clocks_calendar",
        "clocks",
        ["calendar", "id"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_index(
        "ix_clocks_calendar", table_name="clocks", postgresql_where=sa.text("ended_at IS NULL")
    )
    op.drop_column("clocks", "calendar")
    op.drop_column("clocks", "floor")
    op.drop_table("calendars")
