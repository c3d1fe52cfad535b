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
from services.dispatcher.models import Assignment, Tickets
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules.assignment import HANDLING, AssignmentStatus, at_work
from shared.errors import Forbidden, NotFound
from shared.events import Urgency
from shared.http.auth import acting
from shared.http.fields import Number, UnitCode
from shared.http.router import Router

ASKS = "intake"
router = Router("/v1", tags=["dispatcher 派单"])
AskedByService = Annotated[ServiceAct, Depends(acting("service"), scope="function")]


class Duty(BaseModel):
    """The assignment under which a unit handles the ticket now; null when it does not."""

    assignment: UUID | None


class Dispute(BaseModel):
    """The arbitration of a ticket that is open; null when there is none."""

    arbitration: UUID | None


@router.get("/tickets/{number}/duties/{code}")
async def read_duty(number: Number, code: UnitCode, act: AskedByService) -> Duty:
    """在办核对 Whether a unit handles a ticket now: an order of its own, signed, that does not stand still
    for a return, and no duty to withdraw. Asked by intake only.
    """
    _check_asker(act)
    try:
        record = await records.read(act, number)
    except NotFound:  # what is not registered here yet is nobody's
        return Duty(assignment=None)
    return Duty(assignment=on_duty(act, record, code))


@router.get("/tickets/{number}/dispute")
async def read_dispute(number: Number, act: AskedByService) -> Dispute:
    """争议核对 Whether the ladder rules at the moment whose duty a ticket is: only its ruling ends that
    (R-17). Asked by intake only, before it merges or ends a ticket.
    """
    _check_asker(act)
    ticket = await act.session.get(Tickets, number)
    return Dispute(arbitration=ticket and ticket.arbitration)


def _check_asker(act: ServiceAct) -> None:
    if act.caller is None or act.caller.name != ASKS:
        raise Forbidden(f"只由 {ASKS} 服务查询 only the service {ASKS} asks")


def on_duty(act: ServiceAct, record: TicketRecord, unit: str) -> UUID | None:
    """The assignment a unit works on (R-35, R-36): never a recused unit's, nor one whose clocks stand still
    for a return of its own, which says that the matter is not its duty.
    """
    if record.ticket.withdrawn_at is not None or records.recused_unit(act, record, unit):
        return None
    held = list(record.assignments)
    if (holder := record.joined) and act.config.dispatching.may_join(record.matter, [unit]):
        held += holder.assignments  # merged: they work on this one, too
    working = (each.id for each in held if each.unit == unit and _works(act, each))
    return next(working, None)


def _works(act: ServiceAct, order: Assignment) -> bool:
    """Whether its unit has signed it and works on it; also while its return waits, where its clocks run and
    it has to contact the citizen meanwhile (R-12, R-15).
    """
    status, was = AssignmentStatus(order.status), order.was and AssignmentStatus(order.was)
    if status is AssignmentStatus.RETURN_REQUESTED and act.config.returns.stands_still(
        Urgency(order.urgency)
    ):
        return False
    return at_work(status, was or None) in HANDLING
