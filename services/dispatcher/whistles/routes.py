"""吹哨报到 The doors by which a town whistles and units come, and what is read of that."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from services.dispatcher.records import ServiceAct
from services.dispatcher.schemas import AssignmentOut
from services.dispatcher.whistles import usecases, views
from services.dispatcher.whistles.schemas import (
    Attend,
    Blow,
    CallOff,
    Say,
    WhistledOut,
    WhistleFigures,
    WhistlePage,
)
from shared.http.acts import Door, entering
from shared.http.auth import acting
from shared.http.fields import Cursor, Day, UnitCode
from shared.http.problems import problems
from shared.http.router import Router

router = Router("/v1", tags=["dispatcher 派单"])
UnitDoor = Annotated[Door, Depends(entering("unit"))]
WatchingAct = Annotated[ServiceAct, Depends(acting("desk", "supervisor"), scope="function")]
CountingAct = Annotated[
    ServiceAct, Depends(acting("unit", "desk", "supervisor", "service"), scope="function")
]


@router.post(
    "/assignments/{assignment}/whistle",
    response_model=WhistledOut,
    responses=problems(404, 409),
)
async def blow_whistle(assignment: UUID, body: Blow, door: UnitDoor) -> Response:
    """吹哨 Whistle for units that must come and work with the town that leads; each gets a co-handler's order
    and a limit to come.
    """
    return await door.once(usecases.blow, assignment, body)


@router.post(
    "/assignments/{assignment}/attend",
    response_model=AssignmentOut,
    responses=problems(404, 409),
)
async def attend_whistle(assignment: UUID, body: Attend, door: UnitDoor) -> Response:
    """报到 Say who of the unit came that was whistled for, and when."""
    return await door.once(usecases.attend, assignment, body)


@router.post(
    "/assignments/{assignment}/attendance",
    response_model=AssignmentOut,
    responses=problems(404, 409),
)
async def say_attendance(assignment: UUID, body: Say, door: UnitDoor) -> Response:
    """到场情况 Say of a unit one whistled for that it is there, or that nobody came: on record, and no
    verdict.
    """
    return await door.once(usecases.say, assignment, body)


@router.post(
    "/assignments/{assignment}/call-off",
    response_model=AssignmentOut,
    responses=problems(404, 409),
)
async def call_whistle_off(assignment: UUID, body: CallOff, door: UnitDoor) -> Response:
    """撤回吹哨 Call off a whistle that was blown by mistake."""
    return await door.once(usecases.call_off, assignment, body)


@router.get("/whistles")
async def list_whistles(
    act: WatchingAct,
    unit: UnitCode | None = None,
    awaited: bool = False,
    after: Cursor | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> WhistlePage:
    """吹哨清单 Whistles whose units are at work or awaited. `awaited`: only those that have not come. `unit`:
    which was whistled for.
    """
    return await views.open_whistles(act, unit, after, limit, awaited=awaited)


@router.get("/figures/whistles")
async def read_whistle_figures(
    act: CountingAct,
    first: Annotated[
        Day | None, Query(alias="from", description="首日 first day, Asia/Shanghai")
    ] = None,
    last: Annotated[Day | None, Query(alias="to", description="末日 last day, included")] = None,
) -> WhistleFigures:
    """双考核 Who whistled, who came, and how the citizens closed it, by unit; the period so far unless told
    otherwise.
    """
    return await views.figures(act, first, last)
