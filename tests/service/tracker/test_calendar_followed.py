"""Open clocks follow the calendar of their unit, all of them and each once; how far they are can be asked."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from pathlib import Path

from services.tracker.settings import Config, Settings
from shared.clock import pause
from shared.storage.act import Store
from tests.fixtures.bench import Bench
from tests.fixtures.commands import Printed, command
from tests.fixtures.forks import FORKS
from tests.fixtures.notices import made_up, put
from tests.fixtures.patience import WITHIN
from tests.fixtures.policy import CONFIG, edit
from tests.fixtures.recomputing import be_recompute
from tests.fixtures.scenes.tracker import GT, Story, at, clocks, facts_told, local

MANY = 2_000
OWN = 'duty_hours: [{from: "09:00", to: "17:00"}]'
FLOOD = (
    "2026-03-06",
    "--name",
    "防汛停工",
    "--off",
    "--paper",
    "紫汛〔2026〕7号",
    "--by",
    "县防指",
)
# As many running clocks like one there is, each of a ticket of its own.
TICKETS = """
    INSERT INTO tickets SELECT r.* FROM tickets s, generate_series(2, :many) n,
        LATERAL jsonb_populate_record(s, jsonb_build_object(
            'number', '20260302-' || lpad(n::text, 6, '0'))) r"""
LIKE_IT = """
    INSERT INTO clocks SELECT r.* FROM clocks s, generate_series(2, :many) n,
        LATERAL jsonb_populate_record(s, jsonb_build_object(
            'id', gen_random_uuid(), 'ticket', '20260302-' || lpad(n::text, 6, '0'))) r
        WHERE s.kind = 'handle'"""
FOLLOWED = "SELECT count(*) FROM clocks WHERE calendar = 2 AND kind = 'handle'"


def county(tmp_path: Path) -> Path:
    """A copy of the county's folder, to change."""
    return Path(shutil.copytree(CONFIG, tmp_path / "county"))


def take_up(tracker: Bench, folder: Path) -> None:
    """The tracker goes by a folder as it is now."""
    store: Store[Config] = tracker.service.store
    store.config = Settings(embedded=True, config_dir=folder).load()


async def work(tracker: Bench, moment: str) -> None:
    """It is later: open clocks follow what holds, and what is due is passed."""
    tracker.at(at(moment).isoformat())
    while await tracker.run("recompute") + await tracker.run("sweep"):
        pass


async def changed(folder: Path, *words: str) -> None:
    """Change the folder by the command."""
    done = await command("calendar", *words, "--into", str(folder))
    assert done.code == 0, done.err


async def dues(tracker: Bench) -> dict[str, str]:
    """When the clocks of each unit are due."""
    rows = await tracker.rows("SELECT kind, unit, due FROM clocks WHERE unit IS NOT NULL")
    return {f"{row['kind']} {row['unit']}": local(row["due"]) for row in rows}


async def status(tracker: Bench, folder: Path) -> Printed:
    return await command(
        *("calendar", "status", "--into", str(folder)),
        JIESU_DATABASE_URL=tracker.service.settings.database_url,
    )


async def recompute_until_killed(tracker: Bench, folder: Path) -> None:
    """Another process lets the clocks follow, and dies when a tenth of them have."""
    own = tracker.service.settings
    process = FORKS.Process(
        target=be_recompute,
        args=(
            folder,
            tracker.now,
            50,
            {"database_url": own.database_url, "token_keys": own.token_keys},
        ),
        daemon=True,
    )
    process.start()
    async with asyncio.timeout(WITHIN):
        while (await tracker.rows(FOLLOWED))[0]["count"] < MANY // 10:
            await pause(0.005)
    process.kill()
    process.join(WITHIN)


async def test_killed_in_the_middle_each_clock_is_moved_once(
    tracker: Bench, story: Story, tmp_path: Path
) -> None:
    folder = county(tmp_path)
    take_up(tracker, folder)
    await tracker.hear(story.registered("03-02 09:00"), story.dispatched("03-02 09:00"))
    await tracker.hear(story.signed("03-02 09:30"), story.contacted("03-02 09:40"))
    await tracker.do(TICKETS, LIKE_IT, many=MANY)
    await work(tracker, "03-04 20:00")
    await changed(folder, "local", "add", *FLOOD)
    take_up(tracker, folder)
    assert await tracker.run("recompute") == 0, "the new version takes hold in a moment"
    tracker.at(at("03-04 20:01"))
    await recompute_until_killed(tracker, folder)
    done = (await tracker.rows(FOLLOWED))[0]["count"]
    assert MANY // 10 <= done < MANY, "it died in the middle"
    said = (await status(tracker, folder)).out
    assert f"{done} / {MANY + 1} 个时限已按此版" in said or f"{done + 1} / {MANY + 1}" in said, said
    while await tracker.run("recompute", limit=250):
        pass
    moved = Counter(f.subject for f in await tracker.told("deadline.moved") if f.assignment)
    assert (len(moved), set(moved.values())) == (MANY, {1})
    [due] = await tracker.rows("SELECT DISTINCT due FROM clocks WHERE kind = 'handle'")
    assert local(due["due"]) == "03-10 18:00"
    said = (await status(tracker, folder)).out
    assert "第2版 version 2 现行 holds, 2026-03-04 20:00:05 起 since" in said
    assert f"{MANY + 1} / {MANY + 1}" in said


