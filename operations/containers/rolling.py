"""``make rolling``: a rolling upgrade of every service under load, without an error to a client.

A client is what examples/connection.py is: it sends a request again, under the same key, when its
connection was cut or the answer was a 5xx. What still fails then is an error.
"""

from __future__ import annotations

import argparse
import asyncio

from examples.connection import rest
from examples.demo import say
from operations.containers.check import Found, check
from operations.containers.command import command
from operations.containers.compose import Project, started, trial
from operations.containers.load import Load, loading
from operations.containers.upgrade import upgrade
from operations.runtime.registry import NAMES

PER_SECOND = 10.0
BEFORE = AFTER = 5.0  # seconds of load around the upgrade


async def under_load(project: Project, services: list[str]) -> tuple[Load, Found]:
    """Upgrade while complaints come in; let everything come to its end, and count."""
    over = asyncio.Event()
    async with loading(project) as load:
        registering = asyncio.create_task(load.register_until(over, PER_SECOND))
        await rest(BEFORE)
        await asyncio.to_thread(upgrade, project, services)
        await rest(AFTER)
        over.set()
        await registering
        await load.finish()
        return load, await check(load.county.office, load.confirmed)


def rolling() -> int:
    """Run the trial; 1 when a client saw an error or something was lost."""
    parser = argparse.ArgumentParser(prog="make rolling", description=__doc__)
    parser.add_argument("services", nargs="*", help="all in turn when none is named")
    services = parser.parse_args().services or list(NAMES)
    with started(trial("rolling")) as project:
        say(f"滚动升级 rolling upgrade of {', '.join(services)}, {PER_SECOND:.0f} 件 tickets/s")
        load, found = asyncio.run(under_load(project, services))
    wire = load.transport
    say(f"请求 requests {wire.requests}: 错误 errors {len(load.errors)}")
    say(f"重发 sent again: 断开 cut {wire.cut}, 5xx {wire.unwell}; {found}")
    for fault in (*load.errors[:10], *found.faults):
        say(f"  {fault}")
    return 1 if load.errors or found.faults else 0


if __name__ == "__main__":
    command(rolling)
