"""拆分 at the tracker: the citizen of each matter waits since the call was accepted (R-14)."""

from __future__ import annotations

from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import Story, at, clocks


async def test_the_citizens_clock_starts_at_the_acceptance_and_the_desks_at_the_split(
    tracker: Bench, story: Story
) -> None:
    """R-14: the citizen's clock never begins afresh; nobody could dispatch the matter before it was one."""
    await tracker.hear(story.registered("03-02 10:00"))
    whole = (await clocks(tracker))["citizen #1"]
    other = Story(tracker, "20260302-000002")
    matter = other.registered(
        "03-03 15:00", split_from=story.subject, accepted_at=at("03-02 10:00")
    )
    await tracker.hear(matter)
    found = await clocks(tracker, other.subject)
    assert found == {"dispatch #1": ("running", "03-03 15:30"), "citizen #1": whole}


async def test_what_is_split_late_is_late(tracker: Bench, story: Story) -> None:
    matter = story.registered("03-16 10:00", accepted_at=at("03-02 10:00"))
    tracker.at("2026-03-16T10:01+08:00")
    await tracker.hear(matter)
    await tracker.run("sweep")
    breached = [fact.data.clock for fact in await tracker.told("deadline.breached")]
    assert "citizen" in breached
