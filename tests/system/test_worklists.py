"""What is to be done next, as the desk and a unit read it, of what really went between the services."""

from __future__ import annotations

from typing import Any

from tests.fixtures.bench import Bench
from tests.fixtures.scenes.courier import UNIT, County

RETURN = {
    "reason_code": "not_our_duty",
    "legal_basis": "条例第四条",
    "suggested_unit": "CG",
    "approver": "经理",
}


async def listed(bench: Bench, path: str, role: str = "desk", unit: str | None = None) -> Any:
    answer = await bench.http(role, unit).get(f"/v1/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def clocks(county: County, number: str) -> dict[str, str]:
    """Each clock of a ticket with when it is due."""
    shown = await listed(county.tracker, f"tickets/{number}/clocks")
    return {clock["kind"]: clock["due"] for clock in shown["clocks"]}


async def test_t13_a_danger_to_life_nobody_may_have_is_first_and_runs_on_its_own_limits(
    county: County,
) -> None:
    """R-03, R-35: reported of the police, so left to the desk; five minutes and two hours, not thirty
    minutes and five days.
    """
    ordinary = await county.ticket(type="report", topic="conduct.banquet", area="610924110")
    number = await county.ticket(
        type="report",
        title="求助无门",
        content="公安局不管，我想自杀",
        reported_unit="GAJ",
        area="610924100",
    )
    items = (await listed(county.dispatcher, "unassigned"))["items"]
    assert [item["number"] for item in items] == [number, ordinary]
    known = await clocks(county, number)
    assert known == {"dispatch": "2026-03-02T01:05:00Z", "citizen": "2026-03-02T03:00:00Z"}
    assert (items[0]["urgency"], items[0]["due"], items[0]["citizen_due"]) == (
        "critical",
        known["dispatch"],
        known["citizen"],
    )
    county.at("2026-03-02T09:06+08:00")
    await county.sweep()
    breached = await county.tracker.told("deadline.breached")
    assert [(fact.subject, fact.data.clock) for fact in breached] == [(number, "dispatch")]


async def test_a_unit_s_list_has_the_tracker_s_due_moments(county: County) -> None:
    number = await county.ticket()
    path = f"units/{UNIT}/orders"
    (order,) = (await listed(county.dispatcher, path, "unit", UNIT))["items"]
    known = await clocks(county, number)
    assert {clock["kind"]: clock["due"] for clock in order["clocks"]} == {
        kind: known[kind] for kind in ("sign", "first_contact", "handle")
    }
    assert order["due"] == known["sign"]
    await county.act(number, "sign", {"handler": "李工"})
    (order,) = (await listed(county.dispatcher, path, "unit", UNIT))["items"]
    assert order["due"] == known["first_contact"]


async def test_a_return_is_with_the_desk_until_it_is_ruled_on(county: County) -> None:
    number = await county.ticket()
    await county.act(number, "return-requests", RETURN)
    (asked,) = (await listed(county.dispatcher, "returns"))["items"]
    assert (asked["number"], asked["suggested_unit"], asked["unit"]) == (number, "CG", UNIT)
    (order,) = (await listed(county.dispatcher, f"units/{UNIT}/orders", "unit", UNIT))["items"]
    paused = {clock["kind"] for clock in order["clocks"] if clock["paused_since"]}
    stands = await county.tracker.told("deadline.paused")
    assert paused == {fact.data.clock for fact in stands}
    county.at("2026-03-02T09:20+08:00")
    ruling = {"granted": True, "ruling": "确属其他单位"}
    path = f"/v1/assignments/{asked['assignment']}/ruling"
    await county.do("desk", county.dispatcher, path, ruling)
    assert (await listed(county.dispatcher, "returns"))["items"] == []
    (left,) = (await listed(county.dispatcher, "unassigned"))["items"]
    known = await county.tracker.rows(
        "SELECT max(due) AS due FROM clocks WHERE kind = 'dispatch' AND status = 'running'"
    )
    assert left["due"] is not None
    assert known[0]["due"].isoformat().startswith(left["due"].removesuffix("Z"))
