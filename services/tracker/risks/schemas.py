"""What is asked and answered of dangers over HTTP."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel

from services.tracker.list_schemas import Counts
from services.tracker.rules.risk import RiskStatus
from services.tracker.schemas import Paragraph, Phrase
from shared.events import TicketType
from shared.http.fields import Body, Sentence


class AcknowledgementIn(Body):
    """已知悉: who has taken it up (name and post), and what is being done."""

    taken_up_by: Phrase
    measures: Paragraph


class AcknowledgementOut(BaseModel):
    """已知悉: who has taken it up, what is being done, and when that was said; ``late``: after ``due``."""

    taken_up_by: str
    measures: str
    acknowledged_at: AwareDatetime
    late: bool


class RiskOut(BaseModel):
    """风险报告: a ticket that was said to be critical, since when, and which office was told. Of a
    confidential one neither what it is about nor where. ``due``: by when it is to be said who has taken it
    up, null where the policy gives no limit.
    """

    number: str
    type: TicketType
    topic: str | None
    area: str | None
    registered_at: AwareDatetime
    reported_at: AwareDatetime
    office: str | None
    due: AwareDatetime | None
    status: RiskStatus
    sentence: Sentence
    acknowledgement: AcknowledgementOut | None


class RiskPage(BaseModel):
    """Dangers that were reported, the newest first; ask again with ``after`` = ``next``."""

    items: list[RiskOut]
    next: str | None
    counts: Counts
