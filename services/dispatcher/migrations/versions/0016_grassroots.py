"""What towns are kept from, or led on somebody's approval; since when a later text may report a danger."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    op.create_table(
        "grassroots_checks",
        sa.Column("ticket", sa.Text, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("way", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("approved_by", sa.Text, nullable=True),
        sa.Column("ground", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint(
            "ticket", "round", "unit", "way", "outcome", name="pk_grassroots_checks"
        ),
        if_not_exists=True,
    )
    op.create_index("ix_grassroots_checks_at", "grassroots_checks", ["at"], if_not_exists=True)
    approved = sa.Column("approved", postgresql.JSONB, nullable=True)
    op.add_column("assignments", approved, if_not_exists=True)
    alarmed = sa.Column("alarmed_at", sa.DateTime(timezone=True), nullable=True)
    op.add_column("tickets", alarmed, if_not_exists=True)


def downgrade() -> None:
    """Contract."""
    op.drop_column("tickets", "alarmed_at")
    op.drop_column("assignments", "approved")
    op.drop_table("grassroots_checks")
