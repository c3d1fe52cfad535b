"""The first schema of intake."""

import sqlalchemy as sa
from alembic import op

from shared.storage.migrations import create_system_tables, drop_system_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    create_system_tables()
    op.create_table(
        "day_number",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_day_number")),
    )
    op.create_table(
        "ticket",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("urgency", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("flags", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("source_number", sa.String(), nullable=True),
        sa.Column("reported_unit", sa.String(), nullable=True),
        sa.Column("confidential", sa.Boolean(), nullable=False),
        sa.Column("reply_declined", sa.Boolean(), nullable=False),
        sa.Column("has_contact", sa.Boolean(), nullable=False),
        sa.Column("phone_index", sa.String(), nullable=True),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("urged", sa.Integer(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("resolved_round", sa.Integer(), nullable=False),
        sa.Column("closed_round", sa.Integer(), nullable=False),
        sa.Column("reopened_round", sa.Integer(), nullable=False),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("answer_seq", sa.Integer(), nullable=False),
        sa.Column("extended_round", sa.Integer(), nullable=False),
        sa.Column("extended_due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("extended_reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ticket")),
        sa.UniqueConstraint("id", name=op.f("uq_ticket_id")),
    )
    op.create_index(op.f("ix_ticket_area"), "ticket", ["area"], unique=False)
    op.create_index(op.f("ix_ticket_phone_index"), "ticket", ["phone_index"], unique=False)
    op.create_index(op.f("ix_ticket_status"), "ticket", ["status"], unique=False)
    op.create_index(op.f("ix_ticket_type"), "ticket", ["type"], unique=False)
    op.create_index(op.f("ix_ticket_topic"), "ticket", ["topic"], unique=False)
    op.create_index(
        "uq_ticket_channel_source_number",
        "ticket",
        ["channel", "source_number"],
        unique=True,
        postgresql_where=sa.text("source_number IS NOT NULL"),
    )
    op.create_table(
        "contact_read",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["number"], ["ticket.number"], name=op.f("fk_contact_read_number_ticket")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_read")),
    )
    op.create_index(op.f("ix_contact_read_number"), "contact_read", ["number"], unique=False)
    op.create_table(
        "assignment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["number"], ["ticket.number"], name=op.f("fk_assignment_number_ticket")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
    )
    op.create_index(op.f("ix_assignment_number"), "assignment", ["number"], unique=False)
    op.create_table(
        "vault",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["number"], ["ticket.number"], name=op.f("fk_vault_number_ticket")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_vault")),
    )
    op.create_table(
        "citizen_note",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["number"], ["ticket.number"], name=op.f("fk_citizen_note_number_ticket")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_citizen_note")),
    )
    op.create_index(op.f("ix_citizen_note_number"), "citizen_note", ["number"], unique=False)


def downgrade() -> None:
    """Contract."""
    op.drop_index(op.f("ix_citizen_note_number"), table_name="citizen_note")
    op.drop_table("citizen_note")
    op.drop_table("vault")
    op.drop_index(op.f("ix_assignment_number"), table_name="assignment")
    op.drop_table("assignment")
    op.drop_index(op.f("ix_contact_read_number"), table_name="contact_read")
    op.drop_table("contact_read")
    op.drop_index(
        "uq_ticket_channel_source_number",
        table_name="ticket",
        postgresql_where=sa.text("source_number IS NOT NULL"),
    )
    op.drop_index(op.f("ix_ticket_topic"), table_name="ticket")
    op.drop_index(op.f("ix_ticket_type"), table_name="ticket")
    op.drop_index(op.f("ix_ticket_status"), table_name="ticket")
    op.drop_index(op.f("ix_ticket_phone_index"), table_name="ticket")
    op.drop_index(op.f("ix_ticket_area"), table_name="ticket")
    op.drop_table("ticket")
    op.drop_table("day_number")
    drop_system_tables()
