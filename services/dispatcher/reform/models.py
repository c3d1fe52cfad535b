"""机构改革: rows of units that are to be no more, and who follows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.dispatcher.models import Base

LIVE = text("withdrawn_at IS NULL")


class Reform(Base):
    """机构改革: a unit that is to be no more, and who follows it: proposed by one person, approved by a
    second.

    ``parts`` and ``remainder``: of a split (rules/reforming.py). ``reason``: the paper it goes by.
    ``in_force_at``: the moment it took effect, ``effective_at`` unless it was approved later. ``awaited``:
    the last order that waited for its citizen and was looked at; ``done_at``: when nothing was left.
    """

    id: UUID = Field(primary_key=True)
    unit: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    successors: list[str] = Field(sa_type=JSONB)
    parts: list[Any] = Field(sa_type=JSONB)
    remainder: str | None = Field(default=None, sa_type=Text)
    reason: str = Field(sa_type=Text)
    effective_at: datetime
    proposed_at: datetime
    proposed_by: str = Field(sa_type=Text)
    approved_at: datetime | None = None
    approved_by: str | None = Field(default=None, sa_type=Text)
    approved_note: str | None = Field(default=None, sa_type=Text)
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = Field(default=None, sa_type=Text)
    withdrawn_reason: str | None = Field(default=None, sa_type=Text)
    in_force_at: datetime | None = None
    awaited: UUID | None = None
    done_at: datetime | None = None


class Reforms(Reform, table=True):
    """The table of reforms: one that was not withdrawn for each unit."""

    __tablename__ = "reforms"
    __table_args__ = (Index("uq_reforms_unit", "unit", unique=True, postgresql_where=LIVE),)
