"""工作清单: what is to be done next, by whom it is to be done: the desk, and each unit (ADR 0052).

What a list shows of limits is what the tracker said of them (clocks.py); what is done of them, this
service knows. Where the tracker has not said, it counts as due since it came: then it is not overlooked.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, case, exists, or_, tuple_
from sqlmodel import col, func, select

from services.dispatcher import reading, records, views
from services.dispatcher.models import (
    OWN,
    Assignment,
    Assignments,
    Clock,
    Clocks,
    Return,
    Returns,
    Ticket,
    Tickets,
)
from services.dispatcher.records import ABOUT_SOMEBODY, ServiceAct, TicketRecord
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules.assignment import AssignmentStatus
from services.dispatcher.worklists.dues import DESK_DUE, NEXT_DUE, RUNNING_DUE
from services.dispatcher.worklists.narrowing import (
    RANK,
    conditions,
    last_place,
    next_place,
    of_unit,
    on_ticket,
)
from services.dispatcher.worklists.schemas import (
    Counts,
    HandlerCount,
    ListedClock,
    Narrowing,
    OrderCounts,
    OrderOut,
    OrderPage,
    ReturnOut,
    ReturnPage,
    UnassignedOut,
    UnassignedPage,
    Whose,
)
from shared.errors import UnknownCode
from shared.events import ClockKind
from shared.http.fields import Sentence
from shared.storage.rows import one_of

DESKS = (ClockKind.HOTLINE_REVIEW, ClockKind.COMPLETION_AUDIT)  # the desk's, not the unit's
IN_HAND = col(Assignments.status).in_(machine.OPEN)

# What stands in the desk's lists before they are narrowed; worklist.py counts by the same.
LEFT_TO_DESK = (or_(col(Tickets.unassigned_at).is_not(None), col(Tickets.doubted_at).is_not(None)),)
ASKED_BACK = (
    col(Returns.granted).is_(None),
    col(Returns.withdrawn_at).is_(None),
    col(Tickets.arbitration).is_(None),
    col(Assignments.id) == col(Returns.assignment),
    col(Assignments.status) == AssignmentStatus.RETURN_REQUESTED,
    col(Tickets.number) == col(Returns.ticket),
)


# --- the desk ----------------------------------------------------------------------------------


async def unassigned(
    act: ServiceAct, narrowed: Narrowing, after: str | None, limit: int
) -> UnassignedPage:
    """Tickets that wait for the desk, the most urgent first, of each what is due first.

    Raises UnknownCode, AmbiguousCode, BadCursor.
    """
    since = func.coalesce(col(Tickets.unassigned_at), col(Tickets.doubted_at))
    waits = [*LEFT_TO_DESK, *conditions(act, narrowed)]
    if narrowed.unit:
        of_ticket = col(Assignments.ticket) == col(Tickets.number)
        waits.append(exists().where(of_ticket, col(Assignments.unit) == narrowed.unit))
    place = tuple_(RANK, func.coalesce(DESK_DUE, since), col(Tickets.number))
    query = select(*place.clauses, DESK_DUE, Tickets).where(*waits)  # type: ignore[call-overload]
    if after is not None and (last := last_place(act, after)):
        query = query.where(place > last)
    rows = (await act.session.exec(query.order_by(place).limit(limit + 1))).all()
    found = [TicketRecord(row[-1], []) for row in rows[:limit]]
    waiting = await views.waiting_in(act, {work for row in found if (work := row.ticket.work)})
    clocks = await clocks_of(act, (record.ticket.number for record in found))
    items = [
        _unassigned_out(
            act,
            record,
            citizens=waiting.get(record.ticket.work, 1),
            due=row[-2],
            citizen_due=citizen_due(clocks, record.ticket.number),
        )
        for row, record in zip(rows, found, strict=False)
    ]
    counts = await counts_of(act, select(Tickets.urgency, *how_many(act, DESK_DUE)), waits)
    return UnassignedPage(items=items, next=next_place(act, rows, limit), counts=counts)


async def returns(
    act: ServiceAct, narrowed: Narrowing, after: str | None, limit: int
) -> ReturnPage:
    """退单待裁定: what units ask the desk to take back, the most urgent first, of each what is due first.

    Raises UnknownCode, AmbiguousCode, BadCursor.
    """
    waits = [*ASKED_BACK, *conditions(act, narrowed)]
    if narrowed.unit:
        waits.append(col(Returns.unit) == narrowed.unit)
    place = tuple_(
        RANK, func.coalesce(col(Returns.review_due), col(Returns.requested_at)), col(Returns.id)
    )
    query = select(*place.clauses, Tickets, Assignments, Returns).where(*waits)  # type: ignore[call-overload]
    if after is not None and (last := last_place(act, after, UUID)):
        query = query.where(place > last)
    rows = (await act.session.exec(query.order_by(place).limit(limit + 1))).all()
    clocks = await clocks_of(act, (row[-1].ticket for row in rows[:limit]))
    items = [
        _return_out(act, *row[-3:], citizen_due=citizen_due(clocks, row[-1].ticket))
        for row in rows[:limit]
    ]
    counts = await counts_of(
        act, select(Tickets.urgency, *how_many(act, col(Returns.review_due))), waits
    )
    return ReturnPage(items=items, next=next_place(act, rows, limit), counts=counts)


# --- a unit ------------------------------------------------------------------------------------


async def orders(
    act: ServiceAct,
    unit: str,
    narrowed: Narrowing,
    whose: Whose,
    statuses: Sequence[str],
    after: str | None,
    limit: int,
) -> OrderPage:
    """在办清单: orders in hand of a unit, or handed down by it, what is due first. A unit finds and
    counts none of a ticket it has to stand back from.

    Raises NotFound, UnknownCode, AmbiguousCode, BadCursor.
    """
    views.check_unit_readable(act, unit)
    if unknown := set(statuses) - set(machine.OPEN):
        raise UnknownCode(sorted(unknown), field="status", allowed=list(machine.OPEN))
    wanted = await in_hand(act, unit, whose)
    if narrowing := conditions(act, narrowed):
        wanted.append(on_ticket(and_(*narrowing)))
    if statuses:
        wanted.append(col(Assignments.status).in_(statuses))
    alarmed = on_ticket(case((col(Tickets.alarmed_at).is_not(None), 0), else_=1))
    place = tuple_(alarmed, func.coalesce(NEXT_DUE, Assignments.dispatched_at), Assignments.id)
    query = select(*place.clauses, NEXT_DUE, Assignments).where(*wanted)  # type: ignore[call-overload]
    if after is not None and (last := last_place(act, after, UUID)):
        query = query.where(place > last)
    rows = (await act.session.exec(query.order_by(place).limit(limit + 1))).all()
    return OrderPage(
        items=await _orders_out(act, [row[-2:] for row in rows[:limit]]),
        next=next_place(act, rows, limit),
        counts=await _order_counts(act, wanted),
    )


async def in_hand(act: ServiceAct, unit: str, whose: Whose) -> list[Any]:
    """What stands in a unit's list, for this caller, before it is narrowed."""
    wanted = [*of_unit(unit, whose), IN_HAND]
    if hidden := await _hidden(act, wanted):
        wanted.append(~one_of(Assignments.id, hidden))
    return wanted


