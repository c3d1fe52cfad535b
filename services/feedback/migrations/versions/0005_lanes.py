"""Facts of urgent tickets are relayed before others."""

from shared.storage.migrations import contract_lanes, expand_lanes

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    expand_lanes()


def downgrade() -> None:
    """Contract."""
    contract_lanes()
