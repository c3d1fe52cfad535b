"""等待诉求人: asked by a lead, granted by the desk or by nobody, over when the citizen has come (WF-21)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import col, func, select

from services.dispatcher import orders, reading, records, views
from services.dispatcher.completion import completing
from services.dispatcher.models import Assignment, Assignments
from services.dispatcher.records import ServiceAct
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules import hotline_reasons, waiting
from services.dispatcher.rules.assignment import AssignmentStatus
from services.dispatcher.rules.waiting import NoWait, Wait, WaitNotOffered, WaitStatus
from services.dispatcher.schemas import AssignmentOut
from services.dispatcher.waits.schemas import WaitEnded, WaitRequest, WaitRuling
from shared import events
from shared.errors import MoveRefused

SAID = {"awaited", "reason", "contact_time"}  # of a wait, to whoever hears that it is asked for
MOMENT = timedelta(seconds=1)  # at the due moment itself the desk may still rule
DUE = (
    col(Assignments.wait_due).is_not(None),
    col(Assignments.status) == AssignmentStatus.CONTACTED,
)


async def request(act: ServiceAct, id: UUID, body: WaitRequest) -> AssignmentOut:
    """申请等待诉求人: the desk has to rule on it; until then the unit's time runs on.

    Raises NotFound, MoveRefused, ContactNotOnRecord and what rules/waiting.py raises.
    """
    record, order = await records.locked_assignment(act, id)
    status = AssignmentStatus(order.status)
    if status is not AssignmentStatus.CONTACTED:
        raise MoveRefused("request_wait", status, machine.allowed(status, machine.BY_UNIT))
    context = reading.wait_context(act, record, order)
    if refused := waiting.barred(context, act.now):
        raise refused
    rules = act.config.returns.awaiting_citizen
    if rules is None or context.latest is None:
        raise WaitNotOffered
    called = await completing.contact_time(act, order, body.contact_time)
    due = min(rules.ruled_by(act.now, act.config.calendar), context.latest)
    asked = Wait(
        id=orders.new_id(),
        awaited=body.awaited,
        reason=body.reason,
        contact_time=called or body.contact_time,
        asked_at=act.now,
        due=due,
    )
    order.wait, order.wait_due = asked.kept, due
    data = events.AssignmentWaitRequested(
        wait=asked.id, review=str(rules.review), **asked.model_dump(include=SAID)
    )
    orders.tell(act, order, data)
    return views.assignment_out(act, record, order)


async def rule(act: ServiceAct, id: UUID, body: WaitRuling) -> AssignmentOut:
    """等待裁定: refused, nothing has stood still; granted, it has since the asking, and the citizen is told.

    Raises NotFound, NoWait, WaitTooLate.
    """
    record, order = await records.locked_assignment(act, id)
    asked = _of(order, WaitStatus.ASKED)
    if body.granted and (late := reading.ungrantable(act, order, asked)):
        raise late
    if body.granted:
        _grant(act, order, asked, body.ruling)
    else:
        _refuse(act, order, asked, body.ruling)
    return views.assignment_out(act, record, order)


def _of(order: Assignment, *statuses: WaitStatus) -> Wait:
    """The wait of an order that is handled, as it must stand. Raises NoWait."""
    wait = Wait.on_record(order.wait)
    status = wait and wait.status
    if wait is None or status not in statuses or order.status != AssignmentStatus.CONTACTED:
        raise NoWait(current_status=status and str(status))
    return wait


def _grant(act: ServiceAct, order: Assignment, asked: Wait, ruling: str) -> None:
    rules = act.config.returns.awaiting_citizen
    if rules is None:
        raise WaitNotOffered(because="policy")  # it was, when it was asked for
    until = max(rules.until(asked.asked_at, act.config.calendar), act.now)
    granted = _ruled(act, order, asked, ruling, granted=True, until=until)
    order.wait_due = until
    data = events.AssignmentWaitGranted(
        wait=granted.id,
        awaited=granted.awaited,
        asked_at=granted.asked_at,
        until=until,
        ruling=ruling,
    )
    orders.tell(act, order, data)


def _refuse(
    act: ServiceAct, order: Assignment, asked: Wait, ruling: str, *, silent: bool = False
) -> None:
    _ruled(act, order, asked, ruling, granted=False)
    order.wait_due = None
    data = events.AssignmentWaitRefused(wait=asked.id, ruling=ruling, silent=silent)
    orders.tell(act, order, data)


def _ruled(act: ServiceAct, order: Assignment, asked: Wait, ruling: str, **how: Any) -> Wait:
    said = {"ruling": ruling, "ruled_at": act.now, "ruled_by": act.actor}
    ruled = asked.model_copy(update=said | how)
    order.wait = ruled.kept
    return ruled


async def end(act: ServiceAct, id: UUID, body: WaitEnded) -> AssignmentOut:
    """诉求人已配合: the unit goes on, or takes its request back. Raises NotFound, NoWait."""
    record, order = await records.locked_assignment(act, id)
    _of(order, *waiting.OPEN)
    orders.end_wait(act, order, "come", note=body.note)
    return views.assignment_out(act, record, order)


# --- by the clock ------------------------------------------------------------------------------


async def see_to_due(act: ServiceAct, limit: int) -> int:
    """Refuse what the desk let lie, and end what has lasted longest; how many."""
    query = (
        select(Assignments.id, Assignments.ticket)
        .where(*DUE, col(Assignments.wait_due) <= act.now - MOMENT)
        .order_by(col(Assignments.wait_due))
        .limit(limit)
    )
    late = dict((await act.session.exec(query)).all())
    await records.lock(act, late.values())
    for id, number in late.items():
        record = await records.locked(act, number)
        order = next(each for each in record.assignments if each.id == id)
        if order.wait_due and order.wait_due <= act.now - MOMENT:  # nobody was quicker
            _see_to(act, order)
    return len(late)


def _see_to(act: ServiceAct, order: Assignment) -> None:
    wait = _of(order, *waiting.OPEN)
    if wait.status is WaitStatus.ASKED:
        _refuse(act, order, wait, str(hotline_reasons.no_wait_by_silence()), silent=True)
    else:
        orders.end_wait(act, order, "longest", wait.until)


async def next_due(act: ServiceAct) -> datetime | None:
    """When the policy acts next."""
    query = select(func.min(Assignments.wait_due)).where(*DUE)
    due: datetime | None = (await act.session.exec(query)).one()
    return due and due + MOMENT
