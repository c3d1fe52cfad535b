"""等派单员处理的工单: pages of orders that a list of the desk's stands on: the most urgent first, of each
what is due first, with by when each is to be handled (ADR 0052).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import tuple_
from sqlmodel import col, select

from services.dispatcher.models import Assignment, Assignments, Ticket, Tickets
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.worklists import dues, lists
from services.dispatcher.worklists.narrowing import RANK, conditions, last_place, next_place
from services.dispatcher.worklists.schemas import Counts, Narrowing

OF_TICKET = col(Tickets.number) == col(Assignments.ticket)


class Waiting(NamedTuple):
    """An order that waits, with its ticket; ``handle_due``: null while the tracker has not said."""

    handle_due: datetime | None
    ticket: Ticket
    order: Assignment

    @property
    def shown(self) -> dict[str, Any]:
        """What every such list says of it."""
        matter = TicketRecord(self.ticket, [self.order]).matter
        return {
            **matter.model_dump(include={"type", "topic", "title", "area", "flags"}),
            "number": self.ticket.number,
            "urgency": self.ticket.urgency,
            "assignment": self.order.id,
            "round": self.order.round,
            "unit": self.order.unit,
            "handle_due": self.handle_due,
        }


class Page(NamedTuple):
    """The orders of a page, where the next one begins, and how many there are."""

    waiting: Sequence[Waiting]
    next: str | None
    counts: Counts


async def page(
    act: ServiceAct,
    which: Sequence[Any],
    due: Any,
    narrowed: Narrowing,
    after: str | None,
    limit: int,
) -> Page:
    """A page of the orders that ``which`` says, each ``due`` by a column. Raises UnknownCode, AmbiguousCode,
    BadCursor.
    """
    waits = [*which, *conditions(act, narrowed)]
    if narrowed.unit:
        waits.append(col(Assignments.unit) == narrowed.unit)
    place = tuple_(RANK, due, col(Assignments.id))
    query = select(*place.clauses, dues.HANDLE_DUE, Tickets, Assignments).where(*waits)  # type: ignore[call-overload]
    if after is not None and (last := last_place(act, after, UUID)):
        query = query.where(place > last)
    rows = (await act.session.exec(query.order_by(place).limit(limit + 1))).all()
    return Page(
        [Waiting(*row[-3:]) for row in rows[:limit]],
        next_place(act, rows, limit),
        await lists.counts_of(act, select(Tickets.urgency, *lists.how_many(act, due)), waits),
    )
