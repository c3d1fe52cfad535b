"""Another number, another role, another path: nobody comes under a policy that gives more time than the one
under which it has the matter, nor under an older one that gives more than the present (ADR 0072, 0087).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from shared.events import AssignmentDispatched
from tests.fixtures.scenes.courier import County
from tests.fixtures.scenes.policies import drafted, published, with_handle

UNIT, OTHER = "ZJJ", "SWJ"
ROAD: dict[str, Any] = {"topic": "road.damage", "title": "道路破损", "content": "路面破损"}
LAW = {"law": "《公路法》", "article": "第四十四条", "limit": "60wd", "reason": "须审批"}
HANDLE = """SELECT due FROM clocks WHERE ticket = :number AND kind = 'handle' AND unit = :unit
    ORDER BY coalesce(resumed_at, started_at) DESC, id DESC LIMIT 1"""
FIRST_DUE = "2026-03-09T18:00+08:00"  # of five working days since Monday, the second


async def new_policy(county: County, limit: str, since: str = "2026-03-06T00:00:00+08:00") -> None:
    """Another limit to handle what is ordinary, from a moment on."""
    draft = await drafted(county.tracker, limits=with_handle(limit))
    await published(county.tracker, draft, effective_at=since)
    await county.carry()


async def printed(county: County, number: str, unit: str = UNIT) -> tuple[str, int | None]:
    """How long the newest order of a unit says it has, and by which policy that was decided."""
    told = await county.dispatcher.told("assignment.dispatched")
    told += await county.dispatcher.told("assignment.updated")
    of_unit = [fact.data for fact in told if (fact.subject, fact.unit) == (number, unit)]
    given = [data for data in of_unit if isinstance(data, AssignmentDispatched)][-1]
    updated = [data.limits for data in of_unit[of_unit.index(given) + 1 :] if data.limits]
    return (updated or [given.limits])[-1].handle, given.policy_version


async def due(county: County, number: str, unit: str = UNIT) -> datetime:
    """By when it has to be handled."""
    [row] = await county.tracker.rows(HANDLE, number=number, unit=unit)
    moment: datetime = row["due"]
    return moment


async def assign(county: County, number: str, lead: str = UNIT, *helpers: str) -> None:
    path, body = f"/v1/tickets/{number}/assign", {"lead": lead, "co_handlers": [*helpers]}
    await county.do("desk", county.dispatcher, path, body | {"reason": "派单"})


async def split(county: County, number: str, lead: str | None = UNIT) -> str:
    """One matter is taken off a call; its number."""
    railing = {"topic": "road.damage", "title": "护栏松动", "content": "护栏松动", "lead": lead}
    body = {"remainder": {"content": "村口路面破损"}, "matters": [railing], "reason": "两件事"}
    done = await county.do("desk", county.intake, f"/v1/tickets/{number}/split", body)
    taken_off: str = done["matters"][1]["number"]
    return taken_off


async def taken_off(county: County, number: str) -> str:
    return await split(county, number)


async def taken_off_and_given_by_hand(county: County, number: str) -> str:
    """By the rule it goes there, too; then the desk takes it back and gives it again."""
    matter = await split(county, number, None)
    await county.do("desk", county.dispatcher, f"/v1/tickets/{matter}/recall", {"reason": "核实"})
    await assign(county, matter)
    return matter


async def merged(county: County, number: str) -> str:
    """Another citizen's ticket of the same day, worked on with it, that another unit had before."""
    light = {"topic": "lighting.street", "title": "路灯不亮", "content": "路灯不亮，路面破损"}
    other = await county.ticket(**light, caller={"phone": "13909150022"})
    body = {"into": number, "reason": "同一件事"}
    await county.do("desk", county.intake, f"/v1/tickets/{other}/merge", body)
    return other


async def parted(county: County, other: str, number: str) -> None:
    path = f"/v1/tickets/{other}/unmerge"
    await county.do("desk", county.intake, path, {"reason": "不是一件事"})
    await assign(county, other)


async def left(county: County, other: str, number: str) -> None:
    """The citizen under whose number it was worked on withdraws; the work goes on under the other."""
    path = f"/v1/tickets/{number}/withdrawal"
    await county.do("agent", county.intake, path, {"reason": "已自行解决"})


SPLITS = [taken_off, taken_off_and_given_by_hand]


@pytest.mark.parametrize("way", SPLITS)
async def test_a_matter_of_a_call_has_no_longer_limit_than_the_call_had(
    county: County, way: Any
) -> None:
    number = await county.ticket(**ROAD)
    await new_policy(county, "20wd")
    county.at("2026-03-09T10:00+08:00")
    matter = await way(county, number)
    assert await printed(county, matter) == ("5wd", 1)
    assert await due(county, matter) == datetime.fromisoformat(FIRST_DUE)
    await county.sweep()
    assert (await county.replayed())[0] == []


