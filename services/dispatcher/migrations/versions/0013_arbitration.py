"""Disputes that go up the ladder, what was said there, and what was ruled."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Expand."""
    op.add_column("tickets", sa.Column("arbitration", sa.Uuid, nullable=True), if_not_exists=True)
    op.create_table(
        "arbitrations",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("ticket", sa.Text, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("assignment", sa.Uuid, nullable=True),
        sa.Column("grounds", sa.Text, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("opened_by", sa.Text, nullable=False),
        sa.Column("parties", JSONB, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("due", MOMENT, nullable=False),
        sa.Column("next_at", MOMENT, nullable=True),
        sa.Column("steps", JSONB, nullable=False),
        sa.Column("ruled_at", MOMENT, nullable=True),
        sa.Column("ruled_by", sa.Text, nullable=True),
        sa.Column("lead", sa.Text, nullable=True),
        sa.Column("co_handlers", JSONB, nullable=False),
        sa.Column("ruling", sa.Text, nullable=True),
        sa.Column("body", sa.Text, nullable=True),
        sa.Column("paper", sa.Text, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("ended_reason", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_arbitrations"),
        sa.ForeignKeyConstraint(
            ["ticket"], ["tickets.number"], name="fk_arbitrations_ticket_tickets"
        ),
        if_not_exists=True,
    )
    _index_arbitrations()
    op.create_table(
        "statements",
        sa.Column("arbitration", sa.Uuid, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("stated_at", MOMENT, nullable=False),
        sa.Column("stated_by", sa.Text, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("legal_basis", sa.Text, nullable=True),
        sa.Column("suggested_unit", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("arbitration", "step", "unit", name="pk_statements"),
        sa.ForeignKeyConstraint(
            ["arbitration"], ["arbitrations.id"], name="fk_statements_arbitration_arbitrations"
        ),
        if_not_exists=True,
    )
    _create_precedents()


def _index_arbitrations() -> None:
    open_ones = sa.text("ruled_at IS NULL AND ended_at IS NULL")
    looked_at = sa.text("next_at IS NOT NULL")
    op.create_index("ix_arbitrations_ticket", "arbitrations", ["ticket"], if_not_exists=True)
    op.create_index(
        "ix_arbitrations_open",
        "arbitrations",
        ["due", "id"],
        postgresql_where=open_ones,
        if_not_exists=True,
    )
    op.create_index(
        "ix_arbitrations_next_at",
        "arbitrations",
        ["next_at"],
        postgresql_where=looked_at,
        if_not_exists=True,
    )


def _create_precedents() -> None:
    op.create_table(
        "precedents",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("ticket", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("arbitration", sa.Uuid, nullable=True),
        sa.Column("step", sa.Integer, nullable=True),
        sa.Column("disputed", JSONB, nullable=False),
        sa.Column("unit", sa.Text, nullable=True),
        sa.Column("co_handlers", JSONB, nullable=False),
        sa.Column("reason_code", sa.Text, nullable=True),
        sa.Column("grounds", sa.Text, nullable=False),
        sa.Column("ruling", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=True),
        sa.Column("paper", sa.Text, nullable=True),
        sa.Column("ruled_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_precedents"),
        sa.ForeignKeyConstraint(
            ["ticket"], ["tickets.number"], name="fk_precedents_ticket_tickets"
        ),
        if_not_exists=True,
    )
    op.create_index("ix_precedents_ticket", "precedents", ["ticket"], if_not_exists=True)
    op.create_index("ix_precedents_ruled_at", "precedents", ["ruled_at", "id"], if_not_exists=True)


def downgrade() -> None:
    """Contract."""
    op.drop_table("precedents")
    op.drop_table("statements")
    op.drop_table("arbitrations")
    op.drop_column("tickets", "arbitration")
