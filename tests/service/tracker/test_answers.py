"""What a unit answers to a supervision (督办回复), and how a supervisor rules on it (R-30, ADR 0066)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from services.tracker.settings import Config
from shared.storage.act import Store
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import Story, at, local
from tests.fixtures.scenes.tracker_doors import slug, supervise
from tests.fixtures.scenes.worklist import by_its_lists, worklist

SAID = {"measures": "增派两个班组抢修，电话13812345678", "result": "当晚恢复供水"}
LED = {"led_by": "王建国", "led_by_post": "局长"}
ACCEPT = {"accepted": True, "reason": "属实"}
AGAIN = {"accepted": False, "reason": "未说明成效", "answer_due": "2026-03-09T18:00:00+08:00"}


async def answer(tracker: Bench, id: str, unit: str = "HC", **what: Any) -> Any:
    path = f"/v1/supervisions/{id}/answer"
    return await tracker.http("unit", unit).post(path, json=SAID | what)


async def rule(tracker: Bench, id: str, ruling: dict[str, Any]) -> Any:
    return await tracker.http("supervisor").post(f"/v1/supervisions/{id}/ruling", json=ruling)


async def listed(tracker: Bench, **query: Any) -> Any:
    return (await tracker.http("supervisor").get("/v1/supervisions", params=query)).json()


@pytest.fixture
async def raised(tracker: Bench, open_ticket: Story) -> str:
    """A supervision order, to be answered by the fifth, 18:00."""
    assert open_ticket
    return str((await supervise(tracker)).json()["id"])


async def test_the_first_answer_stands_and_is_told_without_anybody_s_number(
    tracker: Bench, raised: str
) -> None:
    """R-30."""
    given = await answer(tracker, raised, **LED)
    assert given.status_code == 200, given.text
    again = await answer(tracker, raised, measures="另一说法")
    assert (again.status_code, slug(again)) == (409, "supervision-answered")
    first, named = (datetime.fromisoformat(each.json()["answered_at"]) for each in (given, again))
    assert named == first
    [told] = await tracker.told("supervision.answered")
    assert (told.key, told.data.rung, told.data.late) == ("supervision.answered.HC", 2, False)
    assert (told.data.led_by, told.data.led_by_post) == ("王建国", "局长")
    assert "13812345678" not in told.model_dump_json() + given.text
    [item] = (await listed(tracker, answered=True))["items"]
    assert item["answers"][0]["result"] == SAID["result"]
    assert (await listed(tracker, answered=False))["items"] == []
    assert (await listed(tracker))["counts"]["answered"] == 1


async def test_nobody_else_answers(tracker: Bench, raised: str) -> None:
    assert (await answer(tracker, raised, "GT")).status_code == 404
    assert (await answer(tracker, str(UUID(int=7)))).status_code == 404
    assert await tracker.told("supervision.answered") == []


@pytest.mark.usefixtures("open_ticket")
async def test_what_the_head_leads_says_who_led(tracker: Bench) -> None:
    """SEED 一把手督办: name and post."""
    head_led = (await supervise(tracker, rung=3)).json()["id"]
    refused = await answer(tracker, head_led)
    assert (refused.status_code, slug(refused)) == (422, "leader-missing")
    assert (await answer(tracker, head_led, led_by="王建国")).status_code == 422
    assert (await answer(tracker, head_led, **LED)).status_code == 200


@pytest.mark.usefixtures("open_ticket")
async def test_which_rung_the_head_leads_the_ladder_says(tracker: Bench) -> None:
    """Whatever a county calls it."""
    store: Store[Config] = tracker.service.store
    rules = store.config.rules
    ladder = [
        rung.model_copy(update={"zh": "领导包案", "led_by_head": rung.rung == 4})
        for rung in rules.ladder
    ]
    rules = rules.model_copy(update={"ladder": tuple(ladder)})
    store.config = replace(store.config, rules=rules)
    third = (await supervise(tracker, rung=3)).json()["id"]
    assert (await answer(tracker, third)).status_code == 200
    fourth = (await supervise(tracker, rung=4)).json()["id"]
    assert slug(await answer(tracker, fourth)) == "leader-missing"
    assert (await answer(tracker, fourth, **LED)).status_code == 200


async def test_what_is_accepted_is_closed_by_that_and_by_nothing_later(
    tracker: Bench, open_ticket: Story, raised: str
) -> None:
    await tracker.hear(open_ticket.signed("03-02 11:00"))
    unanswered = await rule(tracker, raised, ACCEPT)
    assert (unanswered.status_code, unanswered.json()["current_status"]) == (409, "unanswered")
    await answer(tracker, raised)
    accepted = await rule(tracker, raised, ACCEPT)
    assert accepted.status_code == 200, accepted.text
    [closed] = await tracker.told("supervision.closed")
    assert closed.data.reason.startswith("回复已认可：属实")
    assert (await listed(tracker))["items"] == []
    assert (await rule(tracker, raised, AGAIN)).json()["current_status"] == "closed"
    await tracker.hear(open_ticket.completed("03-04 10:00"))
    shown = await tracker.http("supervisor").get(f"/v1/tickets/{open_ticket.subject}/clocks")
    [kept] = shown.json()["supervisions"]
    assert kept["close_reason"].startswith("回复已认可")
    assert kept["answers"][0]["ruling"]["accepted"] is True
    assert len(await tracker.told("supervision.closed")) == 1


async def test_what_is_sent_back_is_answered_again_and_both_answers_stay(
    tracker: Bench, raised: str
) -> None:
    """R-30: the first was in time; the second comes after the new date, and is on record as late."""
    await answer(tracker, raised)
    past = await rule(tracker, raised, AGAIN | {"answer_due": "2026-03-02T08:00:00+08:00"})
    assert (past.status_code, slug(past)) == (422, "answer-due-wrong")
    never = await rule(tracker, raised, AGAIN | {"answer_due": "9999-12-31T23:59:59Z"})
    assert (never.status_code, slug(never), never.json()["field"]) == (
        422,
        "answer-due-wrong",
        "answer_due",
    )
    assert "最迟2026年3月23日18:00" in never.json()["detail"]  # cap_total_handle
    for wrong in (ACCEPT | {"answer_due": AGAIN["answer_due"]}, ACCEPT | {"accepted": False}):
        assert (await rule(tracker, raised, wrong)).status_code == 422
    assert (await rule(tracker, raised, AGAIN)).status_code == 200
    [told] = await tracker.told("supervision.sent_back")
    assert (told.unit, told.data.answer_due) == ("HC", at("03-09 18:00"))
    [item] = (await listed(tracker, answered=False))["items"]
    assert (item["answered_at"], local(told.data.answer_due)) == (None, "03-09 18:00")
    tracker.at("2026-03-10T09:00+08:00")
    second = (await answer(tracker, raised, result="已修复")).json()["answers"]
    assert [(each["result"], each["late"]) for each in second] == [
        (SAID["result"], False),
        ("已修复", True),
    ]
    assert second[0]["ruling"]["reason"] == AGAIN["reason"]
    page = await listed(tracker)
    assert (page["counts"]["overdue"], page["counts"]["answered"]) == (1, 1)


async def test_an_answer_in_time_is_never_overdue(tracker: Bench, raised: str) -> None:
    """Who answered waits for the supervisor, and the worklists say so."""
    await answer(tracker, raised)
    tracker.at("2026-03-20T09:00+08:00")
    said = await worklist(tracker, "supervisor")
    assert said == await by_its_lists(tracker, "supervisor")
    assert said["unanswered"] == (0, 0, None)
    assert said["answers"][:2] == (1, 0)
    unit = await worklist(tracker, "unit", "HC")
    assert unit == await by_its_lists(tracker, "unit", "HC")
    assert unit["supervisions"] == (0, 0, None)
    await rule(tracker, raised, AGAIN | {"answer_due": "2026-03-23T18:00:00+08:00"})
    assert (await worklist(tracker, "supervisor"))["unanswered"][:2] == (1, 0)
    assert (await worklist(tracker, "unit", "HC"))["supervisions"][:2] == (1, 0)
