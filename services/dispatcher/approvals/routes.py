"""批准 The doors of what one person asks for and another decides."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Response

from services.dispatcher.approvals import usecases as approvals
from services.dispatcher.approvals import views as approval_views
from services.dispatcher.approvals.schemas import ApprovalList, ApprovalOut, Decision, TownLead
from services.dispatcher.records import ServiceAct
from shared.http.acts import Door, entering
from shared.http.auth import acting
from shared.http.fields import Number
from shared.http.problems import problems
from shared.http.router import Router

router = Router("/v1", tags=["dispatcher 派单"])
DeskDoor = Annotated[Door, Depends(entering("desk"))]
DecidesDoor = Annotated[Door, Depends(entering("desk", "supervisor"))]
Reads = Annotated[ServiceAct, Depends(acting("desk", "supervisor"), scope="function")]


@router.post(
    "/tickets/{number}/approvals",
    response_model=ApprovalOut,
    status_code=201,
    responses=problems(404, 409),
)
async def ask_approval(number: Number, body: TownLead, door: DeskDoor) -> Response:
    """申请由镇牵头 Ask a supervisor to let a town lead what its duty list does not name."""
    return await door.once(approvals.ask_town_lead, number, body)


@router.post(
    "/approvals/{approval}/decision",
    response_model=ApprovalOut,
    responses=problems(403, 404, 409),
)
async def decide_approval(approval: UUID, body: Decision, door: DecidesDoor) -> Response:
    """批准或不批准 Grant or refuse what another person asked for; who asked may only refuse it."""
    return await door.once(approvals.decide, approval, body)


@router.get("/approvals")
async def list_approvals(
    act: Reads, role: Literal["desk", "supervisor"] | None = None
) -> ApprovalList:
    """待批准事项 What waits for a second person, the oldest first. `role`: what this role decides."""
    return await approval_views.waiting(act, role)
