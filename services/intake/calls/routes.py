"""前台 The agents' desk over HTTP: who is calling, what is noted meanwhile, whom to ring back."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query, Response

from services.intake import callers
from services.intake.callers import CallerLookup, CallerTickets
from services.intake.calls import usecases as calls
from services.intake.calls import views as call_lists
from services.intake.calls.schemas import (
    CallHeard,
    CallOut,
    CallReport,
    CallTry,
    Draft,
    Drafts,
    MissedCalls,
    Shown,
    Transcript,
    Tried,
)
from services.intake.contacts.schemas import ContactReadRequest
from services.intake.records import ServiceAct
from shared.http.acts import Door, entering
from shared.http.auth import acting
from shared.http.problems import problems
from shared.http.router import Router

router = Router("/v1", tags=["intake 受理", "front 前台"])
FrontAct = Annotated[ServiceAct, Depends(acting("phone_system", "agent", "desk"), scope="function")]
ExchangeAct = Annotated[ServiceAct, Depends(acting("phone_system"), scope="function")]
AgentAct = Annotated[ServiceAct, Depends(acting("agent"), scope="function")]
DeskAct = Annotated[ServiceAct, Depends(acting("agent", "desk"), scope="function")]
DeskDoor = Annotated[Door, Depends(entering("agent", "desk"))]
After = Annotated[str | None, Query(max_length=200)]
Limit = Annotated[int, Query(ge=1, le=200)]
Pop = Annotated[str, Path(max_length=64)]


@router.post("/callers/lookup")
async def look_up_caller(body: CallerLookup, act: FrontAct) -> CallerTickets:
    """来电查询: a caller's tickets by telephone number, newest first. Each lookup stands in the read log.

    保密工单 A confidential one is shown with its own `code` only, and nothing tells that there is one.
    """
    return await callers.lookup(act, body)


# --- calls -------------------------------------------------------------------------------------


@router.post("/calls")
async def report_call(body: CallReport, act: ExchangeAct) -> CallHeard:
    """通话事件: a call rings, is answered, is over; in any order, and as often as it is sent.

    `pop` opens once, at `GET /v1/calls/pop/{pop}`: put that into the address of the agent's screen,
    never the number.
    """
    return await calls.hear(act, body)


@router.get("/calls/pop/{pop}", responses=problems(404))
async def open_call(pop: Pop, act: AgentAct) -> Shown:
    """来电弹屏: who is on the line and which tickets are theirs, once, for the agent it rings at."""
    return await calls.open_pop(act, pop)


@router.get("/calls/{call}", responses=problems(404))
async def read_call(call: UUID, act: DeskAct) -> CallOut:
    """One call with draft and transcript, without its numbers: for its agent, and for the desk, on record."""
    return await calls.read(act, call)


@router.put("/calls/{call}/draft", responses=problems(404))
async def keep_draft(call: UUID, body: Draft, act: DeskAct) -> CallOut:
    """草稿: what the agent has noted so far, in the place of the last. No ticket: register with `call`."""
    return await calls.put_draft(act, call, body)


@router.delete("/calls/{call}/draft", status_code=204, responses=problems(404))
async def remove_draft(call: UUID, act: DeskAct) -> Response:
    """The draft is needed no more."""
    await calls.remove_draft(act, call)
    return Response(status_code=204)


@router.put("/calls/{call}/transcript", status_code=204, responses=problems(404))
async def keep_transcript(call: UUID, body: Transcript, act: ExchangeAct) -> Response:
    """转写文本: what speech recognition has heard so far, in the place of the last."""
    await calls.put_transcript(act, call, body)
    return Response(status_code=204)


@router.get("/drafts")
async def list_drafts(act: DeskAct, after: After = None, limit: Limit = 50) -> Drafts:
    """未转工单的草稿: drafts left without a ticket; an agent's own, all for the desk."""
    return await call_lists.drafts(act, after, limit)


# --- missed calls ------------------------------------------------------------------------------


@router.get("/missed-calls")
async def list_missed_calls(act: DeskAct, after: After = None, limit: Limit = 50) -> MissedCalls:
    """漏接来电: whom to ring back, who has waited longest first; no numbers."""
    return await call_lists.missed(act, after, limit)


@router.post("/missed-calls/{call}/contact-reads", responses=problems(404))
async def take_missed_call(call: UUID, body: ContactReadRequest, act: DeskAct) -> Shown:
    """Whom to ring back: the number, for who does it now. Stands in the read log, and on the list."""
    return await call_lists.take(act, call, body)


@router.post("/missed-calls/{call}/tries", response_model=Tried, responses=problems(404))
async def report_try(call: UUID, body: CallTry, door: DeskDoor) -> Response:
    """回拨结果: what came of ringing back once."""
    return await door.once(call_lists.tried, call, body)
