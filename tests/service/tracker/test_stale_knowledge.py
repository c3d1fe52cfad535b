"""Stale entries of the county's knowledge base (知识库条目失效) raise a supervision (R-39, ADR 0088)."""

from __future__ import annotations

from typing import Any

from shared.events import Role
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import GT, TICKET, Story, at
from tests.fixtures.scenes.tracker_doors import slug, supervise

STALE = {"entry": "停水抢修电话（供水类003）", "wrong": "仍为旧号码，来电人打不通"}
SAID = {"measures": "已更新条目并通知话务员", "result": "已核对"}
PUT_RIGHT = {"put_right": "抢修电话改为新号码，五月一日起启用"}


async def find_stale(tracker: Bench, number: str = TICKET, **what: Any) -> Any:
    path = f"/v1/tickets/{number}/stale-knowledge"
    return await tracker.http("supervisor").post(path, json=STALE | what)


async def answer(tracker: Bench, id: str, **what: Any) -> Any:
    path = f"/v1/supervisions/{id}/answer"
    return await tracker.http("unit", "HC").post(path, json=SAID | what)


async def close(tracker: Bench, id: str, what: str) -> None:
    said = {"reason": "误登"} if what == "withdrawal" else {"reason": "属实", "accepted": True}
    closed = await tracker.http("supervisor").post(f"/v1/supervisions/{id}/{what}", json=said)
    assert closed.status_code == 200, closed.text


async def test_a_stale_entry_presses_its_unit_until_it_says_what_was_put_right(
    tracker: Bench, open_ticket: Story
) -> None:
    """R-39 R-30 JN-28(3): which entry, what is wrong; whatever stands already, once an entry."""
    helping = open_ticket.dispatched("03-02 10:10", id=GT, unit="GT", role=Role.CO, lead="HC")
    await tracker.hear(helping)
    await supervise(tracker, rung=3)
    done = await find_stale(tracker)
    assert done.status_code == 200, done.text
    assert (done.json()["rung"], done.json()["stale_knowledge"]) == (1, STALE)
    [_, fact] = await tracker.told("supervision.raised")
    assert (fact.unit, fact.data.stale_knowledge.entry) == ("HC", STALE["entry"])
    assert fact.data.answer_due == at("03-03 18:00")
    await tracker.hear(fact)
    told = (await tracker.told("staff.told"))[-1].data
    assert "请于2026年3月3日18:00前更正知识库失效条目并回复" in told.zh
    assert "put the stale entry of the knowledge base right, and answer by" in told.en
    again = await find_stale(tracker, wrong="地址也不对")
    assert (again.status_code, slug(again)) == (409, "knowledge-stands")
    assert (await find_stale(tracker, entry="供水类004")).status_code == 200
    refused = await answer(tracker, done.json()["id"])
    assert (refused.status_code, slug(refused)) == (422, "put-right-missing")
    given = await answer(tracker, done.json()["id"], **PUT_RIGHT)
    assert given.json()["answers"][0]["put_right"] == PUT_RIGHT["put_right"]
    [said] = await tracker.told("supervision.answered")
    assert said.data.put_right == PUT_RIGHT["put_right"]
    await close(tracker, done.json()["id"], "ruling")
    assert (await find_stale(tracker)).status_code == 200


async def test_of_anything_else_there_is_no_entry_to_put_right(
    tracker: Bench, open_ticket: Story
) -> None:
    assert open_ticket
    by_hand = (await supervise(tracker)).json()["id"]
    refused = await answer(tracker, by_hand, **PUT_RIGHT)
    assert (refused.status_code, slug(refused)) == (422, "put-right-missing")
    assert (await answer(tracker, by_hand)).status_code == 200


async def test_the_end_of_its_order_puts_nothing_right(tracker: Bench, open_ticket: Story) -> None:
    """R-39: it stands until it is answered; what shows after the end presses who answered."""
    before = (await find_stale(tracker)).json()["id"]
    await tracker.hear(open_ticket.completed("03-02 14:00"))
    after = (await find_stale(tracker, entry="供水类004")).json()
    assert after["unit"] == "HC"
    assert await tracker.told("supervision.closed") == []
    own = (await tracker.http("unit", "HC").get("/v1/supervisions")).json()["items"]
    assert {each["id"] for each in own} == {before, after["id"]}
    assert (await answer(tracker, before, **PUT_RIGHT)).status_code == 200
    await close(tracker, before, "ruling")
    await close(tracker, after["id"], "withdrawal")
    assert len(await tracker.told("supervision.closed")) == 2


async def test_who_gave_the_ticket_back_is_not_pressed(tracker: Bench, story: Story) -> None:
    await tracker.hear(story.registered())
    for path in (TICKET, "20260302-000009"):
        refused = await find_stale(tracker, path)
        assert refused.status_code == (409 if path == TICKET else 404)
    await tracker.hear(story.dispatched(), story.returned("03-02 12:00"))
    assert (await find_stale(tracker)).json()["current_status"] == "unassigned"
