"""What the dispatcher says."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.events.envelope import Data
from shared.events.words import (
    ClosingKind,
    CompletionKind,
    ContactOutcome,
    Location,
    Role,
    TicketType,
    Urgency,
)


class Limits(BaseModel):
    """Stage limits printed on a dispatch (BJ-13), as limits.yaml writes them: ``4wh``, ``5wd``, ``24h``.

    wd = working days, wh = working hours, h and min = natural time. None: no such duty.
    """

    model_config = ConfigDict(frozen=True)
    sign: str | None = None
    first_contact: str | None = None
    handle: str | None = None


class AssignmentDispatched(Data, name="assignment.dispatched", by="dispatcher"):
    """派单: a unit got the ticket, with the ground of the decision and its limits (R-03, BJ-13).

    ``handed_by``: the unit that handed it down to one of its own (二次派单), to which this one answers.
    """

    role: Role
    type: TicketType
    urgency: Urgency
    topic: str
    title: str
    content: str
    area: str
    address: str | None = None
    location: Location | None = None
    channel: str
    flags: tuple[str, ...] = ()
    confidential: bool = False
    reply_declined: bool = False
    has_contact: bool = True
    registered_at: AwareDatetime
    supplements_left: Annotated[int, Field(ge=0)] = 0
    lead: str
    co_handlers: tuple[str, ...] = ()
    rule: str | None = None
    reason: str
    limits: Limits
    redo: bool = False
    configuration: str | None = None
    handed_by: str | None = None


class AssignmentSigned(Data, name="assignment.signed", by="dispatcher"):
    """签收: the unit took it and named the person who handles it (专人负责, SEED). ``handler_account``: the
    name of that person's token, where the unit says it.
    """

    handler: str
    handler_account: str | None = None


class AssignmentContacted(Data, name="assignment.contacted", by="dispatcher"):
    """先行联系: one attempt to contact the citizen; the envelope's time is when it was made (R-12)."""

    how: Literal["phone", "visit", "message"]
    outcome: ContactOutcome
    note: str = ""


class AssignmentProgressed(Data, name="assignment.progressed", by="dispatcher"):
    """进展: the unit says how far it is."""

    note: str


class AssignmentUpdated(Data, name="assignment.updated", by="dispatcher"):
    """Something about the ticket changed that its unit must know.

    ``number``: the ticket whose citizen said it, where that is another one merged into this work.
    ``urgency`` and ``limits`` when they changed with a correction: the clocks that run follow them.
    ``resumes``: the unit's clocks stand still no longer, though the desk has not ruled on its return.
    ``lead`` and ``co_handlers`` when others work on it now, ``handler`` and ``handler_account`` when another
    person of the unit does, of kind ``supplemented``, which the release before knows.
    """

    kind: Literal["supplemented", "urged", "merged", "unmerged"]
    content: str
    number: str | None = None
    urgency: Urgency | None = None
    limits: Limits | None = None
    resumes: bool = False
    lead: str | None = None
    co_handlers: tuple[str, ...] | None = None
    handler: str | None = None
    handler_account: str | None = None


class AssignmentReturnRequested(Data, name="assignment.return_requested", by="dispatcher"):
    """退单申请: the unit says the matter is clearly not its duty, with its legal basis (R-15).

    ``request`` names it, and its ruling names it again. ``review``: the limit of the desk to rule, as
    returns.yaml writes it. ``pauses``: whether the unit's clocks stand still meanwhile.
    """

    reason_code: str
    legal_basis: str
    suggested_unit: str | None = None
    approver: str
    note: str = ""
    request: UUID | None = None
    review: str | None = None
    pauses: bool = True


class AssignmentReturned(Data, name="assignment.returned", by="dispatcher"):
    """退单: the desk agreed; the ticket is the desk's again (R-15). ``silent``: it said nothing in time,
    and returns.yaml lets that count as yes.
    """

    ruling: str
    request: UUID | None = None
    silent: bool = False


class AssignmentReturnRefused(Data, name="assignment.return_refused", by="dispatcher"):
    """退单不予同意: the desk did not agree; the unit may not ask again (R-16). ``silent``: it said nothing
    in time, and returns.yaml lets that count as no. ``charged``: an arbitration ruled so, and the unit's
    clocks have not stood still (arbitration.yaml).
    """

    ruling: str
    request: UUID | None = None
    silent: bool = False
    charged: bool = False


class AssignmentReturnWithdrawn(Data, name="assignment.return_withdrawn", by="dispatcher"):
    """撤回退单申请: the unit takes its request back before the ruling, and goes on (R-15). ``charged``: as
    of a refusal, for it was before an arbitration.
    """

    reason: str
    request: UUID | None = None
    charged: bool = False


class AssignmentCompleted(Data, name="assignment.completed", by="dispatcher"):
    """办结: the unit answered; a co-handler answers to its lead (R-21). ``without``: co-handlers that had
    not answered when their limit was over, whom the lead did not wait for.
    """

    role: Role
    kind: CompletionKind
    facts_true: bool = True
    beyond_duty: bool = False
    contacted: bool
    solved: bool
    unsolved_reason: str | None = None
    result: str
    public_answer: str
    promised_date: str | None = None
    signed_off_by: str
    without: tuple[str, ...] = ()


class AssignmentCancelled(Data, name="assignment.cancelled", by="dispatcher"):
    """取消: the unit need not go on: withdrawn, gone to another unit, or merged into other work. Of a
    confidential matter it is always ``redispatched``: why is not told.
    """

    reason: Literal["withdrawn", "redispatched", "merged"]


class AssignmentClosed(Data, name="assignment.closed", by="dispatcher"):
    """结案: the citizen's verdict on a completed assignment's ticket."""

    kind: ClosingKind


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


class TicketUnassigned(Data, name="ticket.unassigned", by="dispatcher"):
    """待派: no rule matched, or a return was granted; a person at the desk must assign it.

    ``urgency``: how urgent the dispatcher holds it, whatever was asked for; said again when that
    changes. None from the release before, which did not say. ``anew``: units had it, or had answered, and
    no return was granted: the time the desk has begins with this.
    """

    reason: str
    nearest: tuple[str, ...] = ()
    urgency: Urgency | None = None
    anew: bool = False


class TicketResolved(Data, name="ticket.resolved", by="dispatcher"):
    """The lead completed; the citizen is to be called back (R-23)."""

    kind: CompletionKind
    lead: str
    units: tuple[str, ...]
    solved: bool
    public_answer: str
