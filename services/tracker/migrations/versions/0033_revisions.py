"""Clocks that ended and are judged anew; the pauses a clock would have had, were lost disputes uncharged."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.storage.migrations import create_live_index

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
JSON = postgresql.JSONB(astext_type=sa.Text())
EMPTY = sa.text("'[]'")


def upgrade() -> None:
    """Expand: the release before this one still runs on it."""
    uncharged = sa.Column("uncharged", JSON, server_default=EMPTY, nullable=False)
    op.add_column("clocks", uncharged, if_not_exists=True)
    op.add_column("clocks", sa.Column("due_revised", MOMENT, nullable=True), if_not_exists=True)
    op.add_column("clocks", sa.Column("revised", JSON, nullable=True), if_not_exists=True)
    op.create_table(
        "revisions",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("days", JSON, nullable=False),
        sa.Column("calendar", sa.Integer, nullable=False),
        sa.Column("tickets", JSON, nullable=False),
        sa.Column("clocks", JSON, nullable=False),
        sa.Column("ground", sa.Text, nullable=False),
        sa.Column("paper", sa.Text, nullable=False),
        sa.Column("asked", sa.Integer, nullable=False),
        sa.Column("proposed_at", MOMENT, nullable=False),
        sa.Column("proposed_by", sa.Text, nullable=False),
        sa.Column("granted", sa.Boolean, nullable=True),
        sa.Column("note", sa.Text, nullable=True),
        sa.Column("ruled_at", MOMENT, nullable=True),
        sa.Column("ruled_by", sa.Text, nullable=True),
        sa.Column("upto_at", MOMENT, nullable=True),
        sa.Column("upto", sa.Uuid, nullable=True),
        sa.Column("moved", sa.Integer, nullable=False),
        sa.Column("cleared", sa.Integer, nullable=False),
        sa.Column("done_at", MOMENT, nullable=True),
        if_not_exists=True,
    )
    working = sa.text("granted AND done_at IS NULL")
    op.create_index(
        "ix_revisions_working",
        "revisions",
        ["ruled_at", "id"],
        postgresql_where=working,
        if_not_exists=True,
    )
    revised = sa.text("due_revised IS NOT NULL")
    create_live_index("ix_clocks_due_revised", "clocks", ["due_revised"], postgresql_where=revised)


def downgrade() -> None:
    """Back to the schema before."""
    op.drop_index("ix_clocks_due_revised", table_name="clocks")
    op.drop_table("revisions")
    for column in ("revised", "due_revised", "uncharged"):
        op.drop_column("clocks", column)
