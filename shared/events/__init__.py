"""The published language: the envelope and one frozen class per fact. Pure.

A fact says what became true, in the past tense, once, by one speaker, and is never edited. On the
wire it is a CloudEvent in structured JSON. Other services and department systems program against
this file, so a fact type only ever gains optional fields; any other change is a new version
spoken beside the old one (docs/events.md is generated from here).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import UUID

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from shared.errors import ContractError, OtherVersion

PREFIX = "cn.jiesu."


# --- words that several facts share ------------------------------------------------------------


class TicketType(StrEnum):
    """性质: what kind of demand this is (BJ-2, AK21)."""

    CONSULTATION = "consultation"
    HELP = "help"
    COMPLAINT = "complaint"
    REPORT = "report"
    SUGGESTION = "suggestion"
    COMMENDATION = "commendation"


class Urgency(StrEnum):
    """紧急程度: critical and urgent run on natural time, normal and complex on working time (BJ4)."""

    CRITICAL = "critical"
    URGENT = "urgent"
    NORMAL = "normal"
    COMPLEX = "complex"


class Role(StrEnum):
    """主办 leads and answers for the ticket; 协办 answers to the lead (JN-29)."""

    LEAD = "lead"
    CO = "co"


class ContactOutcome(StrEnum):
    """What came of one attempt to contact the citizen (R-12)."""

    REACHED = "reached"
    REFUSED = "refused"
    NO_ANSWER = "no_answer"
    WRONG_NUMBER = "wrong_number"


class CompletionKind(StrEnum):
    """办结类型: how a unit finished, apart from whether the citizen agrees (JN-24, WF-20)."""

    SOLVED = "solved"
    PARTLY_SOLVED = "partly_solved"
    EXPLAINED = "explained"
    NO_CONDITION_YET = "no_condition_yet_with_date"
    NOT_OUR_DUTY = "not_our_duty_confirmed"
    TERMINATED = "terminated"


class ClockKind(StrEnum):
    """时限类型: the stage a limit belongs to (policy.yaml, limits)."""

    DISPATCH = "dispatch"
    CITIZEN = "citizen"
    SIGN = "sign"
    FIRST_CONTACT = "first_contact"
    HANDLE = "handle"


class ClosingKind(StrEnum):
    """Why a ticket ended; each is counted apart, and only the first three are a citizen's word."""

    SATISFIED = "satisfied"
    BASICALLY_SATISFIED = "basically_satisfied"
    UNRATED = "unrated"
    REFUSED_CALLBACK = "refused_callback"
    UNREACHABLE = "unreachable"
    REPLY_DECLINED = "reply_declined"
    NO_CONTACT = "no_contact"
    COMMENDATION = "commendation"


class Location(BaseModel):
    """Coordinates of the matter, WGS 84 degrees."""

    model_config = ConfigDict(frozen=True)
    longitude: Annotated[float, Field(ge=-180, le=180)]
    latitude: Annotated[float, Field(ge=-90, le=90)]


# --- the envelope ------------------------------------------------------------------------------


