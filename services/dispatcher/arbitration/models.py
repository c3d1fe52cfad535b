"""争议裁决: rows of disputes that went up the ladder, of what was said there, and of what was ruled."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.dispatcher.models import Base


class Arbitration(Base):
    """争议裁决: whose duty a ticket is, as it goes up the ladder of arbitration.yaml (R-17).

    ``by``: ``dispute``, opened by one return too many, or ``hand``. ``assignment``: the order whose unit
    disputes, if it is about one. ``step``: the one it is before, ``due`` until when; ``next_at``: when time
    must look at it, None once nobody is above. ``parties``: who is heard.
    Open while neither ``ruled_at`` nor ``ended_at``.
    """

    id: UUID = Field(primary_key=True)
    ticket: str = Field(foreign_key="tickets.number", index=True, sa_type=Text)
    round: int
    by: str = Field(sa_type=Text)
    assignment: UUID | None = None
    grounds: str = Field(sa_type=Text)
    opened_at: datetime
    opened_by: str = Field(sa_type=Text)
    parties: list[str] = Field(sa_type=JSONB)
    step: int
    due: datetime
    next_at: datetime | None = None
    steps: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    ruled_at: datetime | None = None
    ruled_by: str | None = Field(default=None, sa_type=Text)
    lead: str | None = Field(default=None, sa_type=Text)
    co_handlers: list[str] = Field(default_factory=list, sa_type=JSONB)
    ruling: str | None = Field(default=None, sa_type=Text)
    body: str | None = Field(default=None, sa_type=Text)
    paper: str | None = Field(default=None, sa_type=Text)
    ended_at: datetime | None = None
    ended_reason: str | None = Field(default=None, sa_type=Text)


class Statement(Base):
    """陈述: what a unit said at one step, once."""

    arbitration: UUID = Field(primary_key=True, foreign_key="arbitrations.id")
    step: int = Field(primary_key=True)
    unit: str = Field(primary_key=True, sa_type=Text)
    stated_at: datetime
    stated_by: str = Field(sa_type=Text)
    words: str = Field(sa_type=Text)
    legal_basis: str | None = Field(default=None, sa_type=Text)
    suggested_unit: str | None = Field(default=None, sa_type=Text)


class Precedent(Base):
    """先例: a ruling whose duty a matter is, by the desk on a return or by arbitration.

    ``unit``: whose it was found to be, None where only was said whose it is not: ``disputed``. What the
    matter is, its ticket says. ``body`` and ``paper``: who met, and the number of its paper.
    ``overruled_by``: who gave the ticket to another lead all the same, when and why.
    """

    id: UUID = Field(primary_key=True)
    ticket: str = Field(foreign_key="tickets.number", index=True, sa_type=Text)
    kind: str = Field(sa_type=Text)
    arbitration: UUID | None = None
    step: int | None = None
    disputed: list[str] = Field(sa_type=JSONB)
    unit: str | None = Field(default=None, sa_type=Text)
    co_handlers: list[str] = Field(default_factory=list, sa_type=JSONB)
    reason_code: str | None = Field(default=None, sa_type=Text)
    grounds: str = Field(sa_type=Text)
    ruling: str = Field(sa_type=Text)
    body: str | None = Field(default=None, sa_type=Text)
    paper: str | None = Field(default=None, sa_type=Text)
    ruled_at: datetime
    overruled_at: datetime | None = None
    overruled_by: str | None = Field(default=None, sa_type=Text)
    overruled_reason: str | None = Field(default=None, sa_type=Text)


# --- their tables ------------------------------------------------------------------------------


OPEN = text("ruled_at IS NULL AND ended_at IS NULL")


class Arbitrations(Arbitration, table=True):
    """The table of arbitrations."""

    __tablename__ = "arbitrations"
    __table_args__ = (
        Index("ix_arbitrations_open", "due", "id", postgresql_where=OPEN),
        Index("ix_arbitrations_next_at", "next_at", postgresql_where=text("next_at IS NOT NULL")),
    )


class Statements(Statement, table=True):
    """The table of statements."""

    __tablename__ = "statements"


class Precedents(Precedent, table=True):
    """The table of precedents: rows are added, and may be marked as overruled."""

    __tablename__ = "precedents"
    __table_args__ = (Index("ix_precedents_ruled_at", "ruled_at", "id"),)
