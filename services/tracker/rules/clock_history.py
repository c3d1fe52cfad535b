"""From what befell a ticket to what befell each of its clocks.

Everything is worked out anew from facts with their times, so the result is the same in whatever
order the facts came in, and however often (docs/how-it-flows.md#in-any-order-and-however-often).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from uuid import UUID, uuid5

from services.tracker.rules.earlier import Course, Earlier, courses, duties, earlier
from services.tracker.rules.ground import ground_of
from services.tracker.rules.kept_limits import with_kept_limits
from services.tracker.rules.pauses import Pause
from services.tracker.rules.timelines import (
    AUDITED,
    KEPT,
    REDONE,
    RULED,
    AssignmentTimeline,
    Ending,
    LeftToDesk,
    Matter,
    RoundTimeline,
    first_rounds,
)
from shared.events import ClockKind, Limits, Role, Urgency
from shared.jurisdiction.succession import Dissolved

NONE: Mapping[str, Dissolved] = {}
PLAIN = Limits()
NAMESPACE = UUID("6e1d1b8a-3a0e-5d52-9c0c-7d1f0a5e3c41")


@dataclass(frozen=True, slots=True)
class ClockHistory:
    """What befell one clock; how it stands follows from this, its terms and the calendar.

    ``limit`` is the one the dispatch carried; the ticket's own clocks look theirs up. ``extension``
    counts working days, of which ``granted_late`` were granted after the duty was done. ``terms_at``: when a
    correction last gave it other terms. ``earlier``: what its unit had of the duty before, in
    each way in which it may go on from that; ``resumed_at``: since when the clock goes on where it stopped,
    ``due_counted``: by when its unit is in time in the figures, where it had no time left then.
    ``uncharged``: its pauses, were the time of lost disputes charged to nobody. ``ground``: of the time to
    handle or answer it, why it is what it is.
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
    granted_late: int = 0
    terms_at: datetime | None = None
    earlier: tuple[Earlier, ...] = ()
    resumed_at: datetime | None = None
    due_counted: datetime | None = None
    uncharged: tuple[Pause, ...] = ()
    ground: Limits = PLAIN


def clock_histories(
    matter: Matter,
    rounds: Iterable[RoundTimeline],
    assignments: Sequence[AssignmentTimeline],
    dissolved: Mapping[str, Dissolved] = NONE,
) -> Iterator[ClockHistory]:
    """Every clock of a ticket: its own, then those of its assignments. ``dissolved``: units that are no
    more, by which who follows them is known.
    """
    leads = [assignment for assignment in assignments if assignment.role is Role.LEAD]
    rounds = list(rounds)
    yield from _dispatching(matter, leads, {each.number: each.ended_at for each in rounds})
    yield from _parted(matter, rounds, leads)
    firsts = first_rounds(rounds)
    for first in sorted(set(firsts.values())):
        course = [each for each in rounds if firsts[each.number] == first]
        yield _citizen(matter, course, leads)
    kept = with_kept_limits(assignments, matter.terms_at, dissolved, firsts)
    for assignment in kept:
        had = courses(assignment, kept, matter.carried, dissolved, firsts)
        yield from _handling(matter, assignment, list(had))
        yield from _reviewing(matter, assignment)
        yield from _auditing(matter, assignment)
        yield from _promising(matter, assignment, rounds)
    yield from _arbitrating(matter)


def _dispatching(
    matter: Matter, leads: Sequence[AssignmentTimeline], ends: Mapping[int, datetime | None]
) -> Iterator[ClockHistory]:
    """The desk's clock runs from registration, and afresh from each granted return of a lead and
    whenever units lose the ticket otherwise, until a lead has it or the hotline ends the round itself.
    """
    first, urgency = matter.registered_at, matter.asked_urgency
    clock = _dispatch(matter, "registered", 1, urgency, first, leads, ends.get(1))
    yield _as_left(matter, clock)
    for back in leads:
        if at := back.returned_at:
            others = [lead for lead in leads if lead is not back]
            cause, round = str(back.id), back.round
            clock = _dispatch(matter, cause, round, back.urgency, at, others, ends.get(round))
            yield _as_left(matter, clock, since=at)
    for left in matter.unassigned:
        if left.anew:
            round, cause = left.round, f"left {left.seq}"
            clock = _dispatch(matter, cause, round, left.urgency, left.at, leads, ends.get(round))
            yield _as_left(matter, clock, since=left.at)


