"""What the hotline ended itself meets the desk's clock and the citizen's: in time, or late with the truth."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from shared.events import Fact, TicketAnswered, TicketReopened
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

AGAIN = UUID(int=3)
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


@pytest.mark.parametrize("first", ["reopened", "dispatched"])
async def test_an_answer_that_is_taken_back_gives_nobody_time(
    tracker: Bench, story: Story, first: str
) -> None:
    """Recalled, answered here, taken back, given to the same unit: its clocks and the citizen's go on."""
    data = TicketReopened(reasons=(), comment="需现场办理", continues=True)
    again = [
        tracker.fact(data, subject=TICKET, time=at("03-06 10:20"), round=2),
        story.dispatched("03-06 10:30", id=AGAIN, round=2),
    ]
    await tracker.hear(story.registered(), story.dispatched(), story.cancelled("03-06 10:00"))
    await tracker.hear(answered(tracker, "03-06 10:10"))
    await tracker.hear(*(again if first == "reopened" else reversed(again)))
    found = await tracker.rows("SELECT kind, round, status, started_at, resumed_at FROM clocks")
    assert [
        (row["round"], row["status"], row["started_at"])
        for row in found
        if row["kind"] == "citizen"
    ] == [(1, "running", at("03-02 10:00"))]
    handle = [row for row in found if row["kind"] == "handle" and row["round"] == 2]
    assert [(row["started_at"], row["resumed_at"]) for row in handle] == [
        (at("03-02 10:05"), at("03-06 10:30"))
    ]
    assert await tracker.parked() == []
