"""等待诉求人 The doors by which a lead asks to wait for its citizen, and the desk rules on that."""

from enum import Enum
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from services.dispatcher.doors import DeskDoor, UnitDoor
from services.dispatcher.schemas import AssignmentOut
from services.dispatcher.waits import usecases as waits
from services.dispatcher.waits import views as wait_lists
from services.dispatcher.waits.schemas import WaitEnded, WaitPage, WaitRequest, WaitRuling
from services.dispatcher.worklists.routes import DeskReads, Narrowed
from shared.http.fields import Cursor, UnitCode
from shared.http.problems import problems
from shared.http.router import Router

router = Router("/v1", tags=["dispatcher 派单"])
LISTED: list[str | Enum] = ["dispatcher 派单", "lists 工作清单"]


@router.post(
    "/assignments/{assignment}/wait", response_model=AssignmentOut, responses=problems(404, 409)
)
async def request_wait(assignment: UUID, body: WaitRequest, door: UnitDoor) -> Response:
    """申请等待诉求人 Ask to wait for what only the citizen can give, after reaching them."""
    return await door.once(waits.request, assignment, body)


@router.post(
    "/assignments/{assignment}/wait-ruling",
    response_model=AssignmentOut,
    responses=problems(404, 409),
)
async def rule_on_wait(assignment: UUID, body: WaitRuling, door: DeskDoor) -> Response:
    """等待裁定 Grant a wait: the time to handle it has stood still since it was asked for; or not."""
    return await door.once(waits.rule, assignment, body)


@router.post(
    "/assignments/{assignment}/wait-end",
    response_model=AssignmentOut,
    responses=problems(404, 409),
)
async def end_wait(assignment: UUID, body: WaitEnded, door: UnitDoor) -> Response:
    """诉求人已配合 Say that the citizen has come, and go on; or take the request back."""
    return await door.once(waits.end, assignment, body)


@router.get("/waits", tags=LISTED)
async def list_waits(
    act: DeskReads,
    narrowed: Narrowed,
    unit: UnitCode | None = None,
    after: Cursor | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> WaitPage:
    """等待待裁定 Requests to wait for the citizen that wait for a ruling, the most urgent first, of each what
    is due first. `unit`: who asks.
    """
    return await wait_lists.asked(act, narrowed._replace(unit=unit), after, limit)
