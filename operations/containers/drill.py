"""``make drill``: lose the database and the broker, restore them, and count what is lost.

Complaints come in before the backup, while it is made and after it. Feedback dies before the last
of them, so what it should hear lies in the broker alone when the plug is pulled. A commit waits for
the archive, so whatever was confirmed to a client must be there again, reach its end exactly once,
and nothing else.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from examples.demo import say
from operations.containers.backup import backup
from operations.containers.check import Found, check
from operations.containers.command import command
from operations.containers.compose import SERVERS, Project, run
from operations.containers.load import Load, loading
from operations.containers.restore import restore
from operations.containers.trials import started, trial

BEFORE, DURING, AFTER = 60, 30, 60  # complaints
PER_SECOND = 6.0
LOST = ("postgres", "rabbitmq")  # volumes
ARCHIVE = {"COMPOSE_PROFILES": "archive", "POSTGRES_WAITS_FOR": "archive"}


async def load_and_lose(project: Project, folder: Path, load: Load) -> None:
    """Work before, during and after a backup; then the servers die and their disks are gone."""
    await load.register(BEFORE, PER_SECOND)
    backing = asyncio.create_task(asyncio.to_thread(backup, project, folder))
    await load.register(DURING, PER_SECOND)
    await backing
    await asyncio.to_thread(run, "kill", *project.containers("feedback"))
    await load.register(AFTER, PER_SECOND)
    await asyncio.to_thread(lose, project)


def lose(project: Project) -> None:
    """Both servers die in the middle of their work, and what they had stored is destroyed."""
    dying = [container for name in SERVERS for container in project.containers(name)]
    run("kill", "--signal", "KILL", *dying)
    project.down()
    run("volume", "rm", *(f"{project.name}_{volume}" for volume in LOST))


async def drill_with(project: Project, folder: Path) -> Found:
    """The whole drill on a running project."""
    async with loading(project, patient=True) as load:
        await load_and_lose(project, folder, load)
        say(f"已毁 destroyed: {len(load.confirmed)} 件已确认 tickets had been confirmed")
        await asyncio.to_thread(restore, project, folder)
        await load.finish()
        return await check(load.county.office, load.confirmed)


def drill() -> int:
    """Run the drill; 1 when something is lost or doubled."""
    with TemporaryDirectory() as folder, started(trial("drill", **ARCHIVE)) as project:
        found = asyncio.run(drill_with(project, Path(folder) / "backup"))
    say(f"恢复之后 after the restore: {found}")
    for fault in found.faults:
        say(f"  {fault}")
    return 1 if found.faults else 0


if __name__ == "__main__":
    command(drill)
