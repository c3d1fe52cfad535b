"""What befell a ticket, its rounds and its assignments, each with its instant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, NamedTuple
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict

from services.tracker.rules.extending import Grant
from services.tracker.rules.pauses import Pause, WaitTimeline, joined
from services.tracker.rules.promised import Instant, Known, Promised, PromiseRecord
from services.tracker.rules.stated import LawNamed, MomentCorrected
from shared.events import ClockKind, Limits, Role, TicketType, Urgency
from shared.jurisdiction.succession import Dissolved, became

RETURNED = "退单已同意 the return was granted"
WITHDRAWN = "诉求人撤单 the citizen withdrew the ticket"
REDISPATCHED = "已改派 it went to another unit"
MERGED = "已并单办理 it was merged into other work"
COMPLETED = "已办结 the matter was completed"
RULED = "已裁定 the desk ruled"
AUDITED = "已审核 the desk audited the answer"
REFERRED = "已提交裁决 an arbitration rules on it"
KEPT = "承诺已兑现 the promise was kept"
REDONE = "已发回重办 the matter is done again"
ENDED = "裁决终止 nothing was left to rule on"
TAKEN_BACK = "已撤回退单申请 the unit took its request back"
GROUND = {"rule", "law", "upstream"}  # of printed limits: why the time to handle it is what it is
CANCELLED_FOR = {"withdrawn": WITHDRAWN, "merged": MERGED}


class Ending(NamedTuple):
    """When and why something ended."""

    at: datetime
    why: str


class Merge(BaseModel):
    """并单, or its end where ``into`` is None; ``seq`` is intake's. ``repeat``: the same person again."""

    model_config = ConfigDict(frozen=True)
    seq: int
    at: Instant
    into: str | None = None
    repeat: bool = False


class LeftToDesk(BaseModel):
    """待派: the dispatcher left a round to the desk, and as how urgent; ``seq`` is the dispatcher's.
    ``anew``: units had it or had answered, so the desk's time begins with this.
    """

    model_config = ConfigDict(frozen=True)

    seq: int
    round: int
    at: Instant
    urgency: Annotated[Urgency, BeforeValidator(lambda word: Urgency(word))]  # newer words, too
    anew: bool = False


class ArbitrationStep(Known):
    """A body of the ladder: since when it had to rule, and within what limit."""

    number: int
    at: Instant
    limit: str


class ArbitrationTimeline(Known):
    """争议裁决: a dispute before the ladder, step by step, in whatever order that was heard.

    ``requests``: the returns that are ruled on there since ``opened_at``, and no more by the desk.
    """

    id: UUID
    round: int
    opened_at: Instant | None = None
    requests: tuple[UUID, ...] = ()
    steps: tuple[ArbitrationStep, ...] = ()
    ruled_at: Instant | None = None
    ended_at: Instant | None = None

    @property
    def ending(self) -> Ending | None:
        """When there was nothing left to rule on, if so."""
        return _ending(self.ended_at, ENDED)

    def over(self, step: ArbitrationStep) -> datetime | None:
        """When a body was done: it ruled, or the next one had to."""
        later = [each.at for each in self.steps if each.number > step.number]
        return min(filter(None, (*later, self.ruled_at)), default=None)


class Matter(Known):
    """The ticket as clocks see it: what its limits depend on, and when it came and went."""

    number: str
    type: TicketType
    urgency: Urgency
    topic: str
    flags: tuple[str, ...]
    registered_at: Instant
    withdrawn_at: Instant | None = None
    confidential: bool | None = None
    terms_at: Instant | None = None
    merges: tuple[Merge, ...] = ()
    unassigned: tuple[LeftToDesk, ...] = ()
    arbitrations: tuple[ArbitrationTimeline, ...] = ()
    carried: tuple[Carried, ...] = ()
    channel: str | None = None
    upstream_due: Instant | None = None
    upstream_corrected: MomentCorrected | None = None
    laws: tuple[LawNamed, ...] = ()

    def referred(self, request: UUID) -> Ending | None:
        """When a return went before the ladder, if it did: the desk rules on it no more."""
        opened = (each.opened_at for each in self.arbitrations if request in each.requests)
        return _ending(min(filter(None, opened), default=None), REFERRED)

    def lost_after(self, start: datetime) -> Ending | None:
        """When and why a duty of the ticket's own that began at a moment fell away, if it did."""
        merged = (_ending(each.at, MERGED) for each in self.merges if each.into)
        later = (ending for ending in merged if ending and ending.at >= start)
        return min(filter(None, (*later, self.withdrawal)), default=None)

    @property
    def asked_urgency(self) -> Urgency:
        """The urgency asked for. 疑难 lengthens the limit: only the desk can grant that (SH-DN)."""
        return Urgency.NORMAL if self.urgency is Urgency.COMPLEX else self.urgency

    @property
    def withdrawal(self) -> Ending | None:
        """When the citizen took it back, if that happened. Of a confidential matter no unit is told that
        it was the citizen's doing (R-35); of a ticket of an older release it is not known.
        """
        quiet = self.type is TicketType.REPORT if self.confidential is None else self.confidential
        return _ending(self.withdrawn_at, REDISPATCHED if quiet else WITHDRAWN)


