"""更正 The doors by which clocks that ended are judged anew: two persons, and a list of whom it moves."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from services.tracker.records import ServiceAct
from services.tracker.revisions import usecases, views
from services.tracker.revisions.schemas import (
    RevisedClocks,
    RevisionIn,
    RevisionList,
    RevisionOut,
    RevisionRulingIn,
)
from services.tracker.rules.revising import RevisionStatus
from shared.http.acts import Door, entering
from shared.http.auth import acting
from shared.http.fields import Cursor
from shared.http.problems import problems
from shared.http.router import Router

router = Router("/v1", tags=["revisions 更正"])
SupervisorDoor = Annotated[Door, Depends(entering("supervisor"))]
DecidesDoor = Annotated[Door, Depends(entering("desk", "supervisor"))]
Reads = Annotated[ServiceAct, Depends(acting("desk", "supervisor"), scope="function")]


@router.post("/revisions", response_model=RevisionOut, status_code=201, responses=problems(409))
async def propose_revision(body: RevisionIn, door: SupervisorDoor) -> Response:
    """拟定更正 Propose that clocks which ended are judged by days as they ought to have been known."""
    return await door.once(usecases.propose, None, body)


@router.post(
    "/revisions/{revision}/ruling",
    response_model=RevisionOut,
    responses=problems(403, 404, 409),
)
async def rule_on_revision(revision: UUID, body: RevisionRulingIn, door: DecidesDoor) -> Response:
    """确认更正 Confirm or refuse what another person proposed; who proposed it may only take it back."""
    return await door.once(usecases.rule, revision, body)


@router.get("/revisions")
async def list_revisions(act: Reads, status: RevisionStatus | None = None) -> RevisionList:
    """更正 Every revision, the newest first. `status=proposed`: those alone that wait for a second person."""
    return await views.listed(act, status)


@router.get("/revisions/{revision}", responses=problems(404))
async def read_revision(revision: UUID, act: Reads) -> RevisionOut:
    """一次更正 One revision, and how far it has come."""
    return await views.read(act, revision)


@router.get("/revisions/{revision}/clocks", responses=problems(404))
async def list_revised_clocks(
    revision: UUID,
    act: Reads,
    after: Cursor | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> RevisedClocks:
    """更正所及时限 The clocks it moves, also before it is confirmed: was, would be, late or not, whose."""
    return await views.clocks(act, revision, after, limit)
