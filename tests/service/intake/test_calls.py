"""Calls of the exchange: who is on the line, drafts, registration by call, and where no number stands."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from operations import vault as custody
from services.intake import stuck
from services.intake.calls.records import bound_call
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import (
    complaint,
    post,
    read_on_duty,
    read_to_call,
    registered,
    rows,
    tables,
)

MOBILE, ANI = "13909150001", "sip:13909150001@10.0.0.8"
CALL_ID = f"1795732602.9014-{MOBILE}"


async def said(intake: Bench, event: Any = "new", **changes: Any) -> dict[str, Any]:
    """What the exchange says of a call."""
    report = {"id": CALL_ID, "event": event, "from": MOBILE, "to": "12345", "agent": "li"} | changes
    answer = await intake.http("phone_system").post("/v1/calls", json=report)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def popped(intake: Bench, pop: str, name: str = "li", role: str = "agent") -> Any:
    return await intake.http(role, None, name).get(f"/v1/calls/pop/{pop}")


# --- the agent's screen ------------------------------------------------------------------------


async def test_a_pop_shows_its_agent_who_rings_once(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    heard = await said(intake)
    answer = await popped(intake, heard["pop"])
    assert answer.status_code == 200
    assert answer.json()["phone"] == MOBILE
    assert [item["number"] for item in answer.json()["tickets"]["items"]] == [number]
    assert answer.headers["cache-control"] == "no-store"
    assert (await popped(intake, heard["pop"])).status_code == 404
    [log] = await rows(intake, "contact_read")
    assert (log["deed"], log["actor"], log["number"]) == ("lookup", "agent:li", number)


async def test_a_pop_is_nobody_elses_and_does_not_last(intake: Bench) -> None:
    heard = await said(intake)
    assert (await popped(intake, heard["pop"], "wang")).status_code == 404
    for role in ("desk", "phone_system", "supervisor"):
        assert (await popped(intake, heard["pop"], role=role)).status_code == 403
    assert (await popped(intake, "x" * 22)).status_code == 404
    intake.at(intake.now + timedelta(minutes=2))
    assert (await popped(intake, heard["pop"])).status_code == 404
    again = await said(intake, "answered")  # a screen that lost it gets another
    assert again["pop"] != heard["pop"]
    assert (await popped(intake, again["pop"])).status_code == 200


async def test_a_pop_still_opens_when_the_call_was_answered_meanwhile(intake: Bench) -> None:
    """It rings, and is answered before the agent's screen has asked: its address still holds."""
    heard = await said(intake)
    intake.at(intake.now + timedelta(seconds=90))
    answered = await said(intake, "answered")
    assert answered["pop"] == heard["pop"]
    intake.at(intake.now + timedelta(seconds=90))  # as long again since it was last given
    assert (await popped(intake, heard["pop"])).status_code == 200
    assert (await popped(intake, heard["pop"])).status_code == 404
    assert (await said(intake, "answered"))["pop"] != heard["pop"]  # opened: another


async def test_a_pop_that_was_given_by_another_release_is_not_taken_for_ours(intake: Bench) -> None:
    heard = await said(intake)
    await intake.do("UPDATE phone_call SET pop = 'given meanwhile'::bytea")
    assert (await said(intake, "answered"))["pop"] != heard["pop"]


async def test_a_call_that_is_over_has_no_pop(intake: Bench) -> None:
    await said(intake, "answered")
    assert (await said(intake, "hung_up"))["pop"] is None


@pytest.mark.parametrize("withheld", ["anonymous", "unknown", "", None])
async def test_a_withheld_number_is_no_contact_and_no_error(
    intake: Bench, withheld: str | None
) -> None:
    heard = await said(intake, **{"from": withheld})
    shown = (await popped(intake, heard["pop"])).json()
    assert (shown["phone"], shown["tickets"]["readable"]) == (None, False)


async def test_one_call_has_one_id_however_often_and_as_whatever_it_is_sent(intake: Bench) -> None:
    first = await said(intake, id=1795732602)
    assert (await said(intake, "answered", id="1795732602"))["call"] == first["call"]
    assert UUID(first["call"])
    assert len(await rows(intake, "phone_call")) == 1


async def test_a_call_without_an_id_is_refused_by_name(intake: Bench) -> None:
    for id in ("", None, True):
        report = {"id": id, "event": "new", "from": MOBILE}
        answer = await intake.http("phone_system").post("/v1/calls", json=report)
        assert (answer.status_code, answer.json()["field"]) == (422, "id")
    assert (
        await post(intake, "/v1/calls", {"id": "1", "event": "new"}, "agent")
    ).status_code == 403


