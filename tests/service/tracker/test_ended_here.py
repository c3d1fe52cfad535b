"""What the hotline ended itself meets the desk's clock and the citizen's: in time, or late with the truth."""

from __future__ import annotations

from typing import Any

import pytest

from shared.events import Fact, TicketAnswered
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import (
    TICKET,
    Story,
    at,
    clocks,
    facts_told,
    story,
)

__all__ = ["story"]

ABOUT: dict[str, Any] = {
    "type": "complaint",
    "urgency": "normal",
    "topic": "road.damage",
    "area": "610924110",
    "channel": "phone",
    "answer": "今晚检修",
}


def answered(tracker: Bench, moment: str, *, registered: bool = True, round: int = 1) -> Fact:
    data = TicketAnswered.model_validate(ABOUT | {"registered": registered})
    return tracker.fact(data, subject=TICKET, time=at(moment), round=round)


async def test_what_was_never_registered_has_no_clock(tracker: Bench) -> None:
    await tracker.hear(answered(tracker, "03-02 10:10", registered=False))
    assert await clocks(tracker) == {}
    assert await tracker.parked() == []


async def test_an_end_in_time_meets_the_clocks(tracker: Bench, story: Story) -> None:
    await tracker.hear(story.registered(), answered(tracker, "03-02 10:20"))
    assert {name: status for name, (status, _) in (await clocks(tracker)).items()} == {
        "dispatch #1": "met",
        "citizen #1": "met",
    }
    tracker.at(at("03-20 10:00"))
    await tracker.run("sweep")
    assert await facts_told(tracker, "deadline.breached") == []


async def test_a_late_end_leaves_the_breach(tracker: Bench, story: Story) -> None:
    await tracker.hear(story.registered())
    tracker.at(at("03-02 11:00"))
    await tracker.run("sweep")
    await tracker.hear(answered(tracker, "03-02 11:00"))
    assert await facts_told(tracker, "deadline.breached") == ["deadline.breached@03-02 10:30"]
    met = [fact for fact in await tracker.told("deadline.met") if fact.data.clock == "dispatch"]
    assert [fact.data.late for fact in met] == [True]


@pytest.mark.parametrize("backwards", [False, True])
async def test_a_return_granted_as_it_ended_leaves_no_clock_running(
    tracker: Bench, story: Story, backwards: bool
) -> None:
    await tracker.hear(story.registered(), story.dispatched())
    facts = [
        story.asked_return("03-02 10:10"),
        answered(tracker, "03-02 10:15"),
        story.returned("03-02 10:16"),
    ]
    await tracker.hear(*(reversed(facts) if backwards else facts))
    assert {status for status, _ in (await clocks(tracker)).values()} <= {"met", "cancelled"}
