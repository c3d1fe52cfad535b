"""查阅联系方式 The doors to who called: contact reads, a unit's requests, the custodian's rulings.

Who has to do with the ticket at this moment is asked before the transaction begins.
"""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel

from services.intake.contacts import rights
from services.intake.contacts.neighbours import DutyUnknown, Neighbours
from services.intake.contacts.schemas import (
    ClearedWords,
    Contact,
    ContactReadRequest,
    ContactRequestIn,
    ContactRequestOut,
    ContactRequestPage,
    ContactRuling,
    Matter,
    RequestStatus,
    Words,
)
from services.intake.records import ServiceAct
from services.intake.rules.rights import CALLS, Standing
from shared.caller import Caller
from shared.errors import JiesuError
from shared.http.acts import Door, entering
from shared.http.auth import acting, calling, open_act
from shared.http.fields import Cursor, Number
from shared.http.problems import problems
from shared.http.router import Router

router = Router("/v1", tags=["intake 受理", "contacts 联系方式"])
Reader = Annotated[Caller, Depends(calling("unit", "callback", "agent", "service"))]
Unit = Annotated[Caller, Depends(calling("unit"))]
UnitDoor = Annotated[Door, Depends(entering("unit"))]
CustodianDoor = Annotated[Door, Depends(entering("custodian"))]
AskedByService = Annotated[ServiceAct, Depends(acting("service"), scope="function")]
ListAct = Annotated[ServiceAct, Depends(acting("unit", "custodian"), scope="function")]


async def standing_of(request: Request, number: str, caller: Caller) -> Standing:
    """What the neighbours know of a caller and a ticket, whether or not there is such a ticket."""
    neighbours: Neighbours = request.app.state.neighbours
    try:
        if caller.unit:
            return Standing(assignment=await neighbours.duty(number, caller.unit))
        if caller.role == "callback" or caller.name == CALLS:
            call = await neighbours.call(number)
            return Standing(due=call.due, staff=call.staff)
    except DutyUnknown as unknown:
        return Standing(unknown=unknown)
    return Standing()


@router.post(
    "/tickets/{number}/contact-reads",
    response_model_exclude_defaults=True,
    responses=problems(404, 409, 410),
)
async def read_contact(
    request: Request, number: Number, body: ContactReadRequest, caller: Reader
) -> Contact:
    """Read who must be contacted. Every call is a reading of its own and stands in the read log.

    409 `custodian-needed`: the ticket is confidential, ask for it first. 503 `duty-unknown`: it
    cannot be checked now whether you handle the ticket, ask again in a moment. 404 is no answer to
    whether there is such a ticket.
    """
    standing = await standing_of(request, number, caller)
    async with open_act(request, caller) as act:
        answer = await rights.read_contact(act, number, body, standing)
    if isinstance(answer, JiesuError):
        raise answer
    return answer


@router.post("/tickets/{number}/matter-reads", responses=problems(404, 409, 410))
async def read_matter(
    request: Request, number: Number, body: ContactReadRequest, caller: Unit
) -> Matter:
    """Read the numbers a ticket is about, as the contact is read, with the same rights and refusals.
    Every call is a reading of its own and stands in the read log.
    """
    standing = await standing_of(request, number, caller)
    async with open_act(request, caller) as act:
        answer = await rights.read_matter(act, number, body, standing)
    if isinstance(answer, JiesuError):
        raise answer
    return answer


@router.post("/tickets/{number}/cleared-words", responses=problems(404))
async def clear_words(number: Number, body: Words, act: AskedByService) -> ClearedWords:
    """脱敏 What somebody wrote down about a ticket, without who called. Asked by feedback only, of what a
    citizen says at a callback: names are known here alone.
    """
    return await rights.clear(act, number, body.text)


@router.post(
    "/tickets/{number}/contact-requests",
    status_code=201,
    response_model=ContactRequestOut,
    responses=problems(404, 409),
)
async def request_contact(
    request: Request, number: Number, body: ContactRequestIn, door: UnitDoor
) -> Response:
    """查阅申请 Ask the custodian to let the unit read who is to be contacted in a confidential matter.

    Asked again while it waits, or while the grant lasts, it is the same request.
    """
    standing = await standing_of(request, number, door.caller)

    async def ask(act: ServiceAct, number: str, body: ContactRequestIn) -> BaseModel:
        return await rights.request_contact(act, number, body, standing)

    return await door.once(ask, number, body)


@router.get("/contact-requests")
async def list_contact_requests(
    act: ListAct,
    status: RequestStatus | None = None,
    after: Cursor | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ContactRequestPage:
    """查阅申请列表 Requests, oldest first: the custodian's are all, a unit's its own."""
    return await rights.contact_requests(act, status, after, limit)


@router.post(
    "/contact-requests/{request}/ruling",
    response_model=ContactRequestOut,
    responses=problems(404, 409),
)
async def rule_on_contact(request: UUID, body: ContactRuling, door: CustodianDoor) -> Response:
    """查阅裁定 The custodian grants for a time, refuses in words, or takes back what was granted."""
    return await door.once(rights.rule_on_contact, request, body)
