"""What went before the ladder, and when clocks would be due without the time of lost disputes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    went = sa.Column("arbitrations", JSONB, nullable=False, server_default=sa.text("'[]'"))
    op.add_column("tickets", went, if_not_exists=True)
    moment = sa.DateTime(timezone=True)
    op.add_column("clocks", sa.Column("due_uncharged", moment, nullable=True), if_not_exists=True)


def downgrade() -> None:
    """Contract."""
    op.drop_column("clocks", "due_uncharged")
    op.drop_column("tickets", "arbitrations")
