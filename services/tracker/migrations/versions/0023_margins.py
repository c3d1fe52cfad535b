"""延期失效、预警: when an extension was granted or lapsed, which warnings a clock has passed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    at = sa.Column("extended_at", sa.DateTime(timezone=True), nullable=True)
    op.add_column("assignments", at, if_not_exists=True)
    at = sa.Column("lapsed_at", sa.DateTime(timezone=True), nullable=True)
    op.add_column("extensions", at, if_not_exists=True)
    warned = sa.Column(
        "warned",
        postgresql.JSONB(astext_type=sa.Text()),
        server_default=sa.text("'{}'"),
        nullable=False,
    )
    op.add_column("clocks", warned, if_not_exists=True)


def downgrade() -> None:
    """Contract."""
    op.drop_column("clocks", "warned")
    op.drop_column("extensions", "lapsed_at")
    op.drop_column("assignments", "extended_at")
