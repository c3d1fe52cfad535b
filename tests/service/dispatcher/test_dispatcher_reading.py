"""Who may read what of the dispatcher, and the unit feed."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from services.dispatcher.feed import Streams
from services.dispatcher.models import Deliveries
from shared.events import AssignmentCompleted
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import (
    COMPANY,
    COMPANY_CO,
    NUMBER,
    STREET_LIGHT,
    banquet,
    company,
    finish,
    register,
    sign,
    street_light,
    warned,
)
from tests.fixtures.scenes.feed import delivered, listening, page, quick

__all__ = ["quick"]  # a fixture

# --- who sees what -----------------------------------------------------------------------------


async def test_the_lead_sees_its_co_handlers_and_they_see_themselves(dispatcher: Bench) -> None:
    await register(dispatcher, company())
    path = f"/v1/tickets/{NUMBER}/assignments"

    async def seen(unit: str) -> set[str]:
        answer = await dispatcher.http("unit", unit).get(path)
        assert answer.status_code == 200
        return {each["unit"] for each in answer.json()["assignments"]}

    assert await seen(COMPANY) == {COMPANY, *COMPANY_CO}
    assert await seen("SWJ") == {"SWJ"}
    assert (await dispatcher.http("unit", "HC").get(path)).status_code == 404
    desk = (await dispatcher.http("desk").get(path)).json()
    assert (desk["status"], len(desk["assignments"])) == ("assigned", 4)
    missing = await dispatcher.http("desk").get("/v1/tickets/20260302-999999/assignments")
    assert missing.status_code == 404


async def test_a_units_assignments_come_in_pages(dispatcher: Bench) -> None:
    numbers = [f"20260302-00000{count}" for count in range(1, 6)]
    for number in numbers:
        await register(dispatcher, number=number)
    client, path = dispatcher.http("unit", STREET_LIGHT), f"/v1/units/{STREET_LIGHT}/assignments"
    got: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    for _ in range(3):
        page = (await client.get(path, params=query)).json()
        got += [order["number"] for order in page["items"]]
        query["after"] = page["next"]
    assert (got, page["next"]) == (numbers, None)


async def test_a_units_list_says_what_each_order_is_about(dispatcher: Bench) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    client, path = dispatcher.http("unit", STREET_LIGHT), f"/v1/units/{STREET_LIGHT}/assignments"
    (order,) = (await client.get(path)).json()["items"]
    wanted = {
        "id": str(given),
        "number": NUMBER,
        "status": "dispatched",
        "sentence": {
            "zh": "待签收：由承办单位签收并指定经办人",
            "en": "The unit must sign and name its handler",
        },
        "type": "complaint",
        "urgency": "normal",
        "topic": "lighting.street",
        "title": "路灯不亮",
        "content": "滨江路路灯坏了一周",
        "area": "610924100",
        "address": "滨江路8号",
        "registered_at": "2026-03-02T01:00:00Z",
        "dispatched_at": "2026-03-02T01:00:00Z",
        "limits": dict.fromkeys(("attend", "rule", "law", "upstream"))
        | {"sign": "4wh", "first_contact": "1wd", "handle": "5wd"},
    }
    assert {field: order[field] for field in wanted} == wanted


async def test_a_units_list_hides_where_a_confidential_matter_is(dispatcher: Bench) -> None:
    await register(dispatcher, street_light(confidential=True))
    client, path = dispatcher.http("unit", STREET_LIGHT), f"/v1/units/{STREET_LIGHT}/assignments"
    (order,) = (await client.get(path)).json()["items"]
    assert (order["area"], order["address"]) == ("610924100", None)


async def test_a_units_assignments_by_status(dispatcher: Bench) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    await register(dispatcher, number="20260302-000002")
    await sign(dispatcher, STREET_LIGHT, given)
    client, path = dispatcher.http("supervisor"), f"/v1/units/{STREET_LIGHT}/assignments"
    signed = (await client.get(path, params={"status": ["signed", "contacted"]})).json()
    assert [order["id"] for order in signed["items"]] == [str(given)]
    wrong = await client.get(path, params={"status": "asleep"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "status")


async def test_a_unit_reads_its_own_only(dispatcher: Bench) -> None:
    for path in ("/v1/units/HC/assignments", "/v1/units/HC/feed"):
        assert (await dispatcher.http("unit", "GAJ").get(path)).status_code == 404
        assert (await dispatcher.http("unit", "HC").get(path)).status_code == 200
        assert (await dispatcher.http("phone_system").get(path)).status_code == 403
    assert (await dispatcher.http("desk").get("/v1/units/NOBODY/feed")).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/v1/unassigned?after=1%20or%201",
        "/v1/units/HC/assignments?after=7",
        "/v1/units/HC/feed?after=x",
        "/v1/units/HC/feed?after=-1",
        "/v1/units/HC/feed?after=1",
        "/v1/units/HC/feed?after=99999999999999999999",
        "/v1/units/HC/feed?after=%D9%A1",
    ],
)
async def test_a_cursor_that_was_never_given_is_refused(dispatcher: Bench, path: str) -> None:
    answer = await dispatcher.http("desk").get(path)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (400, "bad-cursor")


async def test_a_completion_is_shown_as_it_was_told(dispatcher: Bench) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    answer = await finish(dispatcher, STREET_LIGHT, given)
    (fact,) = await dispatcher.told("assignment.completed")
    assert AssignmentCompleted.model_validate(answer["completion"]) == fact.data


# --- the unit feed -----------------------------------------------------------------------------


async def test_the_feed_holds_every_fact_addressed_to_the_unit(dispatcher: Bench) -> None:
    """R-40 数据推送."""
    await register(dispatcher, company())
    await delivered(dispatcher, warned(dispatcher, COMPANY), warned(dispatcher, "HC"))
    got = await page(dispatcher, COMPANY)
    assert [item["fact"]["type"] for item in got["items"]] == [
        "cn.jiesu.assignment.dispatched.v1",
        "cn.jiesu.deadline.warned.v1",
    ]
    assert {item["fact"]["unit"] for item in got["items"]} == {COMPANY}
    assert got["items"][0]["fact"]["data"]["title"] == "茶企开办"
    assert (got["more"], got["next"]) == (False, got["items"][-1]["position"])
    assert len((await page(dispatcher, "HC"))["items"]) == 1
    assert (await page(dispatcher, "GAJ"))["items"] == []


async def test_what_is_addressed_to_nobody_is_in_no_feed(dispatcher: Bench) -> None:
    await register(dispatcher, banquet())
    await delivered(dispatcher)
    assert await dispatcher.rows("SELECT * FROM feed") == []


async def test_the_feed_comes_in_pages(dispatcher: Bench) -> None:
    facts = [warned(dispatcher, "HC") for _ in range(5)]
    await delivered(dispatcher, *facts)
    got: list[str] = []
    after, more = 0, True
    while more:
        found = await page(dispatcher, "HC", after=after, limit=2)
        got += [item["fact"]["id"] for item in found["items"]]
        after, more = found["next"], found["more"]
    assert sorted(got) == sorted(str(fact.id) for fact in facts)
    assert await page(dispatcher, "HC", after=after) == {"items": [], "next": after, "more": False}


async def test_a_fact_delivered_twice_stands_once(dispatcher: Bench) -> None:
    fact = warned(dispatcher, "HC")
    await delivered(dispatcher, fact, fact)
    await delivered(dispatcher, fact)
    assert len((await page(dispatcher, "HC"))["items"]) == 1


async def test_a_late_commit_is_not_missed(dispatcher: Bench) -> None:
    """The lower id commits last: a reader by id who saw the higher one would never see it."""

    def delivery() -> Deliveries:
        return Deliveries(
            unit="HC",
            fact=uuid4(),
            name="deadline.warned",
            body="{}",
            received_at=dispatcher.now,
        )

    store = dispatcher.service.store
    async with store.act("service:dispatcher") as slow:
        slow.session.add(delivery())
        await slow.session.flush()
        async with store.act("service:dispatcher") as quick:
            quick.session.add(delivery())
        await dispatcher.run("number_feed")
        first = await page(dispatcher, "HC")
    assert await dispatcher.run("number_feed") == 1
    second = await page(dispatcher, "HC", after=first["next"])
    assert [item["position"] for item in first["items"]] == [1]
    assert [item["position"] for item in second["items"]] == [2]
    rows = await dispatcher.rows("SELECT id, position FROM feed ORDER BY position")
    assert [row["position"] for row in rows] == [1, 2]
    assert rows[0]["id"] > rows[1]["id"]


async def test_two_who_number_at_once_give_each_place_once(dispatcher: Bench) -> None:
    await dispatcher.hear(*(warned(dispatcher, "HC") for _ in range(30)))
    job, store = dispatcher.service.jobs["number_feed"], dispatcher.service.store
    moved = await asyncio.gather(*(job.run(store, 20) for _ in range(3)))
    assert sum(moved) == 30
    rows = await dispatcher.rows("SELECT position FROM feed ORDER BY position")
    assert [row["position"] for row in rows] == list(range(1, 31))


async def test_the_job_is_due_while_something_waits(dispatcher: Bench) -> None:
    assert await dispatcher.service.next_due() is None
    await dispatcher.hear(warned(dispatcher, "HC"))
    assert await dispatcher.service.next_due() == dispatcher.now
    await dispatcher.run("number_feed")
    assert await dispatcher.service.next_due() is None


# --- the stream --------------------------------------------------------------------------------


async def test_the_stream_goes_on_with_what_comes(quick: Bench) -> None:
    await delivered(quick, warned(quick, "HC"))
    async with listening(quick, "HC") as stream:
        first = await stream.next_fact()
        assert stream.status == 200
        assert stream.headers["content-type"].partition(";")[0] == "text/event-stream"
        assert (first["id"], first["event"]) == ("1", "cn.jiesu.deadline.warned.v1")
        assert list(first) == ["id", "event", "data"]
        later = warned(quick, "HC")
        await delivered(quick, warned(quick, "GAJ"), later)
        second = await stream.next_fact()
        assert json.loads(second["data"])["id"] == str(later.id)


async def test_nobody_between_keeps_an_event_back(quick: Bench) -> None:
    async with listening(quick, "HC") as stream:
        await stream.next()
        assert stream.headers["cache-control"] == "no-cache, no-store"
        assert stream.headers["x-accel-buffering"] == "no"


async def test_a_stream_resumes_behind_the_last_event(quick: Bench) -> None:
    await delivered(quick, *(warned(quick, "HC") for _ in range(3)))
    async with listening(quick, "HC", last="2") as stream:
        assert (await stream.next_fact())["id"] == "3"


async def test_a_quiet_stream_beats(quick: Bench) -> None:
    async with listening(quick, "HC") as stream:
        assert await stream.next() == {"comment": "ping"}
        assert await stream.next() == {"comment": "ping"}


async def test_a_stream_that_was_never_given_is_refused(quick: Bench) -> None:
    async with listening(quick, "HC", last="7") as stream:
        await stream.next()
        assert stream.status == 400


async def test_one_caller_holds_only_so_many_streams(quick: Bench) -> None:
    quick.app.state.streams = Streams(1)
    async with listening(quick, "HC") as first:
        await first.next()
        async with listening(quick, "HC") as second, listening(quick, "GAJ") as other:
            await second.next()
            await other.next()
            assert (second.status, other.status) == (429, 200)
    async with listening(quick, "HC") as again:  # the first is gone
        await again.next()
        assert again.status == 200


async def test_a_stream_ends_when_the_service_stops(quick: Bench) -> None:
    async with listening(quick, "HC", stays=True) as stream:
        await stream.next()
        quick.service.stopping.set()


async def test_a_stream_ends_before_its_token_is_long_forgotten(quick: Bench) -> None:
    config = quick.service.store.config
    quick.service.store.config = replace(config, feed=replace(config.feed, life=0.05))
    async with listening(quick, "HC", stays=True):
        pass
