"""待回访核对 Whether a ticket's citizen is to be called now, for the one service that opens contacts.

A token that may call could otherwise read anybody's number at any time: intake asks here first
(docs/adr/0042-who-may-read-is-asked.md).
"""

from typing import Annotated

from fastapi import Depends
from pydantic import BaseModel
from sqlmodel import col, select

from services.feedback.models import Callbacks, Tickets
from services.feedback.records import ServiceAct
from services.feedback.rules.machine import CallbackStatus
from shared.errors import Forbidden
from shared.http.auth import acting
from shared.http.fields import Number
from shared.http.router import Router

ASKS = "intake"
router = Router("/v1", tags=["feedback 回访"])
AskedByService = Annotated[ServiceAct, Depends(acting("service"), scope="function")]


class CallDue(BaseModel):
    """``due``: a call is to be made now. ``staff``: it waits for call-back staff, for no phone system
    is asked to make it.
    """

    due: bool
    staff: bool


@router.get("/tickets/{number}/call")
async def read_call(number: Number, act: AskedByService) -> CallDue:
    """待回访核对 Whether a citizen is to be called back now, and by whom. Asked by intake only."""
    if act.caller is None or act.caller.name != ASKS:
        raise Forbidden(f"只由 {ASKS} 服务查询 only the service {ASKS} asks")
    return await call_due(act, number)


async def call_due(act: ServiceAct, number: str) -> CallDue:
    """Whether a call of a ticket is due (R-24): never before its day, nor after its answer."""
    query = (
        select(Callbacks.next_step)
        .join(Tickets, col(Tickets.number) == col(Callbacks.number))
        .where(
            Callbacks.number == number,
            Callbacks.status == CallbackStatus.DUE,
            col(Tickets.withdrawn_at).is_(None),
        )
    )
    steps = (await act.session.exec(query)).all()
    return CallDue(due=bool(steps), staff=None in steps)
