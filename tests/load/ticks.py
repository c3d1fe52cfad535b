"""Ticks of the tracker's sweep, as its loop makes them, with nothing else in the process.

    python tests/load/ticks.py MOST

Run with the environment of the tree to measure: it is that tree's code which ticks (PYTHONPATH), on
the database of JIESU_DATABASE_URL. The last line printed is what came of it. The first tick only
makes everything ready; it ends with the first tick that moves nothing, or after so many.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

from operations.runtime.registry import part
from shared.observability import configure_logs
from shared.service import service_of


async def main(most: int) -> dict[str, float]:
    """How many clocks the ticks moved, the first one apart, and their seconds by both clocks."""
    tracker = part("tracker")
    settings = tracker.settings(clock="real", bus_url="local://ticks")
    configure_logs(settings.log_level)
    service = service_of(tracker.app(settings))
    sweep, loop = service.jobs["sweep"], asyncio.get_running_loop()
    first = await sweep.run(service.store, sweep.limit)
    moved, ticks, began, used = 0, 0, loop.time(), os.times()
    while ticks < most:
        passed = await sweep.run(service.store, sweep.limit)
        ticks, moved = ticks + 1, moved + passed
        if passed < sweep.limit and moved:
            break
    seconds, after = loop.time() - began, os.times()
    await service.close_database()
    return {
        "limit": sweep.limit,
        "first": first,
        "moved": moved,
        "ticks": ticks,
        "seconds": seconds,
        "cpu_s": after.user + after.system - used.user - used.system,
    }


if __name__ == "__main__":
    sys.stdout.write(f"{json.dumps(asyncio.run(main(int(sys.argv[1]))))}\n")
