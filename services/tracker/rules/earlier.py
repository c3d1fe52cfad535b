"""What a unit had of a duty before it got the ticket again in its round, itself or as a unit it follows
(ADR 0049, 0056). Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.tracker.rules.timelines import AssignmentTimeline, Pause
from shared.events import ClockKind
from shared.jurisdiction.succession import Dissolved


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a unit had of the same duty before, in the same round, or whom it follows: since when, under
    which limits, how many days it was extended, and when no clock of it ran, up to the moment it got the
    order again. ``orders``: those it had.
    """

    started_at: datetime
    limits: tuple[str, ...]
    pauses: tuple[Pause, ...]
    extension: int = 0
    orders: frozenset[UUID] = frozenset()


def before(
    assignment: AssignmentTimeline,
    assignments: Iterable[AssignmentTimeline],
    dissolved: Mapping[str, Dissolved],
    firsts: Mapping[int, int],
) -> list[AssignmentTimeline]:
    """The orders that whom this one was given to had before it in the same round, or in one that it goes on
    from (``firsts``, as first_rounds), oldest first; itself, or as the unit that it follows.
    """

    def course(order: AssignmentTimeline) -> int:
        return firsts.get(order.round, order.round)

    def place(order: AssignmentTimeline) -> tuple[datetime, UUID]:
        return order.dispatched_at, order.id

    same = (
        each
        for each in assignments
        if course(each) == course(assignment)
        and place(each) < place(assignment)
        and each.with_people(assignment.given_to, assignment.dispatched_at, dissolved)
    )
    return sorted(same, key=place)


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


def earlier(
    kind: ClockKind, before: Sequence[AssignmentTimeline], given_again_at: datetime
) -> Earlier | None:
    """What a unit had of a duty: its clock stood still while the unit was rid of it, or had done it, under
    whichever of its orders; two that were merged may have had one each at the same time.
    """
    had = [(each, duty) for each in before if (duty := duties(each)[kind]).limit]
    if not had:
        return None
    ran = (span for order, duty in had for span in _ran(order, kind, duty.done_at, given_again_at))
    return Earlier(
        started_at=had[0][0].dispatched_at,
        limits=tuple(duty.limit for _, duty in had if duty.limit),
        pauses=tuple(_between(sorted(ran), had[0][0].dispatched_at, given_again_at)),
        extension=sum(order.extension for order, _ in had) if kind is ClockKind.HANDLE else 0,
        orders=frozenset(order.id for order, _ in had),
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
        yield begins, pause.begins_at
        if pause.ends_at is None or pause.ends_at >= stopped:
            return
        begins = pause.ends_at
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
