"""What is asked and answered of waits for the citizen."""

from __future__ import annotations

from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from services.dispatcher.rules.waiting import Wait
from services.dispatcher.schemas import Paragraph
from services.dispatcher.worklists.schemas import Counts
from shared.events import Awaited, TicketType, Urgency
from shared.http.fields import Body


class WaitRequest(Body):
    """申请等待诉求人: what is awaited, and why the matter does not go on without; ``contact_time``: the
    contact on record, to the minute, in which the citizen was reached.
    """

    awaited: Awaited
    reason: Paragraph
    contact_time: AwareDatetime


class WaitRuling(Body):
    """等待裁定: the desk decides, and says why."""

    granted: bool
    ruling: Paragraph


class WaitEnded(Body):
    """诉求人已配合: what came of it, or why the request is taken back."""

    note: Paragraph


class WaitOut(BaseModel):
    """A wait the desk has to rule on by ``due``; ``handle_due``: by when the order is to be handled as it
    stands, null while the tracker has not said.
    """

    number: str
    round: int
    assignment: UUID
    unit: str
    wait: Wait
    due: AwareDatetime
    handle_due: AwareDatetime | None
    type: TicketType
    urgency: Urgency
    topic: str
    title: str
    area: str
    flags: tuple[str, ...]


class WaitPage(BaseModel):
    """Waits to rule on: the most urgent first, of each what is due first."""

    items: list[WaitOut]
    next: str | None
    counts: Counts