async def test_status_says_what_waits(tracker: Bench, story: Story, tmp_path: Path) -> None:
    folder = county(tmp_path)
    assert "还没有版本" in (await status(tracker, folder)).out
    take_up(tracker, folder)
    await tracker.hear(story.registered("03-02 09:00"), story.dispatched("03-02 09:00"))
    said = (await status(tracker, folder)).out
    assert "第1版 version 1 现行 holds" in said
    assert "4 / 4" in said
    assert "尚未换用" not in said
    await changed(folder, "local", "add", *FLOOD)
    assert "文件夹中的日历尚未换用" in (await status(tracker, folder)).out
    take_up(tracker, folder)
    await tracker.run("recompute")
    said = (await status(tracker, folder)).out
    assert "0 / 4" in said
    assert "第1版 version 1: 4" in said


async def test_a_drill_with_2027_makes_due_moments_certain(
    tracker: Bench, story: Story, tmp_path: Path
) -> None:
    folder = county(tmp_path)
    take_up(tracker, folder)
    tracker.at("2026-12-30T10:00+08:00")
    await tracker.hear(story.registered("12-30 10:00"), story.dispatched("12-30 10:05"))
    assert (await clocks(tracker))["handle HC"] == ("running", "01-06 18:00")
    await changed(folder, "import", str(put(tmp_path, made_up())))
    take_up(tracker, folder)
    await tracker.run("recompute")
    await work(tracker, "12-30 10:01")
    assert (await clocks(tracker))["handle HC"] == ("running", "01-07 18:00")
    assert await tracker.rows("SELECT 1 FROM clocks WHERE provisional") == []
    assert all("放假安排已公布" in f.data.reason for f in await tracker.told("deadline.moved"))


async def test_the_clocks_of_a_unit_go_by_its_own_hours(
    tracker: Bench, story: Story, tmp_path: Path
) -> None:
    folder = county(tmp_path)
    edit(folder / "units.yaml", "code: HC, ", f"code: HC, {OWN}, ")
    take_up(tracker, folder)
    await tracker.hear(story.registered("03-02 10:00"), story.dispatched("03-02 10:05"))
    other = Story(tracker, "20260302-000002")
    await tracker.hear(other.registered("03-02 10:00"))
    await tracker.hear(other.dispatched("03-02 10:05", id=GT, unit="GT"))
    found = await dues(tracker)
    assert found["sign HC"] == "03-02 14:05", "without the others' lunch"
    assert found["handle HC"] == "03-09 17:00"
    assert found["sign GT"] == "03-02 16:05"
    assert found["handle GT"] == "03-09 18:00"
    shown = await tracker.http("desk").get(f"/v1/tickets/{story.subject}/clocks")
    days = {row["kind"]: row for row in shown.json()["clocks"]}
    assert "03-09 17:00" in days["handle"]["days"][-1]["note"]["zh"]
    assert "03-09 18:00" in days["citizen"]["days"][-1]["note"]["zh"], (
        "the citizen's goes by the place"
    )


async def test_hours_of_a_unit_move_its_clocks_and_nobody_elses(
    tracker: Bench, story: Story, tmp_path: Path
) -> None:
    folder = county(tmp_path)
    take_up(tracker, folder)
    other = Story(tracker, "20260302-000002")
    await tracker.hear(story.registered("03-02 10:00"), story.dispatched("03-02 10:05"))
    await tracker.hear(other.registered("03-02 10:00"))
    await tracker.hear(other.dispatched("03-02 10:05", id=GT, unit="GT"))
    await work(tracker, "03-04 20:00")
    told = len(await facts_told(tracker))
    await changed(folder, "local", "add", *FLOOD, "--unit", "GT")
    take_up(tracker, folder)
    await tracker.run("recompute")
    await work(tracker, "03-05 08:00")
    moved = (await tracker.told())[told:]
    assert [(f.unit, f.name, local(f.data.due)) for f in moved] == [
        ("GT", "deadline.moved", "03-10 18:00")
    ]
    assert "2026-03-06 防汛停工放假，县防指 紫汛〔2026〕7号" in moved[0].data.reason


async def test_what_a_unit_hands_on_keeps_the_hours_it_began_with(
    tracker: Bench, story: Story, tmp_path: Path
) -> None:
    folder = county(tmp_path)
    edit(folder / "units.yaml", "code: HC, ", f"code: HC, {OWN}, ")
    take_up(tracker, folder)
    await tracker.hear(story.registered("03-02 10:00"), story.dispatched("03-02 10:05"))
    await tracker.do(
        """UPDATE clocks SET unit = 'GT', former = '[["2026-03-04T00:00:00+08:00", "HC"]]'
        WHERE unit = 'HC'"""
    )
    await tracker.hear(story.signed("03-02 11:00"), story.contacted("03-02 11:30"))
    assert (await dues(tracker))["handle GT"] == "03-09 17:00"
    assert await facts_told(tracker, "deadline.moved") == []
