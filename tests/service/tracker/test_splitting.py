"""拆分 at the tracker: the citizen of each matter waits since the call was accepted (R-14)."""

from __future__ import annotations

from uuid import UUID

from shared.events import Fact, TicketSplit
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import Story, at, clocks


def split(bench: Bench, number: str, into: str, moment: str) -> Fact:
    """Intake says that a call held another matter."""
    data = TicketSplit(title="路灯不亮", content="路灯", matters=(into,), reason="两件事")
    return bench.fact(data, subject=number, time=at(moment))


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


async def test_the_unit_that_had_the_call_gets_no_new_time_for_a_matter(
    tracker: Bench, story: Story
) -> None:
    await tracker.hear(story.registered(), story.dispatched())
    other = Story(tracker, "20260302-000002")
    await tracker.hear(
        other.registered("03-06 10:00", split_from=story.subject, accepted_at=at("03-02 10:00")),
        other.dispatched("03-06 10:00", id=UUID(int=7)),
        split(tracker, story.subject, other.subject, "03-06 10:00"),
    )
    due = (await clocks(tracker))["handle HC"]
    assert (await clocks(tracker, other.subject))["handle HC"] == due
