"""The catalogue's drafts and versions, and which of them an order was decided by."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Expand."""
    op.create_table(
        "catalogue_texts",
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_catalogue_texts"),
        if_not_exists=True,
    )
    op.create_table(
        "catalogues",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("based_on", sa.Integer, nullable=True),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("authors", JSONB, nullable=False),
        sa.Column("drafted_at", MOMENT, nullable=False),
        sa.Column("edited_at", MOMENT, nullable=False),
        sa.Column("discarded_at", MOMENT, nullable=True),
        sa.Column("discarded_by", sa.Text, nullable=True),
        sa.Column("published_at", MOMENT, nullable=True),
        sa.Column("published_by", sa.Text, nullable=True),
        sa.Column("effective_at", MOMENT, nullable=True),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
        sa.Column("withdrawn_by", sa.Text, nullable=True),
        sa.Column("withdrawn_reason", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_catalogues"),
        sa.ForeignKeyConstraint(
            ["digest"], ["catalogue_texts.digest"], name="fk_catalogues_digest_catalogue_texts"
        ),
        if_not_exists=True,
    )
    op.create_index(
        "uq_catalogues_version", "catalogues", ["version"], unique=True, if_not_exists=True
    )
    op.create_index(
        "ix_catalogues_drafts",
        "catalogues",
        ["id"],
        postgresql_where=sa.text("version IS NULL"),
        if_not_exists=True,
    )
    for table in ("tickets", "assignments"):
        version = sa.Column("catalogue_version", sa.Integer, nullable=True)
        op.add_column(table, version, if_not_exists=True)


def downgrade() -> None:
    """Contract."""
    for table in ("tickets", "assignments"):
        op.drop_column(table, "catalogue_version")
    op.drop_table("catalogues")
    op.drop_table("catalogue_texts")