class Data(BaseModel):
    """Base of every fact's own part. Unknown fields of a newer speaker are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: ClassVar[str]
    speaker: ClassVar[str]
    version: ClassVar[int] = 1

    def __init_subclass__(cls, name: str, by: str, version: int = 1, **kwargs: Any) -> None:
        cls.version = version
        super().__init_subclass__(**kwargs)
        cls.name, cls.speaker = name, by
        FACTS[cls.type()] = cls

    @classmethod
    def type(cls) -> str:
        """CloudEvents type, for example ``cn.jiesu.assignment.signed.v1``."""
        return f"{PREFIX}{cls.name}.v{cls.version}"


# Every fact by its type; two versions of one name may be spoken side by side for one release.
FACTS: dict[str, type[Data]] = {}

Word = Annotated[str, Field(pattern=r"^[\w:.-]{1,64}$")]
Count = Annotated[int, Field(ge=1, le=2**31 - 1)]  # every reader keeps it in four bytes


class Fact(BaseModel):
    """One fact in its envelope.

    ``time`` is when it became true, ``recorded`` when it was written down; rules judge by ``time``
    and never by arrival. ``seq`` counts 1, 2, 3 … per subject and source. ``unit`` is the unit the
    fact is addressed to and, when present, the last word of the routing key.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    type: str
    source: Word
    subject: Word
    time: AwareDatetime
    recorded: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    seq: Count
    round: Count = 1
    assignment: UUID | None = None
    unit: Word | None = None
    actor: str
    traceparent: str | None = None
    data: Any

    @property
    def name(self) -> str:
        """Name without prefix and version: ``assignment.signed``."""
        return self.type.removeprefix(PREFIX).rpartition(".v")[0]

    @property
    def key(self) -> str:
        """Routing key: the name, and the unit when the fact is addressed to one."""
        return f"{self.name}.{self.unit}" if self.unit else self.name

    def encode(self) -> bytes:
        """The fact as CloudEvents structured JSON."""
        return orjson.dumps(self.model_dump(mode="json", exclude_none=True))

    @classmethod
    def decode(cls, body: bytes | str) -> Self:
        """Read a fact off the wire with its data as the class of its type.

        Raises OtherVersion for a version we do not know of a fact we do know, ContractError when
        it fits no contract. The message names fields, never values: it goes to logs and to the
        retry table.
        """
        try:
            fact = cls.model_validate(orjson.loads(body))
            known = FACTS.get(fact.type)
            if known is None:
                same = any(kind.name == fact.name for kind in FACTS.values())
                raise (OtherVersion if same else ContractError)(f"unknown type {fact.type!r}")
            return fact.model_copy(update={"data": known.model_validate(fact.data)})
        except ValidationError as broken:
            raise ContractError(_faults(broken)) from None
        except orjson.JSONDecodeError:
            raise ContractError("the body is not JSON") from None


def _faults(broken: ValidationError) -> str:
    rows = broken.errors(include_input=False, include_url=False)
    return "; ".join(f"{'.'.join(map(str, row['loc']))}: {row['msg']}" for row in rows)


# --- intake ------------------------------------------------------------------------------------


class TicketRegistered(Data, name="ticket.registered", by="intake"):
    """受理: a complaint got its number. Text is the working copy: nobody is named in it (R-01)."""

    ticket_type: TicketType
    urgency: Urgency
    topic: str
    title: str
    content: str
    area: str
    address: str | None = None
    location: Location | None = None
    channel: str
    flags: tuple[str, ...] = ()
    source_number: str | None = None
    reported_unit: str | None = None
    confidential: bool = False
    reply_declined: bool = False
    has_contact: bool = True


class TicketSupplemented(Data, name="ticket.supplemented", by="intake"):
    """补充: the citizen added something to the complaint."""

    content: str


class TicketUrged(Data, name="ticket.urged", by="intake"):
    """催单: the citizen asked again; ``times`` counts the urgings of this ticket so far."""

    note: str
    times: int


class TicketWithdrawn(Data, name="ticket.withdrawn", by="intake"):
    """撤单: the citizen took the complaint back."""

    reason: str


# --- dispatcher --------------------------------------------------------------------------------


class Limits(BaseModel):
    """Stage limits printed on a dispatch (BJ-13), as policy.yaml writes them: ``4wh``, ``5wd``, ``24h``.

    wd = working days, wh = working hours, h and min = natural time. None: no such duty.
    """

    model_config = ConfigDict(frozen=True)
    sign: str | None = None
    first_contact: str | None = None
    handle: str | None = None


class AssignmentDispatched(Data, name="assignment.dispatched", by="dispatcher"):
    """派单: a unit got the ticket, with the ground of the decision and its limits (R-03, BJ-13)."""

    role: Role
    ticket_type: TicketType
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
    registered: AwareDatetime
    lead: str
    co_handlers: tuple[str, ...] = ()
    rule: str | None = None
    reason: str
    limits: Limits
    redo: bool = False


