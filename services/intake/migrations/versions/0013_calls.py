"""Calls of the exchange, and tries to ring missed callers back."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Expand."""
    op.create_table(
        "phone_call",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        _moment("heard_at", nullable=False),
        _moment("began_at"),
        _moment("answered_at"),
        _moment("hung_up_at"),
        sa.Column("agent", sa.String(), nullable=True),
        sa.Column("pop", sa.LargeBinary(), nullable=True),
        _moment("pop_until"),
        sa.Column("number", sa.String(), nullable=True),
        _moment("drafted_at"),
        sa.Column("caller", sa.LargeBinary(), nullable=True),
        _moment("missed_since"),
        _moment("taken_at"),
        sa.Column("taken_by", sa.String(), nullable=True),
        _moment("ended_at"),
        sa.Column("ending", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["number"], ["ticket.number"], name=op.f("fk_phone_call_number_ticket")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_call")),
        sa.UniqueConstraint("pop", name=op.f("uq_phone_call_pop")),
    )
    for column in ("heard_at", "number", "caller"):
        op.create_index(op.f(f"ix_phone_call_{column}"), "phone_call", [column], unique=False)
    missed = sa.text("missed_since IS NOT NULL AND ended_at IS NULL")
    drafted = sa.text("drafted_at IS NOT NULL AND number IS NULL")
    for name, column, where in (
        ("missed", "missed_since", missed),
        ("drafted", "drafted_at", drafted),
    ):
        op.create_index(
            f"ix_phone_call_{name}", "phone_call", [column, "id"], postgresql_where=where
        )
    op.create_table(
        "ring_back",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("call", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        _moment("tried_at", nullable=False),
        sa.ForeignKeyConstraint(
            ["call"],
            ["phone_call.id"],
            name=op.f("fk_ring_back_call_phone_call"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ring_back")),
    )
    op.create_index(op.f("ix_ring_back_call"), "ring_back", ["call"], unique=False)


def downgrade() -> None:
    """Contract."""
    op.drop_table("ring_back")
    op.drop_table("phone_call")
