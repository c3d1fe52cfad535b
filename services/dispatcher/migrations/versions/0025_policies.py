"""Published versions of the time limits, as they were heard."""

from shared.storage.migrations import create_policies, drop_policies

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    create_policies()


def downgrade() -> None:
    """Contract."""
    drop_policies()
