"""What limits depend on and why they are what they are: channel, upstream platform, law, special rows."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0030"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    op.add_column("tickets", sa.Column("channel", sa.Text(), nullable=True), if_not_exists=True)
    due = sa.Column("upstream_due", sa.DateTime(timezone=True), nullable=True)
    op.add_column("tickets", due, if_not_exists=True)
    op.add_column(
        "assignments",
        sa.Column(
            "ground",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        if_not_exists=True,
    )


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_column("assignments", "ground")
    op.drop_column("tickets", "upstream_due")
    op.drop_column("tickets", "channel")
