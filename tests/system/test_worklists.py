"""What is to be done next, as the desk and a unit read it, of what really went between the services."""

from __future__ import annotations

from typing import Any

from tests.fixtures.bench import Bench
from tests.fixtures.scenes.courier import DONE, UNIT, County

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


async def test_t13_whom_it_is_about_is_said_after_dispatch(county: County) -> None:
    """R-35: the police had it; now the desk has five minutes, and the citizen's two hours go on."""
    matter = {"topic": "security.order", "title": "求助", "content": "没人管，我想自杀"}
    number = await county.ticket(type="complaint", area="610924100", **matter)
    county.at("2026-03-02T09:20+08:00")
    right = {"reason": "补记", "reported": {"units": ["GAJ"]}}
    await county.do("agent", county.intake, f"/v1/tickets/{number}/corrections", right)
    [item] = (await listed(county.dispatcher, "unassigned"))["items"]
    assert (item["number"], item["urgency"], item["due"], item["citizen_due"]) == (
        number,
        "critical",
        "2026-03-02T01:25:00Z",
        "2026-03-02T03:00:00Z",
    )
    orders = await county.dispatcher.rows("SELECT status FROM assignments WHERE unit = 'GAJ'")
    assert [row["status"] for row in orders] == ["cancelled"]


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


REACHED = {"how": "phone", "outcome": "reached"}
OFF = DONE | {"public_answer": "社保缴费请到服务大厅咨询窗口"}
UNDATED = ("catalogue_drafts", "drafts", "noted_after_end")  # no source and no file gives a limit


async def test_nothing_waits_without_a_due_moment_that_a_rule_gives(county: County) -> None:
    """ADR 0052: whatever stands in a list, its line and itself say when it is due."""
    county.at("2026-03-02T09:00+08:00")
    number = await county.ticket(title="一号楼停水")
    await county.act(number, "sign", {"handler": "李工"})
    wrong = {"how": "phone", "outcome": "wrong_number"}
    await county.act(number, "contacts", wrong)  # the desk doubts it
    await county.ticket(type="report", topic="conduct.banquet", area="610924110")  # unassigned
    asked = await county.ticket(title="二号楼停水")
    await county.act(asked, "return-requests", RETURN)
    pressed = await county.ticket(title="三号楼停水")
    helping = {"unit": "CG", "reason": "协助"}
    path = f"/v1/tickets/{pressed}/co-handlers"
    led = await county.assignment(pressed)
    await county.do("desk", county.dispatcher, path, helping)
    press = {"unit": "CG", "note": "请答复", "desk": True}
    await county.do("unit", county.dispatcher, f"/v1/assignments/{led}/press", press, UNIT)
    audited = await county.ticket(title="四号楼停水")
    for what, said in (("sign", {"handler": "李工"}), ("contacts", REACHED), ("completion", OFF)):
        await county.act(audited, what, said)
    waiting: set[str] = set()
    for service, role, unit in (
        (county.dispatcher, "desk", None),
        (county.dispatcher, "unit", UNIT),
        (county.dispatcher, "unit", "CG"),
        (county.intake, "agent", None),
        (county.feedback, "callback", None),
    ):
        for line in (await listed(service, "worklist", role, unit))["items"]:
            items = (await listed(service, line["door"].removeprefix("/v1/"), role, unit))["items"]
            if line["list"] in UNDATED or not items:
                continue
            waiting.add(line["list"])
            assert line["due"], line
            assert [item["number"] for item in items if not item["due"]] == [], line
    desks = {"unassigned", "presses", "returns", "audits"}
    assert desks | {"to_sign", "to_contact", "return_requests", "co_handling"} <= waiting
