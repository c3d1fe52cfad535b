"""What the hotline ends itself is heard here, too."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    op.create_table(
        "calls_rated",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("rating", sa.String(), nullable=False),
        sa.Column("direct", sa.Boolean(), nullable=False),
        sa.Column("rated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_calls_rated")),
    )
    op.create_index("ix_calls_rated_rated_at", "calls_rated", ["rated_at"], unique=False)
    op.add_column(
        "tickets",
        sa.Column("ended_round", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_column("tickets", "ended_round")
    op.drop_index("ix_calls_rated_rated_at", table_name="calls_rated")
    op.drop_table("calls_rated")
