"""Who has an order, dangers and who was told, instructions, joint supervision, referrals by two people."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.storage.migrations import create_live_index

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

RISKS = sa.text("risk_at IS NOT NULL")
PRESSED = sa.text("press_at IS NOT NULL")
UNDECIDED = sa.text("granted IS NULL")


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    json, moment = postgresql.JSONB(astext_type=sa.Text()), sa.DateTime(timezone=True)
    joint = sa.Column("joint", json, server_default=sa.text("'[]'"), nullable=False)
    for table, column in (
        ("assignments", sa.Column("handler", json, nullable=True)),
        ("tickets", sa.Column("risk_at", moment, nullable=True)),
        ("tickets", sa.Column("risk_office", sa.Text(), nullable=True)),
        ("supervisions", sa.Column("instruction", json, nullable=True)),
        ("supervisions", joint),
        ("supervisions", sa.Column("press_at", moment, nullable=True)),
    ):
        op.add_column(table, column, if_not_exists=True)
    op.create_table(
        "referrals",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("ticket", sa.Text, sa.ForeignKey("tickets.number"), nullable=False),
        sa.Column("assignment", sa.Uuid, sa.ForeignKey("assignments.id"), nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("ground", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("proposed_at", moment, nullable=False),
        sa.Column("proposed_by", sa.Text, nullable=False),
        sa.Column("granted", sa.Boolean, nullable=True),
        sa.Column("note", sa.Text, nullable=True),
        sa.Column("decided_at", moment, nullable=True),
        sa.Column("decided_by", sa.Text, nullable=True),
        if_not_exists=True,
    )
    create_live_index("ix_tickets_risk", "tickets", ["risk_at", "number"], postgresql_where=RISKS)
    pressed = {"postgresql_where": PRESSED}
    create_live_index("ix_supervisions_press", "supervisions", ["press_at"], **pressed)
    create_live_index("ix_referrals_ticket", "referrals", ["ticket"])
    waiting = ["proposed_at", "id"]
    create_live_index("ix_referrals_undecided", "referrals", waiting, postgresql_where=UNDECIDED)


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_table("referrals")
    op.drop_index("ix_supervisions_press", table_name="supervisions")
    op.drop_index("ix_tickets_risk", table_name="tickets")
    for table, columns in (
        ("supervisions", ("press_at", "joint", "instruction")),
        ("tickets", ("risk_office", "risk_at")),
        ("assignments", ("handler",)),
    ):
        for column in columns:
            op.drop_column(table, column)
