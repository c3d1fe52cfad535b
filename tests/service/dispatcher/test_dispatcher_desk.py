"""The desk assigns by hand (JN-29) and rules on returns (R-15, R-16)."""

from __future__ import annotations

from typing import Any

import pytest

from shared.events import AssignmentReturnRequested, TicketSupplemented, TicketType
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import (
    COMPANY,
    COMPANY_CO,
    NUMBER,
    STREET_LIGHT,
    ask_back,
    assignments,
    banquet,
    company,
    finish,
    finish_all,
    let_lead,
    names,
    post,
    reach,
    register,
    reopened,
    rule,
    sign,
    statuses,
    street_light,
)

# --- the desk ----------------------------------------------------------------------------------

BY_HAND: dict[str, Any] = {
    **{"lead": "HC", "co_handlers": ["MZJ"], "reason": "属地管理"},
}


async def test_the_desk_assigns_what_nobody_has(dispatcher: Bench) -> None:
    await register(dispatcher, banquet())
    page = (await dispatcher.http("desk").get("/v1/unassigned")).json()
    assert [item["number"] for item in page["items"]] == [NUMBER]
    await let_lead(dispatcher, "HC")
    answer = await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", BY_HAND)
    assert answer["status"] == "assigned"
    told = await dispatcher.told("assignment.dispatched")
    assert [(fact.unit, fact.data.role, fact.data.rule) for fact in told] == [
        ("HC", "lead", None),
        ("MZJ", "co", None),
    ]
    assert {fact.data.reason for fact in told} == {"属地管理"}
    assert (await dispatcher.http("desk").get("/v1/unassigned")).json()["items"] == []


async def test_the_desk_sees_how_urgent_a_waiting_ticket_is(dispatcher: Bench) -> None:
    await register(dispatcher, banquet(content="宴席上有人被困", reported_unit="XFDD"))
    (item,) = (await dispatcher.http("desk").get("/v1/unassigned")).json()["items"]
    assert item["urgency"] == "critical"  # asked for as normal


async def test_what_may_endanger_life_is_a_persons_at_once(dispatcher: Bench) -> None:
    """No rule gives it to a unit, and nothing on the desk's list stands before it (BJ-11, ADR 0051)."""
    await register(dispatcher, banquet(), "20260302-000001")
    await register(
        dispatcher, street_light(content="路灯不亮，我想死的心都有了"), "20260302-000002"
    )
    assert await dispatcher.told("assignment.dispatched") == []
    first, _ = (await dispatcher.http("desk").get("/v1/unassigned")).json()["items"]
    assert (first["number"], first["urgency"]) == ("20260302-000002", "critical")
    assert first["reason"].startswith("疑似险情（轻生）：文中“想死”")
    assert first["nearest"][:2] == ["threat-to-life", "lighting-in-county-town"]


@pytest.mark.parametrize("urgency", ["normal", "critical"])
async def test_a_person_says_what_was_doubtful(dispatcher: Bench, urgency: str) -> None:
    await register(dispatcher, street_light(content="灯杆歪了，眼看就要倒塌"))
    body = {"lead": "CGZF", "reason": "已电话核实", "urgency": urgency}
    answer = await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", body)
    assert (answer["status"], answer["urgency"]) == ("assigned", urgency)


async def test_a_word_that_reports_nothing_changes_nothing(dispatcher: Bench) -> None:
    """减轻生活 holds 轻生: it went to the police, critical."""
    given = await register(dispatcher, street_light(content="修好路灯，减轻生活不便"))
    [order] = await dispatcher.told("assignment.dispatched")
    assert (list(given), order.data.urgency) == ([STREET_LIGHT], "normal")


@pytest.mark.parametrize("order", [("HC", "MZJ"), ("MZJ", "HC")])
async def test_praise_for_two_is_over_when_both_have_signed(
    dispatcher: Bench, order: tuple[str, str]
) -> None:
    await register(dispatcher, banquet(type=TicketType.COMMENDATION))
    await let_lead(dispatcher, "HC")
    await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", BY_HAND)
    given = await assignments(dispatcher)
    await sign(dispatcher, order[0], given[order[0]])
    assert await dispatcher.told("ticket.resolved") == []
    await sign(dispatcher, order[1], given[order[1]])
    [resolved] = await dispatcher.told("ticket.resolved")
    assert (resolved.data.lead, set(resolved.data.units)) == ("HC", {"HC", "MZJ"})


