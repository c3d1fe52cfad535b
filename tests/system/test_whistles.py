"""吹哨报到 played through all services: a town whistles, one comes, one is late (R-47)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tests.fixtures.scenes.courier import DONE, County
from tests.fixtures.scenes.dispatcher import let_lead, post
from tests.fixtures.scenes.feedback import callback_of

TOWN, CAME, ABSENT = "CG", "SCJG", "ZJJ"
ANSWER = DONE | {"contacted": False}


async def orders(county: County, number: str) -> dict[str, UUID]:
    told = await county.dispatcher.told("assignment.dispatched")
    return {
        fact.unit: fact.assignment
        for fact in told
        if fact.subject == number and fact.unit and fact.assignment
    }


async def does(county: County, number: str, by: str, what: str, **body: Any) -> Any:
    order = (await orders(county, number))[by]
    path = f"/v1/assignments/{order}/{what}"
    return await county.do("unit", county.dispatcher, path, body, by)


async def read(county: County, service: str, path: str, role: str = "supervisor") -> Any:
    return (await county.benches[service].http(role).get(path)).json()


async def whistled(county: County) -> str:
    """A ticket the town leads, and whistled for two; one has come at once."""
    number = await county.ticket()
    path, led = f"/v1/tickets/{number}/assign", {"lead": TOWN, "reason": "属地"}
    await let_lead(county.dispatcher, TOWN, number)
    given = await county.do("desk", county.dispatcher, path, led | {"urgency": "normal"})
    other, said = county.dispatcher.http("supervisor", name="li"), {"granted": True, "note": "一般"}
    await post(other, f"/v1/approvals/{given['approval']}/decision", said)
    await county.carry()
    await does(county, number, TOWN, "sign", handler="张三")
    said = {"need": "联合处置", "ground": "镇无处罚权"}
    await does(county, number, TOWN, "whistle", units=[CAME, ABSENT], **said)
    await does(county, number, CAME, "attend", person="执法队王五")
    return number


async def answered(county: County, number: str) -> None:
    """All complete, and the citizen is satisfied."""
    for unit in (CAME, ABSENT):
        await does(county, number, unit, "sign", handler="张三")
        await does(county, number, unit, "completion", **ANSWER)
    await does(county, number, TOWN, "contacts", how="phone", outcome="reached", note="已了解")
    await does(county, number, TOWN, "completion", **DONE)
    county.at("2026-03-05T09:00+08:00")
    await county.sweep()
    said = {"attempt": 1, "outcome": "answered", "contacted": "yes", "solved": "yes"}
    path = f"/v1/callbacks/{await callback_of(county.feedback, number)}/outcome"
    await county.do("phone_system", county.feedback, path, said | {"satisfied": "satisfied"})


async def test_who_does_not_come_is_breached_and_hears_what_the_town_says(county: County) -> None:
    """R-47, R-30: desk and supervisor find it meanwhile."""
    number = await whistled(county)
    await does(county, number, ABSENT, "sign", handler="李四")  # who does not is pressed higher
    county.at("2026-03-04T09:00+08:00")
    await county.sweep()
    breached = await county.tracker.told("deadline.breached")
    assert [each.unit for each in breached if each.data.clock == "attend"] == [ABSENT]
    raised = await county.tracker.told("supervision.raised")
    assert ABSENT in {each.unit for each in raised if "报到" in each.data.reason}
    [awaited] = (await read(county, "dispatcher", "/v1/whistles?awaited=true"))["items"]
    assert (awaited["unit"], awaited["due"]) == (ABSENT, "2026-03-03T10:00:00Z")
    await does(county, number, TOWN, "attendance", unit=ABSENT, attendance="nobody_came")
    feed = await county.dispatcher.http("unit", ABSENT).get(f"/v1/units/{ABSENT}/feed")
    words = [item["fact"]["data"].get("content", "") for item in feed.json()["items"]]
    assert any("无人到场" in each for each in words)


async def test_both_sides_are_appraised(county: County) -> None:
    """R-47, BJ-33 双考核: in time and late, and one verdict for all."""
    number = await whistled(county)
    county.at("2026-03-04T09:00+08:00")
    await county.sweep()
    await does(county, number, ABSENT, "attend", person="李四")
    await answered(county, number)
    found = (await read(county, "dispatcher", "/v1/figures/whistles"))["units"]
    verdicts = {each["unit"]: each["heard"]["verdicts"] for each in found}
    assert verdicts[CAME] == verdicts[ABSENT] == {"satisfied": 1}
    [town] = [each["blew"] for each in found if each["unit"] == TOWN]
    assert (town["blown"], town["attended"], town["verdicts"]) == (2, 2, {"satisfied": 2})
    rates = (await read(county, "tracker", "/v1/rates"))["attend"]
    assert rates == {"due": 2, "on_time": 1, "late": 1, "absent": 0, "revised": 0, "rate": 0.5}
