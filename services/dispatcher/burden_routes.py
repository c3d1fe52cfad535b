"""基层减负 The burden report: what towns were given, and what was kept from them (R-05)."""

from typing import Annotated

from fastapi import Depends, Query

from services.dispatcher import grassroots
from services.dispatcher.burden_schemas import Burden
from services.dispatcher.records import ServiceAct
from shared.http.auth import acting
from shared.http.fields import Day
from shared.http.router import Router

router = Router("/v1", tags=["dispatcher 派单"])
CountingAct = Annotated[
    ServiceAct, Depends(acting("desk", "supervisor", "service"), scope="function")
]
First = Annotated[Day | None, Query(alias="from", description="首日 first day, Asia/Shanghai")]
Last = Annotated[Day | None, Query(alias="to", description="末日 last day, included")]


@router.get("/figures/burden")
async def read_burden(act: CountingAct, first: First = None, last: Last = None) -> Burden:
    """基层减负 What towns led by rule and by hand, what was approved, and what was kept from them, by town
    and month; this month so far unless told otherwise.
    """
    return await grassroots.burden(act, first, last)