async def test_the_desk_may_grant_a_complex_ticket_its_time(dispatcher: Bench) -> None:
    await register(dispatcher, street_light(urgency="complex"))
    body = {"lead": "CGZF", "reason": "情况复杂", "urgency": "complex"}
    answer = await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", body)
    assert answer["urgency"] == "complex"
    [first] = await dispatcher.told("assignment.dispatched")
    [told] = await dispatcher.told("assignment.updated")
    assert (first.data.limits.handle, told.data.limits.handle) == ("5wd", "15wd")


async def test_an_open_ticket_is_dispatched_again(dispatcher: Bench) -> None:
    """R-37 个人信息保护."""
    await register(dispatcher, company())
    await dispatcher.hear(dispatcher.fact(TicketSupplemented(content="补充"), subject=NUMBER))
    await let_lead(dispatcher, "HC")
    await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", BY_HAND)
    cancelled = await dispatcher.told("assignment.cancelled")
    assert {(fact.unit, fact.data.reason) for fact in cancelled} == {
        (unit, "redispatched") for unit in (COMPANY, *COMPANY_CO)
    }
    given = await assignments(dispatcher)
    assert {unit for unit, _, status in await statuses(dispatcher) if status == "dispatched"} == {
        "HC",
        "MZJ",
    }
    dispatched = await dispatcher.told("assignment.dispatched")
    (order,) = [fact for fact in dispatched if fact.assignment == given["HC"]]
    assert (order.round, "补充" in order.data.content) == (1, True)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"lead": "HCC"}, "lead"),
        ({"co_handlers": ["MZJ", "MZZ"]}, "co_handlers"),
    ],
)
async def test_an_unknown_unit_is_answered_with_the_nearest(
    dispatcher: Bench, body: dict[str, Any], field: str
) -> None:
    await register(dispatcher, banquet())
    path = f"/v1/tickets/{NUMBER}/assign"
    answer = await post(dispatcher.http("desk"), path, BY_HAND | body, 422)
    assert (answer["field"], answer["type"].rpartition("/")[2]) == (field, "unknown-code")
    assert BY_HAND[field][0] in answer["nearest"] or BY_HAND[field] in answer["nearest"]


async def test_units_may_be_called_by_their_names(dispatcher: Bench) -> None:
    await register(dispatcher, banquet())
    body = BY_HAND | {"lead": "红椿镇", "co_handlers": ["民政局"]}
    await let_lead(dispatcher, "HC")
    await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", body)
    told = await dispatcher.told("assignment.dispatched")
    assert [fact.unit for fact in told] == ["HC", "MZJ"]


@pytest.mark.parametrize("body", [{"lead": "MZJ", "co_handlers": ["HC"]}, {"lead": "HC"}])
async def test_by_hand_too_the_reported_unit_gets_nothing(
    dispatcher: Bench, body: dict[str, Any]
) -> None:
    await register(dispatcher, banquet(reported_unit="HC"))
    path = f"/v1/tickets/{NUMBER}/assign"
    answer = await post(dispatcher.http("desk"), path, BY_HAND | body, 409)
    assert answer["type"].endswith("recused")
    assert await names(dispatcher) == ["ticket.unassigned"]


async def test_what_is_resolved_is_not_assigned(dispatcher: Bench) -> None:
    await register(dispatcher)
    await finish_all(dispatcher, STREET_LIGHT)
    answer = await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", BY_HAND, 409)
    assert (answer["current_status"], answer["allowed"]) == ("resolved", [])


async def test_a_ticket_that_is_not_there_is_not_assigned(dispatcher: Bench) -> None:
    await post(dispatcher.http("desk"), "/v1/tickets/20260302-999999/assign", BY_HAND, 404)


# --- returns -----------------------------------------------------------------------------------


async def test_a_granted_return_gives_the_ticket_back_to_the_desk(dispatcher: Bench) -> None:
    """R-15 退单."""
    given = await register(dispatcher, company())
    await finish(dispatcher, "RSJ", given["RSJ"])
    asked = await ask_back(dispatcher, COMPANY, given[COMPANY])
    assert asked["status"] == "return_requested"
    (fact,) = await dispatcher.told("assignment.return_requested")
    request: AssignmentReturnRequested = fact.data
    assert (request.reason_code, request.suggested_unit) == ("not_our_duty", "CG")
    ruled = await rule(dispatcher, given[COMPANY], granted=True)
    assert ruled["status"] == "returned"
    assert (await names(dispatcher))[-4:] == [
        "assignment.returned",
        "assignment.cancelled",
        "assignment.cancelled",
        "ticket.unassigned",
    ]
    assert [status for _, _, status in await statuses(dispatcher)] == [
        "returned",
        "completed",
        "cancelled",
        "cancelled",
    ]
    (item,) = (await dispatcher.http("supervisor").get("/v1/unassigned")).json()["items"]
    assert COMPANY in item["reason"]


