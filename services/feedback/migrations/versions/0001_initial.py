"""Initial: tickets, resolutions, callbacks, attempts, messages, and the system tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    _tickets()
    _callbacks()
    _attempts()
    _outbox()
    _inbox()


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


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("event", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("recorded", sa.DateTime(timezone=True), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("try_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("event", name=op.f("uq_outbox_event")),
        sa.UniqueConstraint("position", name=op.f("uq_outbox_position")),
    )
    op.create_index(op.f("ix_outbox_subject"), "outbox", ["subject"], unique=False)
    op.create_index(
        "ix_outbox_unsent",
        "outbox",
        ["id"],
        unique=False,
        postgresql_where=sa.text("position IS NULL"),
    )
    op.create_table(
        "seq",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_seq")),
    )


def _inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("consumer", sa.Text(), nullable=False),
        sa.Column("event", sa.Uuid(), nullable=False),
        sa.Column("received", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("consumer", "event", name=op.f("pk_inbox")),
    )
    op.create_table(
        "answers",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("recorded", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name=op.f("pk_answers")),
    )
    op.create_table(
        "retry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("consumer", sa.Text(), nullable=False),
        sa.Column("event", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retry")),
    )
    op.create_index(op.f("ix_retry_due"), "retry", ["due"], unique=False)
    op.create_index(op.f("ix_retry_subject"), "retry", ["subject"], unique=False)


def downgrade() -> None:
    """Contract."""
    op.drop_table("attempts")
    op.drop_table("callbacks")
    op.drop_table("resolutions")
    op.drop_table("messages")
    op.drop_table("tickets")
    op.drop_table("seq")
    op.drop_table("retry")
    op.drop_table("outbox")
    op.drop_table("inbox")
    op.drop_table("answers")
