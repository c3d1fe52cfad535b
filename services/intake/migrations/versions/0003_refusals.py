"""Why the broker refused a fact is kept beside it, for the morning page."""

from alembic import op

from shared.storage.migrations import keep_reasons_of_refusals

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    keep_reasons_of_refusals()


def downgrade() -> None:
    """Contract."""
    op.drop_column("outbox", "reason")
