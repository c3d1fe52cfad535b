"""How a ticket gets where a test wants it: told through the dispatcher's own doors, never made up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from shared import clock
from shared.events import ClosingKind, Fact, TicketClosed, TicketRegistered, TicketReopened
from tests.bench import Bench

NUMBER = "20260302-000001"
STREET_LIGHT = "CGZF"  # who leads a street light in the county town, alone
COMPANY, COMPANY_CO = "SCJG", ("RSJ", "SWJ", "SPJ")  # who opens a company together
DONE = {
    "kind": "solved",
    "solved": True,
    "result": "已更换灯具",
    "public_answer": "路灯已修复",
    "signed_off_by": "王局长",
}
RETURN = {
    "reason_code": "not_our_duty",
    "legal_basis": "城市照明管理规定第四条",
    "suggested_unit": "CG",
    "approver": "李局长",
}


def street_light(**given: Any) -> TicketRegistered:
    """A broken street light in the county town: one unit, nothing urgent."""
    return TicketRegistered.model_validate(
        {
            "ticket_type": "complaint",
            "urgency": "normal",
            "topic": "lighting.street",
            "title": "路灯不亮",
            "content": "滨江路路灯坏了一周",
            "area": "610924100",
            "address": "滨江路8号",
            "location": {"longitude": 108.53, "latitude": 32.52},
            "channel": "phone",
        }
        | given
    )


def company(**given: Any) -> TicketRegistered:
    """A tea company to be opened: one lead, three co-handlers."""
    opening = {
        "ticket_type": "help",
        "topic": "enterprise.opening",
        "title": "茶企开办",
        "content": "办执照",
    }
    return street_light(**opening | given)


def banquet(**given: Any) -> TicketRegistered:
    """A banquet against the village rules: the catalogue leaves it to the desk."""
    feast = {
        "ticket_type": "report",
        "topic": "conduct.banquet",
        "title": "无事酒",
        "content": "大办酒席",
    }
    return street_light(**{"area": "610924110", "confidential": True} | feast | given)


async def register(
    bench: Bench, said: TicketRegistered | None = None, number: str = NUMBER
) -> dict[str, UUID]:
    """A registered ticket, and its assignments by unit."""
    await bench.hear(bench.fact(said or street_light(), subject=number))
    return await assignments(bench, number)


async def settle(bench: Bench) -> None:
    """Try what is parked until nothing more succeeds, however late its next try is due."""
    while await bench.service.inbox.retry_once(now=clock.real() + timedelta(hours=12)):
        pass


async def assignments(bench: Bench, number: str = NUMBER) -> dict[str, UUID]:
    """The newest assignment of each unit on a ticket."""
    told = await bench.told("assignment.dispatched")
    return {
        fact.unit: fact.assignment
        for fact in told
        if fact.subject == number and fact.unit and fact.assignment
    }


async def post(
    client: httpx.AsyncClient,
    path: str,
    body: dict[str, Any],
    status: int = 200,
    key: str | None = None,
) -> Any:
    """Ask, and answer what was answered; any other status is a failed test."""
    headers = {"Idempotency-Key": key} if key else {}
    answer = await client.post(path, json=body, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


async def act(
    bench: Bench, unit: str, assignment: UUID, what: str, body: dict[str, Any], status: int = 200
) -> Any:
    """A unit acts on an assignment."""
    return await post(
        bench.http("unit", unit), f"/v1/assignments/{assignment}/{what}", body, status
    )


async def sign(bench: Bench, unit: str, assignment: UUID) -> Any:
    """A unit signs."""
    return await act(bench, unit, assignment, "sign", {"handler": "张三"})


async def reach(bench: Bench, unit: str, assignment: UUID) -> Any:
    """A unit reaches the citizen."""
    call = {"how": "phone", "outcome": "reached", "note": "已了解"}
    return await act(bench, unit, assignment, "contacts", call)


async def finish(bench: Bench, unit: str, assignment: UUID) -> Any:
    """A unit signs, contacts the citizen and completes."""
    await sign(bench, unit, assignment)
    await reach(bench, unit, assignment)
    return await act(bench, unit, assignment, "completion", DONE)


async def finish_all(bench: Bench, lead: str, *co_handlers: str) -> None:
    """The co-handlers answer, then the lead."""
    given = await assignments(bench)
    for unit in (*co_handlers, lead):
        await finish(bench, unit, given[unit])


def reopened(bench: Bench, round: int) -> Fact:
    """The citizen does not agree."""
    said = TicketReopened(reasons=("not_solved",), comment="晚上还是黑的")
    return bench.fact(said, subject=NUMBER, round=round)


def closed(bench: Bench, round: int = 1) -> Fact:
    """The citizen agrees."""
    return bench.fact(TicketClosed(kind=ClosingKind.SATISFIED), subject=NUMBER, round=round)


async def ask_back(bench: Bench, unit: str, assignment: UUID, status: int = 200) -> Any:
    """A unit asks to return its assignment."""
    return await act(bench, unit, assignment, "return-requests", RETURN, status)


async def rule(bench: Bench, assignment: UUID, *, granted: bool, status: int = 200) -> Any:
    """The desk rules on a return."""
    body = {"granted": granted, "ruling": "确属其他单位" if granted else "职责清楚"}
    return await post(bench.http("desk"), f"/v1/assignments/{assignment}/ruling", body, status)


async def states(bench: Bench, number: str = NUMBER) -> list[tuple[str, int, str]]:
    """(unit, round, state) of a ticket's assignments, oldest first."""
    rows = await bench.rows(
        "SELECT unit, round, state FROM assignments WHERE ticket = :number ORDER BY id",
        number=number,
    )
    return [(row["unit"], row["round"], row["state"]) for row in rows]


async def names(bench: Bench, unit: str | None = None) -> list[str]:
    """The names of what was told, in order, or of what was told to one unit."""
    return [fact.name for fact in await bench.told() if unit in (None, fact.unit)]
