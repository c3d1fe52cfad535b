"""承诺台账: promised days as they are listed and shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import func, tuple_
from sqlmodel import col, select

from services.tracker import lists
from services.tracker.list_schemas import Counts
from services.tracker.models import Assignment, Assignments, Clock, Clocks, Ticket, Tickets
from services.tracker.promises.schemas import MoveOut, PromiseOut, PromisePage, ReviewOut
from services.tracker.records import ClockEntry, ServiceAct, TicketRecord, timeline
from services.tracker.rules.machine import OPEN, ClockStatus
from services.tracker.rules.promise import PromiseStatus, day_of, end_of, status_of
from services.tracker.rules.promised import PromiseRecord
from shared.events import ClockKind

BREACHED = col(Clocks.breached_at).is_not(None)
STILL = col(Clocks.status).in_(OPEN)
STANDS: Mapping[PromiseStatus, Any] = MappingProxyType(
    {
        PromiseStatus.OPEN: STILL & ~BREACHED,
        PromiseStatus.KEPT: col(Clocks.status) == ClockStatus.MET,
        PromiseStatus.BROKEN: BREACHED & (col(Clocks.status) != ClockStatus.MET),
        PromiseStatus.ENDED: (col(Clocks.status) == ClockStatus.CANCELLED) & ~BREACHED,
    }
)
PROMISES = (
    col(Clocks.kind) == ClockKind.PROMISE,
    col(Assignments.id) == col(Clocks.assignment),
    col(Tickets.number) == col(Clocks.ticket),
)
UNKEPT = (*PROMISES, STILL)
ASKED = (*UNKEPT, col(Assignments.promise_asked_at).is_not(None))


class Wanted(NamedTuple):
    """What narrows the list."""

    unit: str | None = None
    status: PromiseStatus | None = None
    until: date | None = None
    unkept: bool = False
    asked: bool = False
    review: bool = False


def to_review(act: ServiceAct) -> tuple[Any, ...]:
    """What the hotline has to look after now."""
    return (*UNKEPT, ~BREACHED, col(Assignments.promise_review_at) <= act.now)


async def promises(act: ServiceAct, wanted: Wanted, after: str | None, limit: int) -> PromisePage:
    """承诺台账: those whose day comes first. A unit sees its own. Raises BadCursor."""
    narrowed = [*PROMISES, *await lists.own(act, Clocks.ticket, Clocks.unit, *PROMISES[:1])]
    if wanted.unit is not None:
        narrowed.append(col(Clocks.unit) == wanted.unit)
    if wanted.status is not None:
        narrowed.append(STANDS[wanted.status])
    if wanted.until is not None:
        narrowed.append(col(Clocks.due) <= end_of(wanted.until, act.config.calendar.tz))
    if wanted.unkept:
        narrowed.append(STILL)
    if wanted.asked:
        narrowed += ASKED
    if wanted.review:
        narrowed += to_review(act)
    place = tuple_(col(Clocks.due), col(Clocks.id))
    query = select(*place.clauses, Clocks, Assignments, Tickets).where(*narrowed)  # type: ignore[call-overload]
    if after is not None:
        query = query.where(place > lists.last(act, after))
    rows = (await act.session.exec(query.order_by(place).limit(limit + 1))).all()
    late = func.count().filter(STILL & (col(Clocks.due) < act.now))
    total, overdue = (await act.session.exec(select(func.count(), late).where(*narrowed))).one()
    return PromisePage(
        items=[_shown(act, ticket, order, clock) for _, _, clock, order, ticket in rows[:limit]],
        next=lists.next_(act, rows, limit),
        counts=Counts(total=total, overdue=overdue),
    )


def promise_out(
    act: ServiceAct, record: TicketRecord, order: Assignment, clock: ClockEntry
) -> PromiseOut:
    """One promise, after something was done about it."""
    return _shown(act, record.ticket, order, clock.row)


def _shown(act: ServiceAct, ticket: Ticket, order: Assignment, clock: Clock) -> PromiseOut:
    known, zone = PromiseRecord.model_validate(order.promise), act.config.calendar.tz
    status = ClockStatus(clock.status)
    firsts = (each.promised_until for each in timeline(order).completions if each.passed_at)
    first = next(filter(None, firsts), clock.due)
    return PromiseOut(
        assignment=order.id,
        number=order.ticket,
        round=order.round,
        unit=order.unit,
        topic=ticket.topic,
        status=status_of(status, clock.breached_at),
        promised_date=day_of(clock.due, zone),
        first_date=day_of(first, zone),
        made_at=clock.started_at,
        due=clock.due,
        late=clock.breached_at is not None,
        kept_at=known.kept_at,
        result=known.result,
        moves=[
            MoveOut(**each.model_dump(), promised_date=day_of(each.until, zone))
            for each in known.moves
        ],
        reviews=[ReviewOut(**each.model_dump()) for each in known.reviews],
        review_at=order.promise_review_at if status in OPEN else None,
    )