class RoundTimeline(Known):
    """One round of a ticket, from registration or reopening to the lead's answer, or to ``ended_at``,
    when the hotline ended it itself. ``continues``: the hotline took that end of the one before back, so
    the citizen and the units are where they were (ADR 0049).
    """

    number: int
    started_at: Instant
    resolved_at: Instant | None = None
    ended_at: Instant | None = None
    continues: bool = False


def first_rounds(rounds: Iterable[RoundTimeline]) -> dict[int, int]:
    """For each round the first of those that it goes on from, without a break; else itself."""
    firsts: dict[int, int] = {}
    for each in sorted(rounds, key=lambda each: each.number):
        before = firsts.get(each.number - 1)
        firsts[each.number] = before if each.continues and before else each.number
    return firsts


class ReturnTimeline(Known):
    """退单: one request to return an assignment, and its ruling, whichever was heard first.

    ``review``: the limit of the desk to rule. ``silent``: it said nothing in time, and the policy ruled
    (R-15). ``charged``: the unit lost before the ladder, or gave in, and has had no pause (gain 2).
    ``spent``: it took its request back, and none of its clocks has stood still (ADR 0087).
    """

    id: UUID
    asked_at: Instant | None = None
    review: str | None = None
    pauses: bool = True
    ruled_at: Instant | None = None
    granted: bool = False
    silent: bool = False
    withdrawn_at: Instant | None = None
    charged: bool = False
    spent: bool = False

    @property
    def taken_back(self) -> Ending | None:
        """When the unit took its request back, if it did."""
        return _ending(self.withdrawn_at, TAKEN_BACK)


class CompletionTimeline(Known):
    """办结: one answer of a unit, and its audit, whichever was heard first (R-22).

    ``id``: the audit's, or the assignment's of one that passed at once. ``limit``: the desk's, to audit it.
    ``pauses``: the time of the audit that sent it back is not the unit's. ``promised_until``: the end of
    the day a lead promised in it, for what cannot be done yet (R-19).
    """

    id: UUID
    at: Instant
    limit: str | None = None
    decided_at: Instant | None = None
    sent_back: bool = False
    silent: bool = False
    pauses: bool = False
    promised_until: Instant | None = None

    @property
    def passed_at(self) -> datetime | None:
        """When it became what the citizen was told, if it did."""
        if self.sent_back:
            return None
        return self.at if self.limit is None else self.decided_at


class Transfer(NamedTuple):
    """承接: until when a unit had an assignment, and who goes on with it; ``seq`` is the dispatcher's."""

    seq: int
    until: Instant
    before: str
    to: str


