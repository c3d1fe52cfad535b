"""承诺办结 The doors of promised days: the list, kept, moved, ruled on, looked after."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from services.tracker.promises import usecases, views
from services.tracker.promises.schemas import (
    FulfilmentIn,
    MoveIn,
    MoveRulingIn,
    PromiseOut,
    PromisePage,
    ReviewIn,
)
from services.tracker.records import ServiceAct
from services.tracker.rules.promise import PromiseStatus
from shared.http.acts import Door, entering
from shared.http.auth import acting
from shared.http.fields import Cursor, Day, UnitCode
from shared.http.problems import problems
from shared.http.router import Router

router = Router("/v1", tags=["promises 承诺办结"])
HandlesDoor = Annotated[Door, Depends(entering("unit", "desk"))]
DeskDoor = Annotated[Door, Depends(entering("desk"))]
SupervisorDoor = Annotated[Door, Depends(entering("supervisor"))]
SeeingAct = Annotated[
    ServiceAct, Depends(acting("unit", "desk", "supervisor", "callback"), scope="function")
]


@router.get("/promises")
async def list_promises(
    act: SeeingAct,
    unit: UnitCode | None = None,
    status: PromiseStatus | None = None,
    until: Day | None = None,
    unkept: bool = False,
    asked: bool = False,
    review: bool = False,
    after: Cursor | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> PromisePage:
    """承诺台账 Promised days, those that come first. A unit sees its own.

    `until`: those whose day comes by then; `unkept`: those alone that are not kept yet, late or not;
    `asked`: those alone of which a move waits for a ruling;
    `review`: those alone the hotline has to look after now.
    """
    wanted = views.Wanted(unit, status, until, unkept, asked, review)
    return await views.promises(act, wanted, after, limit)


@router.post(
    "/promises/{assignment}/fulfilment", response_model=PromiseOut, responses=problems(404, 409)
)
async def keep_promise(assignment: UUID, body: FulfilmentIn, door: HandlesDoor) -> Response:
    """承诺兑现 Say that what was promised is done; the citizen is asked. The desk does so for a unit
    that is no more and whose work nobody certainly has.
    """
    return await door.once(usecases.keep, assignment, body)


@router.post("/promises/{assignment}/move", response_model=PromiseOut, responses=problems(404, 409))
async def ask_to_move_promise(assignment: UUID, body: MoveIn, door: HandlesDoor) -> Response:
    """申请改期 Ask for another day before the promised one comes; once. The desk, as above."""
    return await door.once(usecases.ask_to_move, assignment, body)


@router.post(
    "/promises/{assignment}/ruling", response_model=PromiseOut, responses=problems(404, 409)
)
async def rule_on_promise_move(
    assignment: UUID, body: MoveRulingIn, door: SupervisorDoor
) -> Response:
    """改期审批 Let a promised day be moved, or not."""
    return await door.once(usecases.rule_on_move, assignment, body)


@router.post(
    "/promises/{assignment}/reviews", response_model=PromiseOut, responses=problems(404, 409)
)
async def review_promise(assignment: UUID, body: ReviewIn, door: DeskDoor) -> Response:
    """挂账复核 Note what the hotline found; it looks again after the policy's time."""
    return await door.once(usecases.review, assignment, body)
