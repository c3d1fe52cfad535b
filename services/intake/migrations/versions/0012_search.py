"""Tickets are found by the words of their working copy; an index of units' orders for lists by unit."""

import sqlalchemy as sa
from alembic import op

from shared.storage.migrations import create_live_index

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    create_live_index("ix_assignment_unit_number", "assignment", ["unit", "number"])
    op.create_table(
        "ticket_text",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("grams", sa.ARRAY(sa.Integer()), nullable=False),
        sa.ForeignKeyConstraint(
            ["number"], ["ticket.number"], name=op.f("fk_ticket_text_number_ticket")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ticket_text")),
    )
    op.create_index("ix_ticket_text_grams", "ticket_text", ["grams"], postgresql_using="gin")
    place = op.create_table(
        "search_place",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_place")),
    )
    op.bulk_insert(place, [{"id": 1, "position": 0}])


def downgrade() -> None:
    """Contract."""
    op.drop_index("ix_assignment_unit_number", table_name="assignment")
    op.drop_table("search_place")
    op.drop_table("ticket_text")
