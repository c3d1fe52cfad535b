"""Which processes run, on which code and under which rules."""

from shared.storage.migrations import create_processes, drop_processes

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    create_processes()


def downgrade() -> None:
    """Contract."""
    drop_processes()
