"""Every call has an end: what the hotline answers itself, does not accept or hands over."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    op.create_table(
        "ending_record",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("taken_by", sa.String(), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["number"], ["ticket.number"], name=op.f("fk_ending_record_number_ticket")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ending_record")),
    )
    op.create_index(op.f("ix_ending_record_number"), "ending_record", ["number"], unique=False)
    op.create_table(
        "malicious_mark",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("note", sa.Uuid(), nullable=False),
        sa.Column("warned", sa.Boolean(), nullable=False),
        sa.Column("referred_to", sa.String(), nullable=True),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("marked_by", sa.String(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.String(), nullable=True),
        sa.Column("undone_reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["number"], ["ticket.number"], name=op.f("fk_malicious_mark_number_ticket")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_malicious_mark")),
    )
    op.create_index(op.f("ix_malicious_mark_number"), "malicious_mark", ["number"], unique=False)
    op.add_column("ticket", sa.Column("ending", sa.String(), nullable=True))
    op.add_column(
        "ticket",
        sa.Column("ending_round", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column("ticket", sa.Column("ending_code", sa.String(), nullable=True))
    op.add_column("ticket", sa.Column("ending_words", sa.String(), nullable=True))
    op.add_column("ticket", sa.Column("answer_due", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "ticket",
        sa.Column("forwarded", sa.Boolean(), server_default=sa.text("true"), nullable=False),
    )
    op.add_column("ticket", sa.Column("call_rating", sa.String(), nullable=True))


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_column("ticket", "call_rating")
    op.drop_column("ticket", "forwarded")
    op.drop_column("ticket", "answer_due")
    op.drop_column("ticket", "ending_words")
    op.drop_column("ticket", "ending_code")
    op.drop_column("ticket", "ending_round")
    op.drop_column("ticket", "ending")
    op.drop_index(op.f("ix_malicious_mark_number"), table_name="malicious_mark")
    op.drop_table("malicious_mark")
    op.drop_index(op.f("ix_ending_record_number"), table_name="ending_record")
    op.drop_table("ending_record")
