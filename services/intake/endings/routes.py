"""The hotline's own acts over HTTP: answer, not accept, hand over, send to a unit after all (ADR 0044)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request, Response

from services.intake.contacts.neighbours import Neighbours
from services.intake.doors import AgentDoor, DeskDoor, FrontDoor
from services.intake.endings import malicious
from services.intake.endings import usecases as endings
from services.intake.endings import views as ending_views
from services.intake.endings.schemas import (
    CallRated,
    Dispatch,
    FrontFigures,
    FrontRecord,
    MaliciousMarkOut,
    MaliciousUse,
    MaliciousUseUndone,
)
from services.intake.records import ServiceAct
from services.intake.schemas import DirectAnswer, HandedOver, NotAccepted, Progress
from shared.http.auth import acting
from shared.http.fields import Day, Number
from shared.http.problems import problems
from shared.http.router import Router

router = Router("/v1", tags=["intake 受理", "endings 不派单的结束方式"])
Reads = Annotated[ServiceAct, Depends(acting("agent", "desk", "supervisor"), scope="function")]
FiguresAct = Annotated[
    ServiceAct, Depends(acting("agent", "desk", "supervisor", "service"), scope="function")
]
REFUSED = problems(404, 409)


async def _check_undisputed(request: Request, number: str) -> None:
    neighbours: Neighbours = request.app.state.neighbours
    await neighbours.check_undisputed(number)


@router.post("/tickets/{number}/direct-answer", response_model=Progress, responses=REFUSED)
async def answer_directly(
    request: Request, number: Number, body: DirectAnswer, door: AgentDoor
) -> Response:
    """直办 Answer it at the hotline: what was kept, or what no unit has.

    409 `in-arbitration`: whose duty it is, the ladder rules first.
    """
    await _check_undisputed(request, number)
    return await door.once(endings.answer, number, body)


@router.post("/tickets/{number}/not-accepted", response_model=Progress, responses=REFUSED)
async def not_accept(
    request: Request, number: Number, body: NotAccepted, door: AgentDoor
) -> Response:
    """不予受理 Do not accept it, for a reason of `GET /v1/codes/not_accepted`; 409 as for an answer."""
    await _check_undisputed(request, number)
    return await door.once(endings.refuse, number, body)


@router.post("/tickets/{number}/handed-over", response_model=Progress, responses=REFUSED)
async def hand_over(number: Number, body: HandedOver, door: AgentDoor) -> Response:
    """即时转接 Note that an emergency line took it over, who there and when."""
    return await door.once(endings.hand_over, number, body)


@router.post("/tickets/{number}/dispatch", response_model=Progress, responses=REFUSED)
async def dispatch_after_all(number: Number, body: Dispatch, door: AgentDoor) -> Response:
    """转派 Send to a unit what the hotline kept, or had ended, and the citizen is not content with."""
    return await door.once(endings.dispatch, number, body)


@router.post("/tickets/{number}/call-rating", response_model=Progress, responses=REFUSED)
async def rate_call(number: Number, body: CallRated, door: FrontDoor) -> Response:
    """一次一评 What the caller says of the call itself; the matter is rated in the callback."""
    return await door.once(endings.rate_call, number, body)


@router.post(
    "/tickets/{number}/malicious-use", response_model=MaliciousMarkOut, responses=problems(404)
)
async def mark_malicious_use(number: Number, body: MaliciousUse, door: AgentDoor) -> Response:
    """恶意使用 Mark malicious use, with its evidence. It ends nothing: the ticket goes on as it was."""
    return await door.once(malicious.mark, number, body)


@router.post(
    "/tickets/{number}/malicious-use/undo",
    response_model=MaliciousMarkOut,
    responses=problems(404),
)
async def undo_malicious_use(number: Number, body: MaliciousUseUndone, door: DeskDoor) -> Response:
    """撤销标记 Take the newest mark back; it stays on record and counts no more."""
    return await door.once(malicious.undo, number, body)


@router.get("/tickets/{number}/front-record", responses=problems(404))
async def read_front_record(number: Number, act: Reads) -> FrontRecord:
    """受理台记录 All that the hotline did with a ticket itself, and how often its caller was marked."""
    return await ending_views.front_record(act, number)


@router.get("/figures")
async def read_front_figures(
    act: FiguresAct,
    start: Annotated[Day | None, Query(alias="from", description="first day")] = None,
    end: Annotated[Day | None, Query(alias="to", description="last day")] = None,
) -> FrontFigures:
    """受理统计 What became of the calls of a period; the period so far unless told otherwise."""
    return await ending_views.figures(act, start, end)
