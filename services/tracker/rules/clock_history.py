"""From what befell a ticket to what befell each of its clocks.

Everything is worked out anew from facts with their times, so the result is the same in whatever
order the facts came in, and however often (docs/how-it-flows.md#in-any-order-and-however-often).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid5

from services.tracker.rules.timelines import (
    AssignmentTimeline,
    Ending,
    Matter,
    Pause,
    RoundTimeline,
)
from shared.events import ClockKind, Role, Urgency

NAMESPACE = UUID("6e1d1b8a-3a0e-5d52-9c0c-7d1f0a5e3c41")


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a unit had of the same duty before, in the same round: since when, under which limits, how
    many days it was extended, and when its clock stood still, up to the moment it got the order again.
    """

    started_at: datetime
    limits: tuple[str, ...]
    pauses: tuple[Pause, ...]
    extension: int = 0


@dataclass(frozen=True, slots=True)
class ClockHistory:
    """What befell one clock; how it stands follows from this, its terms and the calendar.

    ``limit`` is the one the dispatch carried; the ticket's own clocks look theirs up. ``extension``
    counts working days. ``terms_at``: when a correction last gave it other terms. ``earlier``: what its
    unit had of the duty before; ``resumed_at``: since when the clock goes on where that one stopped.
    """

    id: UUID
    kind: ClockKind
    round: int
    urgency: Urgency
    started_at: datetime
    met_at: datetime | None
    lost: Ending | None
    limit: str | None = None
    assignment: UUID | None = None
    unit: str | None = None
    role: Role | None = None
    pauses: tuple[Pause, ...] = ()
    extension: int = 0
    terms_at: datetime | None = None
    earlier: Earlier | None = None
    resumed_at: datetime | None = None


def clock_histories(
    matter: Matter, rounds: Iterable[RoundTimeline], assignments: Sequence[AssignmentTimeline]
) -> Iterator[ClockHistory]:
    """Every clock of a ticket: its own, then those of its assignments."""
    leads = [assignment for assignment in assignments if assignment.role is Role.LEAD]
    rounds = list(rounds)
    yield from _dispatching(matter, leads, {each.number: each.ended_at for each in rounds})
    yield from _parted(matter, rounds, leads)
    for round in rounds:
        yield _citizen(matter, round, leads)
    for assignment in assignments:
        yield from _handling(matter, assignment, _before(assignment, assignments))


def _dispatching(
    matter: Matter, leads: Sequence[AssignmentTimeline], ends: Mapping[int, datetime | None]
) -> Iterator[ClockHistory]:
    """The desk's clock runs from registration, and afresh from each granted return of a lead, until
    a lead has it or the hotline ends the round itself.
    """
    first, urgency = matter.registered_at, matter.asked_urgency
    yield _dispatch(matter, "registered", 1, urgency, first, leads, ends.get(1))
    for back in leads:
        if at := back.returned_at:
            others = [lead for lead in leads if lead is not back]
            cause, round = str(back.id), back.round
            yield _dispatch(matter, cause, round, back.urgency, at, others, ends.get(round))


def _parted(
    matter: Matter, rounds: Sequence[RoundTimeline], leads: Sequence[AssignmentTimeline]
) -> Iterator[ClockHistory]:
    """The desk's clock runs afresh when a merged ticket is worked on for itself again, unless units were
    at work on it already, or had answered.
    """
    for merge in matter.merges:
        if merge.into is None:
            urgency = effective_urgency(matter, leads, len(rounds))
            cause, last = f"parted {merge.seq}", rounds[-1]
            clock = _dispatch(matter, cause, last.number, urgency, merge.at, leads, last.ended_at)
            settled = [max(merge.at, at) for at in (last.resolved_at,) if at]
            settled += [merge.at for lead in leads if _at_work(lead, merge.at)]
            met = min(filter(None, (clock.met_at, *settled)), default=None)
            yield replace(clock, met_at=met)


def _at_work(lead: AssignmentTimeline, at: datetime) -> bool:
    ending = lead.ending(None)
    return lead.dispatched_at <= at and (ending is None or ending.at > at)


def _dispatch(
    matter: Matter,
    cause: str,
    round: int,
    urgency: Urgency,
    started_at: datetime,
    candidates: Sequence[AssignmentTimeline],
    ended_at: datetime | None,
) -> ClockHistory:
    done_at = [lead.dispatched_at for lead in candidates if lead.dispatched_at >= started_at]
    if ended_at:  # a return that was granted meanwhile begins after the end
        done_at.append(max(ended_at, started_at))
    return ClockHistory(
        id=_name(matter, ClockKind.DISPATCH, cause),
        kind=ClockKind.DISPATCH,
        round=round,
        urgency=urgency,
        started_at=started_at,
        met_at=min(done_at, default=None),
        lost=matter.lost_after(started_at),
        terms_at=matter.terms_at,
    )


