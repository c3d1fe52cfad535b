"""What a unit had of a duty before it got the ticket again in its round, itself or as a unit it follows,
under this number or another (ADR 0049, 0056). Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.tracker.rules.pauses import Pause
from services.tracker.rules.timelines import AssignmentTimeline, Carried
from shared.events import ClockKind, Role
from shared.jurisdiction.succession import Dissolved


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a unit had of the same duty before, in the same round, or whom it follows: since when, under
    which limits, that of the order that goes on among them, how many days it was extended, and when no
    clock of it ran, up to the moment ``again_at`` it got the order again, or a ticket it had ``joined`` the
    work. ``orders``: those it had. ``led``: from when until when it had the lead.
    """

    started_at: datetime
    limits: tuple[str, ...]
    pauses: tuple[Pause, ...]
    again_at: datetime
    extension: int = 0
    orders: frozenset[UUID] = frozenset()
    led: tuple[tuple[datetime, datetime], ...] = ()
    joined: bool = False


class Course(NamedTuple):
    """Orders of one unit, oldest first, up to the moment from which another goes on from them; ``later`` are
    those it had since a ticket with the others ``joined`` the work. ``own_limit``: whether what the new one
    was given counts, too.
    """

    orders: Sequence[AssignmentTimeline]
    again_at: datetime
    later: Sequence[AssignmentTimeline] = ()
    joined: bool = False
    own_limit: bool = True


def before(
    assignment: AssignmentTimeline,
    orders: Iterable[AssignmentTimeline],
    dissolved: Mapping[str, Dissolved],
    firsts: Mapping[int, int],
) -> list[AssignmentTimeline]:
    """The orders that whom this one was given to had before it in the same round, or in one that it goes on
    from (``firsts``, as first_rounds), oldest first; itself, or as the unit that it follows.
    """
    earlier = (each for each in orders if each.place < assignment.place)
    return _theirs(assignment, earlier, dissolved, firsts)


def _theirs(
    assignment: AssignmentTimeline,
    orders: Iterable[AssignmentTimeline],
    dissolved: Mapping[str, Dissolved],
    firsts: Mapping[int, int],
) -> list[AssignmentTimeline]:
    first = firsts.get(assignment.round, assignment.round)
    same = (
        each
        for each in orders
        if firsts.get(each.round, each.round) == first
        and each.with_people(assignment.given_to, assignment.dispatched_at, dissolved)
    )
    return sorted(same, key=lambda order: order.place)


def courses(
    assignment: AssignmentTimeline,
    assignments: Iterable[AssignmentTimeline],
    carried: Sequence[Carried],
    dissolved: Mapping[str, Dissolved],
    firsts: Mapping[int, int],
) -> Iterator[Course]:
    """From what an order goes on: what its unit had of the ticket before, from its first order on and from
    each later one, which may have left it less time than was left (ADR 0087); then, of each ticket that was
    merged into the work, what it had of that.
    """
    given_at, ending = assignment.dispatched_at, assignment.ending(None)
    elsewhere = (each.order for each in carried if not each.joined)
    own = before(assignment, [*assignments, *elsewhere], dissolved, firsts)
    yield from (Course(own[first:], given_at) for first in range(len(own)))
    for ticket, since in sorted({(each.joined, each.since) for each in carried if each.joined}):
        joined = (each.order for each in carried if (each.joined, each.since) == (ticket, since))
        past = _theirs(assignment, joined, dissolved, firsts)
        if past and (ending is None or ending.at > since):
            later = (_from(each, since) for each in own if given_at > since)
            alike = (past[-1].role, past[-1].urgency) == (assignment.role, assignment.urgency)
            yield Course(
                past,
                max(given_at, since),
                list(filter(None, later)),
                joined=True,
                own_limit=not alike,
            )


def _from(order: AssignmentTimeline, since: datetime) -> AssignmentTimeline | None:
    """What is left of an order from a moment on."""
    ending = order.ending(None)
    if ending and ending.at <= since:
        return None
    return order.model_copy(update={"dispatched_at": max(order.dispatched_at, since)})


class Duty(NamedTuple):
    """One duty of an order: its limit, and when it was done."""

    limit: str | None
    done_at: datetime | None


def duties(assignment: AssignmentTimeline) -> dict[ClockKind, Duty]:
    """The duties of an order of a unit, each with its limit and when it was done."""
    done, contact = assignment.completed_at, assignment.first_contact_limit
    return {
        ClockKind.SIGN: Duty(assignment.sign_limit, _first(assignment.signed_at, done)),
        ClockKind.FIRST_CONTACT: Duty(
            contact if assignment.has_contact else None, _first(assignment.contacted_at, done)
        ),
        ClockKind.HANDLE: Duty(assignment.handle_limit, done),
        ClockKind.ATTEND: Duty(assignment.attend_limit, _first(assignment.attended_at, done)),
    }


def _first(*moments: datetime | None) -> datetime | None:
    return min(filter(None, moments), default=None)


def earlier(kind: ClockKind, assignment: AssignmentTimeline, course: Course) -> Earlier | None:
    """What a unit had of a duty: its clock stood still while the unit was rid of it, or had done it, under
    whichever of its orders; two that were merged may have had one each at the same time.
    """
    again_at, own = course.again_at, duties(assignment)[kind]
    limits = [limit for each in course.orders if (limit := duties(each)[kind].limit)]
    over = (
        assignment.dispatched_at < again_at and own.done_at is not None and own.done_at <= again_at
    )
    if not limits or over:
        return None
    every = ((each, duties(each)[kind]) for each in (*course.orders, *course.later))
    had = [(each, duty) for each, duty in every if duty.limit]
    if course.own_limit and own.limit:
        limits.append(own.limit)
    ran = (span for order, duty in had for span in _ran(order, kind, duty.done_at, again_at))
    return Earlier(
        started_at=had[0][0].dispatched_at,
        limits=tuple(limits),
        pauses=tuple(_between(sorted(ran), had[0][0].dispatched_at, again_at)),
        again_at=again_at,
        extension=sum(order.extension for order, _ in had) if kind is ClockKind.HANDLE else 0,
        orders=frozenset(order.id for order, _ in had),
        led=tuple(
            (
                order.dispatched_at,
                _first(lost.at if (lost := order.loss(None)) else None, again_at) or again_at,
            )
            for order, _ in had
            if order.role is Role.LEAD
        ),
        joined=course.joined,
    )


def _ran(
    order: AssignmentTimeline, kind: ClockKind, done_at: datetime | None, until: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """From when until when the clock of an order ran, up to the moment its unit got the next one."""
    lost, begins = order.loss(None), order.dispatched_at
    stopped = min(filter(None, (done_at, order.completed_at, lost and lost.at, until)))
    for pause in order.pauses_of(kind):
        if pause.begins_at >= stopped:
            break
        if begins < pause.begins_at:
            yield begins, pause.begins_at
        if pause.ends_at is None or pause.ends_at >= stopped:
            return
        begins = max(begins, pause.ends_at)
    if begins < stopped:
        yield begins, stopped


def _between(
    ran: Iterable[tuple[datetime, datetime]], begins: datetime, until: datetime
) -> Iterator[Pause]:
    """The times in which nothing ran, of spans in the order in which they began."""
    for start, end in ran:
        if start > begins:
            yield Pause(begins, start)
        begins = max(begins, end)
    if begins < until:
        yield Pause(begins, until)
