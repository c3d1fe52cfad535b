"""From what befell a ticket to what befell each of its clocks.

Everything is worked out anew from facts with their times, so the result is the same in whatever
order the facts came in, and however often (DESIGN §3).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, NamedTuple
from uuid import UUID, uuid5

from pydantic import AfterValidator, BaseModel, ConfigDict

from shared.events import ClockKind, Role, TicketType, Urgency

NAMESPACE = UUID("6e1d1b8a-3a0e-5d52-9c0c-7d1f0a5e3c41")

RETURNED = "退单已同意 the return was granted"
WITHDRAWN = "诉求人撤单 the citizen withdrew the ticket"
REDISPATCHED = "已改派 it went to another unit"
COMPLETED = "已办结 the matter was completed"


# A fact's time comes in the zone its speaker wrote, a row's in UTC: both must be stored alike.
Instant = Annotated[datetime, AfterValidator(lambda t: t.astimezone(UTC))]


class _Known(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True, extra="ignore")


class Matter(_Known):
    """The ticket as clocks see it: what its limits depend on, and when it came and went."""

    number: str
    ticket_type: TicketType
    urgency: Urgency
    topic: str
    flags: tuple[str, ...]
    registered: Instant
    withdrawn: Instant | None = None

    @property
    def asked(self) -> Urgency:
        """The urgency asked for. 疑难 lengthens the limit: only the desk can grant that (SH-DN)."""
        return Urgency.NORMAL if self.urgency is Urgency.COMPLEX else self.urgency


class Round(_Known):
    """One round of a ticket, from registration or reopening to the lead's answer."""

    number: int
    started: Instant
    resolved: Instant | None = None


class Duty(_Known):
    """One assignment: its limits as dispatched, and when what befell it."""

    id: UUID
    unit: str
    role: Role
    round: int
    urgency: Urgency
    has_contact: bool
    sign_limit: str | None
    first_contact_limit: str | None
    handle_limit: str | None
    dispatched: Instant
    signed: Instant | None = None
    contacted: Instant | None = None
    completed: Instant | None = None
    return_requested: Instant | None = None
    return_refused: Instant | None = None
    returned: Instant | None = None
    cancelled: Instant | None = None
    cancel_reason: str | None = None
    extension: int = 0

    def ending(self, withdrawn: datetime | None) -> Ending | None:
        """When and why the assignment ended, if it did; the earliest end counts."""
        lost = self.loss(withdrawn)
        if self.completed is None or (lost and lost.at < self.completed):
            return lost
        return Ending(self.completed, COMPLETED)

    def loss(self, withdrawn: datetime | None) -> Ending | None:
        """When and why the duty fell away, if it did."""
        cancelled = WITHDRAWN if self.cancel_reason == "withdrawn" else REDISPATCHED
        return _first(
            (self.returned, RETURNED), (self.cancelled, cancelled), (withdrawn, WITHDRAWN)
        )

    @property
    def pauses(self) -> tuple[Pause, ...]:
        """The desk's time to rule on a return is not the unit's (policy.yaml, clocks)."""
        if self.return_requested is None:
            return ()
        refused = self.return_refused
        return (Pause(self.return_requested, refused and max(refused, self.return_requested)),)


class Pause(NamedTuple):
    """A time in which a clock stands still; open while ``ends`` is None."""

    begins: datetime
    ends: datetime | None = None


class Ending(NamedTuple):
    """When and why something ended."""

    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Course:
    """What befell one clock; how it stands follows from this, its terms and the calendar.

    ``limit`` is the one the dispatch carried; the ticket's own clocks look theirs up. ``extension``
    counts working days.
    """

    id: UUID
    kind: ClockKind
    round: int
    urgency: Urgency
    started: datetime
    met: datetime | None
    lost: Ending | None
    limit: str | None = None
    assignment: UUID | None = None
    unit: str | None = None
    role: Role | None = None
    pauses: tuple[Pause, ...] = ()
    extension: int = 0


