"""Door 1, HTTP: call-back staff and the phone system report outcomes; figures are read."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, Query, Request, Response
from pydantic import BaseModel

from services.feedback import due_routes, figures, usecases, verdicts, views
from services.feedback.names import Names
from services.feedback.schemas import (
    AwaitedNumberList,
    CallbackOut,
    CallbackPage,
    CallbackStatus,
    DueCallbackPage,
    OutcomeIn,
    RatesOut,
    ReopeningIn,
    VerdictIn,
    VerdictOut,
)
from services.feedback.settings import Config, Settings
from shared.http.acts import Door, UseCase, entering
from shared.http.auth import acting, open_act
from shared.http.fields import Body, Day, Number
from shared.http.problems import problems
from shared.http.router import Router
from shared.http.worklists import Worklist
from shared.service import service_of
from shared.storage.act import Act, Store

router = Router("/v1", tags=["feedback 回访"])
router.routes.extend(due_routes.router.routes)

ReaderAct = Annotated[
    Act[Config], Depends(acting("callback", "supervisor", "phone_system"), scope="function")
]
WorkingAct = Annotated[Act[Config], Depends(acting("callback", "agent", "desk"), scope="function")]
CorrectingAct = Annotated[Act[Config], Depends(acting("agent", "desk"), scope="function")]
CallerDoor = Annotated[Door, Depends(entering("phone_system", "callback"))]
FrontDoor = Annotated[Door, Depends(entering("phone_system", "agent", "desk", "callback"))]
FiguresAct = Annotated[
    Act[Config], Depends(acting("supervisor", "callback", "desk", "service"), scope="function")
]


def share(app: FastAPI, settings: Settings) -> None:
    """What all requests of a process have in common: whom names are asked of. Raises ConfigError."""
    app.state.names = Names(settings)


async def _naming_nobody(
    request: Request, number: str, use_case: UseCase, body: Body, field: str = "comment"
) -> UseCase:
    """A use case that hears its words as they may be kept and told; what the caller sent stays what its key
    stands for. Raises NamesUnknown.
    """
    store: Store[Config] = service_of(request.app).store
    names: Names = request.app.state.names
    words = getattr(body.masked(store.config.telephones), field)
    cleared = {field: await names.cleared(number, words)} if words else {}

    async def heard(act: Act[Config], target: Any, body: Body) -> BaseModel:
        return await use_case(act, target, body.model_copy(update=cleared))

    return heard


@router.get("/callbacks")
async def list_callbacks(
    act: ReaderAct,
    status: CallbackStatus | None = None,
    awaits_number: Annotated[
        bool | None, Query(description="只列错号待更正的 only those whose number is wrong, or not")
    ] = None,
    after: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> CallbackPage:
    """回访列表: callbacks in the order they were planned, for example all that are due."""
    return await views.page(act, status, awaits_number, after, limit)


@router.get("/callbacks/due")
async def list_due_callbacks(
    act: ReaderAct,
    person: Annotated[
        bool | None, Query(description="由回访员拨打的 those a person must call, or none of them")
    ] = None,
    after: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DueCallbackPage:
    """待回访清单: whom to call now, what was due first, with counts."""
    return await views.due(act, person, after, limit)


@router.get("/worklist")
async def read_worklist(act: WorkingAct) -> Worklist:
    """工作清单 How many calls wait for call-back staff, how many are late, what is due first; for agents and
    desk, who correct numbers, how many wait for the right one.
    """
    return await views.worklist(act)


@router.get("/awaited-numbers")
async def list_awaited_numbers(act: CorrectingAct) -> AwaitedNumberList:
    """错号待更正: whose number was wrong when they were called back. Corrected at intake they are called
    again; else the round ends without a verdict.
    """
    return await views.awaited_numbers(act)


@router.get("/callbacks/{callback}", responses=problems(404))
async def read_callback(callback: UUID, act: ReaderAct) -> CallbackOut:
    """一次回访: one callback with its attempts."""
    return await views.read(act, callback)


@router.post(
    "/callbacks/{callback}/outcome", response_model=CallbackOut, responses=problems(404, 409)
)
async def report_outcome(
    request: Request, callback: UUID, body: OutcomeIn, door: CallerDoor
) -> Response:
    """回访结果: what came of one attempt to call the citizen. The same again changes nothing.

    409 `wrong-attempt`: the callback is at `expected_attempt`. `call-not-due`: nobody has called
    yet. `already-reported`: the attempt has another outcome. `callback-over`: it takes none any
    more. 503 `names-unknown`: intake cannot take names out of `comment` now, send it again.
    """
    number = ""
    if body.comment:
        async with open_act(request, door.caller) as act:
            number = await views.number_of(act, callback)
    report = await _naming_nobody(request, number, usecases.report_outcome, body)
    return await door.once(report, callback, body)


@router.post("/tickets/{number}/verdict", response_model=VerdictOut, responses=problems(404, 409))
async def give_verdict(
    request: Request, number: Number, body: VerdictIn, door: FrontDoor
) -> Response:
    """来电评价: the citizen rings and says what came of it, before the callback or after it.

    One objection reopens at once. 409 `nothing-to-judge`: no unit has answered in this round.
    `already-judged`: it was closed on the citizen's word. `not-reopened`: withdrawn, or ended too long
    ago; `follows` is what a new ticket names. `answers-missing`: nobody calls, so ask for the rest.
    """
    give = await _naming_nobody(request, number, verdicts.give_verdict, body)
    return await door.once(give, number, body)


@router.post("/tickets/{number}/reopening", response_model=VerdictOut, responses=problems(404, 409))
async def reopen_ticket(
    request: Request, number: Number, body: ReopeningIn, door: FrontDoor
) -> Response:
    """重办: a repeat call, or 退回重办 by the platform the complaint came from; 409 as for a verdict."""
    reopen = await _naming_nobody(request, number, verdicts.reopen, body, "reason")
    return await door.once(reopen, number, body)


@router.get("/rates")
async def read_satisfaction(
    act: FiguresAct,
    start: Annotated[Day | None, Query(alias="from", description="first day")] = None,
    end: Annotated[Day | None, Query(alias="to", description="last day")] = None,
    formula: Annotated[str | None, Query(max_length=100)] = None,
) -> RatesOut:
    """满意率: satisfaction of a period; the period so far unless told otherwise."""
    return await figures.satisfaction(act, start, end, formula)
