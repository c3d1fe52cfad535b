"""Facts of a newer release are kept, and answers are given back as they were; a fact is
delivered to a unit once."""

from alembic import op

from shared.storage.migrations import (
    contract_between_releases,
    create_live_index,
    expand_between_releases,
)

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    expand_between_releases()
    create_live_index("ix_feed_fact", "feed", ["fact"], unique=True)


def downgrade() -> None:
    """Contract."""
    op.drop_index("ix_feed_fact", table_name="feed")
    contract_between_releases()
