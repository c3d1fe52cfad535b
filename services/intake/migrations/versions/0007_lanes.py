"""Facts of urgent tickets are relayed before others."""

from shared.storage.migrations import contract_lanes, expand_lanes

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    expand_lanes()


def downgrade() -> None:
    """Contract."""
    contract_lanes()
