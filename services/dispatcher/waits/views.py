"""等待待裁定: waits for the citizen that the desk has to rule on, what is due first (ADR 0052, 0083)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import tuple_
from sqlmodel import col, select

from services.dispatcher.models import Assignment, Assignments, Ticket, Tickets
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules.assignment import AssignmentStatus
from services.dispatcher.waits.schemas import WaitOut, WaitPage
from services.dispatcher.worklists import dues, lists
from services.dispatcher.worklists.narrowing import RANK, conditions, last_place, next_place
from services.dispatcher.worklists.schemas import Narrowing

DUE = col(Assignments.wait_due)
ASKED = (
    DUE.is_not(None),
    col(Assignments.wait)["granted"].as_boolean().is_(None),
    col(Assignments.status) == AssignmentStatus.CONTACTED,
    col(Tickets.number) == col(Assignments.ticket),
)


async def asked(act: ServiceAct, narrowed: Narrowing, after: str | None, limit: int) -> WaitPage:
    """The list, a page of it, with counts. Raises UnknownCode, AmbiguousCode, BadCursor."""
    waits = [*ASKED, *conditions(act, narrowed)]
    if narrowed.unit:
        waits.append(col(Assignments.unit) == narrowed.unit)
    place = tuple_(RANK, DUE, col(Assignments.id))
    query = select(*place.clauses, dues.HANDLE_DUE, Tickets, Assignments).where(*waits)  # type: ignore[call-overload]
    if after is not None and (last := last_place(act, after, UUID)):
        query = query.where(place > last)
    rows = (await act.session.exec(query.order_by(place).limit(limit + 1))).all()
    counted = select(Tickets.urgency, *lists.how_many(act, DUE))
    return WaitPage(
        items=[_wait_out(*row[-3:]) for row in rows[:limit]],
        next=next_place(act, rows, limit),
        counts=await lists.counts_of(act, counted, waits),
    )


def _wait_out(handle_due: datetime | None, ticket: Ticket, order: Assignment) -> WaitOut:
    matter = TicketRecord(ticket, [order]).matter
    return WaitOut(
        **order.model_dump(include={"round", "unit", "wait"}),
        **matter.model_dump(include={"type", "topic", "title", "area", "flags"}),
        number=ticket.number,
        assignment=order.id,
        due=order.wait_due,
        handle_due=handle_due,
        urgency=ticket.urgency,
    )
