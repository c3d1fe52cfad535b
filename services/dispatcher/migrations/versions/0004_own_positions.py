"""Positions in the feed are each unit's own: no unit learns from them what another was sent."""

from alembic import op

from shared.storage.migrations import create_live_index

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: two units may have the same position; the release before never gives it twice.

    It asks for the newest position of all: until it is gone that has an index.
    """
    create_live_index("uq_feed_unit_position", "feed", ["unit", "position"], unique=True)
    create_live_index("ix_feed_position", "feed", ["position"])
    op.execute("ALTER TABLE feed DROP CONSTRAINT IF EXISTS uq_feed_position")
    op.drop_index("ix_feed_unit_position", table_name="feed", if_exists=True)


def downgrade() -> None:
    """Contract. The positions of two units that are the same by now are given anew."""
    create_live_index("ix_feed_unit_position", "feed", ["unit", "position"])
    op.execute("UPDATE feed SET position = id WHERE position IS NOT NULL")
    op.create_unique_constraint("uq_feed_position", "feed", ["position"])
    op.drop_index("ix_feed_position", table_name="feed")
    op.drop_index("uq_feed_unit_position", table_name="feed")
