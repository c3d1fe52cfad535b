"""Duty hours and days that change: what fired stays, what is open follows at once (ADR 0062, T1-T3)."""

from __future__ import annotations

from pathlib import Path

from services.tracker.settings import Config, Settings
from shared.storage.act import Store
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.changed_calendar import afternoons, county, day_off, restart, step
from tests.fixtures.scenes.tracker import HC, Story, clocks, facts_told, local
from tests.fixtures.scenes.tracker_doors import GRANT, ask, rule

PASSED = ("deadline.warned", "deadline.breached", "supervision.raised", "supervision.closed")


async def test_t1_changed_duty_hours_do_not_rewrite_the_past(
    tracker: Bench, story: Story, tmp_path: Path
) -> None:
    folder = county(tmp_path)
    await restart(tracker, folder)
    await tracker.hear(story.registered("03-02 09:00"), story.dispatched("03-02 09:00"))
    await step(tracker, "03-11 20:00")
    told, rungs = (
        await facts_told(tracker, *PASSED),
        await tracker.rows("SELECT * FROM supervisions"),
    )
    assert rungs
    afternoons(folder, "14:00", "17:30")
    await restart(tracker, folder)
    await step(tracker, "03-12 19:00")
    since = await facts_told(tracker, *PASSED)
    assert since[: len(told)] == told
    assert [each.split("@")[0] for each in since[len(told) :]] == ["supervision.raised"]
    kept = await tracker.rows("SELECT * FROM supervisions")
    assert [row for row in kept if row in rungs] == rungs
    third = max(kept, key=lambda row: row["rung"])
    assert local(third["raised_at"]) == "03-12 17:30", "what lay ahead follows the new hours"
    assert await facts_told(tracker, "deadline.moved") == []


async def test_t2_judged_history_is_not_judged_anew(
    tracker: Bench, story: Story, tmp_path: Path
) -> None:
    folder = county(tmp_path)
    await restart(tracker, folder)
    await tracker.hear(story.registered("03-02 09:00"), story.dispatched("03-02 09:00"))
    await tracker.hear(story.completed("03-09 18:10"), story.resolved("03-09 18:10"))
    await step(tracker, "03-09 19:00")
    ended = await tracker.rows("SELECT * FROM clocks WHERE ended_at IS NOT NULL ORDER BY id")
    said = await facts_told(tracker)
    tracker.at("2026-03-09T20:00+08:00")
    afternoons(folder, "14:30", "18:30")
    await restart(tracker, folder)
    await step(tracker, "03-10 09:00")
    await tracker.hear(story.reopened("03-10 09:00", 2))
    assert (await facts_told(tracker))[: len(said)] == said
    assert await facts_told(tracker, "deadline.annulled", "deadline.moved") == []
    late = [f.data.late for f in await tracker.told("deadline.met") if f.assignment == HC]
    assert late[-1] is True
    again = await tracker.rows("SELECT * FROM clocks WHERE ended_at IS NOT NULL ORDER BY id")
    assert again == ended


async def test_t2_an_extension_granted_after_the_end_counts_by_the_hours_of_then(
    tracker: Bench, story: Story, tmp_path: Path
) -> None:
    """R-18: asked in time, answered ten minutes late, granted when other hours hold."""
    folder = county(tmp_path)
    await restart(tracker, folder)
    await tracker.hear(story.registered("03-02 09:00"), story.dispatched("03-02 09:00"))
    await step(tracker, "03-09 10:00")
    asked = (await ask(tracker)).json()["id"]
    await step(tracker, "03-09 18:10")
    await tracker.hear(story.completed("03-09 18:10"), story.resolved("03-09 18:10"))
    afternoons(folder, "14:30", "18:30")
    await restart(tracker, folder)
    await step(tracker, "03-10 09:00")
    assert (await rule(tracker, asked, GRANT)).json()["status"] == "granted"
    assert (await clocks(tracker))["handle HC"] == ("met", "03-12 18:00")
    late = [f.data.late for f in await tracker.told("deadline.met") if f.data.clock == "handle"]
    assert late == [True, False]


async def test_t3_a_day_off_taken_back_before_anybody_looked_is_said(
    tracker: Bench, story: Story, tmp_path: Path
) -> None:
    """What was promised meanwhile is kept, and why it moved is true."""
    folder = county(tmp_path)
    await restart(tracker, folder)
    await tracker.hear(story.registered("03-02 09:00"), story.dispatched("03-02 09:00"))
    await step(tracker, "03-04 20:00")
    known = (folder / "calendar/2026.json").read_text(encoding="utf-8")
    day_off(folder, "2026-03-06", "防汛停工")
    await restart(tracker, folder)
    tracker.at("2026-03-04T20:00:03+08:00")
    (folder / "calendar/2026.json").write_text(known, encoding="utf-8")
    await restart(tracker, folder)
    await step(tracker, "03-05 08:00")
    assert (await clocks(tracker))["handle HC"] == ("running", "03-10 18:00")
    why = {f.data.reason for f in await tracker.told("deadline.moved")}
    assert len(why) == 1
    assert "2026-03-06 防汛停工放假" in (reason := why.pop())
    assert "2026-03-06恢复正常" in reason


async def test_t3_a_day_off_moves_every_open_clock_at_once_with_its_reason(
    tracker: Bench, tmp_path: Path
) -> None:
    """Gain 1."""
    folder = county(tmp_path)
    await restart(tracker, folder)
    a, b = Story(tracker, "20260302-000001"), Story(tracker, "20260302-000002")
    for story, id in ((a, HC), (b, None)):
        await tracker.hear(story.registered("03-02 09:00"))
        if id:
            await tracker.hear(story.dispatched("03-02 09:00"), story.signed("03-02 09:00"))
    await step(tracker, "03-04 20:00")
    day_off(folder, "2026-03-06", "防汛停工")
    await restart(tracker, folder)
    await step(tracker, "03-05 08:00")
    moved = {f"{f.subject} {f.data.clock}": f.data for f in await tracker.told("deadline.moved")}
    assert {key: local(data.due) for key, data in moved.items()} == {
        "20260302-000001 handle": "03-10 18:00",
        "20260302-000001 citizen": "03-10 18:00",
        "20260302-000002 citizen": "03-10 18:00",
    }
    assert all("2026-03-06 防汛停工放假" in data.reason for data in moved.values())
    await step(tracker, "03-09 19:00")
    assert (await clocks(tracker))["handle HC"] == ("running", "03-10 18:00")
    red = [f.data.clock for f in await tracker.told("deadline.breached")]
    assert "handle" not in red
    assert "citizen" not in red
    await step(tracker, "03-10 18:00")
    assert {"handle", "citizen"} <= {f.data.clock for f in await tracker.told("deadline.breached")}


async def test_what_waits_for_a_new_calendar_does_not_fire_by_the_old_one(
    tracker: Bench, story: Story, tmp_path: Path
) -> None:
    folder = county(tmp_path)
    await restart(tracker, folder)
    await tracker.hear(story.registered("03-02 09:00"), story.dispatched("03-02 09:00"))
    await step(tracker, "03-05 20:00")
    day_off(folder, "2026-03-09", "防汛停工")
    store: Store[Config] = tracker.service.store
    store.config = Settings(embedded=True, config_dir=folder).load()
    assert (
        await tracker.run("recompute") == 0
    )  # it takes hold in a moment; nobody waits for this job
    tracker.at("2026-03-09T18:30+08:00")
    await tracker.run("sweep")
    assert (await clocks(tracker))["handle HC"] == ("running", "03-10 18:00")
    assert "handle" not in {f.data.clock for f in await tracker.told("deadline.breached")}
