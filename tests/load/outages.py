"""Figures of a tracker that has much to make good: an hour in which it was away, a calendar that changed."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path

from tests.fixtures.many_clocks import arm
from tests.load.clocks import IS_DUE, gone, sample, step
from tests.load.county import Unexpected
from tests.load.plan import Figures, Plan, now
from tests.load.plant import Plant
from tests.load.sides import START

HOUR = timedelta(hours=1)
OPENED = datetime.fromisoformat(START) + HOUR  # when the outage begins
NOTICES = Path("calendar") / "2026.json"
DAY_OFF = {"name": "防汛停工", "date": "2026-03-05", "isOffDay": True}
TAKEN_UP = timedelta(minutes=1)
# Each fact with the very moment of its mark: so many there are, all of them different. What is armed has
# a number with more to it.
PASSED = """
    SELECT count(*), count(DISTINCT body::json->>'time') FROM outbox
        WHERE key LIKE 'deadline.breached%' AND subject LIKE '%-%-%-%'
            AND (body::json->>'time')::timestamptz BETWEEN $1 AND $2"""
BEHIND = "SELECT EXISTS (SELECT 1 FROM clocks WHERE calendar < 2 AND ended_at IS NULL)"
MOVED = "SELECT count(*) FROM outbox WHERE key LIKE 'deadline.moved%'"
AS_BEFORE = "SELECT count(*) < 2 FROM calendars"


async def catchup(plant: Plant, plan: Plan) -> Figures:
    """The tracker was away for an hour in which many marks fell due, one after the other. Seconds from its
    start until all are passed, each with its true time.
    """
    like = await sample(plant)
    await plant.run()
    async with plant.connection("tracker") as connection:
        apart = HOUR.total_seconds() / plan.missed
        await arm(connection, like["id"], plan.missed, OPENED, apart, one_mark=True)
    began, back = now(), OPENED + HOUR
    await plant.run("tracker", clock_start=back.isoformat())
    await gone(plant, IS_DUE, plan.outage_seconds, back)
    seconds = now() - began
    async with plant.connection("tracker") as connection:
        facts, moments = await connection.fetchrow(PASSED, OPENED, back)
    if facts != moments or facts > plan.missed:
        raise Unexpected(f"{facts} facts of {moments} marks, of {plan.missed}")
    whole = facts == plan.missed
    return {
        "catchup_1h_s": seconds if whole else None,
        "details": {"marks": facts, "of": plan.missed, "seconds": seconds},
    }


async def recompute(plant: Plant, plan: Plan) -> Figures:
    """The calendar changes while many clocks are open: one more day off before they are due. Seconds from
    when it takes hold until all follow it.
    """
    like = await sample(plant)
    await plant.run()
    async with plant.connection("tracker") as connection:
        await arm(connection, like["id"], plan.followed, like["next_at"])
    await plant.run("tracker", config_dir=str(_changed(plant)), clock_start=START)
    await gone(plant, AS_BEFORE, plan.outage_seconds)
    began = now()
    await step(plant, datetime.fromisoformat(START) + TAKEN_UP)
    await gone(plant, BEHIND, plan.outage_seconds)
    seconds, moved = now() - began, await plant.value("tracker", MOVED)
    return {
        "recompute_100k_s": seconds * 100_000 / plan.followed if moved >= plan.followed else None,
        "details": {"moved": moved, "of": plan.followed, "seconds": seconds},
    }


def _changed(plant: Plant) -> Path:
    """The county's folder with one more day off."""
    folder = plant.side.home / f"{plant.name}_changed"
    shutil.copytree(plant.side.config, folder)
    notice = json.loads((folder / NOTICES).read_text(encoding="utf-8"))
    notice["days"].append(DAY_OFF)
    (folder / NOTICES).write_text(json.dumps(notice, ensure_ascii=False), encoding="utf-8")
    return folder
