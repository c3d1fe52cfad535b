"""二次派单 The doors by which a unit hands its order down to one of its own, and takes it back."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from services.dispatcher import handing_down
from services.dispatcher.handing_down_schemas import HandDown, TakeBack
from services.dispatcher.schemas import AssignmentOut
from shared.http.acts import Door, entering
from shared.http.problems import problems
from shared.http.router import Router

router = Router("/v1", tags=["dispatcher 派单"])
UnitDoor = Annotated[Door, Depends(entering("unit"))]


@router.post(
    "/assignments/{assignment}/hand-down",
    response_model=AssignmentOut,
    responses=problems(404, 409),
)
async def hand_order_down(assignment: UUID, body: HandDown, door: UnitDoor) -> Response:
    """二次派单 Hand one's own order down to a village or station of one's own, which answers to who hands
    it down.
    """
    return await door.once(handing_down.hand_down, assignment, body)


@router.post(
    "/assignments/{assignment}/take-back",
    response_model=AssignmentOut,
    responses=problems(404, 409),
)
async def take_order_back(assignment: UUID, body: TakeBack, door: UnitDoor) -> Response:
    """收回交办 Take back what was handed down of one's own order."""
    return await door.once(handing_down.take_back, assignment, body)