async def _hidden(act: ServiceAct, theirs: Iterable[Any]) -> list[UUID]:
    """What a unit has and must know nothing of (R-35)."""
    if act.caller is None or act.caller.unit is None:
        return []
    of_ticket = col(Tickets.number) == col(Assignments.ticket)
    about = on_ticket(ABOUT_SOMEBODY)
    query = select(Assignments.id, Tickets).where(of_ticket, *theirs, about)
    found = (await act.session.exec(query)).all()
    return [id for id, ticket in found if records.recused_caller(act, TicketRecord(ticket, []))]


async def _order_counts(act: ServiceAct, wanted: Iterable[Any]) -> OrderCounts:
    who = Assignments.handler, Assignments.handler_account
    by = Assignments.status, Assignments.urgency, *who
    query = select(*by, *how_many(act, RUNNING_DUE)).where(*wanted).group_by(*by)  # type: ignore[call-overload]
    statuses: Counter[str] = Counter()
    urgencies: Counter[str] = Counter()
    handlers: Counter[tuple[str | None, str | None]] = Counter()
    overdue = 0
    for status, urgency, *handler, number, late in await act.session.exec(query):
        statuses[status] += number
        urgencies[str(urgency)] += number
        handlers[handler[0], handler[1]] += number
        overdue += late
    return OrderCounts(
        total=statuses.total(),
        overdue=overdue,
        urgencies=urgencies,
        statuses=statuses,
        handlers=[
            HandlerCount(handler=name, account=account, orders=n)
            for (name, account), n in handlers.most_common()
        ],
    )


# --- counted, paged -----------------------------------------------------------------------------


def how_many(act: ServiceAct, due: Any) -> tuple[Any, Any]:
    return func.count(), func.count().filter(due < act.now)


