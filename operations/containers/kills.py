"""``make kills``: two replicas of each service, a small load, and one container of each is killed.

Killed with SIGKILL, in turn, and started again after a while: one replica of each service, then the
gateway, the broker and the database. Real clock, a Compose project of its own.
"""

from __future__ import annotations

import asyncio

from examples.connection import rest
from examples.demo import say
from operations.containers.check import Found, check
from operations.containers.command import command
from operations.containers.compose import SERVERS, Project, run
from operations.containers.load import Load, loading
from operations.containers.trials import started, trial
from operations.runtime.registry import NAMES

PER_SECOND = 5.0
DEAD_FOR = 4.0  # seconds
BETWEEN = 6.0


async def kill_in_turn(project: Project) -> int:
    """Kill and start again one container of each; answers how many were killed."""
    victims = [(name, project.containers(name)[0]) for name in (*NAMES, "gateway", *SERVERS)]
    for name, container in victims:
        say(f"  杀死 SIGKILL {name}")
        await asyncio.to_thread(run, "kill", "--signal", "KILL", container)
        await rest(DEAD_FOR)
        await asyncio.to_thread(run, "start", container)
        await rest(BETWEEN)
    return len(victims)


async def under_load(project: Project) -> tuple[Load, Found, int]:
    """Load it, kill, let everything come to its end, and count."""
    over = asyncio.Event()
    async with loading(project, patient=True) as load:
        registering = asyncio.create_task(load.register_until(over, PER_SECOND))
        killed = await kill_in_turn(project)
        over.set()
        await registering
        await load.finish()
        return load, await check(load.county.office, load.confirmed), killed


def kills() -> int:
    """Run the trial; 1 when something was lost or doubled."""
    scales = [word for name in NAMES for word in ("--scale", f"{name}=2")]
    with started(trial("kills"), *scales) as project:
        say("每个服务两个实例 two replicas of each service")
        load, found, killed = asyncio.run(under_load(project))
    say(f"{killed} 次杀死 kills; {found}; 请求 requests {load.transport.requests}")
    for fault in (*load.errors, *found.faults):
        say(f"  {fault}")
    return 1 if load.errors or found.faults else 0


if __name__ == "__main__":
    command(kills)
