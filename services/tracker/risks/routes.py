"""风险报告 The doors of dangers: the list, and who has taken one up."""

from typing import Annotated

from fastapi import Depends, Query, Response

from services.tracker.records import ServiceAct
from services.tracker.risks import usecases, views
from services.tracker.risks.schemas import AcknowledgementIn, RiskOut, RiskPage
from services.tracker.rules.risk import RiskStatus
from shared.http.acts import Door, entering
from shared.http.auth import acting
from shared.http.fields import Cursor, Number
from shared.http.problems import problems
from shared.http.router import Router

router = Router("/v1", tags=["risks 风险报告"])
OfficeDoor = Annotated[Door, Depends(entering("unit", "supervisor"))]
SeeingAct = Annotated[ServiceAct, Depends(acting("unit", "desk", "supervisor"), scope="function")]


@router.get("/risks")
async def list_reported_risks(
    act: SeeingAct,
    status: RiskStatus | None = None,
    after: Cursor | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> RiskPage:
    """风险报告 Dangers reported at once to the government, the newest first. An office sees its own.

    `status=open`: those alone that nobody has taken up while their ticket is worked on.
    """
    return await views.risks(act, status, after, limit)


@router.post(
    "/risks/{number}/acknowledgement", response_model=RiskOut, responses=problems(404, 409)
)
async def acknowledge_risk(number: Number, body: AcknowledgementIn, door: OfficeDoor) -> Response:
    """登记知悉 Say who has taken a danger up and what is being done: the office that was told, or a
    supervisor for one that rang back. The first stands.
    """
    return await door.once(usecases.acknowledge, number, body)
