"""Promised days, what became of them, and the second callback of a round, that asks about one."""

import sqlalchemy as sa
from alembic import op

from shared.storage.migrations import create_live_index

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ROUND = "uq_callbacks_number_round"
ABOUT = "uq_callbacks_number_round_about"
OF_PROMISES = "SELECT id FROM callbacks WHERE about = 'promise'"


def upgrade() -> None:
    """Expand: what the release before makes is about answers, and of those a round has one (ADR 0069)."""
    for column in (
        sa.Column("promised_on", sa.Date(), nullable=True),
        sa.Column("promise", sa.Uuid(), nullable=True),
        sa.Column("promise_seq", sa.Integer(), nullable=True),
        sa.Column("promise_ended", sa.String(), nullable=True),
        sa.Column("promise_ended_at", sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column("resolutions", column, if_not_exists=True)
    about = sa.Column("about", sa.String(), server_default=sa.text("'answer'"), nullable=False)
    op.add_column("callbacks", about, if_not_exists=True)
    op.add_column("attempts", sa.Column("about", sa.String(), nullable=True), if_not_exists=True)
    of_many = sa.text("promise IS NOT NULL")
    create_live_index(
        "ix_resolutions_promise", "resolutions", ["promise"], postgresql_where=of_many
    )
    create_live_index(ABOUT, "callbacks", ["number", "round", "about"], unique=True)
    op.drop_constraint(ROUND, "callbacks")


def downgrade() -> None:
    """Back to the schema before; what was asked about promises has no place in it."""
    op.execute(f"DELETE FROM attempts WHERE callback IN ({OF_PROMISES})")
    op.execute("DELETE FROM callbacks WHERE about = 'promise'")
    op.create_unique_constraint(ROUND, "callbacks", ["number", "round"])
    op.drop_index(ABOUT, table_name="callbacks")
    op.drop_column("attempts", "about")
    op.drop_column("callbacks", "about")
    op.drop_index("ix_resolutions_promise", table_name="resolutions")
    for name in ("promise_ended_at", "promise_ended", "promise_seq", "promise", "promised_on"):
        op.drop_column("resolutions", name)
