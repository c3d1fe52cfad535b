"""As how urgent a ticket was left to the desk, and indexes of what waits for a supervisor."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.storage.migrations import create_live_index

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    said = sa.Column("unassigned", postgresql.JSONB, nullable=False, server_default=sa.text("'[]'"))
    op.add_column("tickets", said, if_not_exists=True)
    create_live_index(
        "ix_extensions_asked",
        "extensions",
        ["asked_at"],
        postgresql_where=sa.text("status = 'asked'"),
    )
    create_live_index(
        "ix_supervisions_open",
        "supervisions",
        ["answer_due", "id"],
        postgresql_where=sa.text("closed_at IS NULL"),
    )


def downgrade() -> None:
    """Contract."""
    op.drop_index("ix_supervisions_open", table_name="supervisions")
    op.drop_index("ix_extensions_asked", table_name="extensions")
    op.drop_column("tickets", "unassigned")