# --- drafts and transcripts --------------------------------------------------------------------


async def test_a_draft_is_kept_for_its_agent_and_the_desk(intake: Bench) -> None:
    call = (await said(intake))["call"]
    path = f"/v1/calls/{call}"
    mine, other = intake.http("agent", None, "li"), intake.http("agent", None, "wang")
    draft = {"title": "停水", "name": "王小明"}
    assert (await mine.put(f"{path}/draft", json=draft)).status_code == 200
    heard = {"content": "喂，你好，小区停水了"}
    exchange = intake.http("phone_system")
    assert (await exchange.put(f"{path}/transcript", json=heard)).status_code == 204
    shown = (await mine.get(path)).json()
    assert {name: shown["draft"][name] for name in draft} == draft
    assert shown["transcript"] == heard["content"]
    for method, body in (("GET", None), ("PUT", draft), ("DELETE", None)):
        tail = "" if method == "GET" else "/draft"
        assert (await other.request(method, f"{path}{tail}", json=body)).status_code == 404
    assert (await exchange.get(path)).status_code == 403
    assert (await rows(intake, "contact_read")) == []
    assert (await intake.http("desk").get(path)).status_code == 200
    assert call in (await rows(intake, "contact_read"))[0]["reason"]
    assert (await mine.delete(f"{path}/draft")).status_code == 204
    assert (await mine.get(path)).json()["draft"] is None
    assert await intake.told() == []  # a draft is no ticket


async def test_drafts_left_without_a_ticket_are_listed_oldest_first(intake: Bench) -> None:
    mine = intake.http("agent", None, "li")
    calls = [(await said(intake, id=f"call-{n}"))["call"] for n in range(3)]
    for call in calls:
        await mine.put(f"/v1/calls/{call}/draft", json={"note": "回头登记"})
        intake.at(intake.now + timedelta(minutes=1))
    assert (await mine.get("/v1/drafts")).json()["items"] == []
    await registered(intake, call=calls[1])
    intake.at(intake.now + timedelta(hours=4))
    page = (await mine.get("/v1/drafts", params={"limit": 1})).json()
    rest = (await mine.get("/v1/drafts", params={"after": page["next"]})).json()
    assert [item["call"] for item in page["items"] + rest["items"]] == [calls[0], calls[2]]
    assert (await intake.http("agent", None, "wang").get("/v1/drafts")).json()["items"] == []
    assert len((await intake.http("desk").get("/v1/drafts")).json()["items"]) == 2
    assert await stuck_in(intake, "drafts") == [calls[0], calls[2]]


async def stuck_in(intake: Bench, slug: str) -> list[str]:
    [question] = [one for one in stuck.QUESTIONS if one.slug == slug]
    async with intake.service.store.act("ops") as act:
        return [one.subject for one in await question.find(act, act.now)]


# --- registering -------------------------------------------------------------------------------


async def test_a_ticket_of_a_call_has_its_number_and_the_draft_goes(intake: Bench) -> None:
    heard = await said(intake, **{"from": ANI})
    await intake.http("agent", None, "li").put(
        f"/v1/calls/{heard['call']}/draft", json={"name": "王小明"}
    )
    number = (await registered(intake, call=heard["call"], caller={"name": "王小明"}))["number"]
    contact = (await read_on_duty(intake, number)).json()
    assert (contact["phone"], contact["phone_given"]) == (MOBILE, ANI)
    [call] = await rows(intake, "phone_call")
    assert (call["number"], call["drafted_at"], call["caller"]) == (number, None, None)
    shown = (await intake.http("agent", None, "li").get(f"/v1/calls/{heard['call']}")).json()
    assert (shown["number"], shown["draft"]) == (number, None)
    # A second matter of the same call has the number too, and nothing ties the two together.
    second = (await registered(intake, call=heard["call"], caller=None, type="report"))["number"]
    contact = (await read_to_call(intake, second)).json()
    assert contact["phone"] == MOBILE
    assert (await rows(intake, "phone_call"))[0]["number"] == number


async def test_a_phone_that_was_given_is_not_replaced(intake: Bench) -> None:
    call = (await said(intake))["call"]
    number = (await registered(intake, call=call, caller={"phone": "13800138000"}))["number"]
    contact = (await read_to_call(intake, number)).json()
    assert contact["phone"] == "13800138000"


