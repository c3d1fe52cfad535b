"""另号已承办: since when units have had a ticket's matter under other numbers; who is a citizen's repeat."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    had = sa.Column("had", JSONB(none_as_null=True), nullable=True)
    repeat = sa.Column("repeat", sa.Boolean, server_default=sa.text("false"), nullable=False)
    op.add_column("tickets", had, if_not_exists=True)
    op.add_column("tickets", repeat, if_not_exists=True)


def downgrade() -> None:
    """Back to the schema before."""
    for column in ("repeat", "had"):
        op.drop_column("tickets", column)
