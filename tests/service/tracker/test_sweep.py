"""The sweep: each mark fires once with its true time, whoever else is at work."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from services.tracker import jobs
from shared.events import Limits, SupervisionRaised, Urgency
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import HC, TICKET, Story, at, clocks, local


async def test_a_sweep_that_slept_fires_each_mark_once_with_its_true_time(
    tracker: Bench, story: Story
) -> None:
    await tracker.hear(story.registered(), story.dispatched(), story.signed("03-02 11:00"))
    await tracker.hear(story.contacted("03-02 11:10"))
    tracker.at("2026-03-20T10:00+08:00")
    assert await tracker.run("sweep") == 2
    assert await tracker.run("sweep") == 0
    handle = [f for f in await tracker.told() if f.assignment == HC]
    fired = [f for f in handle if f.name.startswith(("deadline.w", "deadline.b", "supervision"))]
    assert [f"{f.key}@{local(f.time)}" for f in fired] == [
        "deadline.warned.HC@03-05 09:17",
        "deadline.warned.HC@03-06 18:00",
        "deadline.breached.HC@03-09 18:00",
        "supervision.raised.HC@03-09 18:00",
        "supervision.raised.HC@03-10 18:00",
        "supervision.raised.HC@03-12 18:00",
        "supervision.raised.HC@03-16 18:00",
    ]
    assert {f.data.title.split()[0] for f in fired if f.name == "supervision.raised"} == {
        "催办",
        "督办单",
        "一把手督办",
        "挂牌督办",
    }
    assert fired[4].data.answer_due == at("03-13 18:00")


async def test_the_sweep_is_bounded_and_looks_only_at_what_is_due(
    tracker: Bench, story: Story
) -> None:
    await tracker.hear(*(Story(tracker, f"20260302-{n:06}").registered() for n in range(1, 6)))
    assert await tracker.service.next_due() == at("03-02 10:22").replace(second=30)
    tracker.at("2026-03-02T10:22+08:00")
    assert await tracker.service.jobs["sweep"].run(tracker.service.store, 3) == 0
    tracker.at("2026-03-02T10:25+08:00")
    assert await tracker.service.jobs["sweep"].run(tracker.service.store, 3) == 3
    assert await tracker.service.jobs["sweep"].run(tracker.service.store, 3) == 2
    assert await tracker.service.next_due() == at("03-02 10:30")


async def test_two_sweeps_at_once_fire_each_mark_once(tracker: Bench) -> None:
    tickets = [f"20260302-{n:06}" for n in range(1, 41)]
    await tracker.hear(*(Story(tracker, ticket).registered() for ticket in tickets))
    tracker.at("2026-03-20T10:00+08:00")
    run, store = tracker.service.jobs["sweep"].run, tracker.service.store
    moved = [1]
    while sum(moved):
        moved = await asyncio.gather(*(run(store, 7) for _ in range(3)))
    for name in ("deadline.warned", "deadline.breached"):
        subjects = sorted(f.subject for f in await tracker.told(name))
        assert subjects == sorted(tickets * 2)


async def test_a_sweep_beside_a_handler_neither_waits_for_it_nor_doubles(
    tracker: Bench, story: Story
) -> None:
    await tracker.hear(story.registered(), story.dispatched())
    tracker.at("2026-03-20T10:00+08:00")
    async with tracker.service.store.act("service:tracker") as act:
        locked = text("SELECT 1 FROM clocks WHERE ticket = :ticket FOR NO KEY UPDATE")
        await (await act.session.connection()).execute(locked, {"ticket": TICKET})
        assert await jobs.sweep(tracker.service.store, 10) == 0
    await asyncio.gather(
        jobs.sweep(tracker.service.store, 10), tracker.hear(story.completed("03-11 10:00"))
    )
    await tracker.run("sweep")
    breached = [f for f in await tracker.told("deadline.breached") if f.data.clock == "handle"]
    assert len(breached) == 1
    assert (await clocks(tracker))["handle HC"][0] == "met"


# --- triggers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("round", "rungs"), [(3, []), (4, [4])])
async def test_more_than_two_redo_rounds_are_supervised_from_dispatch(
    tracker: Bench, story: Story, round: int, rungs: list[int]
) -> None:
    """R-27 重办, R-30."""
    await tracker.hear(
        story.registered(),
        story.reopened("03-02 11:00", round),
        story.dispatched("03-02 11:00", round=round, redo=True),
    )
    tracker.at("2026-03-02T11:00+08:00")
    await tracker.run("sweep")
    raised = await tracker.told("supervision.raised")
    assert [(f.data.rung, f.data.by, local(f.time)) for f in raised] == [
        (rung, "trigger", "03-02 11:00") for rung in rungs
    ]


async def test_a_critical_ticket_not_signed_for_is_the_head_s_matter(
    tracker: Bench, story: Story
) -> None:
    """R-33 提级办理."""
    limits = Limits(sign="15min", first_contact="30min", handle="2h")
    await tracker.hear(
        story.registered(), story.dispatched(urgency=Urgency.CRITICAL, limits=limits)
    )
    tracker.at("2026-03-02T10:25+08:00")
    await tracker.run("sweep")
    (raised,) = await tracker.told("supervision.raised")
    assert (raised.data.rung, raised.data.by) == (3, "trigger")
    assert isinstance(raised.data, SupervisionRaised)
    await tracker.hear(story.signed("03-02 10:19"))
    (closed,) = await tracker.told("supervision.closed")
    assert closed.data.supervision == raised.data.supervision
