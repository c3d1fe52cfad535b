"""Door 1, HTTP: a unit's acts on its own assignments, the desk's acts, and the unit feed."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Query, Request, Response
from fastapi.sse import EventSourceResponse

from services.dispatcher import (
    duty_routes,
    feed,
    grassroots,
    returning,
    suggestion_routes,
    usecases,
    views,
)
from services.dispatcher.approvals import routes as approval_routes
from services.dispatcher.arbitration import routes as arbitration_routes
from services.dispatcher.catalogue import routes as catalogue_routes
from services.dispatcher.completion import routes as completion_routes
from services.dispatcher.doors import DeskDoor, UnitDoor
from services.dispatcher.figures import routes as figure_routes
from services.dispatcher.handling import contacting
from services.dispatcher.handling import routes as handling_routes
from services.dispatcher.records import ServiceAct
from services.dispatcher.reform import routes as reform_routes
from services.dispatcher.schemas import (
    Assign,
    AssignmentOut,
    AssignmentPage,
    Completion,
    ContactMade,
    FeedPage,
    Progress,
    Recall,
    ReturnRequest,
    ReturnWithdrawal,
    Ruling,
    Sign,
    SupplementPage,
    TicketOut,
)
from services.dispatcher.settings import Config
from services.dispatcher.waits import routes as wait_routes
from services.dispatcher.whistles import routes as whistle_routes
from services.dispatcher.worklists import routes as list_routes
from shared.http.acts import Door
from shared.http.auth import acting
from shared.http.fields import Cursor, Number, UnitCode
from shared.http.problems import problems
from shared.http.router import Router
from shared.service import service_of
from shared.storage.act import Store

router = Router("/v1")
for more in (
    duty_routes,
    list_routes,
    handling_routes,
    completion_routes,
    suggestion_routes,
    catalogue_routes,
    figure_routes,
    reform_routes,
    arbitration_routes,
    wait_routes,
    whistle_routes,
    approval_routes,
):
    router.routes.extend(more.router.routes)

Reads = Annotated[ServiceAct, Depends(acting("unit", "desk", "supervisor"), scope="function")]
Limit = Annotated[int, Query(ge=1, le=500)]
STREAM = "text/event-stream"
# Nobody between us and the unit keeps an event back, or gives it again.
UNBUFFERED = {"Cache-Control": "no-cache, no-store", "X-Accel-Buffering": "no"}


# --- acts of a unit ----------------------------------------------------------------------------


@router.post(
    "/assignments/{assignment}/sign", response_model=AssignmentOut, responses=problems(404, 409)
)
async def sign_assignment(assignment: UUID, body: Sign, door: UnitDoor) -> Response:
    """签收 Sign for an assignment and name its handler."""
    return await door.once(usecases.sign, assignment, body)


@router.post(
    "/assignments/{assignment}/contacts", response_model=AssignmentOut, responses=problems(404, 409)
)
async def record_contact(assignment: UUID, body: ContactMade, door: UnitDoor) -> Response:
    """先行联系 Record one attempt to contact the citizen."""
    return await door.once(contacting.contact, assignment, body)


@router.post(
    "/assignments/{assignment}/progress", response_model=AssignmentOut, responses=problems(404, 409)
)
async def report_progress(assignment: UUID, body: Progress, door: UnitDoor) -> Response:
    """进展 Say how far the unit is."""
    return await door.once(usecases.progress, assignment, body)


@router.post(
    "/assignments/{assignment}/return-requests",
    response_model=AssignmentOut,
    responses=problems(404, 409),
)
async def request_return(
    request: Request, assignment: UUID, body: ReturnRequest, door: UnitDoor
) -> Response:
    """退单申请 Ask the desk to take the ticket back."""
    try:
        return await door.once(returning.request_return, assignment, body)
    except returning.BARRED:
        await _note_barred(request, door, assignment, "return")
        raise


@router.post(
    "/assignments/{assignment}/return-withdrawal",
    response_model=AssignmentOut,
    responses=problems(404, 409),
)
async def withdraw_return(assignment: UUID, body: ReturnWithdrawal, door: UnitDoor) -> Response:
    """撤回退单申请 Take a request to return back before the desk rules, and go on."""
    return await door.once(returning.withdraw_return, assignment, body)


@router.post(
    "/assignments/{assignment}/completion",
    response_model=AssignmentOut,
    responses=problems(404, 409),
)
async def complete_assignment(
    request: Request, assignment: UUID, body: Completion, door: UnitDoor
) -> Response:
    """办结 Complete an assignment."""
    try:
        return await door.once(usecases.complete, assignment, body)
    except returning.BARRED:
        await _note_barred(request, door, assignment, "completion")
        raise


async def _note_barred(request: Request, door: Door, assignment: UUID, way: returning.Way) -> None:
    """A supervision follows from it, though what was refused left nothing behind."""
    store: Store[Config] = service_of(request.app).store
    async with store.act(door.caller.actor, caller=door.caller) as act:
        await returning.note_barred(act, assignment, way)


# --- acts of the desk --------------------------------------------------------------------------


@router.post("/tickets/{number}/assign", response_model=TicketOut, responses=problems(404, 409))
async def assign_ticket(request: Request, number: Number, body: Assign, door: DeskDoor) -> Response:
    """指定承办单位 Assign by hand, or re-dispatch an open ticket. What is no town's duty no town leads,
    unless a supervisor approved it."""
    try:
        return await door.once(usecases.assign, number, body)
    except (
        grassroots.NotForTowns
    ) as refused:  # counted, though what was refused left nothing behind
        store: Store[Config] = service_of(request.app).store
        async with store.act(door.caller.actor, caller=door.caller) as act:
            await grassroots.note_refused(act, number, refused.extra["unit"])
        raise


@router.post("/tickets/{number}/recall", response_model=TicketOut, responses=problems(404, 409))
async def recall_ticket(number: Number, body: Recall, door: DeskDoor) -> Response:
    """收回派单 Take the ticket back from its units; the desk has it then."""
    return await door.once(usecases.recall, number, body)


@router.post(
    "/assignments/{assignment}/ruling", response_model=AssignmentOut, responses=problems(404, 409)
)
async def rule_on_return(assignment: UUID, body: Ruling, door: DeskDoor) -> Response:
    """退单裁定 Rule on a return."""
    return await door.once(returning.rule_on_return, assignment, body)


# --- reading -----------------------------------------------------------------------------------


@router.get("/tickets/{number}/assignments", responses=problems(404))
async def list_ticket_assignments(number: Number, act: Reads) -> TicketOut:
    """一张工单的派单 A ticket's assignments, as the caller may see them."""
    return await views.ticket_for_caller(act, number)


