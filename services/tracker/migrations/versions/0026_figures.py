"""Indexes of judged clocks by when they were due, and of answers by when they were given, for the figures."""

import sqlalchemy as sa
from alembic import op

from shared.storage.migrations import create_live_index

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    judged = sa.text("judged_at IS NOT NULL")
    create_live_index("ix_clocks_judged_due", "clocks", ["due"], postgresql_where=judged)
    answered = sa.text("kind = 'handle' AND ended_at IS NOT NULL")
    create_live_index("ix_clocks_answered", "clocks", ["ended_at"], postgresql_where=answered)


def downgrade() -> None:
    """Contract."""
    op.drop_index("ix_clocks_answered", table_name="clocks")
    op.drop_index("ix_clocks_judged_due", table_name="clocks")
