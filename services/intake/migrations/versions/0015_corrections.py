"""What was written down wrongly is put right, on record; a new ticket may follow an old one."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.storage.migrations import create_live_index

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    op.create_table(
        "correction",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("fields", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("after_dispatch", sa.Boolean(), nullable=False),
        sa.Column("corrected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("corrected_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["id"], ["citizen_note.id"], name=op.f("fk_correction_id_citizen_note")
        ),
        sa.ForeignKeyConstraint(
            ["number"], ["ticket.number"], name=op.f("fk_correction_number_ticket")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
        if_not_exists=True,
    )
    op.add_column("ticket", sa.Column("follows", sa.String(), nullable=True), if_not_exists=True)
    op.add_column(
        "ticket",
        sa.Column("noted_after_end_at", sa.DateTime(timezone=True), nullable=True),
        if_not_exists=True,
    )
    create_live_index(
        "ix_ticket_follows",
        "ticket",
        ["follows"],
        postgresql_where=sa.text("follows IS NOT NULL"),
    )
    create_live_index(
        "ix_ticket_noted_after_end",
        "ticket",
        ["number"],
        postgresql_where=sa.text("noted_after_end_at IS NOT NULL"),
    )
    create_live_index(op.f("ix_correction_number"), "correction", ["number"], unique=False)


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_index("ix_ticket_noted_after_end", table_name="ticket")
    op.drop_index("ix_ticket_follows", table_name="ticket")
    op.drop_column("ticket", "noted_after_end_at")
    op.drop_column("ticket", "follows")
    op.drop_index(op.f("ix_correction_number"), table_name="correction")
    op.drop_table("correction")
