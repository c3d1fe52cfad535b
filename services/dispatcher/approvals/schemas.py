"""What is asked and answered of approvals."""

from __future__ import annotations

from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from services.dispatcher.rules.approvals import ApprovalStatus, What
from services.dispatcher.schemas import Code, Paragraph
from shared.events import LegalLimit, TicketType, Urgency
from shared.http.fields import Body, Sentence


class TownLead(Body):
    """申请由镇牵头: which town is to lead what its duty list does not name, and on what ground (GB66-5)."""

    lead: Code
    ground: Paragraph


class Decision(Body):
    """批准或不批准, and why."""

    granted: bool
    note: Paragraph


class ApprovalOut(BaseModel):
    """批准事项: what was asked about a ticket, and what a second person decided.

    ``urgency``: how urgent the ticket is to be, of ``was``, what it was when that was asked. ``lead``: the
    town that is to lead. ``law``: whose limit is to be the ticket's. ``allowed``: what the reader may decide.
    """

    id: UUID
    number: str
    round: int
    what: What
    urgency: Urgency | None
    was: Urgency | None
    lead: str | None
    law: LegalLimit | None
    ground: str
    asked_at: AwareDatetime
    asked_by: str
    status: ApprovalStatus
    sentence: Sentence
    allowed: list[str]
    note: str | None
    decided_at: AwareDatetime | None
    decided_by: str | None


class ListedApproval(ApprovalOut):
    """One that waits, with what its ticket is about and how urgent that is now."""

    type: TicketType
    topic: str
    area: str
    title: str
    content: str
    urgency_now: Urgency


class ApprovalList(BaseModel):
    """What waits for a second person, the oldest first, 500 at most."""

    items: list[ListedApproval]
