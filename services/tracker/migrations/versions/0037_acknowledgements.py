"""By when a danger is to be taken up, and who has taken it up."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.storage.migrations import create_live_index

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

UNACKNOWLEDGED = sa.text("risk_due IS NOT NULL AND risk_acknowledgement IS NULL")


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    json, moment = postgresql.JSONB(astext_type=sa.Text()), sa.DateTime(timezone=True)
    for column in (
        sa.Column("risk_due", moment, nullable=True),
        sa.Column("risk_acknowledgement", json, nullable=True),
    ):
        op.add_column("tickets", column, if_not_exists=True)
    where = {"postgresql_where": UNACKNOWLEDGED}
    create_live_index("ix_tickets_risk_due", "tickets", ["risk_due"], **where)


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_index("ix_tickets_risk_due", table_name="tickets")
    for column in ("risk_acknowledgement", "risk_due"):
        op.drop_column("tickets", column)
