"""吹哨报到: a town that cannot do it alone whistles, units come within a limit, each says what it saw of the
other (R-47, BJ-16; ADR 0061). Who is whistled for has a co-handler's order like any other.
"""

from __future__ import annotations

from uuid import UUID

from services.dispatcher import orders, records, schemas, views
from services.dispatcher.handling import co_handling, handing_down
from services.dispatcher.models import Assignment
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules import dispatch, leaving, whistling
from services.dispatcher.rules.assignment import AssignmentStatus
from services.dispatcher.rules.handing_down import WorksAlready
from services.dispatcher.rules.whistling import (
    Attended,
    Blown,
    CalledOff,
    Said,
)
from services.dispatcher.whistles.schemas import Attend, Blow, CallOff, Say, WhistledOut
from shared.errors import MoveRefused, UnknownCode
from shared.events import AssignmentAttended, AssignmentUpdated, Role

SEEN: dict[whistling.Attendance, str] = {
    "present": "主办单位确认已到场 The lead says you are there",
    "nobody_came": "主办单位反映无人到场 The lead says nobody came",
}


# --- the lead ----------------------------------------------------------------------------------


async def blow(act: ServiceAct, id: UUID, body: Blow) -> WhistledOut:
    """吹哨 by who leads and has signed; for all the units it names, or for none.

    Raises NotFound, MoveRefused, MayNotWhistle, UnknownCode, UnitSplit, AmbiguousCode, CoHandlerIsLead,
    NotWhistledFor, WorksAlready, Recused, NotHandedDown, ReturnGranted.
    """
    record, own = await records.locked_assignment(act, id)
    if own.role != Role.LEAD or own.status not in machine.HANDLING:
        raise _refused("whistle", own)
    units = list(dict.fromkeys(records.unit_code(act, "units", called) for called in body.units))
    rules, county = act.config.grassroots.whistle, act.config.units
    whistling.check_kinds(rules, county.unit(own.unit), map(county.unit, units))
    added = await records.added(act, record)
    for unit in units:
        if unit in {each.unit for each in record.open()}:
            raise WorksAlready(field="units", unit=unit)
        await handing_down.check_may_have(act, record, unit, added, field="units")
    blown = {unit: _blown(act, own, body) for unit in units}
    helping = co_handling.co_handlers(record)
    helpers = (*(each.unit for each in helping), *units)
    order = dispatch.Order(own.unit, helpers, blown[units[0]].reason, whistles=blown)
    given = co_handling.give_more(act, record, order, added, units)
    co_handling.tell_who(act, [own, *helping], order)
    return WhistledOut(orders=[views.assignment_out(act, record, each) for each in given])


def _blown(act: ServiceAct, own: Assignment, body: Blow) -> Blown:
    return Blown(id=orders.new_id(), by=own.unit, at=act.now, need=body.need, ground=body.ground)


async def say(act: ServiceAct, id: UUID, body: Say) -> schemas.AssignmentOut:
    """到场情况: the lead's word of a unit that was whistled for. That one hears it; no clock goes by it, and
    the answer is its order. Raises NotFound, MoveRefused, UnknownCode, AmbiguousCode.
    """
    record, own = await records.locked_assignment(act, id)
    order, blown = _whistled(act, record, own, "attendance", body.unit)
    said = Said(attendance=body.attendance, by=own.unit, at=act.now, note=body.note)
    order.whistle = blown.model_copy(update={"said": said}).kept
    words = "：".join(filter(None, (SEEN[body.attendance], body.note)))
    data = AssignmentUpdated(kind="supplemented", content=words, attendance=body.attendance)
    orders.tell(act, order, data)
    return views.assignment_out(act, record, order)


async def call_off(act: ServiceAct, id: UUID, body: CallOff) -> schemas.AssignmentOut:
    """撤回吹哨: blown by mistake; the unit need not come, and what it missed stands. The answer is its order
    as it ended.

    Raises NotFound, UnknownCode, AmbiguousCode; MoveRefused also for one that came: the desk frees it.
    """
    record, own = await records.locked_assignment(act, id)
    order, blown = _whistled(act, record, own, "call_off", body.unit)
    if blown.attended:
        raise MoveRefused("call_off", "attended", [])
    called_off = CalledOff(by=own.unit, at=act.now, reason=body.reason)
    order.whistle = blown.model_copy(update={"called_off": called_off}).kept
    if record.arbitration and record.arbitration.assignment == order.id:
        orders.end_arbitration(act, record, "redispatched")
    why = leaving.called_off(body.reason)
    orders.cancel(act, record, [order], "redispatched", act.now, why)
    helping = co_handling.co_handlers(record)
    left = dispatch.Order(own.unit, tuple(each.unit for each in helping), body.reason)
    co_handling.tell_who(act, [own, *helping], left)
    return views.assignment_out(act, record, order)


def _whistled(
    act: ServiceAct, record: TicketRecord, own: Assignment, action: str, called: str
) -> tuple[Assignment, Blown]:
    """Who was whistled for and is at work under a lead, whoever led when it was blown."""
    theirs = whistling.blown_for(record.open())
    if own.role != Role.LEAD or own.status not in machine.OPEN or not theirs:
        raise _refused(action, own)
    unit = records.unit_code(act, "unit", called)
    if unit not in theirs:
        raise UnknownCode(called, field="unit", allowed=sorted(theirs))
    order = next(each for each in record.open() if each.unit == unit)
    return order, theirs[unit]


# --- who was whistled for ----------------------------------------------------------------------


async def attend(act: ServiceAct, id: UUID, body: Attend) -> schemas.AssignmentOut:
    """报到: the unit came, which meets its clock; its lead hears it. It is said once, and stands.

    Raises NotFound, AttendTimeWrong; MoveRefused for an order that is over, for one nobody whistled for, and
    for who came already.
    """
    record, order = await records.locked_assignment(act, id)
    blown = Blown.on_record(order.whistle)
    if blown is None or order.status not in machine.OPEN:
        raise _refused("attend", order)
    if blown.attended:
        raise MoveRefused("attend", "attended", [])
    came_at = body.came_at or act.now
    whistling.check_came(came_at, blown.at, act.now)
    attended = Attended(unit=order.unit, at=came_at, person=body.person, note=body.note)
    order.whistle = blown.model_copy(update={"attended": attended}).kept
    orders.tell(act, order, AssignmentAttended(person=body.person, note=body.note), came_at)
    if lead := co_handling.lead_of(record):
        name = act.config.dispatching.names.unit(order.unit)
        words = f"“{name}”已报到：{body.person} {order.unit} came"
        orders.tell(act, lead, AssignmentUpdated(kind="supplemented", content=words))
    return views.assignment_out(act, record, order)


def _refused(action: str, order: Assignment) -> MoveRefused:
    return MoveRefused(
        action, order.status, machine.allowed(AssignmentStatus(order.status), machine.BY_UNIT)
    )
