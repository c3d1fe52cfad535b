"""经办人: who in a unit handles an order, by name and by account, and that another does now (ADR 0059)."""

from __future__ import annotations

from uuid import UUID

from services.dispatcher import orders, records, schemas, views
from services.dispatcher.handling.schemas import NewHandler
from services.dispatcher.records import ServiceAct
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules.assignment import AssignmentStatus
from shared import events
from shared.errors import Malformed, MoveRefused


async def change(act: ServiceAct, id: UUID, body: NewHandler) -> schemas.AssignmentOut:
    """换经办人: another person of the unit goes on with a signed order, where it stands; no clock hears
    of it. Who has it already keeps it.

    Raises NotFound; MoveRefused of an order nobody has signed, for signing names its handler, and of one
    that is over.
    """
    record, order = await records.locked_assignment(act, id)
    status = AssignmentStatus(order.status)
    if status not in machine.OPEN or order.handler is None:
        raise MoveRefused("change_handler", status, machine.allowed(status, machine.BY_UNIT))
    if (order.handler, order.handler_account) == (body.handler, body.handler_account):
        return views.assignment_out(act, record, order)
    words = (
        f"经办人由 {order.handler} 换为 {body.handler}：{body.reason} "
        "Another person of your unit handles it now"
    )
    order.handler, order.handler_account = body.handler, body.handler_account
    data = events.AssignmentUpdated(
        kind="supplemented",
        content=words,
        handler=body.handler,
        handler_account=body.handler_account,
    )
    orders.tell(act, order, data)
    return views.assignment_out(act, record, order)


def own_account(act: ServiceAct) -> str:
    """The account of a caller of a unit. Raises Malformed for who is of none: another role's account of
    the same name is another person.
    """
    if act.caller is None or act.caller.unit is None:
        raise Malformed("mine 只用于单位令牌 mine is for tokens of a unit", field="mine")
    return act.caller.name