async def counts_of(act: ServiceAct, query: Any, waits: Iterable[Any]) -> Counts:
    rows = (await act.session.exec(query.where(*waits).group_by(col(Tickets.urgency)))).all()
    return Counts(
        total=sum(number for _, number, _ in rows),
        overdue=sum(late for _, _, late in rows),
        urgencies={str(urgency): number for urgency, number, _ in rows},
    )


# --- their clocks ------------------------------------------------------------------------------


async def clocks_of(act: ServiceAct, numbers: Iterable[str]) -> Mapping[Any, list[Clock]]:
    """The clocks of some tickets: of their orders by assignment, their own by number."""
    found: dict[Any, list[Clock]] = defaultdict(list)
    query = select(Clocks).where(one_of(Clocks.ticket, set(numbers))).order_by(col(Clocks.due))
    for clock in await act.session.exec(query):
        found[clock.ticket if clock.assignment == OWN else clock.assignment].append(clock)
    return found


def citizen_due(clocks: Mapping[Any, Sequence[Clock]], number: str) -> datetime | None:
    """When the citizen of a ticket is to have an answer, as far as the tracker has said."""
    own = (each for each in clocks.get(number, ()) if each.kind == ClockKind.CITIZEN)
    return next((each.due for each in own), None)


# --- as they are answered ----------------------------------------------------------------------


def _unassigned_out(
    act: ServiceAct,
    record: TicketRecord,
    *,
    citizens: int,
    due: datetime | None,
    citizen_due: datetime | None,
) -> UnassignedOut:
    ticket, matter = record.ticket, record.matter
    return UnassignedOut(
        **ticket.model_dump(include=OF_TICKET),
        **matter.model_dump(include=MATTER),
        reported_unit=matter.reported_unit,
        shield=views.shield(act, record),
        urgency=ticket.urgency,
        unassigned_at=ticket.unassigned_at or ticket.doubted_at,
        reason=ticket.unassigned_reason if ticket.unassigned_at else ticket.doubted_reason,
        doubted=ticket.doubted_at is not None,
        citizens=citizens,
        due=due,
        citizen_due=citizen_due,
        precedents=f"/v1/tickets/{ticket.number}/precedents",
    )


MATTER = {"type", "topic", "title", "content", "area", "flags"}
OF_TICKET = {
    "number",
    "registered_at",
    "round",
    "urged",
    "nearest",
    "suggested_unit",
    "arbitration",
}


def _return_out(
    act: ServiceAct,
    ticket: Ticket,
    assignment: Assignment,
    asked: Return,
    *,
    citizen_due: datetime | None,
) -> ReturnOut:
    record = TicketRecord(ticket, [assignment])
    known = (term for term in act.config.codes.reasons if term.code == asked.reason_code)
    ground = next((Sentence(zh=term.zh, en=term.en or term.zh) for term in known), None)
    return ReturnOut(
        **asked.model_dump(exclude={"ticket", "granted", "ruling", "ruled_at", "ruled_by"}),
        **record.matter.model_dump(include=MATTER),
        **assignment.model_dump(include={"round", "role", "dispatched_at", "rule"}),
        number=ticket.number,
        ground=ground or Sentence(zh=asked.reason_code, en=asked.reason_code),
        urgency=ticket.urgency,
        shield=views.shield(act, record),
        due=asked.review_due,
        citizen_due=citizen_due,
        precedents=f"/v1/tickets/{ticket.number}/precedents",
    )


async def _orders_out(
    act: ServiceAct, given: Iterable[tuple[datetime | None, Assignment]]
) -> list[OrderOut]:
    """Orders by when their first clock is due, with their tickets and all their clocks."""
    found = [*given]
    numbers = {assignment.ticket for _, assignment in found}
    of_these = select(Tickets).where(one_of(Tickets.number, numbers))
    tickets = {ticket.number: ticket for ticket in await act.session.exec(of_these)}
    clocks = await clocks_of(act, numbers)
    known = await reading.whole(act, tickets.values())
    return [
        _order_out(act, known[each.ticket], each, due=due, clocks=clocks[each.id])
        for due, each in found
    ]


def _order_out(
    act: ServiceAct,
    record: TicketRecord,
    assignment: Assignment,
    *,
    due: datetime | None,
    clocks: Iterable[Clock],
) -> OrderOut:
    shown = views.assignment_out(act, record, assignment)
    return OrderOut(
        **dict(shown),
        flags=record.matter.flags,
        due=due,
        clocks=[
            ListedClock(
                kind=each.kind,
                due=each.due,
                provisional=each.provisional,
                paused_since=each.paused_at,
            )
            for each in clocks
            if each.kind not in DESKS
        ],
    )
