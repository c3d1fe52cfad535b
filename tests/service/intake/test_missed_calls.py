"""漏接来电 Missed calls (R-46): on a list until somebody was reached, and no caller is lost on the way."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from services.intake import stuck
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import registered, rows

MOBILE, OTHER = "13909150001", "13800138000"
MINUTE = timedelta(minutes=1)


async def said(intake: Bench, id: str, event: str, phone: str = MOBILE, **more: Any) -> str:
    report = {"id": id, "event": event, "from": phone} | more
    answer = await intake.http("phone_system").post("/v1/calls", json=report)
    assert answer.status_code == 200, answer.text
    call: str = answer.json()["call"]
    return call


async def missed_call(intake: Bench, id: str, phone: str = MOBILE) -> str:
    await said(intake, id, "new", phone)
    return await said(intake, id, "hung_up", phone)


async def waiting(intake: Bench) -> list[dict[str, Any]]:
    answer = await intake.http("agent").get("/v1/missed-calls")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def rung(intake: Bench, call: str, outcome: str, status: int = 200) -> dict[str, Any]:
    path = f"/v1/missed-calls/{call}/tries"
    answer = await intake.http("agent").post(path, json={"outcome": outcome})
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_call_nobody_answered_is_listed_by_age_without_its_number(intake: Bench) -> None:
    """R-46 漏接来电."""
    first = await missed_call(intake, "1")
    intake.at(intake.now + MINUTE)
    second = await missed_call(intake, "2", OTHER)
    items = await waiting(intake)
    assert [item["call"] for item in items] == [first, second]
    assert MOBILE not in str(items)
    due = datetime.fromisoformat(items[1]["due"]) - datetime.fromisoformat(items[1]["since"])
    assert due == timedelta(hours=2)


async def test_a_call_of_which_nothing_more_is_heard_counts_as_missed(intake: Bench) -> None:
    call = await said(intake, "1", "new")
    intake.at(intake.now + 2 * MINUTE)
    assert await intake.run("miss_calls") == 0
    intake.at(intake.now + MINUTE)
    assert await intake.run("miss_calls") == 1
    assert [item["call"] for item in await waiting(intake)] == [call]


async def test_an_answered_call_is_on_no_list(intake: Bench) -> None:
    await said(intake, "1", "new")
    await said(intake, "1", "answered")
    await said(intake, "1", "hung_up")
    intake.at(intake.now + 10 * MINUTE)
    await intake.run("miss_calls")
    assert await waiting(intake) == []


@pytest.mark.parametrize("withheld", ["anonymous", "unknown", ""])
async def test_who_withholds_the_number_is_counted_and_not_listed(
    intake: Bench, withheld: str
) -> None:
    call = await missed_call(intake, "1", withheld)
    page = (await intake.http("desk").get("/v1/missed-calls")).json()
    assert (page["items"], page["withheld_today"]) == ([], 1)
    await rung(intake, call, "reached", 404)
    await said(intake, "1", "new", MOBILE)  # the number comes late
    assert [item["call"] for item in await waiting(intake)] == [call]


async def test_one_person_who_rings_often_is_one_line_since_the_first_call(intake: Bench) -> None:
    await missed_call(intake, "1")
    intake.at(intake.now + 5 * MINUTE)
    second = await missed_call(intake, "2", "+8613909150001")
    [item] = await waiting(intake)
    assert (item["call"], item["times"]) == (second, 2)
    assert datetime.fromisoformat(item["since"]) == intake.now - 5 * MINUTE
    await rung(intake, second, "reached")
    assert await waiting(intake) == []


async def test_an_agent_takes_one_and_the_list_says_who(intake: Bench) -> None:
    ticket = (await registered(intake))["number"]
    call = await missed_call(intake, "1")
    agent = intake.http("agent", None, "li")
    answer = await agent.post(f"/v1/missed-calls/{call}/contact-reads", json={"reason": "回拨"})
    assert answer.json()["phone"] == MOBILE
    assert [item["number"] for item in answer.json()["tickets"]["items"]] == [ticket]
    [item] = await waiting(intake)
    assert item["taken_by"] == "agent:li"
    assert (await rows(intake, "contact_read"))[0]["actor"] == "agent:li"
    for role in ("phone_system", "supervisor", "callback", "service", "ops"):
        client = intake.http(role)
        path = f"/v1/missed-calls/{call}/contact-reads"
        assert (await client.post(path, json={"reason": "x"})).status_code == 403
        assert (await client.get("/v1/missed-calls")).status_code == 403


async def test_after_as_many_tries_on_as_many_days_as_configured_it_ends(intake: Bench) -> None:
    """R-46; calls.yaml: three tries, on two days at least."""
    call = await missed_call(intake, "1")
    for outcome in ("no_answer", "busy", "wrong_number"):
        assert (await rung(intake, call, outcome))["ending"] is None
    tries = (await waiting(intake))[0]["tries"]
    assert [one["outcome"] for one in tries] == ["no_answer", "busy", "wrong_number"]
    intake.at(intake.now + timedelta(days=1))
    assert (await rung(intake, call, "no_answer"))["ending"] == "unreachable"
    assert await waiting(intake) == []
    await missed_call(intake, "2")  # who rings again begins anew
    assert len(await waiting(intake)) == 1


async def test_a_try_that_is_sent_again_counts_once(intake: Bench) -> None:
    call = await missed_call(intake, "1")
    for _ in range(2):
        await intake.http("agent").post(
            f"/v1/missed-calls/{call}/tries",
            json={"outcome": "busy"},
            headers={"Idempotency-Key": "once"},
        )
    assert len((await waiting(intake))[0]["tries"]) == 1


async def test_who_rings_again_and_is_answered_or_registered_need_not_be_rung_back(
    intake: Bench,
) -> None:
    await missed_call(intake, "1")
    intake.at(intake.now + MINUTE)
    await said(intake, "2", "answered")
    assert await waiting(intake) == []
    call = await missed_call(intake, "3", OTHER)
    await registered(intake, call=call)
    assert await waiting(intake) == []
    endings = {row["ending"] for row in await rows(intake, "phone_call")}
    assert endings == {"called_again", "registered", None}
    assert {row["caller"] for row in await rows(intake, "phone_call")} == {None}


async def test_those_past_their_time_stand_on_the_morning_page(intake: Bench) -> None:
    call = await missed_call(intake, "1")
    [question] = [one for one in stuck.QUESTIONS if one.slug == "unrung"]
    intake.at(intake.now + timedelta(minutes=119))
    async with intake.service.store.act("ops") as act:
        assert await question.find(act, act.now) == []
    intake.at(intake.now + MINUTE)
    async with intake.service.store.act("ops") as act:
        assert [one.subject for one in await question.find(act, act.now)] == [call]


async def test_pages_of_missed_calls_hold_each_person_once(intake: Bench) -> None:
    for n in range(5):
        await missed_call(intake, f"{n}", f"1390915000{n % 4}")
    found, after = [], None
    while True:
        params = {"limit": "2"} | ({"after": after} if after else {})
        page = (await intake.http("agent").get("/v1/missed-calls", params=params)).json()
        found += [item["call"] for item in page["items"]]
        if not (after := page["next"]):
            break
    assert len(found) == len(set(found)) == 4


@pytest.mark.parametrize("seed", range(30))
async def test_no_order_of_events_loses_a_missed_call(intake: Bench, seed: int) -> None:
    """R-46: reports of six calls of two people, shuffled, some sent twice: who was missed after he was last
    answered stands on the list, and who has no missed call does not.
    """
    throw = Random(seed)
    began = intake.now
    reports, missed, answered = [], dict[str, int](), dict[str, int]()
    for n in range(6):
        phone, at = throw.choice((MOBILE, OTHER)), n * 10
        taken = throw.random() < 0.4
        happened = [("new", at), *([("answered", at + 1)] if taken else []), ("hung_up", at + 2)]
        (answered if taken else missed)[phone] = n
        for event, minute in happened:
            said_once = (f"call-{seed}-{n}", event, phone, (began + minute * MINUTE).isoformat())
            reports += [said_once] * throw.randint(1, 2)
    throw.shuffle(reports)
    owed = {phone for phone, n in missed.items() if n > answered.get(phone, -1)}
    phones: dict[str, str] = {}
    for _ in range(2):  # and all of it once more
        for id, event, phone, moment in reports:
            phones[await said(intake, id, event, phone, at=moment)] = phone
        listed = {phones[item["call"]] for item in await waiting(intake)}
        assert owed <= listed <= missed.keys()
    assert listed == owed  # once all is known, nobody is rung in vain
