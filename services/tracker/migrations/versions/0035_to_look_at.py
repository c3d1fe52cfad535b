"""What waits to be looked at is more than what is to be counted; no release has had the old name."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of a table that is new in this release itself: none before it knows the column."""
    _rename("to_count", "to_look_at")


def downgrade() -> None:
    """Back to the schema before."""
    _rename("to_look_at", "to_count")


def _rename(old: str, new: str) -> None:
    known = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("discrepancies")}
    if old in known:
        op.alter_column("discrepancies", old, new_column_name=new)
        op.execute(f"ALTER INDEX ix_discrepancies_{old} RENAME TO ix_discrepancies_{new}")
