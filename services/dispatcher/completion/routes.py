"""办结审核与终止申请 The doors by which the hotline audits answers, and rules on requests to end a matter."""

from enum import Enum
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from services.dispatcher.completion import auditing, completing
from services.dispatcher.completion import views as completion_lists
from services.dispatcher.completion.schemas import Audit, EndRuling, EndWithdrawal, FormPage
from services.dispatcher.doors import DeskDoor, UnitDoor
from services.dispatcher.schemas import AssignmentOut
from services.dispatcher.worklists.routes import DeskReads, Narrowed
from shared.http.fields import Cursor, UnitCode
from shared.http.problems import problems
from shared.http.router import Router

router = Router("/v1", tags=["dispatcher 派单"])
Limit = Annotated[int, Query(ge=1, le=500)]
LISTED: list[str | Enum] = ["dispatcher 派单", "lists 工作清单"]


@router.post(
    "/assignments/{assignment}/completion-withdrawal",
    response_model=AssignmentOut,
    responses=problems(404, 409),
)
async def withdraw_completion_request(
    assignment: UUID, body: EndWithdrawal, door: UnitDoor
) -> Response:
    """撤回申请 Take a request to end the matter back, and go on."""
    return await door.once(completing.withdraw, assignment, body)


@router.post(
    "/assignments/{assignment}/completion-ruling",
    response_model=AssignmentOut,
    responses=problems(404, 409),
)
async def rule_on_completion_request(assignment: UUID, body: EndRuling, door: DeskDoor) -> Response:
    """终止办理裁定 Rule on a request to end a matter without an answer."""
    return await door.once(completing.rule, assignment, body)


@router.post(
    "/assignments/{assignment}/audit", response_model=AssignmentOut, responses=problems(404, 409)
)
async def audit_completion(assignment: UUID, body: Audit, door: DeskDoor) -> Response:
    """办结审核 Let an answer pass, send it back, or end the matter."""
    return await door.once(auditing.audit, assignment, body)


@router.get("/completion-requests", tags=LISTED)
async def list_completion_requests(
    act: DeskReads,
    narrowed: Narrowed,
    unit: UnitCode | None = None,
    after: Cursor | None = None,
    limit: Limit = 100,
) -> FormPage:
    """终止申请待裁定 Requests to end a matter that wait for a ruling, the most urgent first, of each what
    is due first. `unit`: who asks.
    """
    which, of_unit = completion_lists.REQUESTED, narrowed._replace(unit=unit)
    return await completion_lists.waiting(act, which, of_unit, after, limit)


@router.get("/audits", tags=LISTED)
async def list_audits(
    act: DeskReads,
    narrowed: Narrowed,
    unit: UnitCode | None = None,
    after: Cursor | None = None,
    limit: Limit = 100,
) -> FormPage:
    """办结待审核 Answers that wait for their audit, the most urgent first, of each what is due first.
    `unit`: whose answer it is.
    """
    which, of_unit = completion_lists.AUDITED, narrowed._replace(unit=unit)
    return await completion_lists.waiting(act, which, of_unit, after, limit)
