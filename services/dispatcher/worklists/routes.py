"""工作清单 What is to be done next: the desk's lists, and each unit's."""

from typing import Annotated

from fastapi import Depends, Query

from services.dispatcher import views
from services.dispatcher.handling import handlers
from services.dispatcher.records import ServiceAct
from services.dispatcher.schemas import Code, Phrase
from services.dispatcher.worklists import lists, presses, worklist
from services.dispatcher.worklists.schemas import (
    Handling,
    Narrowing,
    OrderPage,
    PressPage,
    ReturnPage,
    UnassignedPage,
    Whose,
    Words,
)
from shared.events import Role, Urgency
from shared.http.auth import acting
from shared.http.fields import Cursor, Number, UnitCode
from shared.http.problems import problems
from shared.http.router import Router
from shared.http.worklists import Worklist

router = Router("/v1", tags=["dispatcher 派单", "lists 工作清单"])
DeskReads = Annotated[ServiceAct, Depends(acting("desk", "supervisor"), scope="function")]
Reads = Annotated[ServiceAct, Depends(acting("unit", "desk", "supervisor"), scope="function")]
SpeaksAct = Annotated[
    ServiceAct, Depends(acting("agent", "callback", "desk", "supervisor"), scope="function")
]
Limit = Annotated[int, Query(ge=1, le=500)]


def of_matter(
    topic: Annotated[
        Code | None,
        Query(description="诉求分类或领域，含其下级 a topic or field, with what is under it"),
    ] = None,
    area: Annotated[
        Code | None, Query(description="区域，含其下级 an area, with those within")
    ] = None,
    flags: Annotated[list[Code] | None, Query(max_length=20, description="须全部具备 all")] = None,
    text: Annotated[Words | None, Query(description="标题或内容中的文字 words of it")] = None,
    urgency: Urgency | None = None,
) -> Narrowing:
    """What any list is narrowed to by its tickets' matters."""
    return Narrowing(topic=topic, area=area, flags=tuple(flags or ()), text=text, urgency=urgency)


Narrowed = Annotated[Narrowing, Depends(of_matter)]


@router.get("/worklist")
async def read_worklist(act: Reads) -> Worklist:
    """工作清单 How much of each list waits for the caller, how much of it is late, what is due first."""
    return await worklist.read(act)


@router.get("/unassigned")
async def list_unassigned_tickets(
    act: DeskReads,
    narrowed: Narrowed,
    unit: UnitCode | None = None,
    danger: bool = False,
    after: Cursor | None = None,
    limit: Limit = 100,
) -> UnassignedPage:
    """待派工单 Tickets that a person must assign, the most urgent first, of each what is due first.
    `unit`: which had an order of it. `danger`: those alone that endanger life, or may.
    """
    narrowed = narrowed._replace(unit=unit, danger=danger)
    return await lists.unassigned(act, narrowed, after, limit)


@router.get("/returns")
async def list_returns(
    act: DeskReads,
    narrowed: Narrowed,
    unit: UnitCode | None = None,
    after: Cursor | None = None,
    limit: Limit = 100,
) -> ReturnPage:
    """退单待裁定 Returns that wait for a ruling, the most urgent first, of each what is due first.
    `unit`: who asks.
    """
    return await lists.returns(act, narrowed._replace(unit=unit), after, limit)


@router.get("/presses")
async def list_presses(
    act: DeskReads,
    narrowed: Narrowed,
    unit: UnitCode | None = None,
    after: Cursor | None = None,
    limit: Limit = 100,
) -> PressPage:
    """催促待处理 Silent co-handlers their lead asks the desk to see to, the most urgent first, of each what
    is due first; until the unit moves, or the desk frees it, adds one or confirms who has the ticket.
    `unit`: which is silent.
    """
    return await presses.pressed(act, narrowed._replace(unit=unit), after, limit)


@router.get("/units/{code}/orders", responses=problems(404))
async def list_unit_orders(
    code: UnitCode,
    act: Reads,
    narrowed: Narrowed,
    role: Role | None = None,
    handler: Phrase | None = None,
    mine: bool = False,
    handed_down: bool = False,
    awaited: bool = False,
    status: Annotated[list[UnitCode] | None, Query(max_length=20)] = None,
    after: Cursor | None = None,
    limit: Limit = 100,
) -> OrderPage:
    """在办清单 A unit's orders in hand, what is due first. `role`: as what it has them. `handler`: who
    handles them. `mine`: those whose handler is the caller's account. `handed_down`: instead of its own
    those it handed down to units below it. `awaited`: those it was whistled for with, and has not come.
    """
    account = handlers.own_account(act) if mine else None
    whose = Whose(handler, account, role, handed_down, awaited)
    return await lists.orders(act, code, narrowed, whose, status or [], after, limit)


@router.get("/tickets/{number}/handling", responses=problems(404))
async def read_handling(number: Number, act: SpeaksAct) -> Handling:
    """办理情况 Which units have a ticket, how far they are and what they answered, for who speaks with
    its citizen.
    """
    return await views.handling(act, number)
