"""A due moment in a year without a calendar is computed again when the notice arrives."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

from services.tracker.calendars import TAKES_HOLD
from services.tracker.rules.policy import Policy
from services.tracker.settings import Settings
from tests.fixtures.bench import Bench
from tests.fixtures.policy import CONFIG
from tests.fixtures.scenes.tracker import Story, at, local


def with_notice(tmp_path: Path) -> Policy:
    """The county's rules once the notice for 2027 is out: New Year's Day is off."""
    folder = shutil.copytree(CONFIG, tmp_path / "county")
    (folder / "calendar/2027.json").write_text(
        '{"year": 2027, "papers": [], "complete": true, "days": '
        '[{"name": "元旦", "date": "2027-01-01", "isOffDay": true}]}'
    )
    policy: Policy = Settings(embedded=True, config_dir=folder).load()
    return policy


async def uncertain_since(tracker: Bench) -> datetime | None:
    async with tracker.service.store.act("service:tracker", tracker.now) as act:
        return await tracker.service.jobs["recompute"].due(act)


async def test_a_provisional_due_moment_becomes_certain_when_the_calendar_arrives(
    tracker: Bench, story: Story, tmp_path: Path
) -> None:
    """Gain 1."""
    tracker.at("2026-12-30T10:00+08:00")
    await tracker.hear(story.registered("12-30 10:00"), story.dispatched("12-30 10:05"))
    provisional = await tracker.rows("SELECT kind FROM clocks WHERE provisional")
    assert {row["kind"] for row in provisional} == {"citizen", "handle"}
    assert await tracker.run("recompute") == 0
    assert await uncertain_since(tracker) is None
    tracker.service.store.config = with_notice(tmp_path)
    assert await uncertain_since(tracker) == at("12-30 10:00") + TAKES_HOLD
    assert await tracker.run("recompute") == 0
    tracker.at("2026-12-30T10:01+08:00")
    assert await tracker.run("recompute") == 4  # all that are open are laid out anew
    assert await tracker.rows("SELECT 1 FROM clocks WHERE provisional") == []
    moved = {f.data.clock: f.data for f in await tracker.told("deadline.moved")}
    assert set(moved) == {"citizen", "handle"}
    assert {local(data.before) for data in moved.values()} == {"01-06 18:00"}
    assert {local(data.due) for data in moved.values()} == {"01-07 18:00"}
    assert all("放假安排" in data.reason for data in moved.values())


async def test_a_rung_climbed_under_an_older_calendar_stays_when_a_new_one_comes(
    tracker: Bench, story: Story, tmp_path: Path
) -> None:
    tracker.at("2026-12-24T10:00+08:00")
    await tracker.hear(story.registered("12-24 10:00"), story.dispatched("12-24 10:05"))
    await tracker.hear(story.signed("12-24 11:00"))
    tracker.at("2027-01-02T10:00+08:00")
    await tracker.run("sweep")
    climbed = {f.data.rung: f.data for f in await tracker.told("supervision.raised")}
    assert set(climbed) == {1, 2}  # due on 12-31, and the day after was thought to be a working day
    tracker.service.store.config = with_notice(tmp_path)
    tracker.at("2027-01-05T19:00+08:00")
    await tracker.run("sweep")
    tracker.at("2027-01-05T19:01+08:00")
    await tracker.run("recompute")
    await tracker.run("sweep")
    assert await tracker.told("supervision.closed") == []
    kept = await tracker.rows("SELECT id, rung, raised_at FROM supervisions ORDER BY rung")
    assert [row["id"] for row in kept if row["rung"] in climbed] == [
        each.supervision for each in climbed.values()
    ]
    assert local(kept[1]["raised_at"]) == "01-01 18:00"
