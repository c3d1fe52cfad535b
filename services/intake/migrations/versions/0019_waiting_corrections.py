"""Corrections that take the shield off wait for a second person to agree."""

import sqlalchemy as sa
from alembic import op

from shared.storage.migrations import create_live_index

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

COLUMNS = (
    sa.Column("waits", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.Column("consent", sa.Text, nullable=True),
    sa.Column("granted", sa.Boolean, nullable=True),
    sa.Column("note", sa.Text, nullable=True),
    sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("decided_by", sa.Text, nullable=True),
)


def upgrade() -> None:
    """Expand."""
    for column in COLUMNS:
        op.add_column("correction", column, if_not_exists=True)
    waiting = sa.text("waits AND granted IS NULL")
    create_live_index(
        "ix_correction_waiting", "correction", ["corrected_at", "id"], postgresql_where=waiting
    )


def downgrade() -> None:
    """Contract."""
    op.drop_index("ix_correction_waiting", table_name="correction")
    for column in COLUMNS:
        op.drop_column("correction", column.name)
