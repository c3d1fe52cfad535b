"""派单目录 The dispatch catalogue as data: drafts, a check, a trial, publishing; and why a ticket went
where it is.
"""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query, Request, Response

from services.dispatcher.catalogue import drafts, explanations
from services.dispatcher.catalogue import views as catalogue_views
from services.dispatcher.catalogue.schemas import (
    CatalogueReason,
    CheckOut,
    DraftContent,
    ExplanationOut,
    NewRule,
    TrialOut,
    WholeEdition,
)
from services.dispatcher.records import ServiceAct
from shared.http.acts import Door, entering
from shared.http.auth import acting
from shared.http.editions import EditionOut, EditionPage, Publication
from shared.http.fields import Cursor, Number
from shared.http.problems import problems
from shared.http.router import Router

YAML = "application/yaml"  # RFC 9512
router = Router("/v1", tags=["dispatcher 派单", "catalogue 派单目录"])
Writes = Annotated[Door, Depends(entering("desk", "supervisor"))]
Publishes = Annotated[Door, Depends(entering("supervisor"))]
Reads = Annotated[ServiceAct, Depends(acting("desk", "supervisor"), scope="function")]
TicketReads = Annotated[ServiceAct, Depends(acting("unit", "desk", "supervisor"), scope="function")]
Limit = Annotated[int, Query(ge=1, le=200)]
VersionNumber = Annotated[int, Path(ge=1, le=1_000_000)]


@router.get("/catalogue/versions")
async def list_catalogue_versions(
    act: Reads, after: Cursor | None = None, limit: Limit = 50
) -> EditionPage:
    """目录版本 The versions of the catalogue, the newest first, with the one in force."""
    return await catalogue_views.versions(act, after, limit)


@router.get(
    "/catalogue/versions/{edition}",
    response_model=WholeEdition,
    responses={200: {"content": {YAML: {}}}, **problems(404)},
)
async def read_catalogue_version(
    edition: VersionNumber, act: Reads, request: Request
) -> Response | WholeEdition:
    """一个版本 One version, with its text as it was written; as `application/yaml` the text alone, a
    catalogue.yaml.
    """
    found = await catalogue_views.read_version(act, edition)
    return _text(found, request)


@router.post(
    "/catalogue/versions/{edition}/withdrawal",
    response_model=EditionOut,
    responses=problems(404, 409),
)
async def withdraw_catalogue_version(
    edition: VersionNumber, body: CatalogueReason, door: Publishes
) -> Response:
    """撤回 Take a published version back before it takes effect."""
    return await door.once(drafts.withdraw, edition, body)


# --- drafts ------------------------------------------------------------------------------------


@router.get("/catalogue/drafts")
async def list_catalogue_drafts(
    act: Reads, after: Cursor | None = None, limit: Limit = 50
) -> EditionPage:
    """草稿 Open drafts, the newest first."""
    return await catalogue_views.drafts(act, after, limit)


@router.post(
    "/catalogue/drafts", status_code=201, response_model=EditionOut, responses=problems(404)
)
async def make_catalogue_draft(body: DraftContent, door: Writes) -> Response:
    """起草 A draft of the whole catalogue: from YAML, from JSON, from a version, or as it stands."""
    return await door.once(drafts.make, None, body)


@router.get(
    "/catalogue/drafts/{draft}",
    response_model=WholeEdition,
    responses={200: {"content": {YAML: {}}}, **problems(404)},
)
async def read_catalogue_draft(
    draft: UUID, act: Reads, request: Request
) -> Response | WholeEdition:
    """一份草稿 One draft, with its text; as `application/yaml` the text alone."""
    return _text(await catalogue_views.read_draft(act, draft), request)


@router.post(
    "/catalogue/drafts/{draft}/content", response_model=EditionOut, responses=problems(404, 409)
)
async def rewrite_catalogue_draft(draft: UUID, body: DraftContent, door: Writes) -> Response:
    """改写 The whole draft anew, on top of the version that is the latest now."""
    return await door.once(drafts.rewrite, draft, body)


@router.post(
    "/catalogue/drafts/{draft}/rules", response_model=EditionOut, responses=problems(404, 409)
)
async def add_catalogue_rule(draft: UUID, body: NewRule, door: Writes) -> Response:
    """增加规则 One rule more in a draft, before another or as the last."""
    return await door.once(drafts.add_rule, draft, body)


@router.get("/catalogue/drafts/{draft}/check", responses=problems(404))
async def check_catalogue_draft(draft: UUID, act: Reads) -> CheckOut:
    """校核 Everything that is wrong with a draft, at once: faults keep it from being published."""
    return await catalogue_views.check_draft(act, draft)


@router.get("/catalogue/drafts/{draft}/trial", responses=problems(404, 409))
async def try_catalogue_draft(
    draft: UUID,
    act: Reads,
    days: Annotated[int, Query(ge=1, le=400, description="近几天的工单 of the last days")] = 30,
    after: Cursor | None = None,
    limit: Annotated[int, Query(ge=1, le=5_000)] = 1_000,
) -> TrialOut:
    """试跑 Which past tickets would go elsewhere, in the order of their numbers, a page at a time."""
    return await catalogue_views.trial(act, draft, days, after, limit)


@router.post(
    "/catalogue/drafts/{draft}/publication",
    response_model=EditionOut,
    responses=problems(404, 409),
)
async def publish_catalogue_draft(draft: UUID, body: Publication, door: Publishes) -> Response:
    """发布 Make a draft the next version, by a second person, from a moment on."""
    return await door.once(drafts.publish, draft, body)


@router.post(
    "/catalogue/drafts/{draft}/discarding",
    response_model=EditionOut,
    responses=problems(404, 409),
)
async def discard_catalogue_draft(draft: UUID, body: CatalogueReason, door: Writes) -> Response:
    """作废 A draft that will not be published."""
    return await door.once(drafts.discard, draft, body)


def _text(found: WholeEdition, request: Request) -> Response | WholeEdition:
    if YAML in request.headers.get("accept", ""):
        return Response(found.yaml, media_type=f"{YAML}; charset=utf-8")
    return found


# --- why ---------------------------------------------------------------------------------------


@router.get("/tickets/{number}/explain", responses=problems(404))
async def explain_dispatch(
    number: Number,
    act: TicketReads,
    others: Annotated[int, Query(ge=0, le=20, description="另列几条规则 rules beside it")] = 5,
) -> ExplanationOut:
    """派单说明 Why a ticket went where it is: each condition of the rule that decided, and why the next
    ones did not. A unit reads why it has its own order.
    """
    return await explanations.explain(act, number, others)
