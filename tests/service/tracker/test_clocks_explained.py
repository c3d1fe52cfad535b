"""GET clocks: each due moment explained day by day, with pauses and extensions."""

from __future__ import annotations

import pytest

from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import TICKET, Story
from tests.fixtures.scenes.tracker_doors import GRANT, ask, rule


@pytest.mark.usefixtures("open_ticket")
async def test_each_due_moment_is_explained_day_by_day(tracker: Bench) -> None:
    answer = await tracker.http("desk").get(f"/v1/tickets/{TICKET}/clocks")
    handle = next(clock for clock in answer.json()["clocks"] if clock["kind"] == "handle")
    assert handle["limit"] == "5wd"
    assert handle["due"] == "2026-03-09T10:00:00Z"
    assert [(day["day"][5:], day["counted"]) for day in handle["days"]] == [
        ("03-02", False),
        ("03-03", True),
        ("03-04", True),
        ("03-05", True),
        ("03-06", True),
        ("03-07", False),
        ("03-08", False),
        ("03-09", True),
    ]
    assert "开始当日不计入" in handle["days"][0]["note"]["zh"]
    assert (handle["status"], handle["provisional"], handle["kept"]) == ("running", False, False)
    assert "Running" in handle["sentence"]["en"]


async def test_pauses_and_extension_are_explained_too(tracker: Bench, open_ticket: Story) -> None:
    await tracker.hear(open_ticket.asked_return("03-03 17:00"))
    await tracker.hear(open_ticket.refused_return("03-04 09:30"))
    tracker.at("2026-03-04T10:00+08:00")
    asked = (await ask(tracker)).json()
    await rule(tracker, asked["id"], GRANT)
    answer = (await tracker.http("unit", "HC").get(f"/v1/tickets/{TICKET}/clocks")).json()
    handle = next(clock for clock in answer["clocks"] if clock["kind"] == "handle")
    assert [pause["given_back"] for pause in handle["pauses"]] == [2 * 3600]
    assert (handle["extended_by"], handle["due"]) == (3, "2026-03-13T02:30:00Z")
    assert [day["day"][5:] for day in handle["extension_days"] if day["counted"]] == [
        "03-10",
        "03-11",
        "03-12",
    ]
    (extension,) = answer["extensions"]
    assert (extension["status"], extension["due"]) == ("granted", handle["due"])


async def test_a_year_without_a_notice_is_flagged(tracker: Bench) -> None:
    year_end = Story(tracker, "20261230-000001")
    tracker.at("2026-12-30T10:00+08:00")
    await tracker.hear(year_end.registered("12-30 10:00"))
    path = "/v1/tickets/20261230-000001/clocks"
    found = (await tracker.http("supervisor").get(path)).json()["clocks"]
    provisional = {clock["kind"]: clock["provisional"] for clock in found}
    assert provisional == {"dispatch": False, "citizen": True}
