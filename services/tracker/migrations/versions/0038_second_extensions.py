"""再次延期: the first and the second of an order, who rules on it, and what was granted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.storage.migrations import create_live_index

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

ONCE, ORDINAL = "uq_extensions_assignment", "ix_extensions_ordinal"


def upgrade() -> None:
    """Expand: the release before this one still runs on it, and asks for a first alone."""
    granted = sa.Column(
        "granted",
        postgresql.JSONB(astext_type=sa.Text()),
        server_default=sa.text("'[]'"),
        nullable=False,
    )
    op.add_column("assignments", granted, if_not_exists=True)
    for column in (
        sa.Column("ordinal", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("office", sa.Text(), nullable=True),
        sa.Column("granted_days", sa.Integer(), nullable=True),
    ):
        op.add_column("extensions", column, if_not_exists=True)
    create_live_index(ORDINAL, "extensions", ["assignment", "ordinal"], unique=True)
    op.drop_constraint(ONCE, "extensions", if_exists=True)  # also when run to its end again


def downgrade() -> None:
    """Back to the schema before; a second extension has no place in it."""
    op.execute("DELETE FROM extensions WHERE ordinal > 1")
    op.create_unique_constraint(ONCE, "extensions", ["assignment"])
    op.drop_index(ORDINAL, table_name="extensions")
    for name in ("granted_days", "office", "ordinal"):
        op.drop_column("extensions", name)
    op.drop_column("assignments", "granted")
