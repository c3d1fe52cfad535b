"""更正: rows of revisions, and how far each has come."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.tracker.models import Base


class Revision(Base):
    """更正: days that clocks counted by a wrong calendar, which a version of it, ``calendar``, has right.

    It is of the clocks and tickets it names; where it names none, of all that ran on those days. ``asked``:
    how many late clocks that is, ``moved`` and ``cleared``: how many of them it moved, and how many of these
    are late no more. ``granted`` is None while no second person ruled. ``upto_at``, ``upto``: the last clock
    that was looked at, by its breach and its id.
    """

    id: UUID = Field(primary_key=True)
    days: list[Any] = Field(sa_type=JSONB)
    calendar: int
    tickets: list[Any] = Field(sa_type=JSONB)
    clocks: list[Any] = Field(sa_type=JSONB)
    ground: str = Field(sa_type=Text)
    paper: str = Field(sa_type=Text)
    asked: int
    proposed_at: datetime
    proposed_by: str = Field(sa_type=Text)
    granted: bool | None = None
    note: str | None = Field(default=None, sa_type=Text)
    ruled_at: datetime | None = None
    ruled_by: str | None = Field(default=None, sa_type=Text)
    upto_at: datetime | None = None
    upto: UUID | None = None
    moved: int = 0
    cleared: int = 0
    done_at: datetime | None = None


class Revisions(Revision, table=True):
    """The table of revisions."""

    __tablename__ = "revisions"
    __table_args__ = (
        Index(
            "ix_revisions_working",
            "ruled_at",
            "id",
            postgresql_where=text("granted AND done_at IS NULL"),
        ),
    )
