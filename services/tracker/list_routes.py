"""督办清单 What a supervisor has to rule on and to press next, and what a unit has to answer."""

from typing import Annotated

from fastapi import Depends, Query

from services.tracker import lists
from services.tracker import worklist as work
from services.tracker.list_schemas import ExtensionPage, SupervisionPage
from services.tracker.records import ServiceAct
from shared.events import Urgency
from shared.http.auth import acting
from shared.http.fields import Cursor, UnitCode
from shared.http.router import Router
from shared.http.worklists import Worklist

router = Router("/v1", tags=["lists 工作清单"])
HeldAct = Annotated[ServiceAct, Depends(acting("unit", "desk", "supervisor"), scope="function")]
Limit = Annotated[int, Query(ge=1, le=500)]


@router.get("/worklist")
async def read_worklist(act: HeldAct) -> Worklist:
    """工作清单 How much of each list waits for who asks, how much of it is late, what is due first."""
    return await work.worklist(act)


@router.get("/extensions")
async def list_asked_extensions(
    act: HeldAct,
    unit: UnitCode | None = None,
    urgency: Urgency | None = None,
    higher: bool | None = None,
    after: Cursor | None = None,
    limit: Limit = 100,
) -> ExtensionPage:
    """延期待批 Extensions that wait for a ruling, those whose clock is due first. A unit sees its own
    to rule on.

    `higher`: those alone that a higher office rules on, or a supervisor.
    """
    return await lists.extensions(act, unit, urgency, higher, after, limit)


@router.get("/supervisions")
async def list_open_supervisions(
    act: HeldAct,
    unit: UnitCode | None = None,
    urgency: Urgency | None = None,
    rung: Annotated[int | None, Query(ge=1, le=7)] = None,
    answered: bool | None = None,
    after: Cursor | None = None,
    limit: Limit = 100,
) -> SupervisionPage:
    """督办在办 Supervisions that stand, what must be answered first comes first. A unit sees its own.

    `answered`: those alone that have an answer to rule on, or none.
    """
    return await lists.supervisions(act, unit, urgency, rung, answered, after, limit)
