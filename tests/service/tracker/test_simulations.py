"""试算: what a draft of the time rules would have meant, tried on the past (ADR 0072)."""

from __future__ import annotations

import asyncio
import threading
from uuid import uuid4

import pytest

from services.tracker.policies import simulating
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import post
from tests.fixtures.scenes.policies import (
    SIMULATE,
    drafted,
    simulated,
    with_handle,
)
from tests.fixtures.scenes.tracker import Story
from tests.fixtures.scenes.tracker_doors import slug


async def test_the_policy_in_force_would_have_changed_nothing(tracker: Bench, story: Story) -> None:
    """Gain 9: whatever befell them, counts before and after are the same, and so are all terms."""
    await tracker.hear(story.registered(), story.dispatched(), story.signed("03-03 17:00"))
    tracker.at("2026-03-30T09:00+08:00")
    await tracker.run("sweep")
    same = await drafted(tracker, from_version=1)
    found = await simulated(tracker, same)
    assert found["total"]["changed"] == 0
    assert found["total"]["before"] == found["total"]["after"]
    assert found["total"]["before"]["late"] == 4
    assert found["total"]["before"]["supervised"] == 1
    for limits, late in (("20wd", 0), ("1wd", 1)):
        other = await drafted(tracker, limits=with_handle(limits))
        after = {each["kind"]: each for each in (await simulated(tracker, other))["kinds"]}
        assert (after["handle"]["changed"], after["handle"]["after"]["late"]) == (1, late)
        assert after["handle"]["after"]["supervised"] == late


async def test_a_period_is_tried_a_page_at_a_time(tracker: Bench) -> None:
    for day in (2, 3, 4):
        one = Story(tracker, f"2026030{day}-000001")
        await tracker.hear(one.registered(f"03-0{day} 10:00"))
    draft, after = await drafted(tracker), dict[str, str]()
    seen = list[int]()
    while len(seen) < 5:
        page = await simulated(tracker, draft, limit=1, **after)
        seen.append(page["tickets"])
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert seen == [1, 1, 1]
    body = {"draft": draft["id"], "from": "2026-01-01", "to": "2026-12-31"}
    refused = await post(tracker.http("desk", name="li"), SIMULATE, body, 422)
    assert refused["type"].endswith("malformed")


async def test_drafts_are_tried_one_at_a_time_and_every_door_is_open_meanwhile(
    tracker: Bench, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trial takes one of five connections for as long as it lasts."""
    await tracker.hear(story.registered())
    begun, go_on = threading.Event(), threading.Event()

    def slowly(*_: object) -> None:
        begun.set()
        assert go_on.wait(30)

    monkeypatch.setattr(simulating, "_count", slowly)
    draft, wang = await drafted(tracker), tracker.http("supervisor", name="wang")
    body = {"draft": draft["id"], "from": "2026-03-01", "to": "2026-03-31"}
    asked = [asyncio.create_task(wang.post(SIMULATE, json=body)) for _ in range(6)]
    try:
        assert await asyncio.to_thread(begun.wait, 10)
        assert (await wang.get("/v1/worklist")).status_code == 200
    finally:
        go_on.set()
    answers = [await each for each in asked]
    assert sorted(each.status_code for each in answers) == [200, *[409] * 5]
    assert {slug(each) for each in answers if each.status_code == 409} == {"trial-runs"}
    assert (await wang.post(SIMULATE, json=body)).status_code == 200


async def test_a_period_has_its_first_and_its_last_day_and_counts_by_unit(tracker: Bench) -> None:
    """What the draft would move is shown, and by whom it was handled."""
    for day in ("02-28", "03-31", "03-01", "04-01"):
        one = Story(tracker, f"2026{day.replace('-', '')}-000001")
        order = one.dispatched(f"{day} 10:05", id=uuid4())
        await tracker.hear(one.registered(f"{day} 10:00"), order)
    tracker.at("2026-04-10T09:00+08:00")
    await tracker.run("sweep")
    draft = await drafted(tracker, limits=with_handle("30wd"))
    found = await simulated(tracker, draft)
    assert found["tickets"] == 2
    [unit] = found["units"]
    assert (unit["unit"], unit["name"]) == ("HC", "红椿镇")
    assert unit["before"]["late"] - unit["after"]["late"] == 2
    handled = [each for each in found["examples"] if each["kind"] == "handle"]
    assert {(each["late"], each["draft_late"]) for each in handled} == {(True, False)}
    assert {each["number"][:8] for each in handled} == {"20260301", "20260331"}
    first = await simulated(tracker, draft, limit=1)
    assert {each["number"][:8] for each in first["examples"]} == {"20260301"}
