"""Initial: tickets, resolutions, callbacks, attempts, messages, and the system tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.storage.migrations import create_system_tables, drop_system_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    _tickets()
    _callbacks()
    _attempts()
    create_system_tables()


def _tickets() -> None:
    op.create_table(
        "tickets",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("has_contact", sa.Boolean(), nullable=False),
        sa.Column("reply_declined", sa.Boolean(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("supervised", sa.Boolean(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_tickets")),
    )
    op.create_table(
        "messages",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("occasion", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["number"], ["tickets.number"], name=op.f("fk_messages_number_tickets")
        ),
        sa.PrimaryKeyConstraint("number", "round", "occasion", name=op.f("pk_messages")),
    )
    op.create_table(
        "resolutions",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("lead", sa.String(), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ending", sa.String(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["number"], ["tickets.number"], name=op.f("fk_resolutions_number_tickets")
        ),
        sa.PrimaryKeyConstraint("number", "round", name=op.f("pk_resolutions")),
    )
    op.create_index("ix_resolutions_ended_at", "resolutions", ["ended_at"], unique=False)


def _callbacks() -> None:
    op.create_table(
        "callbacks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("finish_due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_step", sa.String(), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_asks", sa.Integer(), nullable=False),
        sa.Column("settled_by", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(next_step IS NULL) = (next_at IS NULL)", name=op.f("ck_callbacks_next")
        ),
        sa.ForeignKeyConstraint(
            ["number", "round"],
            ["resolutions.number", "resolutions.round"],
            name=op.f("fk_callbacks_number_resolutions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callbacks")),
        sa.UniqueConstraint("number", "round", name=op.f("uq_callbacks_number_round")),
    )
    op.create_index(
        "ix_callbacks_next_at",
        "callbacks",
        ["next_at"],
        unique=False,
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_index("ix_callbacks_status", "callbacks", ["status", "id"], unique=False)


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("callback", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("contacted", sa.String(), nullable=True),
        sa.Column("solved", sa.String(), nullable=True),
        sa.Column("satisfied", sa.String(), nullable=True),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reported_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["callback"], ["callbacks.id"], name=op.f("fk_attempts_callback_callbacks")
        ),
        sa.PrimaryKeyConstraint("callback", "attempt", name=op.f("pk_attempts")),
    )


def downgrade() -> None:
    """Contract."""
    op.drop_table("attempts")
    op.drop_table("callbacks")
    op.drop_table("resolutions")
    op.drop_table("messages")
    op.drop_table("tickets")
    drop_system_tables()
