"""A citizen's code is made of a random number of its ticket's own, from the next day on.

A number can be given twice, after a restore; its code must not come twice with it. On days that
have begun, replicas of the release before still give codes of the number alone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand."""
    op.add_column("ticket", sa.Column("code_nonce", sa.Uuid(), nullable=True))
    op.add_column("day_number", sa.Column("code_nonces", sa.Boolean(), nullable=True))
    op.alter_column("day_number", "code_nonces", server_default=sa.true())  # of the days to come


def downgrade() -> None:
    """Contract."""
    op.drop_column("day_number", "code_nonces")
    op.drop_column("ticket", "code_nonce")
