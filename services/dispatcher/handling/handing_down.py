"""二次派单: a unit hands its order down to one of its own, a town to a village, a bureau to a station, and
takes it back (ADR 0059). It stays in charge: the other answers to it.
"""

from __future__ import annotations

from uuid import UUID

from services.dispatcher import orders, reading, records, schemas, views
from services.dispatcher.arbitration import overruling
from services.dispatcher.handling import co_handling
from services.dispatcher.handling.schemas import HandDown, TakeBack
from services.dispatcher.models import Assignment
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules import dispatch, leaving, work_order
from services.dispatcher.rules import handing_down as rules
from services.dispatcher.rules.assignment import AssignmentStatus
from services.dispatcher.rules.returns import ReturnGranted
from shared.errors import MoveRefused, Recused, UnknownCode


async def hand_down(act: ServiceAct, id: UUID, body: HandDown) -> schemas.AssignmentOut:
    """交办 of a signed order to a unit below; the answer is that one's order. Once more changes nothing.

    Raises NotFound, MoveRefused, UnknownCode, AmbiguousCode, NotBelow, NotHandedDown, Recused,
    WorksAlready, ReturnGranted.
    """
    record, own = await records.locked_assignment(act, id)
    if own.status not in machine.HANDLING:
        raise _refused("hand_down", own)
    unit = records.unit_code(act, "unit", body.unit)
    below = rules.units_below(act.config.units, own.unit, act.store.dissolved)
    if unit not in below:
        raise rules.NotBelow(field="unit", allowed=below)
    if at_work := next((each for each in record.open() if each.unit == unit), None):
        if at_work.handed_by != own.unit:
            raise rules.WorksAlready(field="unit", unit=unit)
        return views.assignment_out(act, record, at_work)
    added = await records.added(act, record)
    await check_may_have(act, record, unit, added)
    helpers = (*(each.unit for each in co_handling.co_handlers(record)), unit)
    lead = co_handling.lead_of(record)
    order = dispatch.Order(
        lead.unit if lead else own.unit, helpers, body.reason, handed_by=own.unit
    )
    [given] = co_handling.give_more(act, record, order, added, [unit])
    return views.assignment_out(act, record, given)


async def check_may_have(
    act: ServiceAct,
    record: TicketRecord,
    unit: str,
    added: work_order.Added,
    field: str = "unit",
) -> None:
    """What a unit may give to another without the desk: nothing that is kept from more eyes, nothing
    that is about it, under this number or one merged with it (R-35, JN-32), and nothing of which its
    return was granted (R-15).
    """
    dispatching = act.config.dispatching
    for each in (record, *record.waiting_with()):
        said = added.newest if each is record else ()
        if unit in dispatching.barred(each.matter, said):
            raise Recused(field=field, unit=unit)
    if not reading.may_be_shared(act, record, [unit]):
        raise rules.NotHandedDown(field=field)
    if await overruling.is_freed(act, record, unit):
        raise ReturnGranted("请派单员决定 ask the desk", field=field, unit=unit)


async def take_back(act: ServiceAct, id: UUID, body: TakeBack) -> schemas.AssignmentOut:
    """收回交办: the unit below need not go on, nor any to which that one handed it on; the answer is its
    order as it ended. It is told why.

    Raises NotFound; MoveRefused when the unit's own order is over; UnknownCode for who has nothing of it.
    """
    record, own = await records.locked_assignment(act, id)
    if own.status not in machine.OPEN:
        raise _refused("take_back", own)
    below = {each.unit: each for each in rules.below(own, record.open())}
    unit = records.unit_code(act, "unit", body.unit)
    if unit not in below:
        raise UnknownCode(body.unit, field="unit", allowed=sorted(below))
    why = leaving.taken_back(body.reason)
    orders.cancel(act, record, [below[unit]], "redispatched", act.now, why)
    return views.assignment_out(act, record, below[unit])


def _refused(action: str, order: Assignment) -> MoveRefused:
    return MoveRefused(
        action, order.status, machine.allowed(AssignmentStatus(order.status), machine.BY_UNIT)
    )
