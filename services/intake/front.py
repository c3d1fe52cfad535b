"""前台 The agents' desk over HTTP: who is calling."""

from typing import Annotated

from fastapi import Depends

from services.intake import callers
from services.intake.callers import CallerLookup, CallerTickets
from services.intake.records import ServiceAct
from shared.http.auth import acting
from shared.http.router import Router

router = Router("/v1", tags=["intake 受理", "front 前台"])
FrontAct = Annotated[ServiceAct, Depends(acting("phone_system", "agent", "desk"), scope="function")]


@router.post("/callers/lookup")
async def look_up_caller(body: CallerLookup, act: FrontAct) -> CallerTickets:
    """来电查询: a caller's tickets by telephone number, newest first. Each lookup stands in the read log.

    保密工单 A confidential one is shown with its own `code` only, and nothing tells that there is one.
    """
    return await callers.lookup(act, body)
