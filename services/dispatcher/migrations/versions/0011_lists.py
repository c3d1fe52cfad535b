"""What is to be done next: due moments as the tracker says them, and indexes of what waits."""

import sqlalchemy as sa
from alembic import op

from shared.storage.migrations import create_live_index

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "clocks",
        sa.Column("ticket", sa.Text, nullable=False),
        sa.Column("assignment", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("started_at", moment, nullable=True),
        sa.Column("due", moment, nullable=True),
        sa.Column("provisional", sa.Boolean, nullable=False),
        sa.Column("due_seq", sa.Integer, nullable=False),
        sa.Column("paused_at", moment, nullable=True),
        sa.Column("pause_seq", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("ticket", "assignment", "kind", name="pk_clocks"),
        if_not_exists=True,
    )
    in_hand = sa.text("status IN ('dispatched', 'signed', 'contacted', 'return_requested')")
    create_live_index(
        "ix_assignments_in_hand", "assignments", ["unit", "id"], postgresql_where=in_hand
    )
    waiting = sa.text("granted IS NULL")
    create_live_index("ix_returns_waiting", "returns", ["requested_at"], postgresql_where=waiting)


def downgrade() -> None:
    """Contract."""
    op.drop_index("ix_returns_waiting", table_name="returns")
    op.drop_index("ix_assignments_in_hand", table_name="assignments")
    op.drop_table("clocks")
