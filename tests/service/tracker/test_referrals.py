"""Conduct handed to the discipline body (移送): always by two people (R-30, BJ-35, JN-40, ADR 0074)."""

from __future__ import annotations

from typing import Any

from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import HC, Story
from tests.fixtures.scenes.tracker_doors import slug, supervise
from tests.fixtures.scenes.worklist import by_its_lists, worklist

CASE = {"ground": "falsified", "reason": "办结照片系他处所拍"}


async def propose(tracker: Bench, name: str = "li", **what: Any) -> Any:
    path = f"/v1/assignments/{HC}/referrals"
    return await tracker.http("supervisor", name=name).post(path, json=CASE | what)


async def decide(tracker: Bench, id: str, name: str, granted: bool = True) -> Any:
    said = {"granted": granted, "note": "证据充分"}
    return await tracker.http("supervisor", name=name).post(
        f"/v1/referrals/{id}/decision", json=said
    )


async def listed(tracker: Bench, **query: Any) -> list[str]:
    page = (await tracker.http("supervisor").get("/v1/referrals", params=query)).json()
    return [item["id"] for item in page["items"]]


async def test_nobody_refers_a_unit_alone(tracker: Bench, open_ticket: Story) -> None:
    """R-30: the seventh rung is raised by no hand; who proposed a referral may not grant it."""
    assert open_ticket
    alone = await supervise(tracker, rung=7)
    assert (alone.status_code, slug(alone)) == (409, "referral-takes-two")
    proposed = (await propose(tracker)).json()
    own = await decide(tracker, proposed["id"], "li")
    assert (own.status_code, slug(own)) == (403, "own-approval")
    assert await listed(tracker) == [proposed["id"]]
    again = await propose(tracker, "wang")
    assert (slug(again), again.json()["referral"]) == ("referral-waits", proposed["id"])
    assert await tracker.told("staff.told") == []


async def test_another_supervisor_grants_it_and_the_discipline_body_alone_is_told(
    tracker: Bench, open_ticket: Story
) -> None:
    """R-34: of an order that has ended, too; the unit hears nothing, and its clocks and supervisions stay."""
    await tracker.hear(open_ticket.completed("03-03 10:00"))
    tracker.at("2026-03-03T22:00+08:00")
    proposed = (await propose(tracker)).json()
    granted = await decide(tracker, proposed["id"], "wang")
    assert granted.json()["status"] == "granted", granted.text
    [fact] = await tracker.told("staff.told")
    assert (fact.data.office, fact.data.roles) == ("JWJ", ("discipline_body",))
    assert fact.data.zh.startswith("【12345】移送：红椿镇在办理工单")
    assert "弄虚作假" in fact.data.zh
    said = [f for f in await tracker.told() if f.name.startswith(("referral", "staff"))]
    assert {f.unit for f in said} == {None}
    assert await tracker.told("supervision.raised") == []
    assert (await listed(tracker), await listed(tracker, decided=True)) == ([], [proposed["id"]])
    twice = await decide(tracker, proposed["id"], "zhao")
    assert (twice.status_code, twice.json()["current_status"]) == (409, "granted")


async def test_who_proposed_it_takes_it_back(tracker: Bench, open_ticket: Story) -> None:
    assert open_ticket
    proposed = (await propose(tracker)).json()
    assert (await decide(tracker, proposed["id"], "li", granted=False)).status_code == 200
    [fact] = await tracker.told("referral.refused")
    assert (fact.data.proposed_by, fact.actor) == ("supervisor:li", "supervisor:li")
    assert (await propose(tracker)).status_code == 201


async def test_it_waits_in_the_worklist_of_whoever_may_decide(
    tracker: Bench, open_ticket: Story
) -> None:
    assert open_ticket
    await propose(tracker)
    for name, waits in (("li", 0), ("wang", 1)):
        said = await worklist(tracker, "supervisor", name=name)
        assert said == await by_its_lists(tracker, "supervisor", name=name)
        assert said["referrals"] == (waits, 0, None)
    assert (await tracker.http("desk").get("/v1/referrals")).status_code == 403
