"""争议裁决与先例 The doors of arbitration: the ladder a dispute goes up, and what was ruled before."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query, Response

from services.dispatcher.arbitration import precedents, rulings
from services.dispatcher.arbitration import usecases as arbitration
from services.dispatcher.arbitration import views as arbitration_views
from services.dispatcher.arbitration.schemas import (
    Arbitrated,
    ArbitrationOut,
    ArbitrationPage,
    LikePrecedents,
    Opening,
    PrecedentPage,
    PrecedentRule,
    Raising,
    Stating,
)
from services.dispatcher.records import ServiceAct
from services.dispatcher.worklists.routes import Narrowed
from shared.http.acts import Door, entering
from shared.http.auth import acting
from shared.http.editions import EditionOut
from shared.http.fields import Cursor, Number, UnitCode
from shared.http.problems import problems
from shared.http.router import Router

router = Router("/v1", tags=["dispatcher 派单"])
UnitDoor = Annotated[Door, Depends(entering("unit"))]
HighDoor = Annotated[Door, Depends(entering("desk", "supervisor"))]
HighReads = Annotated[ServiceAct, Depends(acting("desk", "supervisor"), scope="function")]
Reads = Annotated[ServiceAct, Depends(acting("unit", "desk", "supervisor"), scope="function")]
Limit = Annotated[int, Query(ge=1, le=500)]


@router.post(
    "/tickets/{number}/arbitration", response_model=ArbitrationOut, responses=problems(404, 409)
)
async def open_arbitration(number: Number, body: Opening, door: HighDoor) -> Response:
    """提级办理 Put a ticket before the ladder by hand."""
    return await door.once(rulings.open_by_hand, number, body)


@router.post(
    "/arbitrations/{arbitration}/statements",
    response_model=ArbitrationOut,
    responses=problems(404, 409),
)
async def state_words(arbitration: UUID, body: Stating, door: UnitDoor) -> Response:
    """陈述 Say a unit's words at this step, once."""
    return await door.once(_state, arbitration, body)


@router.post(
    "/arbitrations/{arbitration}/raise", response_model=ArbitrationOut, responses=problems(404, 409)
)
async def raise_arbitration(arbitration: UUID, body: Raising, door: HighDoor) -> Response:
    """提交上一级 Hand a dispute to the next body."""
    return await door.once(_raise, arbitration, body)


@router.post(
    "/arbitrations/{arbitration}/ruling",
    response_model=ArbitrationOut,
    responses=problems(404, 409),
)
async def rule_arbitration(arbitration: UUID, body: Arbitrated, door: HighDoor) -> Response:
    """裁决 Record whose duty it is; the role that the step asks for."""
    return await door.once(rulings.rule, arbitration, body)


@router.post(
    "/precedents/{precedent}/rule",
    status_code=201,
    response_model=EditionOut,
    responses=problems(404, 409),
)
async def make_rule_of_precedent(precedent: UUID, body: PrecedentRule, door: HighDoor) -> Response:
    """形成规则 A draft of the catalogue with the rule a precedent makes; another person publishes it."""
    return await door.once(precedents.make_rule, precedent, body)


# The paths name the thing, and so do their parameters.
_state, _raise = arbitration.state, arbitration.raise_by_hand


# --- reading -----------------------------------------------------------------------------------


@router.get("/arbitrations")
async def list_arbitrations(
    act: Reads,
    narrowed: Narrowed,
    unit: UnitCode | None = None,
    step: Annotated[int | None, Query(ge=1, le=10)] = None,
    role: Literal["desk", "supervisor"] | None = None,
    after: Cursor | None = None,
    limit: Limit = 100,
) -> ArbitrationPage:
    """争议裁决清单 Open arbitrations, the most urgent first, of each what is due first. `unit`: a party.
    `role`: who records the ruling of the body it is before.
    """
    narrowed = narrowed._replace(unit=unit)
    return await arbitration_views.open_ones(act, narrowed, step, role, after, limit)


@router.get("/arbitrations/{arbitration}", responses=problems(404))
async def read_arbitration(arbitration: UUID, act: Reads) -> ArbitrationOut:
    """一件争议裁决 One arbitration with its steps, what units said, and its ruling."""
    return await arbitration_views.read(act, arbitration)


@router.get("/precedents")
async def list_precedents(
    act: Reads,
    narrowed: Narrowed,
    unit: UnitCode | None = None,
    after: Cursor | None = None,
    limit: Limit = 100,
) -> PrecedentPage:
    """先例 Rulings on whose duty a matter is, the newest first. `unit`: whose it was found to be, or who
    disputed it.
    """
    return await precedents.find(act, narrowed._replace(unit=unit), after, limit)


@router.get("/tickets/{number}/precedents", responses=problems(404))
async def list_like_precedents(number: Number, act: HighReads) -> LikePrecedents:
    """相似先例 Rulings on matters most like this ticket's."""
    return LikePrecedents(items=await precedents.like(act, number))
