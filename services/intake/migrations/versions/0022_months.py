"""Fact log and inbox lie in months."""

from shared.storage.by_month import divide_by_month, undivide

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    divide_by_month()


def downgrade() -> None:
    """Back to the schema before."""
    undivide()