class AssignmentSigned(Data, name="assignment.signed", by="dispatcher"):
    """签收: the unit took it and named the person who handles it (专人负责, SEED)."""

    handler: str


class AssignmentContacted(Data, name="assignment.contacted", by="dispatcher"):
    """先行联系: one attempt to contact the citizen; the envelope's time is when it was made (R-12)."""

    how: Literal["phone", "visit", "message"]
    outcome: ContactOutcome
    note: str = ""


class AssignmentProgressed(Data, name="assignment.progressed", by="dispatcher"):
    """进展: the unit says how far it is."""

    note: str


class AssignmentUpdated(Data, name="assignment.updated", by="dispatcher"):
    """Something about the ticket changed that its unit must know."""

    kind: Literal["supplemented", "urged"]
    content: str


class AssignmentReturnRequested(Data, name="assignment.return_requested", by="dispatcher"):
    """退单申请: the unit says the matter is clearly not its duty, with its legal basis (R-15)."""

    reason_code: str
    legal_basis: str
    suggested_unit: str | None = None
    approver: str
    note: str = ""


class AssignmentReturned(Data, name="assignment.returned", by="dispatcher"):
    """退单: the desk agreed; the ticket is the desk's again (R-15)."""

    ruling: str


class AssignmentReturnRefused(Data, name="assignment.return_refused", by="dispatcher"):
    """退单不予同意: the desk did not agree; the unit may not ask again (R-16)."""

    ruling: str


class AssignmentCompleted(Data, name="assignment.completed", by="dispatcher"):
    """办结: the unit answered; a co-handler answers to its lead (R-21)."""

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


class AssignmentCancelled(Data, name="assignment.cancelled", by="dispatcher"):
    """取消: the unit need not go on (the ticket was withdrawn, or went to another unit)."""

    reason: Literal["withdrawn", "redispatched"]


class AssignmentClosed(Data, name="assignment.closed", by="dispatcher"):
    """结案: the citizen's verdict on a completed assignment's ticket."""

    kind: ClosingKind


class TicketUnassigned(Data, name="ticket.unassigned", by="dispatcher"):
    """待派: no rule matched, or a return was granted; a person at the desk must assign it."""

    reason: str
    nearest: tuple[str, ...] = ()


class TicketResolved(Data, name="ticket.resolved", by="dispatcher"):
    """The lead completed; the citizen is to be called back (R-23)."""

    kind: CompletionKind
    lead: str
    units: tuple[str, ...]
    solved: bool
    public_answer: str


# --- tracker -----------------------------------------------------------------------------------


class ClockFace(BaseModel):
    """One clock as others see it. ``provisional``: the due moment lies in a year without a calendar."""

    model_config = ConfigDict(frozen=True)
    clock: ClockKind
    started: AwareDatetime
    limit: str
    due: AwareDatetime
    provisional: bool = False


class DeadlineSet(Data, name="deadline.set", by="tracker"):
    """起表: all clocks that one dispatch (or one registration) started."""

    clocks: tuple[ClockFace, ...]


class DeadlineMoved(Data, name="deadline.moved", by="tracker"):
    """改期: a due moment moved, and why."""

    clock: ClockKind
    before: AwareDatetime
    due: AwareDatetime
    provisional: bool = False
    reason: str


class DeadlineWarned(Data, name="deadline.warned", by="tracker"):
    """黄牌: the warning point passed; the envelope's time is that point (R-31)."""

    clock: ClockKind
    due: AwareDatetime


class DeadlineBreached(Data, name="deadline.breached", by="tracker"):
    """红牌: the due moment passed unmet; the envelope's time is the due moment (R-31)."""

    clock: ClockKind
    due: AwareDatetime


