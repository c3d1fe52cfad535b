"""Returns: one index for what waits and for what is due, in place of two that say nearly the same."""

import sqlalchemy as sa
from alembic import op

from shared.storage.migrations import create_live_index

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand, then drop: whoever of the release before looks goes by the new one, unchanged."""
    unruled = sa.text("granted IS NULL")
    create_live_index("ix_returns_unruled", "returns", ["review_due"], postgresql_where=unruled)
    with op.get_context().autocommit_block():  # CONCURRENTLY, as it was built: nobody waits for it
        for name in ("ix_returns_waiting", "ix_returns_review_due"):
            op.drop_index(name, table_name="returns", if_exists=True, postgresql_concurrently=True)


def downgrade() -> None:
    """Contract."""
    waiting = sa.text("granted IS NULL")
    create_live_index("ix_returns_waiting", "returns", ["requested_at"], postgresql_where=waiting)
    unruled = sa.text("granted IS NULL AND review_due IS NOT NULL")
    create_live_index("ix_returns_review_due", "returns", ["review_due"], postgresql_where=unruled)
    op.drop_index("ix_returns_unruled", table_name="returns")
