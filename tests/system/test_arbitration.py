"""A dispute between dispatcher and tracker: the clock of whoever must rule runs, and nobody waits on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.scenes.courier import DONE, UNIT, County
from tests.fixtures.scenes.dispatcher import let_lead

RETURN = {
    "reason_code": "not_our_duty",
    "legal_basis": "条例第四条",
    "suggested_unit": "CG",
    "approver": "经理",
}
RULED = {"ruling": "依据三定方案，由其承办", "body": "县政府常务会议", "paper": "〔2026〕9号"}


async def disputed(county: County) -> tuple[str, Any]:
    """Returned, granted, given to a town, and returned once more."""
    number = await county.ticket()
    await county.act(number, "return-requests", RETURN)
    (asked,) = await county.dispatcher.told("assignment.return_requested")
    path, desk = f"/v1/assignments/{asked.assignment}/ruling", county.dispatcher
    await county.do("desk", desk, path, {"granted": True, "ruling": "不属其职责"})
    given = {"lead": "CG", "reason": "属地管理"}
    await let_lead(desk, "CG", number)
    await county.do("desk", desk, f"/v1/tickets/{number}/assign", given)
    order = (await desk.told("assignment.dispatched"))[-1].assignment
    back = RETURN | {"suggested_unit": "ZJJ"}
    await county.do("unit", desk, f"/v1/assignments/{order}/return-requests", back, "CG")
    (opened, *_) = await desk.told("arbitration.opened")
    return number, opened.data.arbitration


async def test_every_silent_body_is_late_and_at_last_one_rules(county: County) -> None:
    """R-17, R-31: nobody says anything for a month; then the executive meeting does."""
    number, id = await disputed(county)
    for day in ("03-03", "03-06", "03-10", "03-20", "03-30"):
        county.at(f"2026-{day}T09:00+08:00")
        await county.sweep()
        await county.sweep()
    late = [f for f in await county.tracker.told("deadline.breached") if f.unit is None]
    assert [f.data.clock for f in late].count("arbitration") == 4
    (open_one,) = (await county.dispatcher.http("desk").get("/v1/arbitrations")).json()["items"]
    assert (open_one["number"], open_one["step"]) == (number, 4)
    ruled = RULED | {"lead": UNIT}
    await county.do("supervisor", county.dispatcher, f"/v1/arbitrations/{id}/ruling", ruled)
    path = "/v1/rates?basis=judged&from=2026-03-01&to=2026-03-31"
    figures = (await county.tracker.http("supervisor").get(path)).json()
    assert (figures["arbitration"]["due"], figures["arbitration"]["on_time"]) == (4, 0)
    clocks = (await county.tracker.http("desk").get(f"/v1/tickets/{number}/clocks")).json()
    running = {clock["kind"] for clock in clocks["clocks"] if clock["status"] == "running"}
    assert "arbitration" not in running
    feed = (await county.dispatcher.http("unit", "CG").get("/v1/units/CG/feed")).json()["items"]
    told = [item["fact"]["type"].removeprefix("cn.jiesu.") for item in feed]
    assert [name for name in told if name.startswith("arbitration")] == [
        "arbitration.opened.v1",
        *["arbitration.raised.v1"] * 3,
        "arbitration.ruled.v1",
    ]


async def test_what_is_urgent_is_worked_on_while_it_is_disputed(county: County) -> None:
    """R-13: one holder, whose clocks run; its answer ends the dispute."""
    number, _ = await disputed(county)
    assert await county.tracker.told("deadline.paused") == []
    order = (await county.dispatcher.told("assignment.dispatched"))[-1].assignment
    path, desk = f"/v1/assignments/{order}", county.dispatcher
    await county.do("unit", desk, f"{path}/sign", {"handler": "李工"}, "CG")
    call = {"how": "phone", "outcome": "reached"}
    await county.do("unit", desk, f"{path}/contacts", call, "CG")
    await county.do("unit", desk, f"{path}/completion", DONE, "CG")
    ended = [f for f in await desk.told("arbitration.ended") if f.unit is None]
    assert [fact.data.reason for fact in ended] == ["resolved"]
    rows = await county.tracker.rows("SELECT status FROM clocks WHERE kind = 'arbitration'")
    assert [row["status"] for row in rows] == ["cancelled"]
    assert [fact.subject for fact in await desk.told("ticket.resolved")] == [number]


async def with_the_desk(county: County) -> str:
    """Returned, granted, and put before the ladder while the desk has it."""
    number = await county.ticket()
    await county.act(number, "return-requests", RETURN)
    path = f"/v1/assignments/{await county.assignment(number)}/ruling"
    desk = county.dispatcher
    await county.do("desk", desk, path, {"granted": True, "ruling": "不属其职责"})
    await county.do("desk", desk, f"/v1/tickets/{number}/arbitration", {"grounds": "推诿"})
    return number


FRONT = {
    "merge": {"reason": "同一处停水"},
    "direct-answer": {"answer": "今晚恢复供水"},
    "not-accepted": {"reason": "outside_territory"},
}


@pytest.mark.parametrize("act", FRONT)
async def test_nothing_the_front_does_ends_a_dispute(county: County, act: str) -> None:
    """R-17, ADR 0071: only a ruling takes a ticket from who disputes."""
    other, number = await county.ticket(), await with_the_desk(county)
    body = FRONT[act] | ({"into": other} if act == "merge" else {})
    answer = await county.intake.http("desk").post(f"/v1/tickets/{number}/{act}", json=body)
    assert (answer.status_code, answer.json()["type"]) == (409, "/errors/in-arbitration")
    assert answer.json()["allowed"] == ["statements", "raise", "ruling"]
    await county.carry()
    assert await county.dispatcher.told("arbitration.ended") == []


async def test_a_danger_is_handed_over_whatever_is_disputed(county: County) -> None:
    """R-06; that it ended the dispute is said."""
    number = await with_the_desk(county)
    over = {"line": "119", "taken_by": "3号接警员", "at": county.dispatcher.now.isoformat()}
    await county.do("agent", county.intake, f"/v1/tickets/{number}/handed-over", over)
    ended = [f for f in await county.dispatcher.told("arbitration.ended") if f.unit is None]
    assert [fact.data.reason for fact in ended] == ["ended"]


async def test_what_crosses_with_a_dispute_does_not_end_it(county: County) -> None:
    """The dispatcher is asked before a merge, and is away: it keeps what it rules on, and says so."""
    other, number = await county.ticket(), await with_the_desk(county)
    county.wires.away.add("dispatcher")
    merge = FRONT["merge"] | {"into": other}
    await county.do("desk", county.intake, f"/v1/tickets/{number}/merge", merge)
    assert await county.dispatcher.told("arbitration.ended") == []
    page = (await county.dispatcher.http("desk").get("/v1/unassigned")).json()["items"]
    assert [item["number"] for item in page] == [number]
