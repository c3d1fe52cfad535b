"""催促待处理: silent co-handlers the desk is to see to, until their units move (R-13; ADR 0049, 0052)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import tuple_
from sqlmodel import col, select

from services.dispatcher.models import Assignment, Assignments, Ticket, Tickets
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules.assignment import AssignmentStatus
from services.dispatcher.worklists import dues, lists
from services.dispatcher.worklists.narrowing import RANK, conditions, last_place, next_place
from services.dispatcher.worklists.schemas import Narrowing, PressOut, PressPage

DUE = col(Assignments.pressed_due)
# Who asks to return its order is silent no more: it stands among the returns.
PRESSED = (
    col(Assignments.pressed).is_not(None),
    col(Assignments.status).in_((AssignmentStatus.DISPATCHED, *machine.HANDLING)),
    col(Tickets.number) == col(Assignments.ticket),
)


async def pressed(act: ServiceAct, narrowed: Narrowing, after: str | None, limit: int) -> PressPage:
    """The list, a page of it, with counts. Raises UnknownCode, AmbiguousCode, BadCursor."""
    waits = [*PRESSED, *conditions(act, narrowed)]
    if narrowed.unit:
        waits.append(col(Assignments.unit) == narrowed.unit)
    place = tuple_(RANK, DUE, col(Assignments.id))
    query = select(*place.clauses, dues.HANDLE_DUE, Tickets, Assignments).where(*waits)  # type: ignore[call-overload]
    if after is not None and (last := last_place(act, after, UUID)):
        query = query.where(place > last)
    rows = (await act.session.exec(query.order_by(place).limit(limit + 1))).all()
    counted = select(Tickets.urgency, *lists.how_many(act, DUE))
    return PressPage(
        items=[_press_out(*row[-3:]) for row in rows[:limit]],
        next=next_place(act, rows, limit),
        counts=await lists.counts_of(act, counted, waits),
    )


def _press_out(handle_due: datetime | None, ticket: Ticket, order: Assignment) -> PressOut:
    asked = order.pressed or {}
    matter = TicketRecord(ticket, [order]).matter
    return PressOut(
        **order.model_dump(include={"round", "unit", "role", "status", "handler"}),
        **matter.model_dump(include={"type", "topic", "title", "area", "flags"}),
        number=ticket.number,
        assignment=order.id,
        by=asked["by"],
        note=asked["note"],
        pressed_at=asked["at"],
        due=order.pressed_due,
        handle_due=handle_due,
        urgency=ticket.urgency,
    )