class AssignmentTimeline(Known):
    """One assignment: its limits as dispatched, and when what befell it. ``unit`` has it now.

    ``return_requested_at`` and ``return_refused_at``: the first return, all that the release before knows
    of; ``returns`` are those whose facts say more. ``resumed_at``: since when it is too urgent to pause.
    ``completed_at``: the first of its ``completions`` that was not sent back. ``attended_at``: when its unit
    came that was whistled for. ``ground``: why its time to handle it is what it is.
    """

    id: UUID
    unit: str
    role: Role
    round: int
    urgency: Urgency
    has_contact: bool
    sign_limit: str | None
    first_contact_limit: str | None
    handle_limit: str | None
    dispatched_at: Instant
    signed_at: Instant | None = None
    contacted_at: Instant | None = None
    completed_at: Instant | None = None
    return_requested_at: Instant | None = None
    return_refused_at: Instant | None = None
    returned_at: Instant | None = None
    cancelled_at: Instant | None = None
    cancel_reason: str | None = None
    extension: int = 0
    extended_at: Instant | None = None
    granted: tuple[Grant, ...] = ()
    terms_at: Instant | None = None
    returns: tuple[ReturnTimeline, ...] = ()
    resumed_at: Instant | None = None
    completions: tuple[CompletionTimeline, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    attend_limit: str | None = None
    attended_at: Instant | None = None
    promise: PromiseRecord = PromiseRecord()
    ground: Limits = Limits()
    waits: tuple[WaitTimeline, ...] = ()

    @property
    def grants(self) -> tuple[Grant, ...]:
        """Its extensions, the first first; of one that a release before granted there is only the sum."""
        sum_alone = (Grant(self.extended_at, self.extension),) if self.extension else ()
        return self.granted or sum_alone

    @property
    def promised(self) -> Promised | None:
        """The day its unit promised in the answer that stands, if it did."""
        passed = [each for each in self.completions if each.passed_at]
        answer = min(passed, key=lambda each: each.at, default=None)
        if answer is None or answer.promised_until is None or answer.passed_at is None:
            return None
        until = moved.until if (moved := self.promise.moved) else answer.promised_until
        # A day that was over before the answer was let pass was promised when it was given.
        said_at = answer.passed_at if answer.passed_at < until else answer.at
        since = said_at.replace(second=0, microsecond=0)
        moved_at, kept_at = moved.ruled_at if moved else None, self.promise.kept_at
        return Promised(since, until, moved_at, kept_at) if since < until else None

    @property
    def place(self) -> tuple[datetime, UUID]:
        """Where it stands among those of its ticket."""
        return self.dispatched_at, self.id

    @property
    def given_to(self) -> str:
        """To whom it was dispatched."""
        return self.transfers[0].before if self.transfers else self.unit

    def with_people(self, people: str, at: datetime, dissolved: Mapping[str, Dissolved]) -> bool:
        """Whether who had it by a moment was a unit, or had become it by a reform (机构改革)."""
        until_then = [each.to for each in self.transfers if each.until <= at]
        had = until_then[-1] if until_then else self.given_to
        return people in became(had, at, dissolved)

    def ending(self, withdrawal: Ending | None) -> Ending | None:
        """When and why the assignment ended, if it did; the earliest end counts."""
        lost = self.loss(withdrawal)
        if self.completed_at is None or (lost and lost.at < self.completed_at):
            return lost
        return Ending(self.completed_at, COMPLETED)

    def loss(self, withdrawal: Ending | None) -> Ending | None:
        """When and why the duty fell away, if it did."""
        why = CANCELLED_FOR.get(self.cancel_reason or "", REDISPATCHED)
        returned = _ending(self.returned_at, RETURNED)
        cancelled = _ending(self.cancelled_at, why)
        return min(filter(None, (returned, cancelled, withdrawal)), default=None)

    @property
    def pauses(self) -> tuple[Pause, ...]:
        """The desk's time to rule on a return is not the unit's, where its request says so (DOMAIN.md
        5.3); one of which no request is known pauses as it always did. Nor is its time to audit an answer
        that it sends back, where that says so.
        """
        found = [pause for each in self.asked_returns if (pause := self._pause(each))]
        first, refused_at = self.return_requested_at, self.return_refused_at
        if first and all(each.asked_at != first for each in self.asked_returns):
            found.append(Pause(first, refused_at and max(refused_at, first)))
        found += (
            Pause(each.at, max(each.at, each.decided_at))
            for each in self.completions
            if each.sent_back and each.pauses and each.decided_at
        )
        return joined(found)

    def pauses_of(self, kind: ClockKind, *, charged: bool = True) -> tuple[Pause, ...]:
        """As ``pauses``; of the time to handle it, those of lost disputes give nothing back, and end where
        they begin: to sign or to call the citizen meanwhile, its unit was not let. It alone stands still
        while the citizen is waited for. ``charged``: whether what was lost is.
        """
        if kind is not ClockKind.HANDLE:
            return self.pauses
        lost = {each.asked_at for each in self.asked_returns if each.charged and charged}
        ruled = (
            Pause(pause.begins_at, pause.begins_at) if pause.begins_at in lost else pause
            for pause in self.pauses
        )
        return joined((*ruled, *(pause for each in self.waits if (pause := each.pause))))

    def _pause(self, asked: ReturnTimeline) -> Pause | None:
        if asked.asked_at is None or not asked.pauses:
            return None
        begins_at, refused_at = asked.asked_at, None if asked.granted else asked.ruled_at
        spent = begins_at if asked.spent else None
        ends = [max(at, begins_at) for at in (refused_at, asked.withdrawn_at, spent) if at]
        if self.resumed_at and self.resumed_at >= begins_at:
            ends.append(self.resumed_at)
        return Pause(begins_at, min(ends, default=None))

    @property
    def asked_returns(self) -> tuple[ReturnTimeline, ...]:
        """The returns whose requests are known, each with its ruling; one by the release before names
        no request, and is of the one that waits.
        """
        asked = (each for each in self.returns if each.asked_at)
        return tuple(
            each if each.ruled_at or each.withdrawn_at else self._ruled_unnamed(each)
            for each in asked
        )

    def _ruled_unnamed(self, asked: ReturnTimeline) -> ReturnTimeline:
        named = {at for each in self.returns for at in (each.ruled_at, each.withdrawn_at)}
        for at, granted in ((self.returned_at, True), (self.return_refused_at, False)):
            if at and asked.asked_at and at >= asked.asked_at and at not in named:
                return asked.model_copy(update={"ruled_at": at, "granted": granted})
        return asked


class Carried(BaseModel):
    """An order that a unit had of the same matter under another number (并单, 拆分), as far as it counts here
    and with the round in which it does, since a moment. ``joined``: the ticket whose past it is, where that
    was merged into the work of this one; else it was this ticket's matter, too. ``known_at``: when what
    carried it was recorded.
    """

    model_config = ConfigDict(frozen=True)
    order: AssignmentTimeline
    since: Instant
    known_at: Instant
    joined: str | None = None

    @property
    def key(self) -> tuple[UUID, str, datetime]:
        """What tells it from others: an order may count in several ways."""
        return self.order.id, self.joined or "", self.since


def _ending(at: datetime | None, why: str) -> Ending | None:
    return None if at is None else Ending(at, why)


Matter.model_rebuild()
