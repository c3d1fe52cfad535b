"""When what waits is due, as queries beside its rows: of the desk, and of each unit (ADR 0052)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, case, exists, or_
from sqlmodel import col, func, select

from services.dispatcher.models import OWN, Assignments, Clocks, Tickets
from shared.events import ClockKind

OF_ASSIGNMENT = (
    col(Clocks.ticket) == col(Assignments.ticket),
    col(Clocks.assignment) == col(Assignments.id),
)
# The desk's clock of a ticket, unless units have got the ticket since it began: then it is over.
DISPATCH_DUE = (
    select(Clocks.due)
    .where(
        col(Clocks.ticket) == col(Tickets.number),
        Clocks.assignment == OWN,
        Clocks.kind == ClockKind.DISPATCH,
        ~exists().where(
            # Of the clock's ticket, not Tickets': SQLAlchemy would not correlate that two levels up.
            col(Assignments.ticket) == col(Clocks.ticket),
            col(Assignments.dispatched_at) >= col(Clocks.started_at),
        ),
    )
    .correlate(Tickets)
    .scalar_subquery()
)


# Or by when the desk sees to a doubt about who has it.
DESK_DUE = case(
    (col(Tickets.unassigned_at).is_not(None), DISPATCH_DUE), else_=col(Tickets.doubted_due)
)


def _first_due(*more: Any) -> Any:
    """When the first of an order's clocks is due whose duty its unit has not done."""
    undone = or_(
        col(Clocks.kind) == ClockKind.HANDLE,
        and_(
            col(Clocks.kind) == ClockKind.SIGN,
            col(Assignments.handler).is_(None),  # not signed, and perhaps asked back meanwhile
        ),
        and_(col(Clocks.kind) == ClockKind.FIRST_CONTACT, ~col(Assignments.reached)),
        and_(
            col(Clocks.kind) == ClockKind.ATTEND,
            col(Assignments.whistle)["attended"].as_string().is_(None),
        ),
    )
    first = select(func.min(Clocks.due)).where(*OF_ASSIGNMENT, undone, *more)
    return first.correlate(Assignments).scalar_subquery()


NEXT_DUE = _first_due()
RUNNING_DUE = _first_due(col(Clocks.paused_at).is_(None))
HANDLE_DUE = (
    select(Clocks.due)
    .where(*OF_ASSIGNMENT, col(Clocks.kind) == ClockKind.HANDLE)
    .correlate(Assignments)
    .scalar_subquery()
)
