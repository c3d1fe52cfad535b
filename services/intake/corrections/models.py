"""更正: rows of what was put right, and of what waits for a second person to agree."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Column, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, col

from services.intake.models import Base


class Correction(Base):
    """更正: what was written down wrongly, and put right. What it says of a person, before and after, lies
    sealed in the note of the same id, with the reason in its own words.

    ``before`` and ``after`` hold the values of the other fields. ``after_dispatch``: a unit had the ticket
    by then. ``waits``: it would take the shield off, or may give more time, so another person had or has to
    agree; nothing of it holds unless ``granted``. ``consent``: how the citizen agreed, as others may read it.
    """

    id: UUID = Field(primary_key=True, foreign_key="citizen_note.id")
    number: str = Field(foreign_key="ticket.number", index=True)
    fields: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    before: dict[str, Any] = Field(sa_type=JSONB)
    after: dict[str, Any] = Field(sa_type=JSONB)
    after_dispatch: bool
    corrected_at: datetime
    corrected_by: str
    waits: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    consent: str | None = Field(default=None, sa_type=Text)
    granted: bool | None = None
    note: str | None = Field(default=None, sa_type=Text)
    decided_at: datetime | None = None
    decided_by: str | None = Field(default=None, sa_type=Text)


class Corrections(Correction, table=True):
    """The table of corrections: rows are added, and decided once where they wait."""

    __tablename__ = "correction"
    __table_args__ = (
        Index(
            "ix_correction_waiting",
            "corrected_at",
            "id",
            postgresql_where=text("waits AND granted IS NULL"),
        ),
    )


# What waits for another person to agree.
WAITING = (col(Corrections.waits), col(Corrections.granted).is_(None))
