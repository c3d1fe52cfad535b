"""What on record does not fit together, what a ticket keeps of it, and what people made of it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

JSON = postgresql.JSONB(astext_type=sa.Text())


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    op.add_column("tickets", sa.Column("honesty", JSON, nullable=True), if_not_exists=True)
    op.create_table(
        "discrepancies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("assignment", sa.Uuid(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", JSON, nullable=False),
        sa.Column("tickets", JSON, nullable=False),
        sa.Column("needed", sa.Integer(), nullable=True),
        sa.Column("to_count", sa.Boolean(), nullable=False),
        sa.Column("explained_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("commented_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("commented_by", sa.Text(), nullable=True),
        sa.Column("dismissed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dismissed_by", sa.Text(), nullable=True),
        sa.Column("dismissed_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["ticket"], ["tickets.number"], name=op.f("fk_discrepancies_ticket_tickets")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discrepancies")),
        if_not_exists=True,
    )
    op.create_index("ix_discrepancies_ticket", "discrepancies", ["ticket"], if_not_exists=True)
    op.create_index(
        "ix_discrepancies_raised_at", "discrepancies", ["raised_at", "id"], if_not_exists=True
    )
    op.create_index(
        "ix_discrepancies_unit", "discrepancies", ["unit", "kind", "at"], if_not_exists=True
    )
    op.create_index(
        "ix_discrepancies_to_count",
        "discrepancies",
        ["id"],
        postgresql_where=sa.text("to_count"),
        if_not_exists=True,
    )


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_table("discrepancies")
    op.drop_column("tickets", "honesty")
