"""Callers are found by every number they gave, confidential ones under a key of their own.

``phone_index``, equal across a caller's confidential and other tickets, is read by no release; it is
written no more, and what stands in it is keyed anew by a job.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    op.create_table(
        "caller_digest",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["number"],
            ["vault.number"],
            name=op.f("fk_caller_digest_number_vault"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("digest", "number", name=op.f("pk_caller_digest")),
    )
    op.create_index(op.f("ix_caller_digest_number"), "caller_digest", ["number"], unique=False)
    op.alter_column("contact_read", "number", nullable=True)  # a lookup that found nothing


def downgrade() -> None:
    """Contract."""
    op.drop_table(
        "caller_digest"
    )  # contact_read.number stays as it is: the log's rows are for good
