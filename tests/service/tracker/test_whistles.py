"""报到 at the tracker: a clock of who was whistled for, its rung, and its figures (R-47; ADR 0061)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from shared.events import AssignmentAttended, AssignmentUpdated, Fact, Limits, Role, Urgency
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import GT, NORMAL, Story, at, local

CALLED = NORMAL.model_copy(update={"first_contact": None, "attend": "1wd"})


@pytest.fixture
async def whistled(tracker: Bench) -> Story:
    """Hongchun leads, Gaotan was whistled for on Monday at 10:05."""
    story = Story(tracker)
    helping = story.dispatched(id=GT, unit="GT", role=Role.CO, lead="HC", limits=CALLED)
    await tracker.hear(story.registered(), story.dispatched(), helping)
    return story


def attended(story: Story, moment: str, entered: str | None = None, **whose: Any) -> Fact:
    fact = story.of_unit(AssignmentAttended(person="王五"), moment, **({"id": GT} | whose))
    return fact.model_copy(update={"recorded": at(entered)}) if entered else fact


async def sweep(tracker: Bench, moment: str) -> None:
    tracker.at(f"2026-{moment}+08:00")
    await tracker.run("sweep")


async def told(tracker: Bench, name: str) -> list[str]:
    """When something was said of a clock to come."""
    facts = await tracker.told(name)
    return [local(fact.time) for fact in facts if fact.data.clock == "attend"]


async def rates(tracker: Bench) -> Any:
    return (
        await tracker.http("supervisor").get("/v1/rates?basis=judged&from=2026-03-01&to=2026-03-31")
    ).json()


async def test_the_clock_runs_from_the_whistle_and_coming_meets_it(
    tracker: Bench, whistled: Story
) -> None:
    (row,) = await tracker.rows("SELECT * FROM clocks WHERE kind = 'attend'")
    assert (row["unit"], local(row["due"]), row["status"]) == ("GT", "03-03 18:00", "running")
    await tracker.hear(attended(whistled, "03-03 17:00"))
    await sweep(tracker, "03-04T10:00")
    assert await told(tracker, "deadline.met") == ["03-03 17:00"]
    assert await told(tracker, "deadline.breached") == []
    assert (await rates(tracker))["attend"] == {
        "due": 1, "on_time": 1, "late": 0, "absent": 0, "revised": 0, "rate": 1.0,
    }  # fmt: skip


async def test_who_did_not_come_is_late_and_raised_before_a_supervisor(
    tracker: Bench, whistled: Story
) -> None:
    """R-47, R-30."""
    await tracker.hear(whistled.signed("03-02 11:00"), whistled.signed("03-02 11:00", id=GT))
    await sweep(tracker, "03-04T09:00")
    assert await told(tracker, "deadline.breached") == ["03-03 18:00"]
    (raised,) = await tracker.told("supervision.raised")
    assert (raised.unit, raised.data.rung, raised.data.by) == ("GT", 1, "trigger")
    assert "吹哨后未按时报到" in raised.data.reason
    found = await rates(tracker)
    assert (found["attend"]["late"], found["attend"]["absent"]) == (0, 1)
    assert found["attend"]["rate"] == 0.0
    await tracker.hear(attended(whistled, "03-04 09:30"))
    found = await rates(tracker)
    assert (found["attend"]["late"], found["attend"]["absent"]) == (1, 0)
    assert found["attend"]["rate"] == 0.0
    assert [unit["attend"]["late"] for unit in found["units"] if unit["unit"] == "GT"] == [1]


async def test_what_is_entered_late_takes_no_red_card_back(tracker: Bench, whistled: Story) -> None:
    await sweep(tracker, "03-04T09:00")
    await tracker.hear(attended(whistled, "03-03 09:00", entered="03-04 09:30"))
    assert await told(tracker, "deadline.annulled") == []
    assert (await rates(tracker))["attend"]["late"] == 1


async def test_it_stands_still_while_the_desk_rules_on_a_return(
    tracker: Bench, whistled: Story
) -> None:
    """R-15."""
    await tracker.hear(whistled.asked_return("03-02 14:00", id=GT))
    await sweep(tracker, "03-04T10:00")
    assert await told(tracker, "deadline.breached") == []
    await tracker.hear(whistled.returned("03-04 10:00", id=GT))
    assert (await rates(tracker))["attend"]["due"] == 0


async def test_a_whistle_called_off_is_no_duty_and_what_was_missed_stands(
    tracker: Bench, whistled: Story
) -> None:
    await sweep(tracker, "03-04T09:00")
    await tracker.hear(whistled.cancelled("03-04 09:30", id=GT))
    assert (await rates(tracker))["attend"]["absent"] == 1
    page = (await tracker.http("supervisor").get("/v1/breaches")).json()
    assert "attend" in {each["kind"] for each in page["items"]}


async def test_it_follows_the_urgency(tracker: Bench, whistled: Story) -> None:
    limits = Limits(sign="30min", handle="24h", attend="2h")
    data = AssignmentUpdated(kind="urged", content="加急", urgency=Urgency.URGENT, limits=limits)
    await tracker.hear(whistled.of_unit(data, "03-02 11:00", id=GT))
    (row,) = await tracker.rows("SELECT due FROM clocks WHERE kind = 'attend'")
    assert local(row["due"]) == "03-02 12:05"


async def test_who_came_before_it_was_more_urgent_came_in_time(
    tracker: Bench, whistled: Story
) -> None:
    """The dispatcher prints no limit to come for who came."""
    await tracker.hear(attended(whistled, "03-02 10:30"))
    limits = Limits(sign="30min", handle="24h")
    data = AssignmentUpdated(kind="urged", content="加急", urgency=Urgency.URGENT, limits=limits)
    await tracker.hear(whistled.of_unit(data, "03-02 11:00", id=GT))
    assert (await rates(tracker))["attend"]["on_time"] == 1


async def test_who_gets_it_again_goes_on_where_it_stopped(tracker: Bench, whistled: Story) -> None:
    """ADR 0049: to be called off and whistled for again gives no new day."""
    await tracker.hear(whistled.cancelled("03-02 16:05", id=GT))
    again = whistled.dispatched(
        "03-03 09:05", id=UUID(int=3), unit="GT", role=Role.CO, lead="HC", limits=CALLED
    )
    await tracker.hear(again)
    rows = await tracker.rows("SELECT * FROM clocks WHERE kind = 'attend' ORDER BY due")
    assert rows[-1]["resumed_at"] is not None
    assert [local(row["due"]) for row in rows] == ["03-03 18:00", "03-04 11:00"]
