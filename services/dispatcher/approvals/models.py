"""批准: rows of what was asked for, and what a second person decided."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.dispatcher.models import Base


class Approval(Base):
    """批准事项: something about a ticket that one person asked for and another has to decide (ADR 0071).

    ``what``: ``urgency``, the ticket is to be as little urgent as ``urgency`` says, while it is ``was``;
    ``town_lead``, the town ``lead`` is to lead what its duty list does not name; or ``legal_limit``, the
    limit of a ``law`` is to be its own. ``granted`` is None while nobody decided. It concerns one round.
    """

    id: UUID = Field(primary_key=True)
    ticket: str = Field(foreign_key="tickets.number", index=True, sa_type=Text)
    round: int
    what: str = Field(sa_type=Text)
    urgency: str | None = Field(default=None, sa_type=Text)
    was: str | None = Field(default=None, sa_type=Text)
    lead: str | None = Field(default=None, sa_type=Text)
    law: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    ground: str = Field(sa_type=Text)
    asked_at: datetime
    asked_by: str = Field(sa_type=Text)
    granted: bool | None = None
    note: str | None = Field(default=None, sa_type=Text)
    decided_at: datetime | None = None
    decided_by: str | None = Field(default=None, sa_type=Text)


class Approvals(Approval, table=True):
    """The table of approvals."""

    __tablename__ = "approvals"
    __table_args__ = (
        Index("ix_approvals_undecided", "asked_at", "id", postgresql_where=text("granted IS NULL")),
    )