def _as_left(matter: Matter, clock: ClockHistory, since: datetime | None = None) -> ClockHistory:
    """The desk's clock by the urgency with which the ticket was left to it, from when that was said.
    Services' clocks differ a little, so a statement may be dated before the registration it follows.
    """
    of_round = [each for each in matter.unassigned if each.round == clock.round]
    if since:
        of_round = [each for each in of_round if each.at >= since]
    if clock.met_at:
        of_round = [each for each in of_round if each.at <= clock.met_at]
    if not of_round:
        return clock
    last = max(of_round, key=lambda each: each.seq)
    return replace(clock, urgency=last.urgency, terms_at=_later(matter.terms_at, last.at))


def _later(one: datetime | None, other: datetime) -> datetime:
    return max(one or other, other)


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
    matter: Matter, course: Sequence[RoundTimeline], leads: Sequence[AssignmentTimeline]
) -> ClockHistory:
    """诉求人时限: never pauses, whatever the units quarrel about. ``course``: a round and those that go on
    from it; words that the hotline took back answered nobody.
    """
    first, last = course[0], course[-1]
    decided, rounds = _decided(matter, leads, last.number), {each.number for each in course}
    answers = (*(each.resolved_at for each in course), last.ended_at)
    laws = (each.at for each in matter.laws if each.round in rounds)
    told: list[datetime | None] = [matter.terms_at, *laws]
    if decided:
        told.append(decided.at if isinstance(decided, LeftToDesk) else decided.terms_at)
    return ClockHistory(
        id=_name(matter, ClockKind.CITIZEN, str(first.number)),
        kind=ClockKind.CITIZEN,
        round=first.number,
        urgency=decided.urgency if decided else matter.asked_urgency,
        started_at=first.started_at,
        met_at=min(filter(None, answers), default=None),
        lost=matter.withdrawal,
        terms_at=max(filter(None, told), default=None),
        ground=ground_of(matter, course, leads),
    )


def effective_urgency(matter: Matter, leads: Iterable[AssignmentTimeline], round: int) -> Urgency:
    """The urgency the dispatcher last decided up to a round, or the one asked for."""
    decided = _decided(matter, leads, round)
    return decided.urgency if decided else matter.asked_urgency


def _decided(
    matter: Matter, leads: Iterable[AssignmentTimeline], round: int
) -> AssignmentTimeline | LeftToDesk | None:
    """The latest dispatch to a lead up to a round, or that it was left to the desk after that."""
    known: list[tuple[tuple[int, datetime, int, int], AssignmentTimeline | LeftToDesk]] = [
        *(((each.round, each.at, 0, each.seq), each) for each in matter.unassigned),
        *(((lead.round, lead.dispatched_at, 1, lead.id.int), lead) for lead in leads),
    ]
    upto = [each for each in known if each[0][0] <= round]
    last = max(upto, key=lambda each: each[0], default=None)
    return last[1] if last else None


def _handling(
    matter: Matter, assignment: AssignmentTimeline, had: Sequence[Course]
) -> Iterator[ClockHistory]:
    """Sign, first contact and handle run from dispatch, so signing late hides nothing."""
    for kind, duty in duties(assignment).items():
        if duty.limit is not None:
            before = (earlier(kind, assignment, course) for course in had)
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
                pauses=assignment.pauses_of(kind),
                extension=assignment.extension if kind is ClockKind.HANDLE else 0,
                granted_late=_granted_late(assignment) if kind is ClockKind.HANDLE else 0,
                terms_at=assignment.terms_at,
                earlier=tuple(filter(None, before)),
                uncharged=assignment.pauses_of(kind, charged=False),
                ground=assignment.ground if kind is ClockKind.HANDLE else PLAIN,
            )


def _granted_late(assignment: AssignmentTimeline) -> int:
    done = assignment.completed_at
    return sum(each.days for each in assignment.grants if done and each.at and done < each.at)


def _reviewing(matter: Matter, assignment: AssignmentTimeline) -> Iterator[ClockHistory]:
    """The desk's clock on each return, from its request to the ruling (GB66-5 派单异议审核); silence of
    the desk does not meet it in time. It is no unit's, though it is about one's assignment.
    """
    for each in assignment.asked_returns:
        if each.asked_at and each.review:
            yield ClockHistory(
                id=_name(matter, ClockKind.HOTLINE_REVIEW, str(each.id)),
                kind=ClockKind.HOTLINE_REVIEW,
                round=assignment.round,
                urgency=assignment.urgency,
                started_at=each.asked_at,
                met_at=each.ruled_at and max(each.ruled_at, each.asked_at),
                lost=_first_end(
                    each.taken_back,
                    matter.referred(each.id),
                    assignment.ending(matter.withdrawal),
                ),
                limit=each.review,
                assignment=assignment.id,
            )