def courses(matter: Matter, rounds: Iterable[Round], duties: Sequence[Duty]) -> Iterator[Course]:
    """Every clock of a ticket: its own, then those of its assignments."""
    leads = [duty for duty in duties if duty.role is Role.LEAD]
    yield from _dispatching(matter, leads)
    for row in rounds:
        yield _citizen(matter, row, leads)
    for duty in duties:
        yield from _handling(matter, duty)


def _dispatching(matter: Matter, leads: Sequence[Duty]) -> Iterator[Course]:
    """The desk's clock runs from registration, and afresh from each granted return of a lead."""
    yield _dispatch(matter, "registered", 1, matter.asked, matter.registered, leads)
    for back in leads:
        if back.returned:
            others = [lead for lead in leads if lead is not back]
            cause = str(back.id)
            yield _dispatch(matter, cause, back.round, back.urgency, back.returned, others)


def _dispatch(
    matter: Matter,
    cause: str,
    round: int,
    urgency: Urgency,
    started: datetime,
    candidates: Sequence[Duty],
) -> Course:
    dispatched = [lead.dispatched for lead in candidates if lead.dispatched >= started]
    return Course(
        id=_name(matter, ClockKind.DISPATCH, cause),
        kind=ClockKind.DISPATCH,
        round=round,
        urgency=urgency,
        started=started,
        met=min(dispatched, default=None),
        lost=_first((matter.withdrawn, WITHDRAWN)),
    )


def _citizen(matter: Matter, row: Round, leads: Sequence[Duty]) -> Course:
    """诉求人时限: never pauses, whatever the units quarrel about."""
    return Course(
        id=_name(matter, ClockKind.CITIZEN, str(row.number)),
        kind=ClockKind.CITIZEN,
        round=row.number,
        urgency=effective_urgency(matter, leads, row.number),
        started=row.started,
        met=row.resolved,
        lost=_first((matter.withdrawn, WITHDRAWN)),
    )


def effective_urgency(matter: Matter, leads: Iterable[Duty], round: int) -> Urgency:
    """The urgency of the latest dispatch to a lead up to a round, or the one asked for."""
    known = [lead for lead in leads if lead.round <= round]
    latest = max(known, key=lambda lead: (lead.round, lead.dispatched, lead.id), default=None)
    return latest.urgency if latest else matter.asked


def _handling(matter: Matter, duty: Duty) -> Iterator[Course]:
    """Sign, first contact and handle run from dispatch, so signing late hides nothing."""
    contact = duty.first_contact_limit if duty.has_contact else None
    yield from _stage(matter, duty, ClockKind.SIGN, duty.sign_limit, duty.signed)
    yield from _stage(matter, duty, ClockKind.FIRST_CONTACT, contact, duty.contacted)
    yield from _stage(matter, duty, ClockKind.HANDLE, duty.handle_limit, None)


def _stage(
    matter: Matter, duty: Duty, kind: ClockKind, limit: str | None, done: datetime | None
) -> Iterator[Course]:
    if limit is None:
        return
    yield Course(
        id=_name(matter, kind, str(duty.id)),
        kind=kind,
        round=duty.round,
        urgency=duty.urgency,
        started=duty.dispatched,
        met=min(filter(None, (done, duty.completed)), default=None),
        lost=duty.loss(matter.withdrawn),
        limit=limit,
        assignment=duty.id,
        unit=duty.unit,
        role=duty.role,
        pauses=duty.pauses,
        extension=duty.extension if kind is ClockKind.HANDLE else 0,
    )


def _name(matter: Matter, kind: ClockKind, cause: str) -> UUID:
    """The same clock has the same id whenever its facts come in."""
    return uuid5(NAMESPACE, f"{matter.number}/{kind}/{cause}")


def _first(*known: tuple[datetime | None, str]) -> Ending | None:
    return min((Ending(at, why) for at, why in known if at), default=None)
