"""Reforms of units: proposed, approved, in force; which unit had an assignment before."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.storage.migrations import create_dissolved, drop_dissolved

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    create_dissolved()
    former = sa.Column("former", postgresql.JSONB, nullable=False, server_default=sa.text("'[]'"))
    op.add_column("assignments", former)
    op.create_table(
        "reforms",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("successors", postgresql.JSONB, nullable=False),
        sa.Column("parts", postgresql.JSONB, nullable=False),
        sa.Column("remainder", sa.Text, nullable=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("effective_at", MOMENT, nullable=False),
        sa.Column("proposed_at", MOMENT, nullable=False),
        sa.Column("proposed_by", sa.Text, nullable=False),
        sa.Column("approved_at", MOMENT, nullable=True),
        sa.Column("approved_by", sa.Text, nullable=True),
        sa.Column("approved_note", sa.Text, nullable=True),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
        sa.Column("withdrawn_by", sa.Text, nullable=True),
        sa.Column("withdrawn_reason", sa.Text, nullable=True),
        sa.Column("in_force_at", MOMENT, nullable=True),
        sa.Column("awaited", sa.Uuid, nullable=True),
        sa.Column("done_at", MOMENT, nullable=True),
    )
    live = sa.text("withdrawn_at IS NULL")
    op.create_index("uq_reforms_unit", "reforms", ["unit"], unique=True, postgresql_where=live)


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_table("reforms")
    op.drop_column("assignments", "former")
    drop_dissolved()