class DeadlineAnnulled(Data, name="deadline.annulled", by="tracker"):
    """撤牌: a breach was taken back: the duty had been done in time, or the due moment moved past it."""

    clock: ClockKind
    due: AwareDatetime
    reason: str


class DeadlineMet(Data, name="deadline.met", by="tracker"):
    """停表: the duty was done; ``late`` when that was after the due moment."""

    clock: ClockKind
    due: AwareDatetime
    late: bool


class DeadlinePaused(Data, name="deadline.paused", by="tracker"):
    """A unit's clock stands still while the desk rules on its return."""

    clock: ClockKind
    reason: str


class DeadlineResumed(Data, name="deadline.resumed", by="tracker"):
    """A unit's clock runs again, with its due moment moved by the pause's working time."""

    clock: ClockKind
    due: AwareDatetime
    provisional: bool = False


class DeadlineCancelled(Data, name="deadline.cancelled", by="tracker"):
    """A clock lost its ground: its assignment was cancelled or returned, its ticket withdrawn."""

    clock: ClockKind
    reason: str


class ExtensionRequested(Data, name="extension.requested", by="tracker"):
    """延期申请 on the handle clock (R-18)."""

    extension: UUID
    reason: str
    legal_basis: str
    days: Annotated[int, Field(ge=1)]


class ExtensionGranted(Data, name="extension.granted", by="tracker"):
    """延期批准: the citizen is told the new date and the reason (BJ-15)."""

    extension: UUID
    days: int
    due: AwareDatetime
    reason: str
    role: Role = Role.LEAD


class ExtensionRefused(Data, name="extension.refused", by="tracker"):
    """延期不予批准."""

    extension: UUID
    reason: str


class SupervisionRaised(Data, name="supervision.raised", by="tracker"):
    """督办: a rung of the ladder; 1 催办, 2 督办单, 3 一把手督办 … (R-30, R-32)."""

    supervision: UUID
    rung: Annotated[int, Field(ge=1, le=7)]
    title: str
    by: Literal["ladder", "hand", "trigger"]
    reason: str
    answer_due: AwareDatetime | None = None


class SupervisionClosed(Data, name="supervision.closed", by="tracker"):
    """督办解除: the matter was completed, or the ground of the supervision fell away."""

    supervision: UUID
    rung: int
    reason: str


# --- feedback ----------------------------------------------------------------------------------


class CallbackPlanned(Data, name="callback.planned", by="feedback"):
    """回访计划: the next attempt to call the citizen (R-23, R-24)."""

    attempt: Annotated[int, Field(ge=1)]
    due: AwareDatetime


class CallbackAnswered(Data, name="callback.answered", by="feedback"):
    """回访: the citizen answered the three questions (R-23, R-25)."""

    contacted: bool
    solved: Literal["yes", "partly", "no"]
    satisfied: Literal["satisfied", "basically_satisfied", "unsatisfied", "unrated"]
    comment: str = ""


class CallbackGivenUp(Data, name="callback.given_up", by="feedback"):
    """No verdict could be had: unreachable at every attempt, or refused (R-24, R-25)."""

    outcome: Literal["unreachable", "refused"]
    attempts: int


class CitizenTold(Data, name="citizen.told", by="feedback"):
    """告知: a message went to the citizen (BJ-15, JN-15)."""

    event: Literal["accepted", "dispatched", "extended", "completed", "reopened", "closed"]
    channel: str
    zh: str
    en: str


class TicketClosed(Data, name="ticket.closed", by="feedback"):
    """办结归档: the ticket ended, and how (AH, JN-25)."""

    kind: ClosingKind


class TicketReopened(Data, name="ticket.reopened", by="feedback"):
    """重办: the citizen does not agree; the envelope's round is the resolved round + 1 (R-27)."""

    reasons: tuple[Literal["not_contacted", "not_solved", "not_satisfied"], ...]
    comment: str = ""
