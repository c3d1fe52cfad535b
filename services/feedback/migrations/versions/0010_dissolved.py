"""Units that are no more, and who follows them."""

from shared.storage.migrations import create_dissolved, drop_dissolved

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    create_dissolved()


def downgrade() -> None:
    """Contract."""
    drop_dissolved()
