"""督办清单: what a supervisor has to rule on and to press next, and what a unit has to answer (ADR 0052)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, tuple_
from sqlmodel import col, select

from services.tracker.list_schemas import (
    AskedExtension,
    Counts,
    ExtensionPage,
    OpenSupervision,
    SupervisionCounts,
    SupervisionPage,
)
from services.tracker.models import Assignments, Clocks, Extensions, Supervisions, Tickets
from services.tracker.records import TO_RULE_ON, ServiceAct, recused_from
from services.tracker.rules import machine
from services.tracker.rules.extension import ExtensionStatus
from shared.events import ClockKind, Urgency

OPEN_HANDLE = (
    col(Clocks.kind) == ClockKind.HANDLE,
    col(Clocks.status).in_(machine.OPEN),
)

# What stands in a list before it is narrowed; the worklist counts by the same.
ASKED = (
    col(Extensions.status) == ExtensionStatus.ASKED,
    col(Clocks.ticket) == col(Extensions.ticket),
    col(Clocks.assignment) == col(Extensions.assignment),
    col(Extensions.lapsed_at).is_(None),
    TO_RULE_ON,
    col(Assignments.id) == col(Extensions.assignment),
    col(Tickets.number) == col(Extensions.ticket),
)
HIGHER = col(Extensions.office).is_not(None)
BY_SUPERVISOR = col(Extensions.office).is_(None)
RULED_BY = (Extensions.ticket, Extensions.office, ASKED[0])
STANDS = (col(Supervisions.closed_at).is_(None),)
RAISED = (
    *STANDS,
    col(Assignments.id) == col(Supervisions.assignment),
    col(Tickets.number) == col(Supervisions.ticket),
)
ANSWER_DUE = col(Supervisions.answer_due)
ANSWERED = col(Supervisions.answered_at).is_not(None)
UNANSWERED = col(Supervisions.answered_at).is_(None)
ANSWERED_LATE = col(Supervisions.answered_at) > ANSWER_DUE
PRESSED = (Supervisions.ticket, Supervisions.unit, *STANDS)

HANDLE_DUE = (
    select(Clocks.due)
    .where(
        col(Clocks.ticket) == col(Supervisions.ticket),
        col(Clocks.assignment) == col(Supervisions.assignment),
        *OPEN_HANDLE,
    )
    .correlate(Supervisions)
    .limit(1)
    .scalar_subquery()
)


async def extensions(
    act: ServiceAct,
    unit: str | None,
    urgency: Urgency | None,
    higher: bool | None,
    after: str | None,
    limit: int,
) -> ExtensionPage:
    """延期待批: asked, and not ruled on while there is something to extend. An office sees those it rules on.

    Raises BadCursor.
    """
    wanted = [*ASKED, *_of(unit, urgency, Extensions.unit), *await own(act, *RULED_BY)]
    if higher is not None:
        wanted.append(HIGHER if higher else BY_SUPERVISOR)
    place = tuple_(col(Clocks.due), col(Extensions.id))
    query = select(*place.clauses, Assignments, Tickets, Extensions).where(*wanted)  # type: ignore[call-overload]
    if after is not None:
        query = query.where(place > last(act, after))
    rows = (await act.session.exec(query.order_by(place).limit(limit + 1))).all()
    items = [
        AskedExtension(
            **asked.model_dump(),
            number=asked.ticket,
            round=order.round,
            role=order.role,
            urgency=order.urgency,
            topic=None if ticket.confidential and unit_of(act) else ticket.topic,
            due=due,
        )
        for due, _, order, ticket, asked in rows[:limit]
    ]
    counted = select(func.count(), func.count().filter(col(Clocks.due) < act.now)).where(*wanted)
    total, overdue = (await act.session.exec(counted)).one()
    counts = Counts(total=total, overdue=overdue)
    return ExtensionPage(items=items, next=next_(act, rows, limit), counts=counts)


async def supervisions(
    act: ServiceAct,
    unit: str | None,
    urgency: Urgency | None,
    rung: int | None,
    answered: bool | None,
    after: str | None,
    limit: int,
) -> SupervisionPage:
    """督办在办: raised and not closed. One nobody set a date for counts from when it was raised.
    A unit sees its own.

    Raises BadCursor.
    """
    wanted = [*RAISED, *_of(unit, urgency, Supervisions.unit), *await own(act, *PRESSED)]
    if rung is not None:
        wanted.append(col(Supervisions.rung) == rung)
    if answered is not None:
        wanted.append(ANSWERED if answered else UNANSWERED)
    moment = func.coalesce(Supervisions.answer_due, Supervisions.raised_at)
    place = tuple_(moment, col(Supervisions.id))
    query = select(*place.clauses, HANDLE_DUE, Assignments, Tickets, Supervisions).where(*wanted)  # type: ignore[call-overload]
    if after is not None:
        query = query.where(place > last(act, after))
    rows = (await act.session.exec(query.order_by(place).limit(limit + 1))).all()
    items = [
        OpenSupervision(
            **raised.model_dump(exclude={"raised_by"}),
            raised_by=raised.raised_by.partition(":")[0],
            number=raised.ticket,
            role=order.role,
            urgency=order.urgency,
            topic=ticket.topic,
            due=until,
        )
        for _, _, until, order, ticket, raised in rows[:limit]
    ]
    counts = await _supervision_counts(act, wanted)
    return SupervisionPage(items=items, next=next_(act, rows, limit), counts=counts)


def unit_of(act: ServiceAct) -> str | None:
    return act.caller.unit if act.caller and act.caller.role == "unit" else None


async def own(act: ServiceAct, number: Any, whose: Any, *stands: Any) -> list[Any]:
    """What narrows rows that stand to those a unit may see: its own, but of tickets it must know nothing of
    none (R-35). Others see all. ``number``, ``whose``: the columns of the ticket and of the unit.
    """
    if (unit := unit_of(act)) is None:
        return []
    mine = whose == unit
    of_them = select(Tickets).where(col(Tickets.number).in_(select(number).where(*stands, mine)))
    tickets = (await act.session.exec(of_them)).all()
    hidden = [row.number for row in tickets if recused_from(act, row)]
    seen = col(number).is_(None) | col(number).not_in(hidden)  # a habit is of no one ticket
    return [mine, seen] if hidden else [mine]


async def _supervision_counts(act: ServiceAct, wanted: Sequence[Any]) -> SupervisionCounts:
    late = func.count().filter(ANSWERED_LATE | (UNANSWERED & (act.now > ANSWER_DUE)))
    given = func.count(col(Supervisions.answered_at))
    query = select(Supervisions.rung, func.count(), late, given).where(*wanted)
    rungs: Counter[int] = Counter()
    overdue = answered = 0
    for rung, number, of_late, of_given in await act.session.exec(
        query.group_by(col(Supervisions.rung))
    ):
        rungs[rung] += number
        overdue += of_late
        answered += of_given
    return SupervisionCounts(total=rungs.total(), overdue=overdue, rungs=rungs, answered=answered)


def _of(unit: str | None, urgency: Urgency | None, whose: Any) -> list[Any]:
    wanted: list[Any] = []
    if unit is not None:
        wanted.append(whose == unit)
    if urgency is not None:
        wanted.append(col(Assignments.urgency) == urgency)
    return wanted


def next_(act: ServiceAct, rows: Sequence[Any], limit: int) -> str | None:
    """The place of the last row shown, when there are more."""
    if len(rows) <= limit:
        return None
    moment, id = rows[limit - 1][:2]
    return act.cursor(f"{moment.astimezone(UTC):%Y%m%dT%H%M%S.%f}/{id}")


def last(act: ServiceAct, cursor: str, key: Callable[[str], Any] = UUID) -> tuple[datetime, Any]:
    """The place a cursor names; ``key``: how its second part is read. Raises BadCursor."""
    moment, _, id = act.place(cursor).partition("/")
    return datetime.strptime(moment, "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC), key(id)
