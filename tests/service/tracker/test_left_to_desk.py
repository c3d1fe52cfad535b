"""待派 at the tracker: before any dispatch a ticket's own clocks go by what the dispatcher holds."""

from __future__ import annotations

from itertools import permutations

import pytest

from shared.events import Limits, Urgency
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import GT, Story, at, clocks


async def test_the_clocks_of_what_nobody_has_follow_the_urgency_the_dispatcher_holds(
    tracker: Bench, story: Story
) -> None:
    """R-03, R-19: five minutes to dispatch and two hours for the citizen, whatever was asked."""
    await tracker.hear(story.registered())
    await tracker.hear(story.left("03-02 10:00", Urgency.CRITICAL))
    assert await clocks(tracker) == {
        "dispatch #1": ("running", "03-02 10:05"),
        "citizen #1": ("running", "03-02 12:00"),
    }
    assert {fact.data.clock for fact in await tracker.told("deadline.moved")} == {
        "dispatch",
        "citizen",
    }


async def test_no_breach_is_dated_before_anybody_could_know_it(
    tracker: Bench, story: Story
) -> None:
    await tracker.hear(story.registered())
    await tracker.hear(story.left("03-02 13:00", Urgency.CRITICAL))
    tracker.at("2026-03-02T13:01+08:00")
    await tracker.run("sweep")
    breached = await tracker.told("deadline.breached")
    assert {(fact.data.clock, fact.time) for fact in breached} == {
        ("dispatch", at("03-02 10:30")),  # by what was asked it was late already
        ("citizen", at("03-02 13:00")),
    }


async def test_a_release_before_did_not_say_it_and_nothing_changes(
    tracker: Bench, story: Story
) -> None:
    await tracker.hear(story.registered())
    before = await clocks(tracker)
    await tracker.hear(story.left("03-02 10:00", None))
    assert await clocks(tracker) == before


async def test_a_higher_urgency_said_later_counts_and_so_does_the_dispatch(
    tracker: Bench, story: Story
) -> None:
    await tracker.hear(story.registered())
    await tracker.hear(story.left("03-02 10:00", Urgency.NORMAL))
    await tracker.hear(story.left("03-02 10:02", Urgency.CRITICAL))
    assert (await clocks(tracker))["dispatch #1"] == ("running", "03-02 10:05")
    await tracker.hear(story.dispatched("03-02 10:04", urgency=Urgency.URGENT))
    known = await clocks(tracker)
    assert known["dispatch #1"] == ("met", "03-02 10:05")
    assert known["citizen #1"] == ("running", "03-03 10:00")


async def test_after_a_return_the_desk_s_clock_goes_by_the_urgency_it_was_left_with(
    tracker: Bench, story: Story
) -> None:
    await tracker.hear(story.registered(), story.dispatched(), story.asked_return("03-02 11:00"))
    back = story.returned("03-02 15:00"), story.left("03-02 15:00", Urgency.CRITICAL)
    await tracker.hear(*back)
    known = await clocks(tracker)
    assert known["dispatch #1"] == ("met", "03-02 10:30")
    assert known["dispatch #1 again"] == ("running", "03-02 15:05")


async def test_the_desk_has_a_limit_whenever_units_lost_the_ticket(
    tracker: Bench, story: Story
) -> None:
    """Recalled, or reopened with nobody to give it to: no state without somebody whose time runs."""
    await tracker.hear(story.registered(), story.dispatched(), story.cancelled("03-02 15:00"))
    await tracker.hear(story.left("03-02 15:00", Urgency.NORMAL, anew=True))
    assert (await clocks(tracker))["dispatch #1 again"] == ("running", "03-02 15:30")
    await tracker.hear(story.left("03-02 15:05", Urgency.URGENT))
    assert (await clocks(tracker))["dispatch #1 again"] == ("running", "03-02 15:10")
    await tracker.hear(story.dispatched("03-02 15:08", unit="ZJJ", id=GT, urgency=Urgency.URGENT))
    assert (await clocks(tracker))["dispatch #1 again"] == ("met", "03-02 15:10")


@pytest.mark.parametrize("order", [*permutations(range(3))])
async def test_in_whatever_order_it_is_heard_the_clocks_are_the_same(
    tracker: Bench, story: Story, order: tuple[int, ...]
) -> None:
    facts = [
        story.left("03-02 10:00", Urgency.CRITICAL, seq=1),
        story.left("03-02 10:01", Urgency.URGENT, seq=2),
        story.dispatched("03-02 10:20", urgency=Urgency.URGENT, limits=Limits(handle="24h")),
    ]
    await tracker.hear(story.registered())
    for place in order:
        await tracker.hear(facts[place])
    assert await clocks(tracker) == {
        "dispatch #1": ("met", "03-02 10:10"),
        "citizen #1": ("running", "03-03 10:00"),
        "handle HC": ("running", "03-03 10:20"),
    }
