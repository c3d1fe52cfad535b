"""Stories that feedback's tests begin with, told through its doors."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx

from shared.events import (
    AssignmentDispatched,
    CompletionKind,
    ExtensionGranted,
    Fact,
    Limits,
    Role,
    TicketRegistered,
    TicketResolved,
    TicketType,
    TicketWithdrawn,
    Urgency,
)
from tests.bench import Bench

NUMBER = "20260302-000001"
FIRST_CALL = "2026-03-03T09:00+08:00"
SATISFIED: dict[str, Any] = {"contacted": True, "solved": "yes", "satisfied": "satisfied"}
UNSATISFIED: dict[str, Any] = {"contacted": True, "solved": "no", "satisfied": "unsatisfied"}


def registration(bench: Bench, number: str = NUMBER, **changes: Any) -> Fact:
    """受理."""
    data = {
        "ticket_type": TicketType.HELP,
        "urgency": Urgency.NORMAL,
        "topic": "water.supply",
        "title": "停水三天",
        "content": "小区停水三天无人处理。",
        "area": "610924100",
        "channel": "phone",
    }
    return bench.fact(TicketRegistered.model_validate(data | changes), subject=number)


def dispatch(
    bench: Bench, lead: str = "CG", role: Role = Role.LEAD, number: str = NUMBER, round: int = 1
) -> Fact:
    """派单."""
    data = AssignmentDispatched(
        role=role,
        ticket_type=TicketType.HELP,
        urgency=Urgency.NORMAL,
        topic="water.supply",
        title="停水三天",
        content="小区停水三天无人处理。",
        area="610924100",
        channel="phone",
        registered=bench.now,
        lead=lead,
        reason="目录 catalogue",
        limits=Limits(sign="4wh", handle="5wd"),
    )
    return bench.fact(data, subject=number, assignment=uuid4(), unit=lead, round=round)


def extension(bench: Bench, due: str, number: str = NUMBER) -> Fact:
    """延期批准."""
    data = ExtensionGranted(
        extension=uuid4(), days=5, due=datetime.fromisoformat(due), reason="管网改造"
    )
    return bench.fact(data, subject=number, assignment=uuid4(), unit="CG")


def resolution(
    bench: Bench,
    number: str = NUMBER,
    *,
    lead: str = "CG",
    round: int = 1,
    at: str | None = None,
    seq: int | None = None,
) -> Fact:
    """办结."""
    data = TicketResolved(
        kind=CompletionKind.SOLVED,
        lead=lead,
        units=(lead,),
        solved=True,
        public_answer="已恢复供水",
    )
    time = datetime.fromisoformat(at) if at else None
    return bench.fact(data, subject=number, round=round, time=time, seq=seq)


def withdrawal(bench: Bench, number: str = NUMBER, at: str | None = None) -> Fact:
    """撤单."""
    time = datetime.fromisoformat(at) if at else None
    return bench.fact(TicketWithdrawn(reason="已自行解决"), subject=number, time=time)


async def resolved(bench: Bench, number: str = NUMBER, **changes: Any) -> None:
    """A ticket registered and completed at the bench's time."""
    await bench.hear(registration(bench, number, **changes), resolution(bench, number))


async def due(bench: Bench, number: str = NUMBER, **changes: Any) -> UUID:
    """A callback that fell due on Tuesday at nine; its id."""
    await resolved(bench, number, **changes)
    bench.at(FIRST_CALL)
    await bench.run("ring")
    return await callback_of(bench, number)


async def callback_of(bench: Bench, number: str = NUMBER, round: int = 1) -> UUID:
    """The id of a round's callback."""
    query = "SELECT id FROM callbacks WHERE number = :number AND round = :round"
    [row] = await bench.rows(query, number=number, round=round)
    found: UUID = row["id"]
    return found


async def report(
    bench: Bench, callback: UUID, outcome: str, attempt: int = 1, **answers: Any
) -> httpx.Response:
    """An outcome as the phone system posts it."""
    body = {"attempt": attempt, "outcome": outcome} | answers
    return await bench.http("phone_system").post(f"/v1/callbacks/{callback}/outcome", json=body)


async def state_of(bench: Bench, callback: UUID) -> str:
    """Where a callback stands, by HTTP."""
    answer = await bench.http("callback").get(f"/v1/callbacks/{callback}")
    assert answer.status_code == 200, answer.text
    state: str = answer.json()["state"]
    return state


async def names(bench: Bench) -> list[str]:
    """The names of what was told, in order; messages by their event."""
    return [
        f"{fact.name}:{fact.data.event}" if fact.name == "citizen.told" else fact.name
        for fact in await bench.told()
    ]
