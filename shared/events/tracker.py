"""What the tracker says."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.events.envelope import Data
from shared.events.words import ClockKind, LegalLimit, Role


class DeadlineView(BaseModel):
    """One clock as others see it. ``provisional``: the due moment lies in a year without a calendar."""

    model_config = ConfigDict(frozen=True)
    clock: ClockKind
    started_at: AwareDatetime
    limit: str
    due: AwareDatetime
    provisional: bool = False


class DeadlineSet(Data, name="deadline.set", by="tracker"):
    """起表: all clocks that one dispatch (or one registration) started."""

    clocks: tuple[DeadlineView, ...]
    configuration: str | None = None
    policy_version: int | None = None


class DeadlineMoved(Data, name="deadline.moved", by="tracker"):
    """改期: a due moment moved, and why."""

    clock: ClockKind
    before: AwareDatetime
    due: AwareDatetime
    provisional: bool = False
    reason: str


class DeadlineLengthened(Data, name="deadline.lengthened", by="tracker"):
    """延长时限: a matter was found complex or less urgent, what its limit depends on was put right, or a law
    gives it a longer one (``law``), so the citizen waits longer; ``due`` is when an answer is to be expected
    now. That the clock was missed before, if it was, stands. ``upstream_due``: the platform that passed it on
    wants the answer then, and that was put right.
    """

    clock: ClockKind
    before: AwareDatetime
    due: AwareDatetime
    limit: str
    reason: str
    law: LegalLimit | None = None
    upstream_due: AwareDatetime | None = None


class DeadlineShortened(Data, name="deadline.shortened", by="tracker"):
    """恢复时限: the ``law`` that gave a matter a longer limit was taken back, so an answer is to be expected
    by ``due`` again, and never before that was said.
    """

    clock: ClockKind
    before: AwareDatetime
    due: AwareDatetime
    limit: str
    reason: str
    law: LegalLimit


class DeadlineWarned(Data, name="deadline.warned", by="tracker"):
    """预警: a warning point passed; the envelope's time is that point (R-31). ``point``: which of the
    policy's; ``color``: of the card, ``none`` where there is none; ``to``: who is to be told. One that says
    none of these means the yellow card.
    """

    clock: ClockKind
    due: AwareDatetime
    point: str | None = None
    color: str | None = None
    to: tuple[str, ...] = ()


class DeadlineBreached(Data, name="deadline.breached", by="tracker"):
    """红牌: the due moment passed unmet; the envelope's time is the due moment (R-31). ``to``: who is to be
    told.
    """

    clock: ClockKind
    due: AwareDatetime
    to: tuple[str, ...] = ()


class DeadlineAnnulled(Data, name="deadline.annulled", by="tracker"):
    """撤牌: a breach was taken back: the duty had been done in time, or the due moment moved past it."""

    clock: ClockKind
    due: AwareDatetime
    reason: str


class DeadlineRevised(Data, name="deadline.revised", by="tracker"):
    """更正: a clock that ended is judged anew, because of ``days`` the calendar had wrong; two persons decide
    it. Its first judgement, late after ``before``, stays on record; ``late``: it is so after ``due`` too.
    ``calendar``: the version that has the days right.
    """

    clock: ClockKind
    clock_id: UUID
    before: AwareDatetime
    due: AwareDatetime
    late: bool
    revision: UUID
    days: tuple[str, ...]
    calendar: int
    ground: str
    paper: str
    proposed_by: str
    confirmed_by: str


class DeadlineMet(Data, name="deadline.met", by="tracker"):
    """停表: the duty was done; ``late`` when that was after the due moment."""

    clock: ClockKind
    due: AwareDatetime
    late: bool


class DeadlinePaused(Data, name="deadline.paused", by="tracker"):
    """A unit's clock stands still while the desk rules on its request, or stood still while the desk audited
    an answer that it sent back.
    """

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
    """延期申请 on the handle clock (R-18). ``ordinal``: the first or the second of its order; ``office``:
    which one rules on it, none where a supervisor does.
    """

    extension: UUID
    reason: str
    legal_basis: str
    days: Annotated[int, Field(ge=1)]
    ordinal: int = 1
    office: str | None = None


class ExtensionGranted(Data, name="extension.granted", by="tracker"):
    """延期批准: the citizen is told the new date and the reason (BJ-15), ``unit_reason`` as its unit asked.

    ``while_open``: its order was still being worked on; else it says how it is judged, and nobody is told.
    ``days`` are granted, of those ``asked`` for; ``ordinal``: the first or the second of its order;
    ``office``: which one granted it, none where a supervisor did.
    """

    extension: UUID
    days: int
    due: AwareDatetime
    reason: str
    role: Role = Role.LEAD
    unit_reason: str | None = None
    while_open: bool = True
    asked: int | None = None
    ordinal: int = 1
    office: str | None = None


class ExtensionRefused(Data, name="extension.refused", by="tracker"):
    """延期不予批准."""

    extension: UUID
    reason: str


class ExtensionLapsed(Data, name="extension.lapsed", by="tracker"):
    """延期失效: what it was asked for ended before anybody ruled."""

    extension: UUID
    reason: str


class Instruction(BaseModel):
    """领导批示: which leader wrote what, and on which paper (WH)."""

    model_config = ConfigDict(frozen=True)
    leader: str
    paper: str
    text: str


class StaleKnowledge(BaseModel):
    """知识库条目失效: which entry of the county's knowledge base, and what of it is wrong (R-39)."""

    model_config = ConfigDict(frozen=True)
    entry: str
    wrong: str