@router.get("/assignments/{assignment}/supplements", responses=problems(404))
async def list_assignment_supplements(
    assignment: UUID,
    act: Reads,
    after: Cursor | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> SupplementPage:
    """补充 What the citizen added; a work order carries only the newest of it."""
    return await views.supplements(act, assignment, after, limit)


@router.get("/units/{code}/assignments", responses=problems(404))
async def list_unit_assignments(
    code: UnitCode,
    act: Reads,
    status: Annotated[list[UnitCode] | None, Query(max_length=20)] = None,
    after: Cursor | None = None,
    limit: Limit = 100,
) -> AssignmentPage:
    """一个单位的派单 A unit's assignments, oldest first."""
    return await views.unit_assignments(act, code, after, limit, status or [])


@router.get(
    "/units/{code}/feed",
    response_model=FeedPage,
    responses={200: {"content": {STREAM: {}}}, **problems(404)},
)
async def read_unit_feed(
    code: UnitCode,
    act: Reads,
    request: Request,
    after: Cursor = "0",
    limit: Limit = 100,
    last_event_id: Annotated[Cursor | None, Header()] = None,
) -> Response:
    """办件流 Every fact addressed to a unit: a page, or a stream that goes on.

    Ask for ``text/event-stream`` to get the stream; it resumes behind ``Last-Event-ID``.
    Positions are the unit's own and rise. Some are left out, and nothing is missing where one is.
    位置号按单位单独编号、逐条递增；中间偶有空号属正常，并非遗漏。
    """
    views.check_feed_readable(act, code)
    start = await feed.position(act, code, last_event_id or after)
    if STREAM not in request.headers.get("accept", ""):
        page = await feed.page(act, code, start, limit)
        return Response(page.encode(), media_type="application/json")
    streams: feed.Streams = request.app.state.streams
    stream = feed.stream(service_of(request.app), act, code, start)
    return EventSourceResponse(streams.counted(act.actor, stream), headers=UNBUFFERED)
