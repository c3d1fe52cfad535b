"""Days that units promise: what was done about each, and when the hotline looks after it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.storage.migrations import create_live_index

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    record = postgresql.JSONB(astext_type=sa.Text())
    op.add_column(
        "assignments",
        sa.Column("promise", record, server_default=sa.text("'{}'"), nullable=False),
        if_not_exists=True,
    )
    for name in ("promise_asked_at", "promise_review_at"):
        at = sa.Column(name, sa.DateTime(timezone=True), nullable=True)
        op.add_column("assignments", at, if_not_exists=True)
    of_promises = sa.text("kind = 'promise'")
    create_live_index("ix_clocks_promise", "clocks", ["due", "id"], postgresql_where=of_promises)


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_index("ix_clocks_promise", table_name="clocks")
    for name in ("promise_review_at", "promise_asked_at", "promise"):
        op.drop_column("assignments", name)