class SupervisionRaised(Data, name="supervision.raised", by="tracker"):
    """督办: a rung of the ladder; 1 催办, 2 督办单, 3 一把手督办 … (R-30, R-32). ``instruction``: of a
    leader, where one led to it; ``stale_knowledge``: of what its unit has to put right in the knowledge
    base, where that did; ``joint``: the bodies that supervise together (联合督办).
    """

    supervision: UUID
    rung: Annotated[int, Field(ge=1, le=7)]
    title: str
    by: Literal["ladder", "hand", "trigger"]
    reason: str
    answer_due: AwareDatetime | None = None
    instruction: Instruction | None = None
    joint: tuple[str, ...] = ()
    stale_knowledge: StaleKnowledge | None = None


class SupervisionAnswered(Data, name="supervision.answered", by="tracker"):
    """督办回复: what the unit did, who led in person, and what came of it; ``late`` after the date it had.
    ``put_right``: what the entry of the knowledge base says now, of one that a stale entry led to (R-39).
    """

    supervision: UUID
    rung: Annotated[int, Field(ge=1, le=7)]
    measures: str
    result: str
    led_by: str | None = None
    led_by_post: str | None = None
    late: bool
    put_right: str | None = None


class SupervisionSentBack(Data, name="supervision.sent_back", by="tracker"):
    """督办回复退回: the answer was not accepted; the unit answers again, by another date."""

    supervision: UUID
    rung: Annotated[int, Field(ge=1, le=7)]
    reason: str
    answer_due: AwareDatetime


class SupervisionClosed(Data, name="supervision.closed", by="tracker"):
    """督办解除: the matter was completed, its answer was ``accepted``, or its ground fell away."""

    supervision: UUID
    rung: int
    reason: str
    accepted: bool = False


class ReferralProposed(Data, name="referral.proposed", by="tracker"):
    """提议移送: a supervisor holds that a unit's conduct is the discipline body's matter, on which ground and
    why (rung 7; BJ-35, JN-40). The unit is told nothing of it.
    """

    referral: UUID
    ground: Literal["falsified", "leak", "retaliation"]
    reason: str


class ReferralGranted(Data, name="referral.granted", by="tracker"):
    """移送: another supervisor agreed, and it is the discipline body's."""

    referral: UUID
    ground: Literal["falsified", "leak", "retaliation"]
    reason: str
    proposed_by: str
    note: str


class ReferralRefused(Data, name="referral.refused", by="tracker"):
    """不予移送: another supervisor would not have it, or who proposed it took it back."""

    referral: UUID
    proposed_by: str
    note: str


class StaffTold(Data, name="staff.told", by="tracker"):
    """告知工作人员: one person, or one office, is told something about a ticket (R-31, R-32, R-38). A gateway
    delivers it, not before ``not_before``. It names no citizen.

    ``roles``: as whom policy names them; ``instead_of``: which of these nobody is on record for, so that
    this one is asked to pass it on. ``account``: of a handler who gave one. Neither ``office`` nor
    ``person``: nobody who may know of it is on record, and whoever has the role is meant.
    """

    occasion: Literal["warning", "breach", "supervision", "referral", "risk", "extension"]
    roles: tuple[str, ...]
    instead_of: tuple[str, ...] = ()
    office: str | None = None
    person: str | None = None
    account: str | None = None
    not_before: AwareDatetime
    zh: str
    en: str


class RiskAcknowledged(Data, name="risk.acknowledged", by="tracker"):
    """已知悉: the office that was told of a danger has taken it up, in the words of whoever says so: who sees
    to it, and what is being done (R-38). ``late``: after ``due``, by when that was to be said. Said once.
    """

    taken_up_by: str
    measures: str
    office: str | None = None
    due: AwareDatetime | None = None
    late: bool = False


class PromiseMoveAsked(Data, name="promise.move_asked", by="tracker"):
    """申请改期: the unit cannot keep the day it promised, and asks for another before it comes (R-19)."""

    before: str
    promised_date: str
    reason: str


class PromiseMoved(Data, name="promise.moved", by="tracker"):
    """承诺改期: a supervisor let a promised day be moved, once; the citizen is told the new one and the
    unit's reason (R-19).
    """

    before: str
    promised_date: str
    unit_reason: str
    ruling: str


class PromiseMoveRefused(Data, name="promise.move_refused", by="tracker"):
    """不予改期: the promised day stands."""

    promised_date: str
    ruling: str


class PromiseKept(Data, name="promise.kept", by="tracker"):
    """承诺兑现: the unit says that it did what it had promised; the citizen is asked (R-19). ``late``:
    after the day.
    """

    promised_date: str
    result: str
    late: bool


class PromiseReviewed(Data, name="promise.reviewed", by="tracker"):
    """挂账复核: the hotline looked after a promise whose day has not come (JN-24, R-19)."""

    promised_date: str
    note: str


class PolicyPublished(Data, name="policy.published", by="tracker"):
    """时限规则发布: a version of the time limits and of supervision, which decides from ``effective_at`` on:
    each service that prints or watches a limit keeps it. It is said of no ticket.

    ``limits_yaml`` and ``supervision_yaml``: the two files whole, as they were published. The first
    version is the county's folder as it stood when people first published another.
    """

    policy_version: Annotated[int, Field(ge=1)]
    effective_at: AwareDatetime
    digest: str
    limits_yaml: str
    supervision_yaml: str
    authors: tuple[str, ...] = ()
    note: str = ""


class PolicyWithdrawn(Data, name="policy.withdrawn", by="tracker"):
    """时限规则撤回: a published version that will not take effect; the one before goes on."""

    policy_version: Annotated[int, Field(ge=1)]
    reason: str
