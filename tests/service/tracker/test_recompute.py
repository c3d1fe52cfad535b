"""A due moment in a year without a calendar is computed again when the notice arrives."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from services.tracker.rules.policy import Policy
from services.tracker.settings import Settings
from shared.jurisdiction.holidays import load_calendar
from tests.fixtures.bench import ROOT, Bench
from tests.fixtures.scenes.tracker import TZ, Story, at, local


def with_notice(tmp_path: Path) -> Policy:
    """The county's rules once the notice for 2027 is out: New Year's Day is off."""
    folder = ROOT / "config" / "ziyang"
    policy: Policy = Settings(embedded=True, config_dir=folder).load()
    for notice in (folder / "calendar").glob("*.json"):
        (tmp_path / notice.name).write_bytes(notice.read_bytes())
    (tmp_path / "2027.json").write_text(
        '{"year": 2027, "papers": [], "days": '
        '[{"name": "元旦", "date": "2027-01-01", "isOffDay": true}]}'
    )
    segments = policy.table.calendar.duty_segments
    calendar = load_calendar(tmp_path, segments, TZ)
    return Policy(policy.table, policy.rules, calendar, policy.recused)


async def uncertain_since(tracker: Bench) -> datetime | None:
    async with tracker.service.store.act("service:tracker", tracker.now) as act:
        return await tracker.service.jobs["recompute"].due(act)


async def test_a_provisional_due_moment_becomes_certain_when_the_calendar_arrives(
    tracker: Bench, story: Story, tmp_path: Path
) -> None:
    tracker.at("2026-12-30T10:00+08:00")
    await tracker.hear(story.registered("12-30 10:00"), story.dispatched("12-30 10:05"))
    provisional = await tracker.rows("SELECT kind FROM clocks WHERE provisional")
    assert {row["kind"] for row in provisional} == {"citizen", "handle"}
    assert await tracker.run("recompute") == 0
    assert await uncertain_since(tracker) is None
    tracker.service.store.config = with_notice(tmp_path)
    assert await uncertain_since(tracker) == at("12-30 10:00")
    assert await tracker.run("recompute") == 1
    assert await tracker.rows("SELECT 1 FROM clocks WHERE provisional") == []
    moved = {f.data.clock: f.data for f in await tracker.told("deadline.moved")}
    assert set(moved) == {"citizen", "handle"}
    assert {local(data.before) for data in moved.values()} == {"01-06 18:00"}
    assert {local(data.due) for data in moved.values()} == {"01-07 18:00"}
    assert all("放假安排" in data.reason for data in moved.values())
