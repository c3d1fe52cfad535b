"""工作清单 How much waits for who asks at the front of the hotline."""

from typing import Annotated

from fastapi import Depends

from services.intake.records import ServiceAct
from services.intake.worklists import views
from shared.http.auth import acting
from shared.http.router import Router
from shared.http.worklists import Worklist

router = Router("/v1", tags=["intake 受理", "lists 工作清单"])
WorkingAct = Annotated[ServiceAct, Depends(acting(*views.OF_ROLE), scope="function")]


@router.get("/worklist")
async def read_worklist(act: WorkingAct) -> Worklist:
    """工作清单 How much of each list waits for who asks, how much of it is late, what is due first."""
    return await views.read(act)
