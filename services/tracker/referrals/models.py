"""移送: rows of what was proposed, and what a second supervisor decided."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Text, text
from sqlmodel import Field

from services.tracker.models import Base
from services.tracker.rules.referral import Ground


class Referral(Base):
    """移送: the conduct of ``unit`` over an order, on a ground of rules/referral.py. ``granted`` is None
    while nobody decided; once it is true, it is the discipline body's.
    """

    id: UUID = Field(primary_key=True)
    ticket: str = Field(foreign_key="tickets.number", index=True, sa_type=Text)
    assignment: UUID = Field(foreign_key="assignments.id")
    round: int
    unit: str = Field(sa_type=Text)
    ground: Ground = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    proposed_at: datetime
    proposed_by: str = Field(sa_type=Text)
    granted: bool | None = None
    note: str | None = Field(default=None, sa_type=Text)
    decided_at: datetime | None = None
    decided_by: str | None = Field(default=None, sa_type=Text)


class Referrals(Referral, table=True):
    """The table of referrals."""

    __tablename__ = "referrals"
    __table_args__ = (
        Index(
            "ix_referrals_undecided",
            "proposed_at",
            "id",
            postgresql_where=text("granted IS NULL"),
        ),
    )
