"""A unit asks to return a ticket, and the desk rules on it (R-15, R-16)."""

from __future__ import annotations

import pytest

from shared.events import AssignmentReturnRequested
from tests.bench import Bench
from tests.service.dispatcher_scenes import (
    COMPANY,
    NUMBER,
    STREET_LIGHT,
    ask_back,
    banquet,
    company,
    finish,
    finish_all,
    names,
    post,
    reach,
    register,
    reopened,
    rule,
    sign,
    states,
    street_light,
)


async def test_a_granted_return_gives_the_ticket_back_to_the_desk(dispatcher: Bench) -> None:
    given = await register(dispatcher, company())
    await finish(dispatcher, "RSJ", given["RSJ"])
    asked = await ask_back(dispatcher, COMPANY, given[COMPANY])
    assert asked["state"] == "return_requested"
    (said,) = await dispatcher.told("assignment.return_requested")
    request: AssignmentReturnRequested = said.data
    assert (request.reason_code, request.suggested_unit) == ("not_our_duty", "CG")
    ruled = await rule(dispatcher, given[COMPANY], granted=True)
    assert ruled["state"] == "returned"
    assert (await names(dispatcher))[-4:] == [
        "assignment.returned",
        "assignment.cancelled",
        "assignment.cancelled",
        "ticket.unassigned",
    ]
    assert [state for _, _, state in await states(dispatcher)] == [
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
    assert [state for _, _, state in await states(dispatcher)] == [
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
    assert (await rule(dispatcher, given, granted=False))["state"] == was
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
    assert answer["state"] == "returned"


@pytest.mark.parametrize(
    ("urgency", "late"),
    [("normal", "2026-03-03T18:00:01+08:00"), ("urgent", "2026-03-02T09:30:01+08:00")],
)
async def test_the_window_closes(dispatcher: Bench, urgency: str, late: str) -> None:
    given = (await register(dispatcher, street_light(urgency=urgency)))[STREET_LIGHT]
    dispatcher.at(late)
    answer = await ask_back(dispatcher, STREET_LIGHT, given, 409)
    assert answer["type"].endswith("return-too-late")


async def test_who_was_appointed_by_hand_may_not_return(dispatcher: Bench) -> None:
    await register(dispatcher, banquet())
    body = {"lead": "HC", "reason": "经研究确定"}
    answer = await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", body)
    given = answer["assignments"][0]["id"]
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
