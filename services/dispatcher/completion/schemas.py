"""What is asked and answered of audits, and of requests to end a matter."""

from __future__ import annotations

from typing import Any, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, model_validator

from services.dispatcher.schemas import Code, Note, Paragraph, Report, Shield
from services.dispatcher.worklists.schemas import Counts
from shared.events import CompletionKind, Role, TicketType, Urgency
from shared.http.fields import Body, Sentence


class EndWithdrawal(Body):
    """撤回申请: why the unit goes on after all."""

    reason: Paragraph


class EndRuling(Body):
    """终止办理裁定: the desk decides on a request to end a matter without an answer (R-15, R-20).

    ``outcome`` of a grant: ``returned``, the ticket is the desk's to assign again (what is not the unit's
    duty, unless it is said); ``resolved``, it ends with ``public_answer``, or with the unit's where that
    is left out. ``named_unit``: whose it is, where it is returned.
    """

    granted: bool
    ruling: Paragraph
    outcome: Literal["returned", "resolved"] | None = None
    named_unit: Code | None = None
    public_answer: Report | None = None


class Audit(Body):
    """办结审核: the desk lets an answer pass, sends it back with grounds, or ends the matter itself, with
    what the citizen is told (``public_answer``) (R-22).
    """

    outcome: Literal["passed", "sent_back", "terminated"]
    grounds: Note = ""
    public_answer: Report | None = None

    @model_validator(mode="after")
    def _explained(self) -> Self:
        if self.outcome != "passed" and not self.grounds.strip():
            raise ValueError("须说明理由 grounds are needed")
        if (self.outcome == "terminated") is (self.public_answer is None):
            raise ValueError(
                "终止办理时须写明公开答复，其他情形不写 public_answer is for an end, and needed there"
            )
        return self


class FindingOut(BaseModel):
    """What a check found of an answer; ``tickets``: the others it is about."""

    check: str
    sentence: Sentence
    tickets: list[str]


class ContactOut(BaseModel):
    """联系记录: one attempt to contact the citizen, as the unit recorded it."""

    made_at: AwareDatetime
    how: str
    outcome: str
    note: str


class FormOut(BaseModel):
    """办结表: a form that waits for the hotline, with what is needed to decide.

    ``form``: as the unit sent it in: ``internal_result`` (办理情况) for the file, ``public_answer``
    (公开答复) for the citizen. ``unsolved``: what its unsolved_reason_code means. ``contacts``: what is
    on record of them. ``sent_back``: how often the order's answers were sent back before.
    """

    id: UUID
    assignment: UUID
    number: str
    round: int
    unit: str
    role: Role
    kind: CompletionKind
    form: dict[str, Any]
    unsolved: Sentence | None
    findings: list[FindingOut]
    contacts: list[ContactOut]
    sent_back: int
    submitted_at: AwareDatetime
    due: AwareDatetime
    citizen_due: AwareDatetime | None
    type: TicketType
    urgency: Urgency
    topic: str
    title: str
    content: str
    area: str
    flags: tuple[str, ...]
    shield: Shield
    dispatched_at: AwareDatetime


class FormPage(BaseModel):
    """What waits for the hotline: critical first, then urgent, of each what is due first."""

    items: list[FormOut]
    next: str | None
    counts: Counts
