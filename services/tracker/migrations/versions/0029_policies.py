"""Published versions of the time limits, and their drafts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.storage.migrations import create_policies, drop_policies

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    create_policies()
    op.create_table(
        "policy_drafts",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("based_on", sa.Integer, nullable=True),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("authors", postgresql.JSONB, nullable=False),
        sa.Column("drafted_at", MOMENT, nullable=False),
        sa.Column("edited_at", MOMENT, nullable=False),
        sa.Column("discarded_at", MOMENT, nullable=True),
        sa.Column("discarded_by", sa.Text, nullable=True),
        sa.Column("published_at", MOMENT, nullable=True),
        sa.Column("published_by", sa.Text, nullable=True),
        sa.Column("effective_at", MOMENT, nullable=True),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
        sa.Column("withdrawn_by", sa.Text, nullable=True),
        sa.Column("withdrawn_reason", sa.Text, nullable=True),
        sa.Column("base", sa.Text, nullable=False),
        sa.Column("limits", sa.Text, nullable=False),
        sa.Column("supervision", sa.Text, nullable=False),
    )
    op.create_index("uq_policy_drafts_version", "policy_drafts", ["version"], unique=True)


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_table("policy_drafts")
    drop_policies()
