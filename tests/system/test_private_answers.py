"""What is said of people: kept in no cache, tied to no other ticket, read by no unit that is gone."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from operations.runtime.registry import part
from shared.events import TicketUrged
from shared.jurisdiction.codes import Units
from shared.observability import trace
from shared.stuck import Stuck
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import NUMBER, register, street_light
from tests.fixtures.scenes.intake import complaint, registered

THEIRS = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_nothing_under_v1_stays_in_a_cache(intake: Bench) -> None:
    ticket = await registered(intake)
    path, code = f"/v1/tickets/{ticket['number']}", {"X-Ticket-Code": ticket["code"]}
    client, nobody = intake.http("desk"), intake.http(None)
    answers = [
        await client.get(path),
        await client.get("/v1/tickets"),
        await nobody.get(f"{path}/progress", headers=code),
        await nobody.get(f"{path}/progress", headers={"X-Ticket-Code": "WRONG2222"}),
        await client.post(f"{path}/contact-reads", json={"reason": "约上门"}),
        await client.post("/v1/tickets", json=complaint()),
        await nobody.get("/v1/nothing"),
    ]
    assert {answer.headers.get("cache-control") for answer in answers} == {"no-store"}
    tables = await client.get("/v1/codes/topics")
    assert tables.headers["cache-control"] == "private, no-cache"
    assert "cache-control" not in (await nobody.get("/healthz")).headers


async def test_a_callers_trace_travels_to_nobody(intake: Bench) -> None:
    client = intake.http("phone_system")
    await client.post("/v1/tickets", json=complaint(), headers={"traceparent": THEIRS})
    [fact] = await intake.told()
    assert fact.traceparent is not None
    assert THEIRS[3:35] not in fact.traceparent


async def test_a_batch_ties_no_two_tickets_together(intake: Bench) -> None:
    said = {"tickets": [complaint(content=f"路灯不亮 {n}") for n in range(20)]}
    answer = await intake.http("phone_system").post("/v1/tickets/batch", json=said)
    assert answer.status_code == 200
    told = await intake.told("ticket.registered")
    assert len({fact.traceparent for fact in told}) == len(told) == 20


async def test_one_tick_ties_no_two_tickets_together(intake: Bench) -> None:
    store = intake.service.store
    with trace(None):
        async with store.act("service:intake") as act:
            for number in ("20260302-000001", "20260302-000002", "20260302-000001"):
                act.tell(TicketUrged(note="急", times=1), subject=number, round=1)
    first, second, again = await intake.told()
    assert first.traceparent == again.traceparent != second.traceparent


# --- a unit that was taken out of units.yaml ---------------------------------------------------


@pytest.fixture
async def without(dispatcher: Bench) -> tuple[Bench, str]:
    """The dispatcher after the unit that holds a ticket was removed; its code."""
    await register(dispatcher, street_light())
    [fact, *_] = await dispatcher.told("assignment.dispatched")
    assert fact.unit is not None
    config = dispatcher.service.store.config
    left = [unit for unit in config.units.units if unit.code != fact.unit]
    units = Units(units=tuple(left))
    object.__setattr__(config, "units", units)
    return dispatcher, fact.unit


async def test_its_token_opens_nothing_and_its_orders_wait_for_the_desk(
    without: tuple[Bench, str],
) -> None:
    dispatcher, code = without
    client = dispatcher.http("unit", code)
    for path in (f"/v1/units/{code}/feed", f"/v1/tickets/{NUMBER}/assignments"):
        assert (await client.get(path)).status_code == 403
    answer = await dispatcher.http("desk").get(f"/v1/tickets/{NUMBER}/assignments")
    assert [row["unit"] for row in answer.json()["assignments"]] == [code]


async def test_the_morning_page_names_it(without: tuple[Bench, str]) -> None:
    dispatcher, code = without
    [question] = [each for each in part("dispatcher").stuck.questions if each.slug == "removed"]
    async with dispatcher.service.store.act("ops") as act:
        [stuck] = await question.find(act, act.now)
    assert isinstance(stuck, Stuck)
    assert stuck.subject == code


async def test_a_change_of_the_units_is_looked_at_once(without: tuple[Bench, str]) -> None:
    dispatcher, code = without
    with capture_logs() as lines:
        for _ in range(3):
            await dispatcher.run("warn_of_removed")
    assert [line["unit"] for line in lines if "not in units.yaml" in line["event"]] == [code]


async def test_the_tracker_lets_in_no_unit_that_is_not_there(tracker: Bench) -> None:
    for code, status in (("HC", 200), ("GONE", 403)):
        answer = await tracker.http("unit", code).get("/v1/rates?by=unit")
        assert answer.status_code == status, code
