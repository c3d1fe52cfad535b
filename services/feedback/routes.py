"""Door 1, HTTP: call-back staff and the phone system report outcomes; figures are read."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from services.feedback import queries, usecases
from services.feedback.schemas import CallbackOut, CallbackPage, OutcomeIn, RatesOut, State
from services.feedback.settings import Config
from shared.http.auth import acting
from shared.http.fields import Day
from shared.http.idempotency import acting_once, once
from shared.http.problems import problems
from shared.storage.act import Act

router = APIRouter(tags=["feedback 回访"])

ReaderAct = Annotated[
    Act[Config], Depends(acting("callback", "supervisor", "phone_system"), scope="function")
]
CallerAct = Annotated[
    Act[Config], Depends(acting_once("phone_system", "callback"), scope="function")
]
FiguresAct = Annotated[
    Act[Config], Depends(acting("supervisor", "callback", "desk", "service"), scope="function")
]


@router.get("/v1/callbacks")
async def callbacks(
    act: ReaderAct,
    state: State | None = None,
    after: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> CallbackPage:
    """回访列表: callbacks in the order they were planned, for example all that are due."""
    return await queries.page(act, state, after, limit)


@router.get("/v1/callbacks/{callback}", responses=problems(404))
async def callback(callback: UUID, act: ReaderAct) -> CallbackOut:
    """One callback with its attempts."""
    return await queries.one(act, callback)


@router.post("/v1/callbacks/{callback}/outcome", responses=problems(404, 409))
async def outcome(callback: UUID, body: OutcomeIn, act: CallerAct) -> CallbackOut:
    """回访结果: what came of one attempt to call the citizen."""
    return await once(act, body, CallbackOut, lambda: usecases.report_outcome(act, callback, body))


@router.get("/v1/rates")
async def rates(
    act: FiguresAct,
    start: Annotated[Day | None, Query(alias="from", description="first day")] = None,
    end: Annotated[Day | None, Query(alias="to", description="last day")] = None,
    formula: Annotated[str | None, Query(max_length=100)] = None,
) -> RatesOut:
    """满意率: satisfaction of a period; this month so far unless told otherwise."""
    return await queries.satisfaction(act, start, end, formula)
