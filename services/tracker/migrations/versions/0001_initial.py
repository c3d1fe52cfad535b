"""The first schema: tickets, rounds, assignments, clocks, extensions, supervisions."""

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
    "supervisions", "extensions", "clocks", "assignments", "rounds", "tickets",
)  # fmt: skip


def upgrade() -> None:
    _tickets()
    _assignments()
    _clocks()
    _extensions()
    _supervisions()
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


def _id(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid, nullable=nullable)


def _of_ticket(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_ticket_tickets"
    return sa.ForeignKeyConstraint(["ticket"], ["tickets.number"], name=name)


def _of_assignment(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_assignment_assignments"
    return sa.ForeignKeyConstraint(["assignment"], ["assignments.id"], name=name)


# --- the tracker's own -------------------------------------------------------------------------


def _tickets() -> None:
    op.create_table(
        "tickets",
        _words("number"),
        _words("type"),
        _words("urgency"),
        _words("topic"),
        _json("flags"),
        _moment("registered_at"),
        _moment("withdrawn_at", nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_tickets"),
    )
    op.create_table(
        "rounds",
        _words("ticket"),
        _count("number"),
        _moment("started_at"),
        _moment("resolved_at", nullable=True),
        sa.PrimaryKeyConstraint("ticket", "number", name="pk_rounds"),
        sa.ForeignKeyConstraint(["ticket"], ["tickets.number"], name="fk_rounds_ticket_tickets"),
    )


def _assignments() -> None:
    op.create_table(
        "assignments",
        _id("id"),
        _words("ticket"),
        _words("unit"),
        _words("role"),
        _count("round"),
        _words("urgency"),
        _flag("redo"),
        _flag("has_contact"),
        _words("sign_limit", nullable=True),
        _words("first_contact_limit", nullable=True),
        _words("handle_limit", nullable=True),
        _moment("dispatched_at"),
        _moment("signed_at", nullable=True),
        _moment("contacted_at", nullable=True),
        _moment("completed_at", nullable=True),
        _moment("return_requested_at", nullable=True),
        _moment("return_refused_at", nullable=True),
        _moment("returned_at", nullable=True),
        _moment("cancelled_at", nullable=True),
        _words("cancel_reason", nullable=True),
        _count("extension"),
        sa.PrimaryKeyConstraint("id", name="pk_assignments"),
        _of_ticket("assignments"),
    )
    op.create_index("ix_assignments_ticket", "assignments", ["ticket"])


def _clocks() -> None:
    op.create_table(
        "clocks",
        _id("id"),
        _words("ticket"),
        _count("round"),
        _words("kind"),
        _id("assignment", nullable=True),
        _words("unit", nullable=True),
        _words("role", nullable=True),
        _words("urgency"),
        _words("status"),
        _moment("started_at"),
        _json("terms"),
        _count("extension"),
        _json("pauses"),
        _moment("base_due"),
        _moment("due"),
        _flag("provisional"),
        _moment("ended_at", nullable=True),
        _json("passed"),
        _moment("breached_at", nullable=True),
        _moment("judged_at", nullable=True),
        _moment("next_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_clocks"),
        _of_ticket("clocks"),
        _of_assignment("clocks"),
    )
    op.create_index("ix_clocks_ticket", "clocks", ["ticket"])
    _index_where("ix_clocks_next_at", ["next_at"], "next_at IS NOT NULL")
    _index_where("ix_clocks_judged_at", ["judged_at"], "judged_at IS NOT NULL")
    _index_where("ix_clocks_breached_at", ["breached_at", "id"], "breached_at IS NOT NULL")
    _index_where("ix_clocks_provisional", ["due"], "provisional")


def _index_where(name: str, columns: list[str], where: str) -> None:
    op.create_index(name, "clocks", columns, postgresql_where=sa.text(where))


def _extensions() -> None:
    op.create_table(
        "extensions",
        _id("id"),
        _words("ticket"),
        _id("assignment"),
        _words("unit"),
        _words("status"),
        _words("reason"),
        _words("legal_basis"),
        _count("days"),
        _moment("asked_at"),
        _words("asked_by"),
        _moment("ruled_at", nullable=True),
        _words("ruled_by", nullable=True),
        _words("ruling", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_extensions"),
        sa.UniqueConstraint("assignment", name="uq_extensions_assignment"),
        _of_ticket("extensions"),
        _of_assignment("extensions"),
    )
    op.create_index("ix_extensions_ticket", "extensions", ["ticket"])


def _supervisions() -> None:
    op.create_table(
        "supervisions",
        _id("id"),
        _words("ticket"),
        _id("assignment"),
        _count("round"),
        _words("unit"),
        _id("clock", nullable=True),
        _count("rung"),
        _words("title"),
        _words("by"),
        _words("reason"),
        _moment("answer_due", nullable=True),
        _moment("raised_at"),
        _words("raised_by"),
        _moment("closed_at", nullable=True),
        _words("close_reason", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_supervisions"),
        _of_ticket("supervisions"),
        _of_assignment("supervisions"),
        sa.ForeignKeyConstraint(["clock"], ["clocks.id"], name="fk_supervisions_clock_clocks"),
    )
    op.create_index("ix_supervisions_ticket", "supervisions", ["ticket"])
