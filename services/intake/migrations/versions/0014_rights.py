"""Units ask a custodian before they read a confidential contact; the read log says for whom, and why not."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    op.create_table(
        "contact_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("assignment", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ruling", sa.String(), nullable=True),
        sa.Column("ruled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ruled_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["number"], ["ticket.number"], name=op.f("fk_contact_request_number_ticket")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_request")),
    )
    op.create_index(
        op.f("ix_contact_request_assignment"), "contact_request", ["assignment"], unique=False
    )
    op.create_index(
        "ix_contact_request_due",
        "contact_request",
        ["due"],
        unique=False,
        postgresql_where=sa.text("status = 'asked'"),
    )
    op.create_index(op.f("ix_contact_request_number"), "contact_request", ["number"], unique=False)
    op.add_column("contact_read", sa.Column("person", sa.String(), nullable=True))
    op.add_column("contact_read", sa.Column("why", sa.String(), nullable=True))


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_column("contact_read", "why")
    op.drop_column("contact_read", "person")
    op.drop_index(op.f("ix_contact_request_number"), table_name="contact_request")
    op.drop_index(
        "ix_contact_request_due",
        table_name="contact_request",
        postgresql_where=sa.text("status = 'asked'"),
    )
    op.drop_index(op.f("ix_contact_request_assignment"), table_name="contact_request")
    op.drop_table("contact_request")
