"""What the dispatcher says."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.events.envelope import Data
from shared.events.words import (
    ClockKind,
    ClosingKind,
    CompletionKind,
    ContactOutcome,
    LegalLimit,
    Location,
    Role,
    TicketType,
    UpstreamLimit,
    Urgency,
)


class Limits(BaseModel):
    """Stage limits printed on a dispatch (BJ-13), as limits.yaml writes them: ``4wh``, ``5wd``, ``24h``.

    wd = working days, wh = working hours, h and min = natural time. None: no such duty. ``attend``: to come
    (报到), where a town whistled for the unit (dispatch.yaml). ``rule``: which limits of their own these are,
    where they are not those of the type and urgency; ``law``: whose limit ``handle`` is; ``upstream``: who
    else wants the answer by when.
    """

    model_config = ConfigDict(frozen=True)
    sign: str | None = None
    first_contact: str | None = None
    handle: str | None = None
    attend: str | None = None
    rule: str | None = None
    law: LegalLimit | None = None
    upstream: UpstreamLimit | None = None


class Whistle(BaseModel):
    """吹哨: the grass-roots lead ``by`` asks a unit to come and work with it (R-47, BJ-16). ``need``: for
    what; ``ground``: why it cannot do it alone.
    """

    model_config = ConfigDict(frozen=True)
    by: str
    need: str
    ground: str


class AssignmentDispatched(Data, name="assignment.dispatched", by="dispatcher"):
    """派单: a unit got the ticket, with the ground of the decision and its limits (R-03, BJ-13).

    ``approved_by``: who let a town lead what is not in its duty list, with ``approval_ground`` (R-05).
    ``handed_by``: the unit that handed it down to one of its own (二次派单), to which this one answers.
    ``whistle``: a town whistled for the unit, which has to come within ``limits.attend`` (吹哨报到).
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
    approved_by: str | None = None
    approval_ground: str | None = None
    limits: Limits
    redo: bool = False
    configuration: str | None = None
    catalogue_version: int | None = None
    policy_version: int | None = None
    handed_by: str | None = None
    whistle: Whistle | None = None


class RunningClock(BaseModel):
    """A clock that goes on, as the tracker last said it. ``due``: as it was told, pauses apart."""

    model_config = ConfigDict(frozen=True)
    clock: ClockKind
    due: AwareDatetime
    provisional: bool = False


class AssignmentTransferred(AssignmentDispatched, name="assignment.transferred", by="dispatcher"):
    """承接: the unit that had it is no more, and this one goes on with it: the same assignment, with its
    handler, contacts and clocks (机构改革). It carries what a dispatch does, as it stands now.

    ``predecessor``: who had it; ``clocks``: those that run, as far as the dispatcher has heard of them.
    """

    predecessor: str
    reform: UUID
    status: str
    handler: str | None = None
    dispatched_at: AwareDatetime
    clocks: tuple[RunningClock, ...] = ()


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


