"""What one person asks for and another decides; rulings of which the desk gave the ticket elsewhere."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    op.create_table(
        "approvals",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("ticket", sa.Text, sa.ForeignKey("tickets.number"), nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("urgency", sa.Text, nullable=True),
        sa.Column("was", sa.Text, nullable=True),
        sa.Column("lead", sa.Text, nullable=True),
        sa.Column("ground", sa.Text, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("granted", sa.Boolean, nullable=True),
        sa.Column("note", sa.Text, nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("decided_by", sa.Text, nullable=True),
    )
    op.create_index("ix_approvals_ticket", "approvals", ["ticket"])
    undecided = sa.text("granted IS NULL")
    op.create_index(
        "ix_approvals_undecided", "approvals", ["asked_at", "id"], postgresql_where=undecided
    )
    op.add_column("precedents", sa.Column("overruled_at", MOMENT, nullable=True))
    op.add_column("precedents", sa.Column("overruled_by", sa.Text, nullable=True))
    op.add_column("precedents", sa.Column("overruled_reason", sa.Text, nullable=True))


def downgrade() -> None:
    """Back to the schema before."""
    for column in ("overruled_reason", "overruled_by", "overruled_at"):
        op.drop_column("precedents", column)
    op.drop_table("approvals")
