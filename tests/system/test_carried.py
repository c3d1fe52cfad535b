"""并单与拆分 over all services: another number is no new start (ADR 0049), as the log says (ADR 0065)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.scenes.courier import UNIT, County

ROAD: dict[str, Any] = {"topic": "road.damage", "title": "道路破损", "content": "路面破损"}
PARTS: dict[str, Any] = {
    "remainder": {"content": "村口路面破损"},
    "matters": [{"topic": "road.damage", "title": "护栏松动", "content": "护栏松动", "lead": UNIT}],
    "reason": "两件事",
}


async def assigned(county: County, number: str) -> None:
    """The desk gives a ticket to the water company."""
    path, body = f"/v1/tickets/{number}/assign", {"lead": UNIT, "reason": "派单"}
    await county.do("desk", county.dispatcher, path, body)


async def handling(county: County, number: str) -> dict[str, Any]:
    """The last clock of the water company to handle a ticket."""
    query = """SELECT * FROM clocks WHERE ticket = :number AND kind = 'handle' AND unit = :unit
        ORDER BY coalesce(resumed_at, started_at) DESC, id LIMIT 1"""
    [row] = await county.tracker.rows(query, number=number, unit=UNIT)
    return dict(row)


@pytest.mark.parametrize("late", [False, True])
async def test_another_number_is_no_new_start(county: County, late: bool) -> None:
    """Merged into a ticket of today, parted, given again and split; in time and late. Each breach counts
    once, where it was missed, and the replay finds what stands.
    """
    county.at("2026-03-02T09:00+08:00")
    old = await county.ticket(**ROAD, caller={"phone": "13909150001"})
    await assigned(county, old)
    first = await handling(county, old)
    county.at("2026-03-09T19:00+08:00" if late else "2026-03-06T09:00+08:00")
    await county.sweep()
    young = await county.ticket(**ROAD, caller={"phone": "13909150002"})
    await assigned(county, young)
    body = {"into": young, "reason": "同一件事"}
    await county.do("desk", county.intake, f"/v1/tickets/{old}/merge", body)
    joined = await handling(county, young)
    assert joined["due"] == (joined["resumed_at"] if late else first["due"])
    assert (await county.replayed())[0] == []
    county.at("2026-03-09T19:30+08:00" if late else "2026-03-06T15:00+08:00")
    await county.sweep()
    await county.do("desk", county.intake, f"/v1/tickets/{old}/unmerge", {"reason": "不是一件事"})
    await assigned(county, old)
    again = await handling(county, old)
    assert again["due"] == (again["resumed_at"] if late else first["due"])
    split = await county.do("desk", county.intake, f"/v1/tickets/{old}/split", PARTS)
    matter = await handling(county, split["matters"][1]["number"])
    assert matter["due"] == (matter["resumed_at"] if late else first["due"])
    county.at("2026-03-11T09:00+08:00")
    await county.sweep()
    assert (await county.replayed())[0] == []
    rates = (
        await county.tracker.http("supervisor").get("/v1/rates?from=2026-03-01&to=2026-03-31")
    ).json()
    missed = {"due": rates["handle"]["due"], "on_time": rates["handle"]["on_time"]}
    assert missed == {"due": 1 if late else 3, "on_time": 0}


async def test_nobody_refuses_what_they_have_not_had(county: County) -> None:
    """拒不签收 R-30, ADR 0078: given again with its time to sign used up, a unit is pressed a day later; and
    that is what the replay finds, before and after.
    """
    county.at("2026-03-02T09:00+08:00")
    number = await county.ticket(**ROAD)
    await assigned(county, number)
    county.at("2026-03-03T10:00+08:00")
    await county.sweep()
    recall = f"/v1/tickets/{number}/recall"
    await county.do("desk", county.dispatcher, recall, {"reason": "核实"})
    county.at("2026-03-05T10:00+08:00")
    await assigned(county, number)
    for moment, rungs in (("03-05T10:01", []), ("03-06T18:00", [2])):
        county.at(f"2026-{moment}+08:00")
        await county.sweep()
        raised = await county.tracker.told("supervision.raised")
        assert [fact.data.rung for fact in raised] == rungs
        assert (await county.replayed())[0] == []