class AssignmentAttended(Data, name="assignment.attended", by="dispatcher"):
    """报到: the unit that was whistled for came, and who of it; the envelope's time is when (R-47, BJ-16)."""

    person: str
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
    person of the unit does, of kind ``supplemented``, which the release before knows. ``attendance``: what
    the lead says of a unit that was whistled for (R-47); it is no verdict, and no clock goes by it.
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
    attendance: Literal["present", "nobody_came"] | None = None


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
    of a refusal, for it was before an arbitration. ``spent``: no clock of the unit's has stood still for it.
    """

    reason: str
    request: UUID | None = None
    charged: bool = False
    spent: bool = False


class SentBack(BaseModel):
    """An answer the audit had sent back before this one: which audit, when it was given and sent back, and
    whether the unit's clock stood still between.
    """

    model_config = ConfigDict(frozen=True)
    audit: UUID
    completed_at: AwareDatetime
    sent_back_at: AwareDatetime
    pauses: bool = False


class AssignmentCompleted(Data, name="assignment.completed", by="dispatcher"):
    """办结: the unit answered; a co-handler answers to its lead (R-21). ``without``: co-handlers that had
    not answered when their limit was over, whom the lead did not wait for.

    ``result`` is 办理情况, for the file and never for the citizen; ``public_answer`` is for the citizen.
    ``audit``: the audit it waits for, and ``audit_limit`` how long the desk has; None when it had passed
    at once. ``sent_back``: answers of the same order that were sent back before.
    """

    role: Role
    kind: CompletionKind
    facts_true: bool = True
    beyond_duty: bool = False
    contacted: bool
    contact_time: AwareDatetime | None = None
    solved: bool
    unsolved_reason_code: str | None = None
    unsolved_reason: str | None = None
    result: str
    public_answer: str
    promised_date: str | None = None
    signed_off_by: str
    without: tuple[str, ...] = ()
    audit: UUID | None = None
    audit_limit: str | None = None
    sent_back: tuple[SentBack, ...] = ()


class AssignmentEndRequested(Data, name="assignment.end_requested", by="dispatcher"):
    """申请终止办理 or 非本单位职责: the unit asks in writing to end the matter without an answer (R-15, R-20,
    WF-21). ``review``: how long the desk has. ``pauses``: whether the unit's clocks stand still meanwhile;
    they run on unless audit.yaml says otherwise.
    """

    request: UUID
    kind: CompletionKind
    reason: str
    public_answer: str
    signed_off_by: str
    review: str
    pauses: bool = False


class AssignmentEndGranted(Data, name="assignment.end_granted", by="dispatcher"):
    """同意: ``returned``, the ticket is the desk's to assign again; ``resolved``, it ends with what the
    citizen is told, and assignment.completed and ticket.resolved follow (R-20).
    """

    request: UUID
    kind: CompletionKind
    outcome: Literal["returned", "resolved"]
    ruling: str


class AssignmentEndRefused(Data, name="assignment.end_refused", by="dispatcher"):
    """不予同意: the unit goes on, and what it used up stays. ``silent``: the desk said nothing in time,
    which is no yes: nothing ends by silence (R-20).
    """

    request: UUID
    kind: CompletionKind
    ruling: str
    silent: bool = False


class AssignmentEndWithdrawn(Data, name="assignment.end_withdrawn", by="dispatcher"):
    """撤回申请: the unit takes its request to end the matter back, or answered meanwhile. ``spent``: no clock
    of the unit's has stood still for it.
    """

    request: UUID
    reason: str
    spent: bool = False


class AssignmentAuditPassed(Data, name="assignment.audit_passed", by="dispatcher"):
    """办结审核通过: the citizen is to be called (R-22). ``terminated``: the desk ended the matter instead, by
    a decision explained to the citizen. ``silent``: it said nothing in time, and audit.yaml lets the
    answer pass.
    """

    audit: UUID
    completed_at: AwareDatetime
    audit_limit: str
    grounds: str
    terminated: bool = False
    silent: bool = False


class AssignmentSentBack(Data, name="assignment.sent_back", by="dispatcher"):
    """审核退回: the answer does not do; its completion is undone, and the unit goes on in the same round
    (R-22). ``findings``: what the checks had found. ``pauses``: whether the time of the audit is given
    back to the unit.
    """

    audit: UUID
    completed_at: AwareDatetime
    audit_limit: str
    grounds: str
    findings: tuple[str, ...] = ()
    pauses: bool = False


class AssignmentCancelled(Data, name="assignment.cancelled", by="dispatcher"):
    """取消: the unit need not go on: withdrawn, gone to another unit, or merged into other work. Of a
    confidential matter it is always ``redispatched``: why is not told. ``why``: in words, what became of
    it; left out of a confidential matter, and to a unit that must stand back or is named (R-35).
    """

    reason: Literal["withdrawn", "redispatched", "merged"]
    why: str | None = None


class AssignmentCopied(Data, name="assignment.copied", by="dispatcher"):
    """抄送: a town leads a ticket, and the government that supervises it, to which this is addressed, is
    told, to push and to coordinate (BJ-12, R-04). ``assignment`` is the town's. Of a confidential matter
    without a title; of a report nobody is told.
    """

    lead: str
    co_handlers: tuple[str, ...] = ()
    type: TicketType
    urgency: Urgency
    topic: str
    title: str | None = None
    area: str
    confidential: bool = False
    rule: str | None = None
    approved_by: str | None = None
    approval_ground: str | None = None
    limits: Limits
    redo: bool = False


class AssignmentClosed(Data, name="assignment.closed", by="dispatcher"):
    """结案: the citizen's verdict on a completed assignment's ticket."""

    kind: ClosingKind


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
    """The lead completed; the citizen is to be called back (R-23). ``promised_date``: by which day the lead
    promises what cannot be done yet (R-19).
    """

    kind: CompletionKind
    lead: str
    units: tuple[str, ...]
    solved: bool
    public_answer: str
    promised_date: str | None = None
    promise: UUID | None = None
