"""What is asked and answered of referrals over HTTP."""

from __future__ import annotations

from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from services.tracker.rules.referral import Ground, ReferralStatus
from services.tracker.schemas import Paragraph
from shared.http.fields import Body, Sentence


class ReferralIn(Body):
    """提议移送: on which ground, and what bears it out."""

    ground: Ground
    reason: Paragraph


class ReferralDecision(Body):
    """批准或不予移送, and why."""

    granted: bool
    note: Paragraph


class ReferralOut(BaseModel):
    """移送: what one supervisor proposed of a unit's conduct over an order, and what another decided."""

    id: UUID
    number: str
    round: int
    assignment: UUID
    unit: str
    ground: Ground
    reason: str
    status: ReferralStatus
    sentence: Sentence
    proposed_at: AwareDatetime
    proposed_by: str
    note: str | None
    decided_at: AwareDatetime | None
    decided_by: str | None


class ReferralPage(BaseModel):
    """Referrals, the oldest first; ask again with ``after`` = ``next``."""

    items: list[ReferralOut]
    next: str | None
