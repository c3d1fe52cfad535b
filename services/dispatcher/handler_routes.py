"""经办人 The door by which another person of a unit comes to handle an order."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from services.dispatcher import handlers
from services.dispatcher.handler_schemas import NewHandler
from services.dispatcher.schemas import AssignmentOut
from shared.http.acts import Door, entering
from shared.http.problems import problems
from shared.http.router import Router

router = Router("/v1", tags=["dispatcher 派单"])
UnitDoor = Annotated[Door, Depends(entering("unit"))]


@router.post(
    "/assignments/{assignment}/handler", response_model=AssignmentOut, responses=problems(404, 409)
)
async def change_handler(assignment: UUID, body: NewHandler, door: UnitDoor) -> Response:
    """换经办人 Let another person of the unit go on with a signed order; its clocks run on."""
    return await door.once(handlers.change, assignment, body)
