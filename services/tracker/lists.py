"""督办清单: what a supervisor has to rule on and to press next, and what a unit has to answer (ADR 0052)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
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
from shared.http.worklists import Line, Tally, Worklist, WorklistLine

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
OVERDUE = (col(Clocks.breached_at).is_not(None), col(Clocks.ended_at).is_(None))

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


async def worklist(act: ServiceAct) -> Worklist:
    """工作清单: how much of each list waits for who asks, by what the list itself stands on."""
    if _unit(act) is not None:
        waits = [*RAISED, UNANSWERED, *await _own(act)]
        return Worklist(items=[await _line(act, TO_ANSWER, ANSWER_DUE, waits)])
    return Worklist(
        items=[
            await _line(act, EXTENSIONS, col(Clocks.due), ASKED),
            await _line(act, TO_BE_ANSWERED, ANSWER_DUE, [*RAISED, UNANSWERED]),
            await _line(act, ANSWERS, ANSWER_DUE, [*RAISED, ANSWERED], ANSWERED_LATE),
            await _line(act, BREACHES, col(Clocks.due), OVERDUE),
        ]
    )


NONE_GIVEN, GIVEN = "supervisions?answered=false", "supervisions?answered=true"
EXTENSIONS = "extensions", Line("延期待批", "Extensions to rule on", "extensions")
TO_BE_ANSWERED = "unanswered", Line("督办待回复", "Supervisions without an answer", NONE_GIVEN)
ANSWERS = "answers", Line("督办回复待审定", "Answers to supervisions to rule on", GIVEN)
TO_ANSWER = "supervisions", Line("督办待回复", "Supervisions to answer", NONE_GIVEN)
BREACHES = "breaches", Line("超期未办", "Breaches whose duty is not done", "breaches?undone=true")


async def _line(
    act: ServiceAct,
    called: tuple[str, Line],
    due: Any,
    waits: Sequence[Any],
    late: Any = None,
) -> WorklistLine:
    late = due < act.now if late is None else late
    counted = select(func.count(), func.count().filter(late), func.min(due))
    tally = Tally(*(await act.session.exec(counted.where(*waits))).one())
    code, line = called
    return line.counted(code, tally)


async def extensions(
    act: ServiceAct, unit: str | None, urgency: Urgency | None, after: str | None, limit: int
) -> ExtensionPage:
    """延期待批: asked, and not ruled on while there is something to extend. Raises BadCursor."""
    wanted = [*ASKED, *_of(unit, urgency, Extensions.unit)]
    place = tuple_(col(Clocks.due), col(Extensions.id))
    query = select(*place.clauses, Assignments, Tickets, Extensions).where(*wanted)  # type: ignore[call-overload]
    if after is not None:
        query = query.where(place > _last(act, after))
    rows = (await act.session.exec(query.order_by(place).limit(limit + 1))).all()
    items = [
        AskedExtension(
            **asked.model_dump(),
            number=asked.ticket,
            round=order.round,
            role=order.role,
            urgency=order.urgency,
            topic=ticket.topic,
            due=due,
        )
        for due, _, order, ticket, asked in rows[:limit]
    ]
    counted = select(func.count(), func.count().filter(col(Clocks.due) < act.now)).where(*wanted)
    total, overdue = (await act.session.exec(counted)).one()
    counts = Counts(total=total, overdue=overdue)
    return ExtensionPage(items=items, next=_next(act, rows, limit), counts=counts)


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
    wanted = [*RAISED, *_of(unit, urgency, Supervisions.unit), *await _own(act)]
    if rung is not None:
        wanted.append(col(Supervisions.rung) == rung)
    if answered is not None:
        wanted.append(ANSWERED if answered else UNANSWERED)
    moment = func.coalesce(Supervisions.answer_due, Supervisions.raised_at)
    place = tuple_(moment, col(Supervisions.id))
    query = select(*place.clauses, HANDLE_DUE, Assignments, Tickets, Supervisions).where(*wanted)  # type: ignore[call-overload]
    if after is not None:
        query = query.where(place > _last(act, after))
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
    return SupervisionPage(items=items, next=_next(act, rows, limit), counts=counts)


def _unit(act: ServiceAct) -> str | None:
    return act.caller.unit if act.caller and act.caller.role == "unit" else None


async def _own(act: ServiceAct) -> list[Any]:
    """What narrows supervisions to those a unit may see: its own, but of tickets it must know nothing of
    none (R-35). Others see all.
    """
    if (unit := _unit(act)) is None:
        return []
    own = col(Supervisions.unit) == unit
    pressed = select(Supervisions.ticket).where(*STANDS, own)
    of_them = select(Tickets).where(col(Tickets.number).in_(pressed))
    tickets = (await act.session.exec(of_them)).all()
    hidden = [row.number for row in tickets if recused_from(act, row)]
    return [own, col(Supervisions.ticket).not_in(hidden)] if hidden else [own]


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


def _next(act: ServiceAct, rows: Sequence[Any], limit: int) -> str | None:
    """The place of the last row shown, when there are more."""
    if len(rows) <= limit:
        return None
    moment, id = rows[limit - 1][:2]
    return act.cursor(f"{moment.astimezone(UTC):%Y%m%dT%H%M%S.%f}/{id}")


def _last(act: ServiceAct, cursor: str) -> tuple[datetime, UUID]:
    """The place a cursor names. Raises BadCursor."""
    moment, _, id = act.place(cursor).partition("/")
    return datetime.strptime(moment, "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC), UUID(id)
