"""回避: of a ticket that complains of it or its kin a unit sees no clock here (R-35, JN-32)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import HC, TICKET, Story
from tests.fixtures.scenes.tracker_doors import ask, supervise

CLOCKS = f"/v1/tickets/{TICKET}/clocks"
OWN = {"instance", "trace"}  # of a problem: where and when it was met


async def held(tracker: Bench, reported: str | None) -> None:
    """HC, a town under ZFB, holds a ticket; none of our releases lets kin hold one."""
    story = Story(tracker)
    await tracker.hear(story.registered(reported_unit=reported), story.dispatched())
    await supervise(tracker, HC)


def plain(answer: Any) -> tuple[int, dict[str, Any]]:
    return answer.status_code, {k: v for k, v in answer.json().items() if k not in OWN}


@pytest.mark.parametrize("reported", ["HC", "ZFB"])
async def test_it_sees_what_it_would_see_of_no_ticket(tracker: Bench, reported: str) -> None:
    await held(tracker, reported)
    unit = tracker.http("unit", "HC")
    nowhere = plain(await unit.get("/v1/tickets/20260302-999999/clocks"))
    assert plain(await unit.get(CLOCKS)) == nowhere
    assert nowhere[0] == 404
    assert plain(await ask(tracker)) == plain(await ask(tracker, "HC", uuid4()))
    assert (await ask(tracker)).status_code == 404
    assert await tracker.told("extension.requested") == []
    page = (await unit.get("/v1/supervisions")).json()
    assert (page["items"], page["counts"]["total"]) == ([], 0)
    await tracker.hear(Story(tracker).promised("03-03 10:00"))
    page = (await unit.get("/v1/promises")).json()
    assert (page["items"], page["counts"]["total"]) == ([], 0)
    kept = await unit.post(f"/v1/promises/{HC}/fulfilment", json={"result": "已修"})
    assert kept.status_code == 404
    for line in (await unit.get("/v1/worklist")).json()["items"]:
        assert (line["total"], line["due"]) == (0, None)


@pytest.mark.parametrize("role", ["desk", "supervisor"])
async def test_who_watches_sees_everything(tracker: Bench, role: str) -> None:
    await held(tracker, "HC")
    seen = (await tracker.http(role).get(CLOCKS)).json()
    assert "HC" in {clock["unit"] for clock in seen["clocks"]}


@pytest.mark.parametrize("reported", [None, "GT", "GAJ"])
async def test_others_are_not_hindered(tracker: Bench, reported: str | None) -> None:
    await held(tracker, reported)
    assert (await tracker.http("unit", "HC").get(CLOCKS)).status_code == 200
    assert (await ask(tracker)).status_code == 200
    page = (await tracker.http("unit", "HC").get("/v1/supervisions")).json()
    assert (len(page["items"]), page["counts"]["total"]) == (1, 1)
