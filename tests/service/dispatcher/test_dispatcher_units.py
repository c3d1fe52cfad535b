"""Units act on their assignments, and the desk rules on their returns."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from shared.events import TicketType, TicketWithdrawn
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import (
    COMPANY,
    DONE,
    LICENSED,
    NUMBER,
    RETURN,
    STREET_LIGHT,
    act,
    ask_back,
    company,
    finish,
    names,
    post,
    reach,
    register,
    rule,
    sign,
    statuses,
    street_light,
)

CALL = {"how": "phone", "outcome": "reached"}
ACTS: dict[str, dict[str, Any]] = {
    "sign": {"handler": "张三"},
    "contacts": CALL,
    "progress": {"note": "已派人"},
    "return-requests": RETURN,
    "completion": DONE,
}


# --- the whole life ----------------------------------------------------------------------------


async def test_praise_is_done_when_its_unit_has_signed(dispatcher: Bench) -> None:
    praise = street_light(type=TicketType.COMMENDATION, title="感谢抢修队")
    [(unit, given)] = (await register(dispatcher, praise)).items()
    signed = await sign(dispatcher, unit, given)
    assert signed["status"] == "completed"
    assert [fact.name for fact in await dispatcher.told()] == [
        "assignment.dispatched",
        "assignment.signed",
        "assignment.completed",
        "ticket.resolved",
    ]


async def test_from_signing_to_completion(dispatcher: Bench) -> None:
    """R-21 办结答复."""
    given = (await register(dispatcher))[STREET_LIGHT]
    signed = await sign(dispatcher, STREET_LIGHT, given)
    assert (signed["status"], signed["handler"]) == ("signed", "张三")
    assert "complete" not in signed["allowed"]
    contacted = await reach(dispatcher, STREET_LIGHT, given)
    assert (contacted["status"], contacted["reached"]) == ("contacted", True)
    assert "complete" in contacted["allowed"]
    await act(dispatcher, STREET_LIGHT, given, "progress", {"note": "灯具已下单"})
    completed = await act(dispatcher, STREET_LIGHT, given, "completion", DONE)
    assert (completed["status"], completed["allowed"]) == ("completed", [])
    assert await names(dispatcher) == [
        "assignment.dispatched",
        "assignment.signed",
        "assignment.contacted",
        "assignment.progressed",
        "assignment.completed",
        "ticket.resolved",
    ]
    told = await dispatcher.told()
    assert [fact.seq for fact in told] == [1, 2, 3, 4, 5, 6]
    assert {fact.assignment for fact in told[:5]} == {given}
    assert {fact.actor for fact in told[1:]} == {"unit:CGZF:test"}
    resolved = told[-1]
    assert (resolved.key, resolved.data.lead, resolved.data.units) == (
        "ticket.resolved",
        STREET_LIGHT,
        (STREET_LIGHT,),
    )
    assert resolved.data.public_answer == "路灯已修复"


async def test_the_lead_completes_after_its_co_handlers(dispatcher: Bench) -> None:
    """R-13 首接负责."""
    given = await register(dispatcher, company())
    await sign(dispatcher, COMPANY, given[COMPANY])
    await reach(dispatcher, COMPANY, given[COMPANY])
    await finish(dispatcher, "RSJ", given["RSJ"])
    await ask_back(dispatcher, "SWJ", given["SWJ"])
    refused = await act(dispatcher, COMPANY, given[COMPANY], "completion", DONE, 409)
    assert refused["type"].endswith("co-handlers-open")
    assert refused["units"] == ["SWJ", "SPJ"]
    await rule(dispatcher, given["SWJ"], granted=True)
    await finish(dispatcher, "SPJ", given["SPJ"])
    await act(dispatcher, COMPANY, given[COMPANY], "completion", LICENSED)
    (resolved,) = await dispatcher.told("ticket.resolved")
    assert resolved.data.units == (COMPANY, "RSJ", "SPJ")


async def test_a_co_handler_answers_to_its_lead_without_a_contact(dispatcher: Bench) -> None:
    given = await register(dispatcher, company())
    await sign(dispatcher, "RSJ", given["RSJ"])
    await act(dispatcher, "RSJ", given["RSJ"], "completion", DONE)
    (fact,) = await dispatcher.told("assignment.completed")
    assert (fact.data.role, fact.data.contacted) == ("co", False)
    assert await dispatcher.told("ticket.resolved") == []


async def test_a_missed_call_is_on_record_and_moves_nothing(dispatcher: Bench) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    await sign(dispatcher, STREET_LIGHT, given)
    early = await act(dispatcher, STREET_LIGHT, given, "completion", DONE, 409)
    assert early["type"].endswith("citizen-not-contacted")
    missed = CALL | {"outcome": "no_answer"}
    answer = await act(dispatcher, STREET_LIGHT, given, "contacts", missed)
    assert (answer["status"], answer["attempts"], answer["reached"]) == ("signed", 1, False)
    claim = DONE | {"contacted": True}
    refused = await act(dispatcher, STREET_LIGHT, given, "completion", claim, 409)
    assert refused["type"].endswith("contact-not-on-record")
    await act(dispatcher, STREET_LIGHT, given, "completion", DONE)
    (fact,) = await dispatcher.told("assignment.completed")
    assert fact.data.contacted is False
    (attempt,) = await dispatcher.told("assignment.contacted")
    assert attempt.data.outcome == "no_answer"


@pytest.mark.parametrize("spared", [{"reply_declined": True}, {"has_contact": False}])
async def test_who_cannot_or_will_not_be_contacted_need_not_be(
    dispatcher: Bench, spared: dict[str, bool]
) -> None:
    given = (await register(dispatcher, street_light(**spared)))[STREET_LIGHT]
    (order,) = await dispatcher.told("assignment.dispatched")
    assert order.data.limits.first_contact is None  # or the tracker would run a clock for it
    await sign(dispatcher, STREET_LIGHT, given)
    await act(dispatcher, STREET_LIGHT, given, "completion", DONE)


async def test_an_answer_counts_whatever_call_is_missed_after_it(dispatcher: Bench) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    await sign(dispatcher, STREET_LIGHT, given)
    await reach(dispatcher, STREET_LIGHT, given)
    await act(dispatcher, STREET_LIGHT, given, "contacts", CALL | {"outcome": "no_answer"})
    await act(dispatcher, STREET_LIGHT, given, "completion", DONE)
    (fact,) = await dispatcher.told("assignment.completed")
    assert fact.data.contacted is True


async def test_an_attempt_has_the_time_at_which_it_was_made(dispatcher: Bench) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    dispatcher.at("2026-03-02T15:00+08:00")
    await sign(dispatcher, STREET_LIGHT, given)
    made = "2026-03-02T14:30:00+08:00"
    await act(dispatcher, STREET_LIGHT, given, "contacts", CALL | {"made_at": made})
    (fact,) = await dispatcher.told("assignment.contacted")
    assert fact.time == datetime.fromisoformat(made)
    assert fact.recorded == dispatcher.now
    for wrong in ("2026-03-02T08:59:00+08:00", "2026-03-02T15:01:00+08:00"):
        body = CALL | {"made_at": wrong}
        answer = await act(dispatcher, STREET_LIGHT, given, "contacts", body, 422)
        assert answer["field"] == "made_at"


async def test_a_promise_needs_its_date(dispatcher: Bench) -> None:
    """R-19 承诺办结."""
    given = (await register(dispatcher))[STREET_LIGHT]
    await sign(dispatcher, STREET_LIGHT, given)
    await reach(dispatcher, STREET_LIGHT, given)
    later = DONE | {
        "kind": "no_condition_yet_with_date",
        "solved": False,
        "unsolved_reason": "等待资金",
    }
    answer = await act(dispatcher, STREET_LIGHT, given, "completion", later, 422)
    assert answer["field"] == "promised_date"
    beyond = await act(
        dispatcher, STREET_LIGHT, given, "completion", later | {"promised_date": "2099-01-01"}, 422
    )
    assert beyond["type"] == "/errors/promised-date-too-far"
    assert beyond["latest"] == "2027-03-02"
    promised = later | {"promised_date": "2026-06-30"}
    await act(dispatcher, STREET_LIGHT, given, "completion", promised)
    (fact,) = await dispatcher.told("assignment.completed")
    assert fact.data.promised_date == "2026-06-30"


async def test_nobody_is_named_in_what_units_write(dispatcher: Bench) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    phone = "13891234567"
    await sign(dispatcher, STREET_LIGHT, given)
    await act(dispatcher, STREET_LIGHT, given, "contacts", CALL | {"note": f"拨打{phone}"})
    await act(dispatcher, STREET_LIGHT, given, "progress", {"note": f"已回{phone}"})
    texts = {"result": f"电话{phone}告知", "public_answer": f"请拨{phone}"}
    await act(dispatcher, STREET_LIGHT, given, "completion", DONE | texts)
    told = " ".join(fact.encode().decode() for fact in await dispatcher.told())
    kept = await dispatcher.rows(
        "SELECT a.progress, a.completion, c.note FROM assignments a JOIN contacts c ON c.assignment = a.id"
    )
    assert phone not in told
    assert phone not in str(kept)


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize("what", ACTS)
async def test_another_units_assignment_does_not_exist(dispatcher: Bench, what: str) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    theirs = await act(dispatcher, "GAJ", given, what, ACTS[what], 404)
    nobodys = await act(dispatcher, "GAJ", uuid4(), what, ACTS[what], 404)
    assert theirs == nobodys
    assert await statuses(dispatcher) == [(STREET_LIGHT, 1, "dispatched")]


@pytest.mark.parametrize("role", ["desk", "supervisor", "phone_system", "ops"])
async def test_only_units_act_for_units(dispatcher: Bench, role: str) -> None:
    """R-45 坐席与办理分开."""
    given = (await register(dispatcher))[STREET_LIGHT]
    for what, body in ACTS.items():
        await post(dispatcher.http(role), f"/v1/assignments/{given}/{what}", body, 403)
    await post(dispatcher.http(None), f"/v1/assignments/{given}/sign", ACTS["sign"], 401)


async def test_only_the_desk_rules_and_assigns(dispatcher: Bench) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    await ask_back(dispatcher, STREET_LIGHT, given)
    for client in (dispatcher.http("unit", STREET_LIGHT), dispatcher.http("supervisor")):
        body = {"granted": True, "ruling": "同意"}
        await post(client, f"/v1/assignments/{given}/ruling", body, 403)
        body = {"lead": "HC", "reason": "属地"}
        await post(client, f"/v1/tickets/{NUMBER}/assign", body, 403)


async def test_a_move_the_state_does_not_allow_says_what_it_allows(dispatcher: Bench) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    for what in ("contacts", "progress", "completion"):
        answer = await act(dispatcher, STREET_LIGHT, given, what, ACTS[what], 409)
        assert answer["type"].endswith("move-refused")
        assert (answer["current_status"], answer["allowed"]) == ("dispatched", ["sign"])


async def test_a_withdrawn_ticket_is_nobodys_work(dispatcher: Bench) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    await dispatcher.hear(dispatcher.fact(TicketWithdrawn(reason="不办了"), subject=NUMBER))
    answer = await act(dispatcher, STREET_LIGHT, given, "sign", ACTS["sign"], 409)
    assert (answer["current_status"], answer["allowed"]) == ("cancelled", [])


@pytest.mark.parametrize(
    ("what", "body", "field"),
    [
        ("sign", {"handler": "张\x00三"}, "handler"),
        ("sign", {"handler": "  "}, "handler"),
        ("sign", {"handler": "张三", "phone": "1"}, "phone"),
        ("progress", {"note": "长" * 2001}, "note"),
        ("contacts", {"how": "shout", "outcome": "reached"}, "how"),
        ("contacts", CALL | {"made_at": "2026-03-02T09:00:00"}, "made_at"),
        ("completion", DONE | {"kind": "done"}, "kind"),
        ("completion", DONE | {"promised_date": "soon"}, "promised_date"),
        ("return-requests", RETURN | {"reason_code": "too_much_work"}, "reason_code"),
        ("return-requests", RETURN | {"suggested_unit": "CGZZ"}, "suggested_unit"),
    ],
)
async def test_bad_input_is_refused_by_field(
    dispatcher: Bench, what: str, body: dict[str, Any], field: str
) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    answer = await act(dispatcher, STREET_LIGHT, given, what, body, 422)
    assert answer["field"].endswith(field)
    assert await names(dispatcher) == ["assignment.dispatched"]


async def test_an_id_or_a_number_that_is_none_is_malformed(dispatcher: Bench) -> None:
    unit, desk = dispatcher.http("unit", STREET_LIGHT), dispatcher.http("desk")
    await post(unit, "/v1/assignments/7/sign", ACTS["sign"], 422)
    body = {"lead": "HC", "reason": "属地"}
    for number in ("7", "20260302-000001%00", "２０２６０３０２-000001"):
        await post(desk, f"/v1/tickets/{number}/assign", body, 422)
        answer = await desk.get(f"/v1/tickets/{number}/assignments")
        assert (answer.status_code, answer.json()["field"]) == (422, "number")


# --- the same act twice ------------------------------------------------------------------------


async def test_the_same_act_twice_is_done_once(dispatcher: Bench) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    client, path = dispatcher.http("unit", STREET_LIGHT), f"/v1/assignments/{given}/sign"
    first = await post(client, path, ACTS["sign"], key="sign-1")
    again = await post(client, path, ACTS["sign"], key="sign-1")
    assert first == again
    await post(client, path, {"handler": "李四"}, 422, key="sign-1")
    assert await names(dispatcher) == ["assignment.dispatched", "assignment.signed"]


async def test_two_at_once_make_one_move(dispatcher: Bench) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    client, path = dispatcher.http("unit", STREET_LIGHT), f"/v1/assignments/{given}/sign"
    asked = [client.post(path, json=ACTS["sign"]) for _ in range(4)]
    answers = await asyncio.gather(*asked)
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert await names(dispatcher) == ["assignment.dispatched", "assignment.signed"]
