"""疑点: rows of what does not fit together."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.tracker.models import Base
from shared.events import DiscrepancyKind
from shared.storage.open_words import Words


class Discrepancy(Base):
    """疑点: what on record does not fit together (R-34, gain 6). Of a habit there is no ``ticket``; its
    occasions are rows of their own, ``noted``; ``to_look_at`` while how many there are is not counted yet, or
    while what would explain it may still be heard.

    ``at``: when what it goes by happened. ``needed``: how many made it a habit.
    """

    id: UUID = Field(primary_key=True)
    kind: str = Field(sa_type=Words(DiscrepancyKind))
    status: str = Field(sa_type=Text)
    ticket: str | None = Field(default=None, foreign_key="tickets.number", index=True, sa_type=Text)
    round: int = 1
    assignment: UUID | None = None
    unit: str | None = Field(default=None, sa_type=Text)
    at: datetime
    raised_at: datetime
    reason: str = Field(sa_type=Text)
    evidence: list[Any] = Field(sa_type=JSONB)
    tickets: list[str] = Field(sa_type=JSONB)
    needed: int | None = None
    to_look_at: bool = False
    explained_at: datetime | None = None
    comment: str | None = Field(default=None, sa_type=Text)
    commented_at: datetime | None = None
    commented_by: str | None = Field(default=None, sa_type=Text)
    dismissed_at: datetime | None = None
    dismissed_by: str | None = Field(default=None, sa_type=Text)
    dismissed_reason: str | None = Field(default=None, sa_type=Text)


class Discrepancies(Discrepancy, table=True):
    """The table of discrepancies."""

    __tablename__ = "discrepancies"
    __table_args__ = (
        Index("ix_discrepancies_raised_at", "raised_at", "id"),
        Index("ix_discrepancies_unit", "unit", "kind", "at"),
        Index("ix_discrepancies_to_look_at", "id", postgresql_where=text("to_look_at")),
    )
