"""What a supervisor has to rule on and to press next (督办清单)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import Story
from tests.fixtures.scenes.tracker_doors import ASK, GRANT, HAND, rule
from tests.fixtures.scenes.worklist import by_its_lists, worklist

SECOND, THIRD = "20260302-000002", "20260302-000003"


async def listed(tracker: Bench, path: str, **query: Any) -> Any:
    answer = await tracker.http("supervisor").get(f"/v1/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def three_orders(tracker: Bench) -> dict[str, UUID]:
    """Orders of one unit that are due one after the other."""
    given = {}
    for place, number in enumerate((THIRD, SECOND, "20260302-000001")):
        story, id = Story(tracker, number), UUID(int=10 + place)
        await tracker.hear(
            story.registered(), story.dispatched(f"03-0{2 + place} 10:05", id=id, unit="HC")
        )
        given[number] = id
    tracker.at("2026-03-04T11:00+08:00")
    return given


async def ask(tracker: Bench, assignment: UUID) -> Any:
    path = f"/v1/assignments/{assignment}/extensions"
    answer = await tracker.http("unit", "HC").post(path, json=ASK)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_extensions_to_rule_on_come_by_what_is_due(tracker: Bench) -> None:
    """R-18: asked, not ruled on, and something is still there to be extended."""
    given = await three_orders(tracker)
    asked = {number: await ask(tracker, id) for number, id in reversed(given.items())}
    first = await listed(tracker, "extensions", limit=2)
    rest = await listed(tracker, "extensions", limit=2, after=first["next"])
    items = first["items"] + rest["items"]
    assert [item["number"] for item in items] == list(given)
    assert (items[0]["reason"], items[0]["unit"], rest["next"]) == (ASK["reason"], "HC", None)
    assert first["counts"] == {"total": 3, "overdue": 0}
    await rule(tracker, asked[THIRD]["id"], GRANT)
    second = Story(tracker, SECOND)
    await tracker.hear(second.completed("03-04 11:00", id=given[SECOND]))
    left = await listed(tracker, "extensions")
    assert [item["number"] for item in left["items"]] == ["20260302-000001"]
    assert (await listed(tracker, "extensions", unit="GT"))["counts"]["total"] == 0


async def test_supervisions_that_stand_come_by_when_they_must_be_answered(tracker: Bench) -> None:
    """R-30, R-32."""
    given = await three_orders(tracker)
    for number, rung in ((SECOND, 2), (THIRD, 1)):
        path = f"/v1/assignments/{given[number]}/supervisions"
        body = {"rung": rung, "reason": "群众反映强烈"}
        raised = await tracker.http("supervisor").post(path, json=body)
        assert raised.status_code == 200, raised.text
    page = await listed(tracker, "supervisions")
    assert [(item["number"], item["rung"]) for item in page["items"]] == [(THIRD, 1), (SECOND, 2)]
    assert page["items"][1]["due"] is not None
    assert page["counts"] == {"total": 2, "overdue": 0, "rungs": {"1": 1, "2": 1}, "answered": 0}
    one = await listed(tracker, "supervisions", limit=1)
    two = await listed(tracker, "supervisions", limit=1, after=one["next"])
    assert [page["items"][0]["number"] for page in (one, two)] == [THIRD, SECOND]
    assert (await listed(tracker, "supervisions", rung=2))["counts"]["total"] == 1
    tracker.at("2026-03-11T11:00+08:00")
    assert (await listed(tracker, "supervisions"))["counts"]["overdue"] == 2
    await tracker.hear(Story(tracker, SECOND).completed("03-05 11:00", id=given[SECOND]))
    assert (await listed(tracker, "supervisions"))["counts"]["total"] == 1


async def test_no_unit_reads_what_the_supervisor_has_to_do(tracker: Bench) -> None:
    await three_orders(tracker)
    for path in ("/v1/extensions", "/v1/supervisions"):
        for role, unit in (("callback", None), ("agent", None)):
            assert (await tracker.http(role, unit).get(path)).status_code == 403
        assert (await tracker.http("desk").get(path)).status_code == 200
    own = (await tracker.http("unit", "HC").get("/v1/extensions")).json()
    assert (own["items"], own["counts"]["total"]) == ([], 0)


async def test_a_unit_s_worklist_and_list_say_what_it_has_to_answer(tracker: Bench) -> None:
    """R-30, R-32: its own, what must be answered first comes first, and by whom it is pressed: the role."""
    given = await three_orders(tracker)
    for number, rung in ((SECOND, 2), (THIRD, 2), (THIRD, 1)):
        path = f"/v1/assignments/{given[number]}/supervisions"
        raised = await tracker.http("supervisor", name="li").post(path, json=HAND | {"rung": rung})
        assert raised.status_code == 200, raised.text
    for moment in ("2026-03-04T11:00+08:00", "2026-03-20T11:00+08:00"):
        tracker.at(moment)
        await tracker.run("sweep")
        said = await worklist(tracker, "unit", "HC")
        assert said == await by_its_lists(tracker, "unit", "HC")
    assert 2 <= said["supervisions"][1] < said["supervisions"][0]
    unit = tracker.http("unit", "HC")
    pages = [(await unit.get("/v1/supervisions", params={"limit": 2})).json()]
    while after := pages[-1]["next"]:
        query = {"limit": 2, "after": after}
        pages.append((await unit.get("/v1/supervisions", params=query)).json())
    items = [item for page in pages for item in page["items"]]
    assert len(items) == said["supervisions"][0] == pages[0]["counts"]["total"]
    assert {item["unit"] for item in items} == {"HC"}
    by_hand = [item for item in items if item["by"] == "hand"]
    assert {item["raised_by"] for item in by_hand} == {"supervisor"}
    assert {item["reason"] for item in by_hand} == {HAND["reason"]}
    assert (await worklist(tracker, "unit", "GT"))["supervisions"] == (0, 0, None)
    others = await tracker.http("unit", "GT").get("/v1/supervisions", params={"unit": "HC"})
    assert others.json()["items"] == []


async def test_a_cursor_of_another_list_is_refused(tracker: Bench) -> None:
    given = await three_orders(tracker)
    for id in given.values():
        await ask(tracker, id)
    page = await listed(tracker, "extensions", limit=1)
    answer = await tracker.http("desk").get("/v1/supervisions", params={"after": page["next"]})
    assert answer.status_code == 400


async def test_a_supervisor_s_worklist_says_what_the_lists_say(tracker: Bench) -> None:
    given = await three_orders(tracker)
    await ask(tracker, given[THIRD])
    path = f"/v1/assignments/{given[SECOND]}/supervisions"
    raised = await tracker.http("supervisor").post(path, json={"rung": 2, "reason": "群众反映强烈"})
    assert raised.status_code == 200, raised.text
    done = Story(tracker, "20260302-000001")
    for moment in ("2026-03-04T11:00+08:00", "2026-03-20T11:00+08:00"):
        tracker.at(moment)
        await tracker.run("sweep")
        said = await worklist(tracker, "supervisor")
        assert said == await by_its_lists(tracker, "supervisor")
    assert said["extensions"][:2] == (1, 1)
    assert 0 < said["unanswered"][1] < said["unanswered"][0]  # time raised more, without a date
    assert said["breaches"][0] > 3  # what was not signed, contacted and handled in time
    await tracker.hear(done.completed("03-20 11:00", id=given["20260302-000001"]))
    after = await worklist(tracker, "supervisor")
    assert after == await by_its_lists(tracker, "supervisor")
    assert after["breaches"][0] < said["breaches"][0]
    assert (await tracker.http("callback").get("/v1/worklist")).status_code == 403
