"""Margins and rungs in the clock's own kind of time (shared cases T5, T6; ADR 0063)."""

from __future__ import annotations

from typing import Any

import pytest

from shared.events import Limits, Urgency
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import HC, Story, at, local
from tests.fixtures.scenes.tracker_doors import ask, slug, supervise

TOURISM = Limits(sign="4wh", first_contact="1wd", handle="24h")
LEAK = Limits(sign="15min", handle="2h")
TOURIST: dict[str, Any] = {"topic": "tourism.price", "limits": Limits(sign="4wh", handle="24h")}
DANGER: dict[str, Any] = {"urgency": Urgency.CRITICAL, "topic": "gas.leak", "limits": LEAK}


async def rungs(tracker: Bench) -> list[str]:
    """The rungs raised, in the order of their time, with their moments."""
    raised = await tracker.told("supervision.raised")
    return [f"{each.data.rung} {local(each.time)}" for each in sorted(raised, key=lambda f: f.time)]


async def tourism(tracker: Bench, story: Story) -> None:
    """T5: a tourism complaint of Friday evening, with a day and a night to handle it."""
    tracker.at("2026-03-06T18:30+08:00")
    await tracker.hear(
        story.registered("03-06 18:30", topic="tourism.price"),
        story.dispatched("03-06 18:30", topic="tourism.price", limits=TOURISM),
    )


async def test_t5_a_natural_limit_of_friday_evening_may_be_extended(
    tracker: Bench, story: Story
) -> None:
    await tourism(tracker, story)
    asked = await ask(tracker)
    assert asked.status_code == 200, asked.text


@pytest.mark.parametrize(("moment", "allowed"), [("14:30", True), ("14:31", False)])
async def test_t5_the_margin_of_a_natural_limit_is_natural_time(
    tracker: Bench, story: Story, moment: str, allowed: bool
) -> None:
    """R-18 延期."""
    await tourism(tracker, story)
    tracker.at(f"2026-03-07T{moment}+08:00")
    asked = await ask(tracker)
    if allowed:
        assert asked.status_code == 200
        return
    assert (asked.status_code, slug(asked)) == (409, "extension-too-late")
    assert "最迟应于2026年3月7日14:30申请" in asked.json()["detail"]
    assert "asked for by 2026-03-07 14:30" in asked.json()["detail"]


async def leak(tracker: Bench, story: Story) -> None:
    """T6: a gas leak at three in the morning of the holiday; nobody signs."""
    tracker.at("2026-02-17T03:00+08:00")
    given: dict[str, Any] = {"urgency": Urgency.CRITICAL, "topic": "gas.leak"}
    await tracker.hear(
        story.registered("02-17 03:00", **given),
        story.dispatched("02-17 03:00", **given, limits=LEAK),
    )


async def test_t6_no_lower_rung_follows_one_that_stands(tracker: Bench, story: Story) -> None:
    """R-30 督办."""
    await leak(tracker, story)
    for moment in ("17T03:20", "17T06:00", "24T20:00"):
        tracker.at(f"2026-02-{moment}+08:00")
        await tracker.run("sweep")
    assert await rungs(tracker) == ["3 02-17 03:15", "3 02-20 05:00", "4 02-22 05:00"]


async def test_t6_a_sweep_that_slept_finds_the_same(tracker: Bench, story: Story) -> None:
    await leak(tracker, story)
    tracker.at("2026-02-24T20:00+08:00")
    await tracker.run("sweep")
    assert await rungs(tracker) == ["3 02-17 03:15", "3 02-20 05:00", "4 02-22 05:00"]


async def test_t6_rungs_of_a_natural_limit_wait_for_no_working_day(
    tracker: Bench, story: Story
) -> None:
    """R-32 催办."""
    await leak(tracker, story)
    await tracker.hear(story.signed("02-17 03:05"))
    tracker.at("2026-02-24T20:00+08:00")
    await tracker.run("sweep")
    assert await rungs(tracker) == [
        "1 02-17 05:00",
        "2 02-18 05:00",
        "3 02-20 05:00",
        "4 02-22 05:00",
    ]


@pytest.mark.parametrize("late", [False, True])
async def test_t6_what_a_rung_kept_back_is_raised_when_it_had_no_ground(
    tracker: Bench, story: Story, late: bool
) -> None:
    await leak(tracker, story)
    tracker.at("2026-02-17T06:00+08:00")
    await tracker.hear(*([] if late else [story.signed("02-17 03:05")]))
    await tracker.run("sweep")
    await tracker.hear(*([story.signed("02-17 03:05")] if late else []))
    stands = await tracker.rows("SELECT rung, raised_at FROM supervisions")
    assert [(row["rung"], local(row["raised_at"])) for row in stands] == [(1, "02-17 05:00")]


@pytest.mark.parametrize(
    ("begins", "given", "raised"),
    [
        # the whole of the National Day holiday, and a complaint of a tourist
        ("09-30 18:30", TOURIST, ["1 10-01 18:30", "2 10-02 18:30", "3 10-04 18:30"]),
        # a leak of the last hour of a year whose next is not arranged yet
        ("12-31 23:00", DANGER, ["1 01-01 01:00", "2 01-02 01:00", "3 01-04 01:00"]),
    ],
)
async def test_t6_no_holiday_and_no_new_year_keeps_a_natural_limit_waiting(
    tracker: Bench, story: Story, begins: str, given: dict[str, Any], raised: list[str]
) -> None:
    matter = {name: given[name] for name in given if name != "limits"}
    await tracker.hear(story.registered(begins, **matter), story.dispatched(begins, **given))
    await tracker.hear(story.signed(begins))
    assert await tracker.rows("SELECT 1 FROM clocks WHERE unit = 'HC' AND provisional") == []
    tracker.at("2027-01-05T09:00+08:00")
    await tracker.run("sweep")
    assert (await rungs(tracker))[:3] == raised


async def test_a_hand_that_errs_keeps_the_ladder_back_only_until_it_is_withdrawn(
    tracker: Bench, open_ticket: Story
) -> None:
    await tracker.hear(open_ticket.signed("03-02 11:00"))
    tracker.at("2026-03-03T10:00+08:00")
    raised = (await supervise(tracker, rung=3)).json()["id"]
    tracker.at("2026-03-11T10:00+08:00")
    await tracker.run("sweep")
    assert await rungs(tracker) == ["3 03-03 10:00"]
    path = f"/v1/supervisions/{raised}/withdrawal"
    await tracker.http("supervisor").post(path, json={"reason": "误发"})
    # The lower of the two that it kept back follows no higher one either.
    assert await rungs(tracker) == ["3 03-03 10:00", "2 03-11 10:00"]
    [second] = [f for f in await tracker.told("supervision.raised") if f.data.rung == 2]
    assert second.data.answer_due == at("03-16 18:00")
    assert second.assignment == HC
    await tracker.hear(open_ticket.completed("03-12 10:00"))
    closed = [f.data.rung for f in await tracker.told("supervision.closed")]
    assert sorted(closed) == [2, 3]
