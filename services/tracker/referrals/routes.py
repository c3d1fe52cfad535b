"""移送 The doors of referrals to the discipline body: one supervisor proposes, another decides."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from services.tracker.records import ServiceAct
from services.tracker.referrals import usecases, views
from services.tracker.referrals.schemas import (
    ReferralDecision,
    ReferralIn,
    ReferralOut,
    ReferralPage,
)
from shared.http.acts import Door, entering
from shared.http.auth import acting
from shared.http.fields import Cursor
from shared.http.problems import problems
from shared.http.router import Router

router = Router("/v1", tags=["referrals 移送"])
SupervisorDoor = Annotated[Door, Depends(entering("supervisor"))]
SeeingAct = Annotated[ServiceAct, Depends(acting("supervisor"), scope="function")]


@router.post(
    "/assignments/{assignment}/referrals",
    response_model=ReferralOut,
    status_code=201,
    responses=problems(404, 409),
)
async def propose_referral(assignment: UUID, body: ReferralIn, door: SupervisorDoor) -> Response:
    """提议移送 Propose to hand a unit's conduct to the discipline body; another supervisor decides."""
    return await door.once(usecases.propose, assignment, body)


@router.post(
    "/referrals/{referral}/decision",
    response_model=ReferralOut,
    responses=problems(403, 404, 409),
)
async def decide_referral(referral: UUID, body: ReferralDecision, door: SupervisorDoor) -> Response:
    """批准或不予移送 Grant or refuse what another supervisor proposed; who proposed it may take it back."""
    return await door.once(usecases.decide, referral, body)


@router.get("/referrals")
async def list_referrals(
    act: SeeingAct,
    decided: bool = False,
    after: Cursor | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ReferralPage:
    """移送台账 Referrals that wait for a second supervisor, the oldest first. `decided`: those decided."""
    return await views.referrals(act, after, limit, decided=decided)
