"""The heads of intake's read log, held here."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    op.create_table(
        "read_anchors",
        sa.Column("fact", sa.Uuid(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("fact", name=op.f("pk_read_anchors")),
    )


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_table("read_anchors")
