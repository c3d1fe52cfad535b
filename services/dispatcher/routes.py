"""Door 1, HTTP: a unit's acts on its own assignments, the desk's acts, and the unit feed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse

from services.dispatcher import queries, usecases
from services.dispatcher.schemas import (
    Assign,
    AssignmentOut,
    AssignmentPage,
    Completion,
    ContactMade,
    FeedPage,
    Progress,
    ReturnRequest,
    Ruling,
    Sign,
    TicketOut,
    UnassignedPage,
)
from services.dispatcher.settings import Config
from shared import clock
from shared.http.auth import acting
from shared.http.fields import Number
from shared.http.idempotency import acting_once, once
from shared.http.problems import problems
from shared.http.rate_limits import TooMany
from shared.service import Service, service_of
from shared.storage.act import Act

router = APIRouter()

UnitAct = Annotated[Act[Config], Depends(acting_once("unit"), scope="function")]
DeskAct = Annotated[Act[Config], Depends(acting_once("desk"), scope="function")]
DeskReads = Annotated[Act[Config], Depends(acting("desk", "supervisor"), scope="function")]
Reads = Annotated[Act[Config], Depends(acting("unit", "desk", "supervisor"), scope="function")]
Limit = Annotated[int, Query(ge=1, le=500)]
STREAM = "text/event-stream"
STREAMED = 100  # facts read at once for a stream


# --- acts of a unit ----------------------------------------------------------------------------


@router.post("/v1/assignments/{assignment}/sign", responses=problems(404, 409))
async def sign(assignment: UUID, body: Sign, act: UnitAct) -> AssignmentOut:
    """签收 Sign for an assignment and name its handler."""
    return await once(act, body, AssignmentOut, lambda: usecases.sign(act, assignment, body))


@router.post("/v1/assignments/{assignment}/contacts", responses=problems(404, 409))
async def contact(assignment: UUID, body: ContactMade, act: UnitAct) -> AssignmentOut:
    """先行联系 Record one attempt to contact the citizen."""
    return await once(act, body, AssignmentOut, lambda: usecases.contact(act, assignment, body))


@router.post("/v1/assignments/{assignment}/progress", responses=problems(404, 409))
async def progress(assignment: UUID, body: Progress, act: UnitAct) -> AssignmentOut:
    """进展 Say how far the unit is."""
    return await once(act, body, AssignmentOut, lambda: usecases.progress(act, assignment, body))


@router.post("/v1/assignments/{assignment}/return-requests", responses=problems(404, 409))
async def request_return(assignment: UUID, body: ReturnRequest, act: UnitAct) -> AssignmentOut:
    """退单申请 Ask the desk to take the ticket back."""
    return await once(
        act, body, AssignmentOut, lambda: usecases.request_return(act, assignment, body)
    )


@router.post("/v1/assignments/{assignment}/completion", responses=problems(404, 409))
async def complete(assignment: UUID, body: Completion, act: UnitAct) -> AssignmentOut:
    """办结 Complete an assignment."""
    return await once(act, body, AssignmentOut, lambda: usecases.complete(act, assignment, body))


# --- acts of the desk --------------------------------------------------------------------------


@router.post("/v1/tickets/{number}/assign", responses=problems(404, 409))
async def assign(number: Number, body: Assign, act: DeskAct) -> TicketOut:
    """指定承办单位 Assign by hand, or re-dispatch an open ticket."""
    return await once(act, body, TicketOut, lambda: usecases.assign(act, number, body))


@router.post("/v1/assignments/{assignment}/ruling", responses=problems(404, 409))
async def rule_on_return(assignment: UUID, body: Ruling, act: DeskAct) -> AssignmentOut:
    """退单裁定 Rule on a return."""
    return await once(
        act, body, AssignmentOut, lambda: usecases.rule_on_return(act, assignment, body)
    )


@router.get("/v1/unassigned")
async def unassigned(
    act: DeskReads, after: str | None = None, limit: Limit = 100
) -> UnassignedPage:
    """待派工单 Tickets that a person must assign."""
    return await queries.unassigned(act, after, limit)


# --- reading -----------------------------------------------------------------------------------


@router.get("/v1/tickets/{number}/assignments", responses=problems(404))
async def ticket_assignments(number: Number, act: Reads) -> TicketOut:
    """一张工单的派单 A ticket's assignments, as the caller may see them."""
    return await queries.ticket_seen(act, number)


@router.get("/v1/units/{code}/assignments", responses=problems(404))
async def unit_assignments(
    code: str,
    act: Reads,
    state: Annotated[list[str] | None, Query()] = None,
    after: str | None = None,
    limit: Limit = 100,
) -> AssignmentPage:
    """一个单位的派单 A unit's assignments, oldest first."""
    return await queries.unit_assignments(act, code, after, limit, state or [])


@router.get(
    "/v1/units/{code}/feed",
    response_model=FeedPage,
    responses={200: {"content": {STREAM: {}}}, **problems(404)},
)
async def feed(
    code: str,
    act: Reads,
    request: Request,
    after: str = "0",
    limit: Limit = 100,
    last_event_id: Annotated[str | None, Header()] = None,
) -> FeedPage | EventSourceResponse:
    """单位信息流 Every fact addressed to a unit: a page, or a stream that goes on.

    Ask for ``text/event-stream`` to get the stream; it resumes behind ``Last-Event-ID``.
    """
    start = await queries.open_feed(act, code, last_event_id or after)
    if STREAM in request.headers.get("accept", ""):
        streams: Streams = request.app.state.streams
        stream = _stream(service_of(request.app), act, code, start)
        return EventSourceResponse(streams.counted(act.actor, stream))
    return await queries.feed_page(act, code, start, limit)


class Streams:
    """How many streams each caller has open: no one may take every connection there is."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[str] = Counter()

    def counted(self, caller: str, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """A stream that counts while it is read. Raises TooMany."""
        if self._open[caller] >= self._most:
            raise TooMany(60)
        return self._counting(caller, stream)

    async def _counting(self, caller: str, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        self._open[caller] += 1
        try:
            async for piece in stream:
                yield piece
        finally:
            self._open[caller] -= 1


async def _stream(
    service: Service, opened: Act[Config], unit: str, after: int
) -> AsyncIterator[bytes]:
    """Look into the feed again and again, each time in an act of its own."""
    config, actor = opened.config, opened.actor
    ends = clock.real() + timedelta(seconds=config.feed_life)
    quiet = 0.0
    while clock.real() < ends and not service.stopping.is_set():
        async with service.store.act(actor) as act:
            page = await queries.feed_page(act, unit, after, STREAMED)
        for item in page.items:
            # The id first: a client that reads line by line then has it with its data.
            data = json.dumps(item.fact, ensure_ascii=False)
            yield f"id: {item.position}\nevent: {item.fact['type']}\ndata: {data}\n\n".encode()
        after, quiet = page.next, 0.0 if page.items else quiet + config.feed_look
        if quiet >= config.feed_heartbeat:
            yield KEEPALIVE_COMMENT
            quiet = 0.0
        if not page.more:
            await clock.pause(config.feed_look, service.stopping)
