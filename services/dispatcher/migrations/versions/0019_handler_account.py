"""经办人账号: whose account an order's handler is."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    account = sa.Column("handler_account", sa.Text, nullable=True)
    op.add_column("assignments", account, if_not_exists=True)


def downgrade() -> None:
    """Contract."""
    op.drop_column("assignments", "handler_account")
