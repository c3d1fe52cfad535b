"""What the hotline ends itself is off the desk's list, and an order that crossed with it is taken back."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from shared.events import Fact, TicketAnswered, TicketNotAccepted, TicketReopened
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import (
    NUMBER,
    banquet,
    names,
    post,
    register,
    settle,
    sign,
    statuses,
    street_light,
)

ABOUT: dict[str, Any] = {
    "type": "complaint",
    "urgency": "normal",
    "topic": "lighting.street",
    "area": "610924100",
    "channel": "phone",
}


def answered(bench: Bench, *, registered: bool = True, round: int = 1) -> Fact:
    data = ABOUT | {"answer": "今晚检修", "registered": registered}
    return bench.fact(TicketAnswered.model_validate(data), subject=NUMBER, round=round)


def goes_on(bench: Bench, round: int = 2) -> Fact:
    return bench.fact(TicketReopened(reasons=(), comment="不满意"), subject=NUMBER, round=round)


async def desk(bench: Bench) -> list[str]:
    items = (await bench.http("desk").get("/v1/unassigned")).json()["items"]
    return [item["number"] for item in items]


async def ticket(bench: Bench) -> Any:
    return (await bench.http("desk").get(f"/v1/tickets/{NUMBER}/assignments")).json()


async def test_what_was_never_registered_is_not_dispatched_and_not_waited_for(
    dispatcher: Bench,
) -> None:
    await dispatcher.hear(answered(dispatcher, registered=False))
    assert await dispatcher.told() == []
    assert await dispatcher.parked() == []
    await register(dispatcher)  # it becomes an order after all
    assert await names(dispatcher) == ["assignment.dispatched"]
    await dispatcher.hear(answered(dispatcher, registered=False))  # late, and of before
    assert (await ticket(dispatcher))["status"] == "assigned"


async def test_what_the_desk_had_is_off_its_list(dispatcher: Bench) -> None:
    await register(dispatcher, banquet())
    data = ABOUT | {"reason_code": "x", "zh": "x", "en": "x", "registered": True}
    ended = TicketNotAccepted.model_validate(data)
    await dispatcher.hear(dispatcher.fact(ended, subject=NUMBER))
    assert await desk(dispatcher) == []
    found = await ticket(dispatcher)
    assert (found["status"], found["assignments"]) == ("ended", [])
    body = {"lead": "HC", "co_handlers": [], "reason": "属地管理"}
    await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", body, 409)


@pytest.mark.parametrize("signed", [False, True])
async def test_an_order_that_crossed_with_the_end_is_taken_back(
    dispatcher: Bench, signed: bool
) -> None:
    """The unit hears what any unit hears from which an order is taken."""
    [(unit, assignment)] = (await register(dispatcher)).items()
    if signed:
        await sign(dispatcher, unit, assignment)
    await dispatcher.hear(answered(dispatcher))
    [cancelled] = await dispatcher.told("assignment.cancelled")
    assert (cancelled.unit, cancelled.data.reason) == (unit, "redispatched")
    assert (await ticket(dispatcher))["status"] == "ended"


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_what_goes_on_is_the_desks_in_any_order(
    dispatcher: Bench, order: tuple[int, ...]
) -> None:
    matter = dispatcher.fact(street_light(), subject=NUMBER)
    facts = [matter, answered(dispatcher), goes_on(dispatcher)]
    for at in order:
        await dispatcher.hear(facts[at])
    await settle(dispatcher)
    assert await dispatcher.parked() == []
    assert await desk(dispatcher) == [NUMBER]
    found = await ticket(dispatcher)
    assert (found["status"], found["round"]) == ("unassigned", 2)
    assert [status for *_, status in await statuses(dispatcher)] == ["cancelled"]


async def test_the_desk_takes_an_order_back(dispatcher: Bench) -> None:
    """R-20: what a unit has, the hotline ends only when the desk has taken it back."""
    await register(dispatcher)
    path, body = f"/v1/tickets/{NUMBER}/recall", {"reason": "可直接答复"}
    assert (await post(dispatcher.http("desk"), path, body))["status"] == "unassigned"
    assert await desk(dispatcher) == [NUMBER]
    assert [status for *_, status in await statuses(dispatcher)] == ["cancelled"]
    again = await post(dispatcher.http("desk"), path, body, 409)
    assert again["allowed"] == ["assign"]
    await dispatcher.hear(answered(dispatcher))
    assert (await ticket(dispatcher))["status"] == "ended"
    await post(dispatcher.http("desk"), path, body, 409)