def _auditing(matter: Matter, assignment: AssignmentTimeline) -> Iterator[ClockHistory]:
    """The desk's clock on each answer that waits for its audit (JN-27); silence does not meet it in time."""
    for each in assignment.completions:
        if each.limit:
            yield ClockHistory(
                id=_name(matter, ClockKind.COMPLETION_AUDIT, str(each.id)),
                kind=ClockKind.COMPLETION_AUDIT,
                round=assignment.round,
                urgency=assignment.urgency,
                started_at=each.at,
                met_at=each.decided_at and max(each.decided_at, each.at),
                lost=assignment.loss(matter.withdrawal),
                limit=each.limit,
                assignment=assignment.id,
            )


def _promising(
    matter: Matter, assignment: AssignmentTimeline, rounds: Iterable[RoundTimeline]
) -> Iterator[ClockHistory]:
    """The clock of a day that a lead promised (R-19): it outlives the order and the ticket's end, and what
    the citizen is asked after that; another round takes its place.
    """
    if promised := assignment.promised:
        yield ClockHistory(
            id=promise_clock(matter.number, assignment.id),
            kind=ClockKind.PROMISE,
            round=assignment.round,
            urgency=assignment.urgency,
            started_at=promised.since,
            met_at=promised.kept_at,
            lost=_let_go(matter, assignment, rounds),
            limit=promised.limit,
            assignment=assignment.id,
            unit=assignment.unit,
            role=assignment.role,
            terms_at=promised.moved_at,
        )


def _let_go(
    matter: Matter, assignment: AssignmentTimeline, rounds: Iterable[RoundTimeline]
) -> Ending | None:
    later = [Ending(each.started_at, REDONE) for each in rounds if each.number > assignment.round]
    return _first_end(*later, matter.withdrawal)


def promise_clock(number: str, assignment: UUID) -> UUID:
    """The id of the clock of what was promised with an assignment."""
    return _id(f"{number}/{ClockKind.PROMISE}/{assignment}")


def _arbitrating(matter: Matter) -> Iterator[ClockHistory]:
    """The clock of each body of the ladder, from what came before it to its ruling, or to the next one
    (R-17); silence does not meet it in time. It is no unit's.
    """
    for each in matter.arbitrations:
        for step in each.steps:
            yield ClockHistory(
                id=_name(matter, ClockKind.ARBITRATION, f"{each.id} {step.number}"),
                kind=ClockKind.ARBITRATION,
                round=each.round,
                urgency=matter.asked_urgency,
                started_at=step.at,
                met_at=each.over(step),
                lost=_first_end(each.ending, matter.withdrawal),
                limit=step.limit,
            )


def review_endings(
    matter: Matter,
    assignments: Iterable[AssignmentTimeline],
    rounds: Iterable[RoundTimeline] = (),
) -> dict[UUID, Ending | None]:
    """When and why what presses the desk to rule falls away, by the clock it stands on: with its ruling,
    and where the policy ruled for it, not before the assignment ends. And what presses a unit to keep its
    promise, which outlives the assignment.
    """
    found: dict[UUID, Ending | None] = {}
    for assignment in assignments:
        ending = assignment.ending(matter.withdrawal)
        for each in assignment.asked_returns:
            ruled = Ending(each.ruled_at, RULED) if each.ruled_at and not each.silent else None
            clock = _name(matter, ClockKind.HOTLINE_REVIEW, str(each.id))
            found[clock] = _first_end(ruled, each.taken_back, matter.referred(each.id), ending)
        for answer in assignment.completions:
            decided = Ending(answer.decided_at, AUDITED) if answer.decided_at else None
            clock = _name(matter, ClockKind.COMPLETION_AUDIT, str(answer.id))
            found[clock] = _first_end(decided, assignment.loss(matter.withdrawal))
        if promised := assignment.promised:
            kept = Ending(promised.kept_at, KEPT) if promised.kept_at else None
            clock = promise_clock(matter.number, assignment.id)
            found[clock] = _first_end(kept, _let_go(matter, assignment, rounds))
    return found


def _first_end(*endings: Ending | None) -> Ending | None:
    return min(filter(None, endings), default=None)


def _name(matter: Matter, kind: ClockKind, cause: str) -> UUID:
    """The same clock has the same id whenever its facts come in."""
    return _id(f"{matter.number}/{kind}/{cause}")


@lru_cache(maxsize=16_384)  # each fact of a ticket asks for all of them
def _id(name: str) -> UUID:
    return uuid5(NAMESPACE, name)
