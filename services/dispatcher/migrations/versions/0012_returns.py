"""Returns: by when the desk must rule, whom a ruling names, who overruled it; whom to give it to next."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from shared.storage.migrations import create_live_index

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

COLUMNS: dict[str, Any] = {
    "review_due": sa.DateTime(timezone=True),
    "named_unit": sa.Text(),
    "withdrawn_at": sa.DateTime(timezone=True),
    "overruled_at": sa.DateTime(timezone=True),
    "overruled_by": sa.Text(),
    "overruled_reason": sa.Text(),
}


def upgrade() -> None:
    """Expand."""
    for name, kind in COLUMNS.items():
        op.add_column("returns", sa.Column(name, kind, nullable=True), if_not_exists=True)
    silent = sa.Column("silent", sa.Boolean, nullable=False, server_default=sa.text("false"))
    op.add_column("returns", silent, if_not_exists=True)
    suggested = sa.Column("suggested_unit", sa.Text, nullable=True)
    op.add_column("tickets", suggested, if_not_exists=True)
    unruled = sa.text("granted IS NULL AND review_due IS NOT NULL")
    create_live_index("ix_returns_review_due", "returns", ["review_due"], postgresql_where=unruled)


def downgrade() -> None:
    """Contract."""
    op.drop_index("ix_returns_review_due", table_name="returns")
    op.drop_column("tickets", "suggested_unit")
    for name in ("silent", *COLUMNS):
        op.drop_column("returns", name)
