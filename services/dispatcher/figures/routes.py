"""派单指标 The figures of dispatching."""

from typing import Annotated

from fastapi import Depends, Query

from services.dispatcher import grassroots
from services.dispatcher.figures import rates
from services.dispatcher.figures.schemas import Burden, DispatchRates
from services.dispatcher.records import ServiceAct
from shared.http.auth import acting
from shared.http.fields import Day
from shared.http.router import Router

router = Router("/v1", tags=["dispatcher 派单", "figures 统计指标"])
CountingAct = Annotated[
    ServiceAct, Depends(acting("unit", "desk", "supervisor", "service"), scope="function")
]
OfTownsAct = Annotated[
    ServiceAct, Depends(acting("desk", "supervisor", "service"), scope="function")
]
First = Annotated[Day | None, Query(alias="from", description="首日 first day, Asia/Shanghai")]
Last = Annotated[Day | None, Query(alias="to", description="末日 last day, included")]


@router.get("/rates")
async def read_dispatch_rates(
    act: CountingAct, first: First = None, last: Last = None
) -> DispatchRates:
    """退单率、首派准确率 Returns and first-dispatch accuracy of a period, per unit; the period so far
    unless told otherwise.
    """
    return await rates.dispatches(act, first, last)


@router.get("/figures/burden")
async def read_burden(act: OfTownsAct, first: First = None, last: Last = None) -> Burden:
    """基层减负 What towns led by rule and by hand, what was approved, and what was kept from them, by town
    and month; the period so far unless told otherwise.
    """
    return await grassroots.burden(act, first, last)
