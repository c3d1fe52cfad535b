"""What units answer to supervisions, and since when an answer stands or is accepted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    op.add_column(
        "supervisions",
        sa.Column(
            "answers",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
    )
    op.add_column(
        "supervisions", sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column(
        "supervisions", sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True)
    )


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_column("supervisions", "accepted_at")
    op.drop_column("supervisions", "answered_at")
    op.drop_column("supervisions", "answers")
