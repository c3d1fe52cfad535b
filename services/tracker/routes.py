"""Door 1, HTTP: clocks explained, extensions, supervision by hand, and on-time figures."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query, Response

from services.tracker import answers, extensions, figures, list_routes, triggers, usecases, views
from services.tracker.discrepancies import routes as discrepancies
from services.tracker.policies import routes as policies
from services.tracker.promises import routes as promises
from services.tracker.records import ServiceAct
from services.tracker.referrals import routes as referrals
from services.tracker.revisions import routes as revisions
from services.tracker.risks import routes as risks
from services.tracker.schemas import (
    AnswerIn,
    AnswerRulingIn,
    BreachPage,
    ExtensionIn,
    ExtensionOut,
    InstructionIn,
    RatesOut,
    RulingIn,
    StaleKnowledgeIn,
    SupervisionIn,
    SupervisionOut,
    TicketClocks,
    WhichJudgement,
    WithdrawalIn,
)
from shared.http.acts import Door, entering
from shared.http.auth import acting
from shared.http.fields import Cursor, Day, Number
from shared.http.problems import problems
from shared.http.router import Router

router = Router("/v1")
router.routes.extend(list_routes.router.routes)
router.routes.extend(promises.router.routes)
router.routes.extend(policies.router.routes)
router.routes.extend(revisions.router.routes)
router.routes.extend(risks.router.routes)
router.routes.extend(referrals.router.routes)
router.routes.extend(discrepancies.router.routes)

SEES = ("unit", "desk", "supervisor", "callback", "service")
COUNTS = ("unit", "desk", "supervisor", "service")

UnitDoor = Annotated[Door, Depends(entering("unit"))]
SupervisorDoor = Annotated[Door, Depends(entering("supervisor"))]
RulingDoor = Annotated[Door, Depends(entering("supervisor", "unit"))]
SeeingAct = Annotated[ServiceAct, Depends(acting(*SEES), scope="function")]
CountingAct = Annotated[ServiceAct, Depends(acting(*COUNTS), scope="function")]
WatchingAct = Annotated[ServiceAct, Depends(acting("desk", "supervisor"), scope="function")]

Unit = Annotated[
    str | None, Query(pattern=r"^[A-Z][A-Z0-9]{1,15}$", max_length=16, examples=["HC"])
]
First = Annotated[Day | None, Query(alias="from", description="首日 first day, Asia/Shanghai")]
Last = Annotated[Day | None, Query(alias="to", description="末日 last day, included")]
Basis = Annotated[
    Literal["due", "judged"] | None,
    Query(description="口径 counted when due, or when judged; as the policy says"),
]
Which = Annotated[
    WhichJudgement, Query(description="更正后，或首次判定 as revised since, or as first judged")
]
By = Annotated[Literal["unit"], Query(description="分组 what the figures are grouped by")]
Limit = Annotated[int, Query(ge=1, le=500)]


@router.get("/tickets/{number}/clocks", responses=problems(404))
async def list_clocks(number: Number, act: SeeingAct) -> TicketClocks:
    """时限 The clocks of a ticket, each explained day by day."""
    return await views.list_clocks(act, number)


@router.post(
    "/assignments/{assignment}/extensions",
    response_model=ExtensionOut,
    responses=problems(404, 409),
)
async def request_extension(assignment: UUID, body: ExtensionIn, door: UnitDoor) -> Response:
    """延期申请 Ask for more time on the handle clock."""
    return await door.once(extensions.request_extension, assignment, body)


@router.post(
    "/extensions/{extension}/ruling", response_model=ExtensionOut, responses=problems(403, 404, 409)
)
async def rule_on_extension(extension: UUID, body: RulingIn, door: RulingDoor) -> Response:
    """延期审批 Grant or refuse an extension: a supervisor the first, the higher office a second."""
    return await door.once(extensions.rule_on_extension, extension, body)


@router.post(
    "/assignments/{assignment}/supervisions",
    response_model=SupervisionOut,
    responses=problems(404, 409),
)
async def raise_supervision(
    assignment: UUID, body: SupervisionIn, door: SupervisorDoor
) -> Response:
    """督办 Raise a rung by hand."""
    return await door.once(usecases.raise_supervision, assignment, body)


@router.post(
    "/tickets/{number}/instructions", response_model=SupervisionOut, responses=problems(404, 409)
)
async def record_instruction(number: Number, body: InstructionIn, door: SupervisorDoor) -> Response:
    """领导批示 Record a leader's instruction on a ticket; whoever leads it is pressed."""
    return await door.once(triggers.instruct, number, body)


@router.post(
    "/tickets/{number}/stale-knowledge",
    response_model=SupervisionOut,
    responses=problems(404, 409),
)
async def record_stale_knowledge(
    number: Number, body: StaleKnowledgeIn, door: SupervisorDoor
) -> Response:
    """知识库条目失效 Record that an entry of the knowledge base is out of date; its unit puts it right."""
    return await door.once(triggers.find_stale, number, body)


@router.post(
    "/supervisions/{supervision}/withdrawal",
    response_model=SupervisionOut,
    responses=problems(404, 409),
)
async def withdraw_supervision(
    supervision: UUID, body: WithdrawalIn, door: SupervisorDoor
) -> Response:
    """撤回督办 Withdraw what was raised by hand and by mistake; it stays on record with the reason."""
    return await door.once(usecases.withdraw_supervision, supervision, body)


@router.post(
    "/supervisions/{supervision}/answer",
    response_model=SupervisionOut,
    responses=problems(404, 409),
)
async def answer_supervision(supervision: UUID, body: AnswerIn, door: UnitDoor) -> Response:
    """督办回复 Answer a supervision: measures, who led in person, what came of it."""
    return await door.once(answers.answer, supervision, body)


@router.post(
    "/supervisions/{supervision}/ruling",
    response_model=SupervisionOut,
    responses=problems(404, 409),
)
async def rule_on_answer(supervision: UUID, body: AnswerRulingIn, door: SupervisorDoor) -> Response:
    """督办回复审定 Accept an answer, or have it answered again by another date."""
    return await door.once(answers.rule_on_answer, supervision, body)


@router.get("/rates")
async def read_on_time_rates(
    act: CountingAct,
    first: First = None,
    last: Last = None,
    basis: Basis = None,
    judgement: Which = "revised",
    by: By = "unit",
) -> RatesOut:
    """按期办结率 On-time rates of a period, per unit; the period so far unless told otherwise."""
    return await figures.read_on_time_rates(act, first, last, basis, judgement)


@router.get("/breaches")
async def list_breaches(
    act: WatchingAct,
    unit: Unit = None,
    undone: bool = False,
    after: Cursor | None = None,
    limit: Limit = 100,
) -> BreachPage:
    """红牌 Breaches that stand, oldest first. `undone`: those alone whose duty is not done yet."""
    return await figures.list_breaches(act, unit, undone, after, limit)