def _citizen(
    matter: Matter, round: RoundTimeline, leads: Sequence[AssignmentTimeline]
) -> ClockHistory:
    """诉求人时限: never pauses, whatever the units quarrel about."""
    return ClockHistory(
        id=_name(matter, ClockKind.CITIZEN, str(round.number)),
        kind=ClockKind.CITIZEN,
        round=round.number,
        urgency=effective_urgency(matter, leads, round.number),
        started_at=round.started_at,
        met_at=round.answered_at,
        lost=matter.withdrawal,
        terms_at=matter.terms_at,
    )


def effective_urgency(matter: Matter, leads: Iterable[AssignmentTimeline], round: int) -> Urgency:
    """The urgency of the latest dispatch to a lead up to a round, or the one asked for."""
    known = [lead for lead in leads if lead.round <= round]
    latest = max(known, key=lambda lead: (lead.round, lead.dispatched_at, lead.id), default=None)
    return latest.urgency if latest else matter.asked_urgency


def _before(
    assignment: AssignmentTimeline, assignments: Iterable[AssignmentTimeline]
) -> list[AssignmentTimeline]:
    """The orders the same unit had in the same round before this one, oldest first."""

    def place(order: AssignmentTimeline) -> tuple[datetime, UUID]:
        return order.dispatched_at, order.id

    same = (
        each
        for each in assignments
        if (each.unit, each.round) == (assignment.unit, assignment.round)
        and place(each) < place(assignment)
    )
    return sorted(same, key=place)


class _Duty(NamedTuple):
    """One duty of an order: its limit, and when it was done."""

    limit: str | None
    done_at: datetime | None


def _duties(assignment: AssignmentTimeline) -> dict[ClockKind, _Duty]:
    done, contact = assignment.completed_at, assignment.first_contact_limit
    return {
        ClockKind.SIGN: _Duty(assignment.sign_limit, _first(assignment.signed_at, done)),
        ClockKind.FIRST_CONTACT: _Duty(
            contact if assignment.has_contact else None, _first(assignment.contacted_at, done)
        ),
        ClockKind.HANDLE: _Duty(assignment.handle_limit, done),
    }


def _first(*moments: datetime | None) -> datetime | None:
    return min(filter(None, moments), default=None)


def _handling(
    matter: Matter, assignment: AssignmentTimeline, before: Sequence[AssignmentTimeline]
) -> Iterator[ClockHistory]:
    """Sign, first contact and handle run from dispatch, so signing late hides nothing."""
    for kind, duty in _duties(assignment).items():
        if duty.limit is not None:
            yield ClockHistory(
                id=_name(matter, kind, str(assignment.id)),
                kind=kind,
                round=assignment.round,
                urgency=assignment.urgency,
                started_at=assignment.dispatched_at,
                met_at=duty.done_at,
                lost=assignment.loss(matter.withdrawal),
                limit=duty.limit,
                assignment=assignment.id,
                unit=assignment.unit,
                role=assignment.role,
                pauses=assignment.pauses,
                extension=assignment.extension if kind is ClockKind.HANDLE else 0,
                terms_at=assignment.terms_at,
                earlier=_earlier(kind, before, assignment.dispatched_at),
            )


def _earlier(
    kind: ClockKind, before: Sequence[AssignmentTimeline], given_again_at: datetime
) -> Earlier | None:
    """What a unit had of a duty: its clock stood still while the unit was rid of it, or had done it."""
    had = [(each, duty) for each in before if (duty := _duties(each)[kind]).limit]
    if not had:
        return None
    ends = [*(order.dispatched_at for order, _ in had[1:]), given_again_at]
    pauses = [
        pause
        for (order, duty), end in zip(had, ends, strict=True)
        for pause in _still(order, duty.done_at, end)
    ]
    return Earlier(
        started_at=had[0][0].dispatched_at,
        limits=tuple(duty.limit for _, duty in had if duty.limit),
        pauses=tuple(pauses),
        extension=sum(order.extension for order, _ in had) if kind is ClockKind.HANDLE else 0,
    )


def _still(order: AssignmentTimeline, done_at: datetime | None, until: datetime) -> Iterator[Pause]:
    """When the clock of an order stood still, up to the moment its unit got the next one."""
    lost = order.loss(None)
    stopped = min(filter(None, (done_at, order.completed_at, lost and lost.at, until)))
    for pause in order.pauses:
        if pause.begins_at >= stopped:
            break
        if pause.ends_at is None or pause.ends_at >= stopped:
            stopped = pause.begins_at
            break
        yield pause
    if stopped < until:
        yield Pause(stopped, until)


def _name(matter: Matter, kind: ClockKind, cause: str) -> UUID:
    """The same clock has the same id whenever its facts come in."""
    return uuid5(NAMESPACE, f"{matter.number}/{kind}/{cause}")
