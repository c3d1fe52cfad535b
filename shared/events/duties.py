"""What the dispatcher says of whose duty a matter is: disputes, the catalogue, reforms, laws."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.events.envelope import Data
from shared.events.words import LegalLimit, Urgency

Awaited: TypeAlias = Literal["documents", "appointment", "information"]
WaitEnd: TypeAlias = Literal["come", "spoken", "answered", "returned", "hurried", "longest", "gone"]


class ArbitrationOpened(Data, name="arbitration.opened", by="dispatcher"):
    """争议裁决: whose duty a ticket is goes up the ladder of arbitration.yaml (R-17). Said once to all, and
    once more to each unit that is heard.

    ``by``: ``dispute``, one return too many, or ``hand``. ``step`` and ``title``: the body that has to rule,
    ``limit``: within what. ``requests``: the returns that are ruled on there, and no more by the desk.
    """

    arbitration: UUID
    by: Literal["dispute", "hand"]
    grounds: str
    parties: tuple[str, ...]
    step: Annotated[int, Field(ge=1)]
    title: str
    limit: str
    requests: tuple[UUID, ...] = ()


class ArbitrationRaised(Data, name="arbitration.raised", by="dispatcher"):
    """提交上一级: the next body has to rule. ``silent``: the one before said nothing in time."""

    arbitration: UUID
    step: Annotated[int, Field(ge=1)]
    title: str
    limit: str
    grounds: str
    silent: bool = False


class ArbitrationRuled(Data, name="arbitration.ruled", by="dispatcher"):
    """裁决: whose duty the ticket is; none of those named may return it (R-16, R-17). ``body`` and ``paper``:
    who met, and the number of its paper.
    """

    arbitration: UUID
    step: Annotated[int, Field(ge=1)]
    title: str
    lead: str
    co_handlers: tuple[str, ...] = ()
    ruling: str
    body: str | None = None
    paper: str | None = None


class ArbitrationEnded(Data, name="arbitration.ended", by="dispatcher"):
    """裁决终止: there is nothing left to rule on. Of a confidential matter it is always ``redispatched``."""

    arbitration: UUID
    reason: Literal[
        "withdrawn", "ended", "merged", "recalled", "redispatched", "resolved", "return_withdrawn"
    ]


class ReformPart(BaseModel):
    """One successor's part of a unit that is split: what is of one of the topics and in one of the areas,
    with all that lies under them; an empty list is any.
    """

    model_config = ConfigDict(frozen=True)
    unit: str
    topics: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()


class UnitReformed(Data, name="unit.reformed", by="dispatcher"):
    """机构改革: the unit it is addressed to is no more, and who follows it has its work from this moment.

    The subject is ``unit:`` and its code. ``parts`` and ``remainder``: of a split, whose what is.
    """

    kind: Literal["merge", "rename", "split"]
    reform: UUID
    successors: tuple[str, ...]
    parts: tuple[ReformPart, ...] = ()
    remainder: str | None = None
    reason: str


class CataloguePublished(Data, name="catalogue.published", by="dispatcher"):
    """派单目录发布: a version of the dispatch catalogue, which decides from ``effective_at`` on (GB66-5).

    It is said of no ticket. ``rules``: how many it has; ``added``, ``changed`` and ``removed`` of them
    beside the version it is ``based_on``.
    """

    catalogue_version: Annotated[int, Field(ge=1)]
    based_on: int | None = None
    effective_at: AwareDatetime
    digest: str
    rules: Annotated[int, Field(ge=1)]
    added: Annotated[int, Field(ge=0)] = 0
    changed: Annotated[int, Field(ge=0)] = 0
    removed: Annotated[int, Field(ge=0)] = 0
    authors: tuple[str, ...] = ()
    note: str = ""


class CatalogueWithdrawn(Data, name="catalogue.withdrawn", by="dispatcher"):
    """派单目录撤回: a published version that will not take effect; the one before goes on."""

    catalogue_version: Annotated[int, Field(ge=1)]
    reason: str


class ApprovalRequested(Data, name="approval.requested", by="dispatcher"):
    """申请批准: somebody at the desk asked for what takes a second person (R-05, R-11): ``urgency``, that the
    ticket be less urgent than it is, ``lead``, that a town lead what its duty list does not name, or ``law``,
    that a law's longer limit be its own. Until it is granted all stays as it is.
    """

    approval: UUID
    what: Literal["urgency", "town_lead", "legal_limit"]
    urgency: Urgency | None = None
    lead: str | None = None
    law: LegalLimit | None = None
    ground: str
    asked_by: str


class ApprovalGranted(Data, name="approval.granted", by="dispatcher"):
    """已批准: another person than who asked granted it. The ticket is as urgent as ``urgency`` says from now
    on; a town may be assigned by the desk; the law's limit is said with ``ticket.law_named``.
    """

    approval: UUID
    what: Literal["urgency", "town_lead", "legal_limit"]
    urgency: Urgency | None = None
    lead: str | None = None
    law: LegalLimit | None = None
    asked_by: str
    note: str


class ApprovalRefused(Data, name="approval.refused", by="dispatcher"):
    """未批准: refused, or taken back by who asked; all stays as it was."""

    approval: UUID
    what: Literal["urgency", "town_lead", "legal_limit"]
    urgency: Urgency | None = None
    lead: str | None = None
    law: LegalLimit | None = None
    asked_by: str
    note: str


class AssignmentReturnBarred(Data, name="assignment.return_barred", by="dispatcher"):
    """裁定后推诿: a unit that a ruling had named asked all the same to be rid of the matter, by a return or
    by its completion form, and was refused at once (R-16, WF-22).
    """

    way: Literal["return", "completion"]


class AnswerFoundAlike(Data, name="answer.found_alike", by="dispatcher"):
    """雷同: a lead's answer is, nearly to the letter, that of other ``tickets`` with another demand, says the
    check of audit.yaml. Addressed to nobody, for a unit need not know of others' tickets (R-22, gain 6).
    """

    tickets: tuple[str, ...]


class AssignmentWaitRequested(Data, name="assignment.wait_requested", by="dispatcher"):
    """申请等待诉求人: the lead asks to wait for what only its citizen can give, once it reached them (WF-21).
    ``review``: how long the desk has to rule; nothing stands still unless it grants it.
    """

    wait: UUID
    awaited: Awaited
    reason: str
    contact_time: AwareDatetime
    review: str


class AssignmentWaitGranted(Data, name="assignment.wait_granted", by="dispatcher"):
    """同意等待诉求人: the time to handle the order stands still since ``asked_at``, ``until`` at the longest;
    the citizen's own time runs on, and they are told what is awaited.
    """

    wait: UUID
    awaited: Awaited
    asked_at: AwareDatetime
    until: AwareDatetime
    ruling: str


class AssignmentWaitRefused(Data, name="assignment.wait_refused", by="dispatcher"):
    """不予等待诉求人: nothing has stood still. ``silent``: the desk said nothing in time, which is no yes."""

    wait: UUID
    ruling: str
    silent: bool = False


class AssignmentWaitEnded(Data, name="assignment.wait_ended", by="dispatcher"):
    """等待结束: the time to handle the order runs on, or a request fell away before it was ruled on. ``why``:
    the unit says that the citizen has come, the citizen spoke, the unit answered or asked to return it, it is
    urgent now, the longest wait is over, or the unit has the order no more.
    """

    wait: UUID
    why: WaitEnd
    note: str = ""


class TicketLawNamed(Data, name="ticket.law_named", by="dispatcher"):
    """法定时限: the desk named the law whose longer limit holds for a ticket in its round, or took that back
    (``withdrawn``), and why (JN-24(2)). Of tickets worked on as one it is said of each.
    """

    law: LegalLimit
    reason: str
    withdrawn: bool = False
