"""诚信疑点 The doors of what on record does not fit together: the list, counts, a comment, a dismissal."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from services.tracker.discrepancies import usecases, views
from services.tracker.discrepancies.schemas import (
    CommentIn,
    DiscrepancyCounts,
    DiscrepancyOut,
    DiscrepancyPage,
    DismissalIn,
)
from services.tracker.records import ServiceAct
from services.tracker.rules.honesty import DiscrepancyStatus
from shared.events import DiscrepancyKind
from shared.http.acts import Door, entering
from shared.http.auth import acting
from shared.http.fields import Cursor, Day, UnitCode
from shared.http.problems import problems
from shared.http.router import Router

router = Router("/v1", tags=["discrepancies 诚信疑点"])
UnitDoor = Annotated[Door, Depends(entering("unit"))]
SupervisorDoor = Annotated[Door, Depends(entering("supervisor"))]
First = Annotated[Day | None, Query(alias="from", description="首日 first day, Asia/Shanghai")]
Last = Annotated[Day | None, Query(alias="to", description="末日 last day, included")]
SeeingAct = Annotated[ServiceAct, Depends(acting("unit", "supervisor"), scope="function")]


@router.get("/discrepancies")
async def list_discrepancies(
    act: SeeingAct,
    unit: UnitCode | None = None,
    kind: DiscrepancyKind | None = None,
    status: DiscrepancyStatus | None = None,
    after: Cursor | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> DiscrepancyPage:
    """疑点清单 What on record does not fit together, raised first first; no verdict. A unit sees its own.

    `status=noted`: occasions of what is a discrepancy only as a habit; not listed otherwise.
    """
    return await views.discrepancies(act, views.Wanted(unit, kind, status), after, limit)


@router.get("/discrepancies/counts")
async def count_discrepancies(
    act: SeeingAct, first: First = None, last: Last = None
) -> DiscrepancyCounts:
    """疑点统计 How many per unit, month and kind; the period so far unless told otherwise."""
    return await views.counts(act, first, last)


@router.post(
    "/discrepancies/{discrepancy}/comment",
    response_model=DiscrepancyOut,
    responses=problems(404, 409),
)
async def comment_on_discrepancy(discrepancy: UUID, body: CommentIn, door: UnitDoor) -> Response:
    """申辩 Say, once, what there is to say to a discrepancy about the unit."""
    return await door.once(usecases.comment, discrepancy, body)


@router.post(
    "/discrepancies/{discrepancy}/dismissal",
    response_model=DiscrepancyOut,
    responses=problems(404, 409),
)
async def dismiss_discrepancy(
    discrepancy: UUID, body: DismissalIn, door: SupervisorDoor
) -> Response:
    """排除疑点 Dismiss what was looked into and is nothing, with the reason; it stays on record."""
    return await door.once(usecases.dismiss, discrepancy, body)