@pytest.mark.parametrize("way", SPLITS)
async def test_nor_an_older_policys_longer_one(county: County, way: Any) -> None:
    """Under twenty days since the sixth, it has what the present policy gives: five, from the split on."""
    await new_policy(county, "20wd")
    county.at("2026-03-06T09:00+08:00")
    number = await county.ticket(**ROAD)
    await new_policy(county, "5wd", "2026-03-09T00:00:00+08:00")
    county.at("2026-03-10T10:00+08:00")
    matter = await way(county, number)
    assert (await printed(county, matter))[0] == "5wd"
    assert await due(county, matter) == datetime.fromisoformat("2026-03-17T18:00+08:00")
    assert await printed(county, number) == ("20wd", 2)


async def test_a_matter_of_a_matter_has_none_either(county: County) -> None:
    """Its unit never had the call."""
    number = await county.ticket(**ROAD)
    first = await split(county, number, OTHER)
    await new_policy(county, "20wd")
    county.at("2026-03-09T10:00+08:00")
    matter = await split(county, first, OTHER)
    assert await printed(county, matter, OTHER) == ("5wd", 1)
    assert await due(county, matter, OTHER) == datetime.fromisoformat(FIRST_DUE)


async def test_given_again_a_matter_has_what_is_left_of_what_it_had(county: County) -> None:
    """Of five days since the tenth, and not five more of the twenty that its call had."""
    await new_policy(county, "20wd")
    county.at("2026-03-06T09:00+08:00")
    number = await county.ticket(**ROAD)
    await new_policy(county, "5wd", "2026-03-09T00:00:00+08:00")
    county.at("2026-03-10T10:00+08:00")
    matter = await split(county, number)
    county.at("2026-03-16T10:00+08:00")
    await county.do("desk", county.dispatcher, f"/v1/tickets/{matter}/recall", {"reason": "核实"})
    await assign(county, matter)
    assert await due(county, matter) == datetime.fromisoformat("2026-03-17T18:00+08:00")
    await county.sweep()
    assert (await county.replayed())[0] == []


async def test_who_never_had_it_goes_by_the_policy_of_its_day(county: County) -> None:
    number = await county.ticket(**ROAD)
    await new_policy(county, "20wd")
    county.at("2026-03-09T10:00+08:00")
    assert await printed(county, await split(county, number, OTHER), OTHER) == ("20wd", 2)


@pytest.mark.parametrize("ends", [parted, left])
async def test_another_ticket_of_the_work_brings_no_longer_one(county: County, ends: Any) -> None:
    """Its unit has had its matter since both were one work."""
    number = await county.ticket(**ROAD)
    other = await merged(county, number)
    await new_policy(county, "20wd")
    county.at("2026-03-09T10:00+08:00")
    await ends(county, other, number)
    for again in (False, True):
        if again:
            path = f"/v1/tickets/{other}/recall"
            await county.do("desk", county.dispatcher, path, {"reason": "核实"})
            await assign(county, other)
        assert await printed(county, other) == ("5wd", 1)
        assert await due(county, other) == datetime.fromisoformat(FIRST_DUE)
    await county.sweep()
    assert (await county.replayed())[0] == []


async def test_a_helper_made_lead_goes_by_the_policy_it_helped_under(county: County) -> None:
    number = await county.ticket(**ROAD)
    await assign(county, number, UNIT, OTHER)
    await new_policy(county, "20wd")
    county.at("2026-03-09T10:00+08:00")
    await assign(county, number, OTHER, UNIT)
    assert await printed(county, number, OTHER) == ("5wd", 1)
    assert await due(county, number, OTHER) <= datetime.fromisoformat(FIRST_DUE)


async def test_a_law_named_and_taken_back_leaves_the_limit_it_had(county: County) -> None:
    """Of an order that was taken back and given again under a longer policy."""
    number = await county.ticket(**ROAD)
    await new_policy(county, "20wd")
    county.at("2026-03-09T10:00+08:00")
    await county.do("desk", county.dispatcher, f"/v1/tickets/{number}/recall", {"reason": "核实"})
    await assign(county, number)
    path = f"/v1/tickets/{number}/legal-limit"
    asked = await county.do("desk", county.dispatcher, path, LAW)
    decision = f"/v1/approvals/{asked['approval']}/decision"
    granted = {"granted": True, "note": "属实"}
    await county.do("desk", county.dispatcher, decision, granted, name="li")
    assert (await printed(county, number))[0] == "60wd"
    await county.do("desk", county.dispatcher, f"{path}-withdrawal", {"reason": "不属该条"})
    assert (await printed(county, number))[0] == "5wd"
    assert await due(county, number) == datetime.fromisoformat(FIRST_DUE)
