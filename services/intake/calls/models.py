"""Rows and tables of calls (来电), which are no tickets; the rest stands in models.py."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, Index, LargeBinary, text
from sqlmodel import Field

from services.intake.models import Base as Base  # these tables stand on it, too


class PhoneCall(Base):
    """来电: one call of the exchange; the numbers, the agent's draft and the transcript are sealed (PIPL 51).

    ``id`` is a digest of the exchange's own. ``heard_at``: when we first heard of it, which nobody's clock
    can put elsewhere. ``number``: the first ticket made of it. ``missed_since``: since when its caller waits
    to be rung back, ``caller``: a digest of him for as long; ``ending``: why no longer.
    """

    id: UUID = Field(primary_key=True)
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    heard_at: datetime = Field(index=True)
    began_at: datetime | None = None
    answered_at: datetime | None = None
    hung_up_at: datetime | None = None
    agent: str | None = None
    pop: bytes | None = Field(default=None, sa_column=Column(LargeBinary, unique=True))
    pop_until: datetime | None = None
    number: str | None = Field(default=None, foreign_key="ticket.number", index=True)
    drafted_at: datetime | None = None
    caller: bytes | None = Field(default=None, sa_column=Column(LargeBinary, index=True))
    missed_since: datetime | None = None
    taken_at: datetime | None = None
    taken_by: str | None = None
    ended_at: datetime | None = None
    ending: str | None = None


class RingBack(Base):
    """回拨: one try to ring a missed caller back; ``note`` is masked."""

    id: UUID = Field(primary_key=True)
    call: UUID = Field(foreign_key="phone_call.id", ondelete="CASCADE", index=True)
    actor: str
    outcome: str
    note: str | None = None
    tried_at: datetime


# --- their tables ------------------------------------------------------------------------------


class PhoneCalls(PhoneCall, table=True):
    """The table of calls."""

    __tablename__ = "phone_call"
    __table_args__ = (
        Index(
            "ix_phone_call_missed",
            "missed_since",
            "id",
            postgresql_where=text("missed_since IS NOT NULL AND ended_at IS NULL"),
        ),
        Index(
            "ix_phone_call_drafted",
            "drafted_at",
            "id",
            postgresql_where=text("drafted_at IS NOT NULL AND number IS NULL"),
        ),
    )


class RingBacks(RingBack, table=True):
    """The table of tries to ring back."""

    __tablename__ = "ring_back"
