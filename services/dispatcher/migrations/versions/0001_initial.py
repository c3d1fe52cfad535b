"""The first schema: tickets, assignments, records of contacts and returns, the unit feed."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.storage.migrations import create_system_tables, drop_system_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "feed", "returns", "contacts", "supplements", "assignments", "tickets",
)  # fmt: skip


def upgrade() -> None:
    _tickets()
    _assignments()
    _contacts()
    _returns()
    _feed()
    create_system_tables()


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    drop_system_tables()


def _words(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _count(name: str, default: str | None = None) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default=default)


def _flag(name: str, *, nullable: bool = False) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=nullable)


def _json(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, postgresql.JSONB, nullable=nullable)


def _number(*, nullable: bool) -> sa.Column[int]:
    return sa.Column("position", sa.BigInteger, nullable=nullable)


def _row_id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False)


# --- the dispatcher's own ----------------------------------------------------------------------


def _tickets() -> None:
    op.create_table(
        "tickets",
        _words("number"),
        _moment("registered_at"),
        _json("matter"),
        _words("urgency"),
        _count("round"),
        _count("resolved"),
        _count("closed"),
        _moment("withdrawn_at", nullable=True),
        _moment("unassigned_at", nullable=True),
        _words("unassigned_reason", nullable=True),
        _json("nearest"),
        _count("urged"),
        sa.PrimaryKeyConstraint("number", name="pk_tickets"),
    )
    waiting = sa.text("unassigned_at IS NOT NULL")
    op.create_index("ix_tickets_unassigned", "tickets", ["number"], postgresql_where=waiting)
    op.create_table(
        "supplements",
        _words("ticket"),
        _count("seq"),
        _moment("added_at"),
        _words("content"),
        sa.PrimaryKeyConstraint("ticket", "seq", name="pk_supplements"),
        sa.ForeignKeyConstraint(
            ["ticket"], ["tickets.number"], name="fk_supplements_ticket_tickets"
        ),
    )


def _assignments() -> None:
    op.create_table(
        "assignments",
        sa.Column("id", sa.Uuid, nullable=False),
        _words("ticket"),
        _count("round"),
        _words("unit"),
        _words("role"),
        _words("status"),
        _words("was", nullable=True),
        _words("rule", nullable=True),
        _words("reason"),
        _words("urgency"),
        _json("limits"),
        _flag("appointed"),
        _flag("redo"),
        _moment("dispatched_at"),
        _words("handler", nullable=True),
        _count("attempts"),
        _flag("reached"),
        _words("progress", nullable=True),
        _json("completion", nullable=True),
        _words("verdict", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_assignments"),
        sa.ForeignKeyConstraint(
            ["ticket"], ["tickets.number"], name="fk_assignments_ticket_tickets"
        ),
    )
    op.create_index("ix_assignments_ticket", "assignments", ["ticket"])
    op.create_index("ix_assignments_unit_id", "assignments", ["unit", "id"])


def _contacts() -> None:
    op.create_table(
        "contacts",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("assignment", sa.Uuid, nullable=False),
        _moment("made_at"),
        _words("how"),
        _words("outcome"),
        _words("note"),
        sa.PrimaryKeyConstraint("id", name="pk_contacts"),
        sa.ForeignKeyConstraint(
            ["assignment"], ["assignments.id"], name="fk_contacts_assignment_assignments"
        ),
    )
    op.create_index("ix_contacts_assignment", "contacts", ["assignment"])


def _returns() -> None:
    op.create_table(
        "returns",
        sa.Column("id", sa.Uuid, nullable=False),
        _words("ticket"),
        sa.Column("assignment", sa.Uuid, nullable=False),
        _words("unit"),
        _words("reason_code"),
        _words("legal_basis"),
        _words("suggested_unit", nullable=True),
        _words("approver"),
        _words("note"),
        _moment("requested_at"),
        _flag("granted", nullable=True),
        _words("ruling", nullable=True),
        _moment("ruled_at", nullable=True),
        _words("ruled_by", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_returns"),
        sa.ForeignKeyConstraint(["ticket"], ["tickets.number"], name="fk_returns_ticket_tickets"),
        sa.ForeignKeyConstraint(
            ["assignment"], ["assignments.id"], name="fk_returns_assignment_assignments"
        ),
    )
    op.create_index("ix_returns_ticket", "returns", ["ticket"])
    op.create_index("ix_returns_assignment", "returns", ["assignment"])


def _feed() -> None:
    op.create_table(
        "feed",
        _row_id(),
        _number(nullable=True),
        _words("unit"),
        sa.Column("fact", sa.Uuid, nullable=False),
        _words("name"),
        _words("body"),
        _moment("received_at"),
        sa.PrimaryKeyConstraint("id", name="pk_feed"),
        sa.UniqueConstraint("position", name="uq_feed_position"),
    )
    op.create_index("ix_feed_unit_position", "feed", ["unit", "position"])
    unnumbered = sa.text("position IS NULL")
    op.create_index("ix_feed_unnumbered", "feed", ["id"], postgresql_where=unnumbered)
