"""A matter found complex: what was missed stands, a cap holds, the citizen hears (shared case T7)."""

from __future__ import annotations

from typing import Any

import pytest

from shared.events import AssignmentUpdated, Fact, Limits, TicketCorrected, Urgency
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import GT, HC, Story, at, clocks, facts_told

COMPLEX = Limits(sign="4wh", first_contact="1wd", handle="15wd")


async def missed(tracker: Bench, story: Story) -> None:
    """T7: registered on 03-02, nothing done, red at 03-09 18:00."""
    await tracker.hear(story.registered(), story.dispatched())
    tracker.at("2026-03-10T10:00+08:00")
    await tracker.run("sweep")
    assert "deadline.breached@03-09 18:00" in await facts_told(tracker)


def granted(story: Story, to: str) -> list[Fact]:
    """The desk assigns it as complex: to the same unit, whose order goes on, or to another."""
    if to == "HC":
        updated = AssignmentUpdated(
            kind="urged", content="疑难", urgency=Urgency.COMPLEX, limits=COMPLEX
        )
        return [story.of_unit(updated, "03-10 10:00")]
    again = story.dispatched(
        "03-10 10:00", id=GT, unit="GT", urgency=Urgency.COMPLEX, limits=COMPLEX
    )
    return [story.cancelled("03-10 10:00"), again]


@pytest.mark.parametrize("to", ["HC", "GT"])
async def test_t7_a_longer_limit_leaves_the_miss_standing(
    tracker: Bench, story: Story, to: str
) -> None:
    await missed(tracker, story)
    await tracker.hear(*granted(story, to))
    assert await facts_told(tracker, "deadline.annulled") == []
    late = await tracker.rows("SELECT kind FROM clocks WHERE breached_at IS NOT NULL")
    assert {"citizen", "handle"} <= {row["kind"] for row in late}


async def test_t7_the_cap_holds_whoever_gets_it(tracker: Bench, story: Story) -> None:
    """R-18 延期."""
    await missed(tracker, story)
    await tracker.hear(*granted(story, "GT"))
    assert (await clocks(tracker))["handle GT"] == ("running", "03-23 18:00")
    shown = (await tracker.http("supervisor").get("/v1/tickets/20260302-000001/clocks")).json()
    [handle] = [
        each for each in shown["clocks"] if (each["kind"], each["unit"]) == ("handle", "GT")
    ]
    assert "办理总时限不超过15个工作日" in handle["explanation"]["zh"]
    assert handle["days"][-1]["day"] == "2026-03-23"
    assert not handle["kept"]


async def test_t7_the_cap_leaves_no_unit_less_than_what_is_not_complex(
    tracker: Bench, story: Story
) -> None:
    await tracker.hear(story.registered(), story.dispatched())
    again = story.dispatched(
        "03-20 10:00", id=GT, unit="GT", urgency=Urgency.COMPLEX, limits=COMPLEX
    )
    await tracker.hear(story.cancelled("03-20 10:00"), again)
    assert (await clocks(tracker))["handle GT"] == ("running", "03-27 18:00")


@pytest.mark.parametrize("to", ["HC", "GT"])
async def test_t7_the_citizen_is_told_of_the_longer_limit_once(
    tracker: Bench, story: Story, to: str
) -> None:
    await missed(tracker, story)
    await tracker.hear(*granted(story, to))
    await tracker.hear(story.signed("03-10 11:00", id=HC if to == "HC" else GT))
    [told] = await tracker.told("deadline.lengthened")
    assert (told.data.before, told.data.due) == (at("03-09 18:00"), at("03-23 18:00"))
    assert (told.data.clock, told.time, told.unit) == ("citizen", at("03-10 10:00"), None)
    assert "情况复杂" in told.data.reason


async def test_t7_nobody_is_told_of_what_gives_no_more_time(tracker: Bench, story: Story) -> None:
    enterprise: dict[str, Any] = {"topic": "road.damage", "flags": ("enterprise",)}
    await tracker.hear(story.registered(**enterprise), story.dispatched(**enterprise))
    await tracker.hear(
        story.of_unit(
            AssignmentUpdated(
                kind="urged", content="疑难", urgency=Urgency.COMPLEX, limits=COMPLEX
            ),
            "03-03 10:00",
        )
    )
    assert await tracker.told("deadline.lengthened") == []


@pytest.mark.parametrize("red", [False, True])
async def test_the_citizen_hears_that_a_correction_gives_more_time(
    tracker: Bench, story: Story, red: bool
) -> None:
    """T7, gain 3: 24 hours for a tourist become five working days; the miss stands, each hears the date."""
    await tracker.hear(story.registered(flags=("tourism",)), story.dispatched())
    tracker.at("2026-03-03T11:00+08:00" if red else "2026-03-02T11:00+08:00")
    await tracker.run("sweep")
    when = "03-03 11:00" if red else "03-02 11:00"
    right = TicketCorrected(fields=("flags",), reason="听错了", flags=(), after_dispatch=True)
    await tracker.hear(story._fact(right, when), story.signed(when))
    assert (await clocks(tracker))["citizen #1"] == (
        "running",
        "03-03 10:00" if red else "03-09 18:00",
    )
    [told] = await tracker.told("deadline.lengthened")
    assert (told.data.before, told.data.due) == (at("03-03 10:00"), at("03-09 18:00"))
    assert told.data.reason.startswith("经核实更正")


async def test_the_citizen_hears_that_what_is_less_urgent_has_more_time(
    tracker: Bench, story: Story
) -> None:
    """R-42: two people lowered it."""
    urgent: dict[str, Any] = {"urgency": Urgency.URGENT}
    limits = Limits(sign="30min", first_contact="2h", handle="24h")
    await tracker.hear(story.registered(**urgent), story.dispatched(**urgent, limits=limits))
    lower = AssignmentUpdated(
        kind="urged", content="核实", urgency=Urgency.NORMAL, limits=Limits(handle="5wd")
    )
    await tracker.hear(story.of_unit(lower, "03-02 11:00"))
    [told] = await tracker.told("deadline.lengthened")
    assert (told.data.before, told.data.due) == (at("03-03 10:00"), at("03-09 18:00"))


async def test_nobody_is_told_a_date_that_has_gone(tracker: Bench, story: Story) -> None:
    """Found complex after the cap on the whole: there is no new date."""
    await missed(tracker, story)
    late = AssignmentUpdated(kind="urged", content="疑难", urgency=Urgency.COMPLEX, limits=COMPLEX)
    await tracker.hear(story.of_unit(late, "03-30 10:00"))
    assert await tracker.told("deadline.lengthened") == []
