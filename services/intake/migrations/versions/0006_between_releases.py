"""Facts of a newer release are kept, and answers are given back as they were."""

from shared.storage.migrations import contract_between_releases, expand_between_releases

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    expand_between_releases()


def downgrade() -> None:
    """Contract."""
    contract_between_releases()
