"""Supervision 督办 by hand: any rung is raised, and ends with its assignment."""

from __future__ import annotations

import pytest

from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import Story, at, facts_told, local
from tests.fixtures.scenes.tracker_doors import HAND, supervise


@pytest.mark.parametrize("rung", range(1, 8))
@pytest.mark.usefixtures("open_ticket")
async def test_a_supervisor_raises_any_rung(tracker: Bench, rung: int) -> None:
    """R-30 督办."""
    raised = await supervise(tracker, rung=rung)
    assert raised.status_code == 200
    (told,) = await tracker.told("supervision.raised")
    assert (told.key, told.data.rung, told.data.by) == ("supervision.raised.HC", rung, "hand")
    assert told.data.reason == HAND["reason"]
    assert told.data.answer_due == (at("03-05 18:00") if rung == 2 else None)
    assert str(told.data.supervision) == raised.json()["id"]


async def test_a_supervision_by_hand_ends_with_its_assignment(
    tracker: Bench, open_ticket: Story
) -> None:
    tracker.at("2026-03-03T10:00+08:00")
    raised = (await supervise(tracker)).json()
    await tracker.hear(open_ticket.completed("03-04 10:00"))
    (closed,) = await tracker.told("supervision.closed")
    assert (str(closed.data.supervision), local(closed.time)) == (raised["id"], "03-04 10:00")
    late = await supervise(tracker)
    assert (late.status_code, late.json()["current_status"]) == (409, "ended")


async def test_a_supervision_is_not_closed_before_it_was_raised(
    tracker: Bench, open_ticket: Story
) -> None:
    tracker.at("2026-03-05T10:00+08:00")
    await supervise(tracker)
    await tracker.hear(open_ticket.completed("03-04 10:00"))
    assert await facts_told(tracker, "supervision.closed") == ["supervision.closed@03-05 10:00"]
