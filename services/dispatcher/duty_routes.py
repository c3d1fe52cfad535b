"""在办核对 Who is on duty for a ticket at this moment, for the one service that opens contacts.

Intake hears of orders a moment later than they are given and taken, and for as long as the broker is
away not at all. Who may read a person's telephone number is therefore asked here, where it is known
(docs/adr/0042-who-may-read-is-asked.md).
"""

from typing import Annotated
from uuid import UUID

from fastapi import Depends
from pydantic import BaseModel

from services.dispatcher import records
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules.assignment import HANDLING
from shared.errors import Forbidden, NotFound
from shared.http.auth import acting
from shared.http.fields import Number, UnitCode
from shared.http.router import Router

ASKS = "intake"
router = Router("/v1", tags=["dispatcher 派单"])
AskedByService = Annotated[ServiceAct, Depends(acting("service"), scope="function")]


class Duty(BaseModel):
    """The assignment under which a unit handles the ticket now; null when it does not."""

    assignment: UUID | None


@router.get("/tickets/{number}/duties/{code}")
async def read_duty(number: Number, code: UnitCode, act: AskedByService) -> Duty:
    """在办核对 Whether a unit handles a ticket now: an order of its own, signed, with no return
    pending, and no duty to withdraw. Asked by intake only.
    """
    if act.caller is None or act.caller.name != ASKS:
        raise Forbidden(f"只由 {ASKS} 服务查询 only the service {ASKS} asks")
    try:
        record = await records.read(act, number)
    except NotFound:  # what is not registered here yet is nobody's
        return Duty(assignment=None)
    return Duty(assignment=on_duty(act, record, code))


def on_duty(act: ServiceAct, record: TicketRecord, unit: str) -> UUID | None:
    """The assignment a unit works on (R-35, R-36): never a recused unit's, nor one that says by a
    return of its own that the matter is not its duty.
    """
    if record.ticket.withdrawn_at is not None or records.recused_unit(act, record, unit):
        return None
    held = list(record.assignments)
    if (holder := record.joined) and act.config.dispatching.may_join(record.matter, [unit]):
        held += holder.assignments  # merged: they work on this one, too
    working = (each.id for each in held if each.unit == unit and each.status in HANDLING)
    return next(working, None)
