"""时限规则 The policy as data: limits and supervision drafted, simulated, published by a second person."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query, Response

from services.tracker.policies import drafts, simulating, views
from services.tracker.policies.schemas import (
    PolicyContent,
    PolicyReason,
    SimulationIn,
    SimulationOut,
    WholePolicy,
)
from services.tracker.records import ServiceAct
from shared.http.acts import Door, entering
from shared.http.auth import acting
from shared.http.editions import EditionOut, EditionPage, Publication
from shared.http.fields import Cursor
from shared.http.problems import problems
from shared.http.router import Router

router = Router("/v1", tags=["policies 时限规则"])
Writes = Annotated[Door, Depends(entering("desk", "supervisor"))]
Publishes = Annotated[Door, Depends(entering("supervisor"))]
Reads = Annotated[ServiceAct, Depends(acting("desk", "supervisor"), scope="function")]
Limit = Annotated[int, Query(ge=1, le=200)]
VersionNumber = Annotated[int, Path(ge=1, le=1_000_000)]


@router.get("/policies/versions")
async def list_policy_versions(
    act: Reads, after: Cursor | None = None, limit: Limit = 50
) -> EditionPage:
    """时限规则版本 The versions of the policy, the newest first, with the one in force."""
    return await views.published(act, after, limit)


@router.get("/policies/versions/{policy}", responses=problems(404))
async def read_policy_version(policy: VersionNumber, act: Reads) -> WholePolicy:
    """一个版本 One version, with its two files as they were written."""
    return await views.read_version(act, policy)


@router.post(
    "/policies/versions/{policy}/withdrawal",
    response_model=EditionOut,
    responses=problems(404, 409),
)
async def withdraw_policy_version(
    policy: VersionNumber, body: PolicyReason, door: Publishes
) -> Response:
    """撤回 Take a published version back before it takes effect."""
    return await door.once(drafts.withdraw, policy, body)


# --- drafts ------------------------------------------------------------------------------------


@router.get("/policies/drafts")
async def list_policy_drafts(
    act: Reads, after: Cursor | None = None, limit: Limit = 50
) -> EditionPage:
    """草稿 Open drafts, the newest first."""
    return await views.drafts(act, after, limit)


@router.post(
    "/policies/drafts", status_code=201, response_model=EditionOut, responses=problems(404)
)
async def make_policy_draft(body: PolicyContent, door: Writes) -> Response:
    """起草 A draft of the policy: one file or both, or a version there is. What is wrong is refused whole."""
    return await door.once(drafts.make, None, body)


@router.get("/policies/drafts/{draft}", responses=problems(404))
async def read_policy_draft(draft: UUID, act: Reads) -> WholePolicy:
    """一份草稿 One draft, with its two files."""
    return await views.read_draft(act, draft)


@router.post(
    "/policies/drafts/{draft}/content", response_model=EditionOut, responses=problems(404, 409)
)
async def rewrite_policy_draft(draft: UUID, body: PolicyContent, door: Writes) -> Response:
    """改写 The draft anew, on top of the version that is the latest now."""
    return await door.once(drafts.rewrite, draft, body)


@router.post(
    "/policies/drafts/{draft}/publication",
    response_model=EditionOut,
    responses=problems(404, 409),
)
async def publish_policy_draft(draft: UUID, body: Publication, door: Publishes) -> Response:
    """发布 Make a draft the next version, by a second person, from a moment on."""
    return await door.once(drafts.publish, draft, body)


@router.post(
    "/policies/drafts/{draft}/discarding",
    response_model=EditionOut,
    responses=problems(404, 409),
)
async def discard_policy_draft(draft: UUID, body: PolicyReason, door: Writes) -> Response:
    """作废 A draft that will not be published."""
    return await door.once(drafts.discard, draft, body)


@router.post("/policies/simulate", responses=problems(404, 409))
async def simulate_policy(body: SimulationIn, act: Reads) -> SimulationOut:
    """试算 What a draft would have made of the clocks of past tickets: late, warned, supervised by unit,
    beside how they stand. It changes nothing.
    """
    return await simulating.simulate(act, body)