async def test_a_co_handler_is_released_alone(dispatcher: Bench) -> None:
    given = await register(dispatcher, company())
    await ask_back(dispatcher, "SWJ", given["SWJ"])
    await rule(dispatcher, given["SWJ"], granted=True)
    assert [status for _, _, status in await statuses(dispatcher)] == [
        "dispatched",
        "dispatched",
        "returned",
        "dispatched",
    ]
    assert await dispatcher.told("ticket.unassigned") == []


@pytest.mark.parametrize("was", ["dispatched", "signed", "contacted"])
async def test_a_refused_return_goes_on_where_it_was(dispatcher: Bench, was: str) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    if was != "dispatched":
        await sign(dispatcher, STREET_LIGHT, given)
    if was == "contacted":
        await reach(dispatcher, STREET_LIGHT, given)
    await ask_back(dispatcher, STREET_LIGHT, given)
    assert (await rule(dispatcher, given, granted=False))["status"] == was
    answer = await ask_back(dispatcher, STREET_LIGHT, given, 409)
    assert answer["type"].endswith("return-after-ruling")
    (kept,) = await dispatcher.rows("SELECT granted, ruling, ruled_by FROM returns")
    assert kept == {"granted": False, "ruling": "职责清楚", "ruled_by": "desk:test"}


async def test_a_return_is_ruled_on_once(dispatcher: Bench) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    await rule(dispatcher, given, granted=True, status=409)
    await ask_back(dispatcher, STREET_LIGHT, given)
    await rule(dispatcher, given, granted=True)
    answer = await rule(dispatcher, given, granted=False, status=409)
    assert answer["current_status"] == "returned"


@pytest.mark.parametrize(
    ("urgency", "late"),
    [("normal", "2026-03-03T18:00:01+08:00"), ("urgent", "2026-03-02T09:30:01+08:00")],
)
async def test_the_window_closes(dispatcher: Bench, urgency: str, late: str) -> None:
    """R-16 退单时限."""
    given = (await register(dispatcher, street_light(urgency=urgency)))[STREET_LIGHT]
    dispatcher.at(late)
    answer = await ask_back(dispatcher, STREET_LIGHT, given, 409)
    assert answer["type"].endswith("return-too-late")


async def test_who_was_appointed_by_hand_may_object_once(dispatcher: Bench) -> None:
    """R-16 退单时限: no ruling has named it; after one it may not (test_returns.py)."""
    await register(dispatcher, banquet())
    body = {"lead": "HC", "reason": "属地管理"}
    await let_lead(dispatcher, "HC")
    answer = await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", body)
    given = answer["assignments"][0]["id"]
    await ask_back(dispatcher, "HC", given)
    await rule(dispatcher, given, granted=False)
    refused = await ask_back(dispatcher, "HC", given, 409)
    assert refused["type"].endswith("return-after-ruling")


async def test_a_redo_may_not_be_returned(dispatcher: Bench) -> None:
    await register(dispatcher)
    await finish_all(dispatcher, STREET_LIGHT)
    await dispatcher.hear(reopened(dispatcher, 2))
    again = (await dispatcher.told())[-1].assignment
    assert again is not None
    answer = await ask_back(dispatcher, STREET_LIGHT, again, 409)
    assert answer["type"].endswith("return-on-redo")


@pytest.mark.parametrize("matter", [{"flags": ["tourism"]}, {"flags": ["enterprise"]}])
async def test_t5_complex_is_refused_where_it_would_change_nothing(
    dispatcher: Bench, matter: dict[str, Any]
) -> None:
    await register(dispatcher, street_light(type=TicketType.COMPLAINT, **matter))
    body = {"lead": "CGZF", "reason": "情况复杂", "urgency": "complex"}
    refused = await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", body, status=409)
    assert refused["type"].endswith("/complex-in-vain")
    assert refused["limit"] in refused["detail"]
    told = await dispatcher.told("assignment.dispatched")
    assert {fact.data.urgency for fact in told} <= {"normal"}