async def test_no_complaint_is_lost_for_a_call_nobody_knows(intake: Bench) -> None:
    answer = await post(intake, "/v1/tickets", complaint(call=str(uuid4())))
    assert answer.status_code == 201
    assert [one["code"] for one in answer.json()["warnings"]] == ["call-unknown"]


async def test_a_batch_and_a_repeat_name_calls_too(intake: Bench) -> None:
    call = (await said(intake))["call"]
    one = complaint(call=call, caller=None)
    client = intake.http("agent")
    first = await client.post("/v1/tickets", json=one, headers={"Idempotency-Key": "k"})
    again = await client.post("/v1/tickets", json=one, headers={"Idempotency-Key": "k"})
    assert (first.status_code, again.status_code) == (201, 200)
    batch = await client.post("/v1/tickets/batch", json={"tickets": [one, complaint(call=None)]})
    assert [answer["status"] for answer in batch.json()["answers"]] == [201, 201]
    assert {row["has_contact"] for row in await rows(intake, "ticket")} == {True}


# --- what stands where -------------------------------------------------------------------------


async def test_a_number_stands_in_no_column_fact_log_line_or_address(
    intake: Bench, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever has the database, a log or the bus alone learns no number; the id of a call may hold one."""
    caplog.set_level(logging.DEBUG)
    heard = await said(intake, **{"from": ANI})
    asked = [str((await popped(intake, heard["pop"])).request.url)]
    mine = intake.http("agent", None, "li")
    path = f"/v1/calls/{heard['call']}"
    await mine.put(f"{path}/draft", json={"note": f"打{MOBILE}"})
    transcript = {"content": f"我的电话是{MOBILE}"}
    await intake.http("phone_system").put(f"{path}/transcript", json=transcript)
    await said(intake, "hung_up", **{"from": ANI})
    take = f"/v1/missed-calls/{heard['call']}"
    await mine.post(f"{take}/contact-reads", json={"reason": f"回拨{MOBILE}"})
    tried = {"outcome": "no_answer", "note": f"打了{MOBILE}"}
    answer = await mine.post(f"{take}/tries", json=tried, headers={"Idempotency-Key": "t"})
    assert answer.status_code == 200
    await mine.post("/v1/callers/lookup", json={"phone": MOBILE, "reason": f"查{MOBILE}"})
    await registered(intake, call=heard["call"])
    listed = [str((await mine.get(at)).json()) for at in ("/v1/missed-calls", "/v1/drafts", path)]
    stored = str({table: await rows(intake, table) for table in await tables(intake)})
    log = capsys.readouterr()
    for where in (stored, str(asked), str(listed[:2]), log.out, log.err, caplog.text):
        assert MOBILE not in where
        assert MOBILE[3:] not in where
    assert MOBILE not in str([fact.encode() for fact in await intake.told()])


async def test_erasing_a_ticket_erases_its_call(intake: Bench) -> None:
    call = (await said(intake))["call"]
    number = (await registered(intake, call=call))["number"]
    await custody.erase(intake.service.store, "li", number, "本人申请", forced=True)
    assert (await rows(intake, "phone_call"))[0]["sealed"] == b""
    shown = await intake.http("agent", None, "li").get(f"/v1/calls/{call}")
    assert shown.json()["transcript"] is None


async def test_calls_are_kept_for_a_month_and_those_to_ring_back_for_as_long_as_it_takes(
    intake: Bench,
) -> None:
    await said(intake, "answered", id="taken")
    await said(intake, "hung_up", id="missed", **{"from": "13800138000"})
    await said(intake, "hung_up", id="nobody", **{"from": "anonymous"})
    intake.at(intake.now + timedelta(days=29))
    assert await intake.run("forget_calls") == 0
    intake.at(intake.now + timedelta(days=2))
    assert await intake.run("forget_calls") == 2
    [left] = await rows(intake, "phone_call")
    assert left["missed_since"]


async def test_calls_are_sealed_anew_with_the_rest(intake: Bench) -> None:
    call = UUID((await said(intake))["call"])
    done = await custody.reseal(intake.service.store)
    assert done.opened == 1
    [row] = await rows(intake, "phone_call")
    plain = intake.service.store.config.sealer.unseal(row["sealed"], bound_call(call))
    assert MOBILE in plain.decode()
