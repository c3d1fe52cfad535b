"""Which limit, through all services: an upstream platform's moment, and a law that prevails (ADR 0073)."""

from __future__ import annotations

from typing import Any

from tests.fixtures.scenes.courier import County
from tests.fixtures.scenes.intake import registered

LAW = {
    "law": "《城市道路管理条例》",
    "article": "第三十三条",
    "limit": "20wd",
    "reason": "须经审批",
}


async def name_law(county: County, number: str) -> None:
    """One at the desk names the law, another grants it (ADR 0084)."""
    path = f"/v1/tickets/{number}/legal-limit"
    asked = await county.do("desk", county.dispatcher, path, LAW)
    path, said = f"/v1/approvals/{asked['approval']}/decision", {"granted": True, "note": "属实"}
    await county.do("desk", county.dispatcher, path, said, name="li")


async def clocks(county: County, number: str) -> dict[str, Any]:
    """The clocks of a ticket as a supervisor reads them, by kind."""
    answer = await county.tracker.http("supervisor").get(f"/v1/tickets/{number}/clocks")
    return {each["kind"]: each for each in answer.json()["clocks"]}


async def of_the_city(county: County, source_number: str) -> Any:
    """A ticket of Monday morning that the city wants answered by Thursday evening."""
    county.at("2026-03-02T09:00+08:00")
    ticket = await registered(
        county.intake,
        topic="road.damage",
        title="道路破损",
        content="路面破损",
        channel="city",
        source_number=source_number,
        upstream_due="2026-03-05T18:00:00+08:00",
    )
    await county.carry()
    return ticket


async def test_a_city_ticket_keeps_the_citys_moment_until_a_law_prevails(county: County) -> None:
    """WF-20, JN-24(2): both moments at unit and desk; the miss stands, the citizen hears which law."""
    ticket = await of_the_city(county, "AK-20260302-7")
    number, code = ticket["number"], {"X-Ticket-Code": ticket["code"]}
    [order] = await county.dispatcher.told("assignment.dispatched")
    assert order.data.limits.upstream.margin == "4wh"
    found = await clocks(county, number)
    assert found["handle"]["due"].startswith("2026-03-05T06:00")  # 14:00 there
    assert found["citizen"]["due"].startswith("2026-03-05T10:00")
    county.at("2026-03-06T09:00+08:00")
    await county.sweep()
    await name_law(county, number)
    found = await clocks(county, number)
    assert {kind for kind, each in found.items() if each["breached_at"]} >= {"handle", "citizen"}
    *_, told = await county.feedback.told("citizen.told")
    assert "《城市道路管理条例》第三十三条" in told.data.zh
    path = f"/v1/tickets/{number}/progress"
    read = await county.intake.http("desk").get(path, headers=code)
    assert "《城市道路管理条例》第三十三条" in read.text
    assert (await county.replayed())[0] == []


async def test_a_city_grants_more_time_and_everybody_follows(county: County) -> None:
    """DOMAIN.md 2, ADR 0080: one asks, another grants; unit, citizen and words go by the new moment."""
    ticket = await of_the_city(county, "AK-20260302-8")
    number = ticket["number"]
    county.at("2026-03-03T09:00+08:00")
    body = {"reason": "市平台同意延至十六日", "upstream_due": "2026-03-16T18:00:00+08:00"}
    path = f"/v1/tickets/{number}/corrections"
    asked = await county.intake.http("agent", name="zhou").post(path, json=body)
    assert asked.json()["status"] == "waiting", asked.text
    county.at("2026-03-03T10:00+08:00")
    path = f"/v1/corrections/{asked.json()['id']}/decision"
    agreed = await county.intake.http("desk", name="li").post(
        path, json={"granted": True, "note": "已核对来函"}
    )
    assert agreed.status_code == 200, agreed.text
    await county.carry()
    found = await clocks(county, number)
    assert found["handle"]["due"].startswith("2026-03-16T06:00")
    assert found["citizen"]["due"].startswith("2026-03-16T10:00")
    assert "经zhou更正、li同意" in found["citizen"]["explanation"]["zh"]
    *_, told = await county.feedback.told("citizen.told")
    assert "2026-03-16" in told.data.zh
    county.at("2026-03-17T09:00+08:00")
    await county.sweep()
    assert (await county.replayed())[0] == []


async def test_a_law_of_a_merged_work_is_each_citizens_and_is_taken_back(county: County) -> None:
    """DOMAIN.md 2, ADR 0080: each from the day they rang, each told; told again where it was wrong."""
    numbers, codes = [], []
    for day, phone in (("02", "13909150011"), ("03", "13909150012")):
        county.at(f"2026-03-{day}T09:00+08:00")
        ticket = await registered(
            county.intake,
            topic="road.damage",
            title="道路破损",
            content="路面破损",
            caller={"name": "王小明", "phone": phone},
        )
        numbers.append(ticket["number"])
        codes.append({"X-Ticket-Code": ticket["code"]})
        await county.carry()
    first, second = numbers
    merge = {"into": first, "reason": "同一处"}
    await county.do("desk", county.intake, f"/v1/tickets/{second}/merge", merge)
    await name_law(county, first)
    dues = [(await clocks(county, number))["citizen"]["due"][:10] for number in numbers]
    assert dues == ["2026-03-30", "2026-03-31"]
    told = await county.feedback.told("citizen.told")
    assert {fact.subject for fact in told if "第三十三条" in fact.data.zh} == {first, second}
    county.at("2026-03-04T09:00+08:00")
    path = f"/v1/tickets/{first}/legal-limit-withdrawal"
    await county.do("desk", county.dispatcher, path, {"reason": "不属该条例"})
    dues = [(await clocks(county, number))["citizen"]["due"][:10] for number in numbers]
    assert dues == ["2026-03-09", "2026-03-10"]
    told = await county.feedback.told("citizen.told")
    assert {fact.subject for fact in told if "经核实不适用" in fact.data.zh} == {first, second}
    for number, code in zip(numbers, codes, strict=True):
        read = await county.intake.http("desk").get(f"/v1/tickets/{number}/progress", headers=code)
        assert "不再依据《城市道路管理条例》第三十三条" in read.text
    await county.sweep()
    assert (await county.replayed())[0] == []
