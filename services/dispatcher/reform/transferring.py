"""承接: what a unit had that is no more goes on with who follows it (机构改革, ADR 0056).

A reform is a standing rule: what is open with a unit that is no more is moved, at the moment it takes
effect and whenever something comes to it later: from a replica that had not heard, from the release before,
with a ticket done again. So a batch needs no mark of how far it came, and one that dies is done again.

The same duty goes on, as the same assignment: handler, contacts, returns and clocks stay with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Executable,
    Integer,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    exists,
)
from sqlmodel import col, func, select

from services.dispatcher import doubts, merging, orders, records
from services.dispatcher.models import (
    IN_HAND,
    OWN,
    Assignment,
    Assignments,
    Clock,
    Clocks,
    Tickets,
)
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.reform import following
from services.dispatcher.reform.models import Reform, Reforms
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules import dispatch, handing_down, work_order
from services.dispatcher.rules import reforming as rules
from services.dispatcher.rules.assignment import AssignmentStatus
from services.dispatcher.rules.grassroots import Approval
from services.dispatcher.rules.reasons import Reason
from services.dispatcher.rules.whistling import Blown
from shared import events, policies, succession
from shared.events import ClockKind, Limits, Role, Urgency
from shared.jurisdiction.succession import Dissolved

UNITS = any_(bindparam("units", type_=ARRAY(Text)))
OPEN = (
    select(Assignments.id, Assignments.ticket)
    .where(IN_HAND, col(Assignments.unit) == UNITS)
    .order_by(col(Assignments.id))
    .limit(bindparam("limit", type_=Integer))
)
# A day that was promised, and not said to be kept (ADR 0069).
PROMISED = exists().where(
    col(Clocks.ticket) == col(Assignments.ticket),
    col(Clocks.assignment) == col(Assignments.id),
    col(Clocks.kind) == ClockKind.PROMISE,
    col(Clocks.due).is_not(None),
)
# Completed, and not judged yet: who has it is called when the citizen asks, and does it again; or judged, and
# something is still to be done as promised.
AWAITED_NOW = (
    col(Assignments.status) == AssignmentStatus.COMPLETED,
    col(Assignments.round) == col(Tickets.round),
    (col(Tickets.closed) < col(Tickets.round)) | PROMISED,
    col(Tickets.withdrawn_at).is_(None),
)
AWAITED = (
    select(Assignments.id, Assignments.ticket)
    .join(Tickets, col(Tickets.number) == col(Assignments.ticket))
    .where(
        col(Assignments.unit) == UNITS,
        col(Assignments.id) > bindparam("after", type_=Uuid),
        *AWAITED_NOW,
    )
    .order_by(col(Assignments.id))
    .limit(bindparam("limit", type_=Integer))
)
IN_FORCE = col(Reforms.in_force_at).is_not(None)
DUE = (
    select(Reforms)
    .where(col(Reforms.approved_at).is_not(None), col(Reforms.in_force_at).is_(None))
    .where(col(Reforms.withdrawn_at).is_(None), col(Reforms.effective_at) <= bindparam("now"))
    .order_by(col(Reforms.id))
    .with_for_update(skip_locked=True)
)
UNDONE = (
    select(Reforms)
    .where(IN_FORCE, col(Reforms.done_at).is_(None))
    .order_by(col(Reforms.id))
    .limit(1)
    .with_for_update(skip_locked=True)
)
RUNNING = {
    AssignmentStatus.DISPATCHED: (ClockKind.SIGN, ClockKind.FIRST_CONTACT, ClockKind.HANDLE),
    AssignmentStatus.SIGNED: (ClockKind.FIRST_CONTACT, ClockKind.HANDLE),
    AssignmentStatus.CONTACTED: (ClockKind.HANDLE,),
    AssignmentStatus.RETURN_REQUESTED: (ClockKind.HOTLINE_REVIEW, ClockKind.HANDLE),
}


# --- by the clock ------------------------------------------------------------------------------


async def carry_out(act: ServiceAct, limit: int) -> int:
    """Let reforms take effect whose moment has come, and move what is with units that are no more; how
    many of both.
    """
    if begun := await _take_effect(act):
        return begun  # what follows is another transaction: from now on every replica moves orders
    units = list(act.store.dissolved)
    if not units:
        return 0
    found = await _found(act, OPEN, units, limit)
    if not found:
        found = await _awaited(act, limit)
    await records.lock(act, found.values())
    for id, number in found.items():
        record = await records.locked(act, number)
        order = next(each for each in record.assignments if each.id == id)
        if dissolved := act.store.dissolved.get(order.unit):  # nobody moved it before the lock
            await _move(act, record, order, dissolved)
    return len(found)


async def next_due(act: ServiceAct) -> datetime | None:
    """When a reform takes effect next; now, while something is left to move."""
    units = list(act.store.dissolved)
    if units and await _found(act, OPEN, units, 1):
        return act.now
    undone = select(Reforms.id).where(IN_FORCE, col(Reforms.done_at).is_(None)).limit(1)
    if (await act.session.exec(undone)).first():
        return act.now
    waiting = select(func.min(Reforms.effective_at)).where(
        col(Reforms.approved_at).is_not(None),
        col(Reforms.in_force_at).is_(None),
        col(Reforms.withdrawn_at).is_(None),
    )
    moment: datetime | None = (await act.session.exec(waiting)).one()
    return moment


async def _take_effect(act: ServiceAct) -> int:
    begun = await act.rows.load(Reform, DUE, {"now": act.now})
    for reform in begun:
        reform.in_force_at = max(reform.effective_at, reform.approved_at or reform.effective_at)
        dissolved = dissolved_by(reform)
        await succession.note(act, reform.unit, dissolved)
        act.tell(
            dissolved.reform,
            subject=f"unit:{reform.unit}",
            time=dissolved.since,
            round=1,
            unit=reform.unit,
        )
    return len(begun)


async def _found(
    act: ServiceAct, query: Executable, units: list[str], limit: int, **more: UUID
) -> dict[UUID, str]:
    connection = await act.session.connection()
    rows = await connection.execute(query, {"units": units, "limit": limit} | more)
    return {row.id: row.ticket for row in rows}


async def _awaited(act: ServiceAct, limit: int) -> dict[UUID, str]:
    """Orders that wait for the citizen, of a reform that is not done; when none is left it is."""
    for reform in await act.rows.load(Reform, UNDONE):
        after = {"after": reform.awaited or OWN}
        found = await _found(act, AWAITED, [reform.unit], limit, **after)
        if not found:
            reform.done_at = act.now
            continue
        reform.awaited = max(found)
        return found
    return {}


def dissolved_by(reform: Reform) -> Dissolved:
    """A unit as it is when its reform is in force."""
    data = events.UnitReformed.model_validate(
        {
            "kind": reform.kind,
            "reform": reform.id,
            "successors": reform.successors,
            "parts": reform.parts,
            "remainder": reform.remainder,
            "reason": reform.reason,
        }
    )
    return Dissolved(reform.in_force_at or reform.effective_at, data)


# --- one order ---------------------------------------------------------------------------------


async def _move(
    act: ServiceAct, record: TicketRecord, order: Assignment, dissolved: Dissolved
) -> None:
    to = _destination(act, record, order.unit, dissolved)
    if order.status not in machine.OPEN:
        if isinstance(
            to, str
        ):  # else it stays where it was done: a redo goes to the desk by itself
            await _transfer(act, record, order, to, dissolved)
        return
    if isinstance(to, Reason):
        _to_desk(act, record, order, to)
        return
    twin = next((each for each in record.open() if each.unit == to), None)
    if twin is None:
        await _transfer(act, record, order, to, dissolved)
        return
    helping = order if order.role != Role.LEAD else twin  # who leads does not help itself
    goes_on = twin if helping is order else order
    below = handing_down.with_below([order, twin], record.open())
    stay = [each for each in below if each is not helping]
    orders.cancel(act, record, [helping], "redispatched", act.now, keep=stay)
    _answer_to(record, order, to)
    if goes_on.handed_by is None or helping.handed_by is None or goes_on.handed_by == to:
        goes_on.handed_by = None  # whom the desk named as one of the two answers to the lead
    if helping is twin:
        await _transfer(act, record, order, to, dissolved)
    else:
        _heard_in_its_place(record, order.unit, to)
        _tell_others(act, record, [], order.unit, to)


def _destination(
    act: ServiceAct, record: TicketRecord, unit: str, dissolved: Dissolved
) -> str | Reason:
    """Who goes on with it, or why a person must say: several could, or who follows has to stand back."""
    names, to = act.config.dispatching.names, following.successor_of(act, record.matter, dissolved)
    if to is None or act.config.units.unit(to) is None:
        return rules.undecided(unit, dissolved.reform.successors, names)
    if to in act.config.dispatching.barred(record.matter):
        return rules.must_stand_back(unit, to, names)
    return to


def _to_desk(act: ServiceAct, record: TicketRecord, order: Assignment, why: Reason) -> None:
    """A lead's order takes those with it that answered to it; a co-handler's those below it. Of what was
    handed down the desk need not know: who did that hears it, and hands it down anew or does it itself.
    """
    if order.role == Role.LEAD:
        orders.cancel(act, record, record.open(), "redispatched", act.now)
        orders.leave_to_desk(act, record, str(why))
        return
    orders.cancel(act, record, [order], "redispatched", act.now)
    if above := next((each for each in record.open() if each.unit == order.handed_by), None):
        data = events.AssignmentUpdated(kind="supplemented", content=str(why))
        orders.tell(act, above, data)
        return
    doubts.doubt(act, record, str(why))


async def _transfer(
    act: ServiceAct, record: TicketRecord, order: Assignment, to: str, dissolved: Dissolved
) -> None:
    """The same assignment, with another unit from the moment of the reform, and not before it was given."""
    before, since = order.unit, max(dissolved.since, order.dispatched_at)
    if order.former:
        since = max(since, datetime.fromisoformat(order.former[-1]["until"]))
    reform = dissolved.reform.reform
    known = {"unit": before, "until": since.isoformat(), "reform": str(reform)}
    _answer_to(record, order, to)
    order.former, order.unit = [*order.former, known], to
    if order.handed_by == to:
        order.handed_by = None
    said = await _work_order(act, record, order)
    data = events.AssignmentTransferred(
        **said.model_dump(),
        predecessor=before,
        reform=reform,
        status=order.status,
        handler=order.handler,
        dispatched_at=order.dispatched_at,
        clocks=await _clocks(act, order),
    )
    orders.tell(act, order, data, since)
    _heard_in_its_place(record, before, to)
    if order.status in machine.OPEN:
        _tell_others(act, record, [order], before, to)
        await merging.stand_apart(act, record)


def _heard_in_its_place(record: TicketRecord, before: str, to: str) -> None:
    if opened := record.arbitration:
        now = (to if each == before else each for each in opened.parties)
        opened.parties = list(dict.fromkeys(now))


def _answer_to(record: TicketRecord, order: Assignment, to: str) -> None:
    """Whom a unit that is no more handed it down to answers to who follows it."""
    of_round = (each for each in record.assignments if each.round == order.round)
    for each in of_round:
        if each.handed_by == order.unit:
            each.handed_by = to


async def _work_order(
    act: ServiceAct, record: TicketRecord, order: Assignment
) -> events.AssignmentDispatched:
    """All that a dispatch says, as it stands now."""
    added = await records.added(act, record)
    return work_order.work_order(
        record.matter,
        _order(record, order),
        added,
        role=Role(order.role),
        urgency=Urgency(order.urgency),
        limits=Limits.model_validate(order.limits),
        registered_at=record.ticket.registered_at,
        redo=order.redo,
        configuration=act.configuration,
        policy_version=policies.version(act, order.dispatched_at),
        blown=Blown.on_record(order.whistle),
    )


def _order(record: TicketRecord, own: Assignment) -> dispatch.Order:
    round = [each for each in record.assignments if each.round == own.round]
    working = [each for each in round if each.status not in machine.GONE]
    lead = next((each.unit for each in working if each.role == Role.LEAD), own.unit)
    helping = [
        each.unit
        for each in working
        if each.role == Role.CO and (each is own or not each.handed_by)
    ]
    return dispatch.Order(
        lead,
        dispatch.helpers(lead, helping),
        own.reason,
        own.rule,
        catalogue_version=own.catalogue_version,
        approval=Approval.on_record(own.approved),
        handed_by=own.handed_by,
    )


async def _clocks(act: ServiceAct, order: Assignment) -> tuple[events.RunningClock, ...]:
    kinds = RUNNING.get(AssignmentStatus(order.status), ())
    if (blown := Blown.on_record(order.whistle)) and not blown.attended:
        kinds = (*kinds, ClockKind.ATTEND)
    query = select(Clocks).where(Clocks.ticket == order.ticket, Clocks.assignment == order.id)
    known: dict[str, Clock] = {row.kind: row for row in await act.session.exec(query)}
    return tuple(
        events.RunningClock(clock=kind, due=row.due, provisional=row.provisional)
        for kind in kinds
        if (row := known.get(kind)) and row.due
    )


def _tell_others(
    act: ServiceAct, record: TicketRecord, but: Iterable[Assignment], before: str, to: str
) -> None:
    """Who else works on it hears whom to turn to now."""
    words = str(rules.taken_over(before, to, act.config.dispatching.names))
    skipped = {each.id for each in but}
    for each in record.open():
        if each.id not in skipped:
            now = _order(record, each)
            data = events.AssignmentUpdated(
                kind="supplemented", content=words, lead=now.lead, co_handlers=now.co_handlers
            )
            orders.tell(act, each, data)


# --- looking ahead -----------------------------------------------------------------------------


async def would_go(act: ServiceAct, unit: str, dissolved: Dissolved) -> Counter[str | None]:
    """Where what a unit has would go by a reform; None is the desk. Nothing is changed."""
    of_unit = (
        select(Assignments, Tickets)
        .join(Tickets, col(Tickets.number) == col(Assignments.ticket))
        .where(Assignments.unit == unit)
    )
    to: Counter[str | None] = Counter()
    in_hand = col(Assignments.status).in_(machine.OPEN)
    for _, ticket in await act.session.exec(of_unit.where(in_hand | and_(*AWAITED_NOW))):
        goes = _destination(act, TicketRecord(ticket, []), unit, dissolved)
        to[goes if isinstance(goes, str) else None] += 1
    return to
