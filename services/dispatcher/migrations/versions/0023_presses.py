"""催促: what the desk is asked to do about a silent co-handler, and by when it sees to that and to doubts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.storage.migrations import create_live_index

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    moment = sa.DateTime(timezone=True)
    for table, column in (
        ("assignments", sa.Column("pressed", JSONB(none_as_null=True), nullable=True)),
        ("assignments", sa.Column("pressed_due", moment, nullable=True)),
        ("tickets", sa.Column("doubted_due", moment, nullable=True)),
    ):
        op.add_column(table, column, if_not_exists=True)
    pressed = sa.text("pressed IS NOT NULL")
    create_live_index("ix_assignments_pressed", "assignments", ["id"], postgresql_where=pressed)


def downgrade() -> None:
    """Contract."""
    op.drop_index("ix_assignments_pressed", table_name="assignments")
    op.drop_column("tickets", "doubted_due")
    op.drop_column("assignments", "pressed_due")
    op.drop_column("assignments", "pressed")
