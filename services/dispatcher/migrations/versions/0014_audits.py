"""Audits of answers, and requests to end a matter: the forms, and what waits on an order."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "completion_forms",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("ticket", sa.Text, nullable=False),
        sa.Column("assignment", sa.Uuid, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("asks", sa.Boolean, nullable=False),
        sa.Column("form", postgresql.JSONB, nullable=False),
        sa.Column("bands", postgresql.ARRAY(sa.Integer), nullable=False),
        sa.Column("submitted_at", moment, nullable=False),
        sa.Column("due", moment, nullable=True),
        sa.Column("findings", postgresql.JSONB, nullable=False),
        sa.Column("outcome", sa.Text, nullable=True),
        sa.Column("grounds", sa.Text, nullable=True),
        sa.Column("decided_at", moment, nullable=True),
        sa.Column("decided_by", sa.Text, nullable=True),
        sa.Column("silent", sa.Boolean, nullable=False),
        sa.Column("pauses", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_completion_forms"),
        sa.ForeignKeyConstraint(
            ["ticket"], ["tickets.number"], name="fk_completion_forms_ticket_tickets"
        ),
        sa.ForeignKeyConstraint(
            ["assignment"], ["assignments.id"], name="fk_completion_forms_assignment_assignments"
        ),
    )
    op.create_index("ix_completion_forms_ticket", "completion_forms", ["ticket"])
    op.create_index("ix_completion_forms_assignment", "completion_forms", ["assignment"])
    op.create_index(
        "ix_completion_forms_undecided",
        "completion_forms",
        ["due"],
        postgresql_where=sa.text("outcome IS NULL"),
    )
    op.create_index(
        "ix_completion_forms_bands", "completion_forms", ["bands"], postgresql_using="gin"
    )
    pending = sa.Column("pending", postgresql.JSONB, nullable=True)
    op.add_column("assignments", pending, if_not_exists=True)


def downgrade() -> None:
    """Contract."""
    op.drop_column("assignments", "pending")
    op.drop_table("completion_forms")
