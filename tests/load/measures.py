"""The figures of `make bench`, each measured by a function of its own.

A measure answers figures by name; under ``details``, what they were made of; under ``notes``, what
one must know to read a figure rightly. It lets run what it needs, whatever ran before, and waits
for nothing for ever: each is bounded by the sizes and seconds of the plan.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import uuid4

from aio_pika.abc import AbstractIncomingMessage

from operations.runtime.registry import NAMES
from shared.clock import pause
from tests.load.arrivals import at_random
from tests.load.backlog import critical, drain, relay
from tests.load.calls import complaint, encoded
from tests.load.clocks import POTHOLE, apscheduler, due, sweep
from tests.load.county import loops
from tests.load.finding import finding
from tests.load.likeness import duplicates
from tests.load.listing import listing
from tests.load.masks import masks
from tests.load.matching import matching
from tests.load.outages import catchup, recompute
from tests.load.plan import LOOK, Figures, Plan, cost_each, difference, now
from tests.load.plant import Plant
from tests.load.storms import TICKETS, batch, intake, plain
from tests.load.suggesting import suggestions
from tests.load.tally import quantile
from tests.load.working_time import working_time

UNIT = "ZJJ"  # a unit with a queue, to which the catalogue sends potholes
LATE = 30.0  # seconds after which a dispatch counts as missing
SHOWN = 40  # statements, the most frequent ones


# --- all services ------------------------------------------------------------------------------


async def starts(plant: Plant, _: Plan) -> Figures:
    """Seconds from starting a process to its /readyz, one after the other."""
    await plant.run()
    await plant.run(*NAMES)
    return {f"start_s.{name}": plant.processes[name].started for name in NAMES}


async def dispatch(plant: Plant, plan: Plan) -> Figures:
    """From the answer to a registration to its message in the unit's queue, at a steady rate."""
    await plant.run(*NAMES)
    accepted: dict[str, float] = {}
    arrived: dict[str, float] = {}
    wire, token, throw = plant.wire("intake"), plant.token("phone_system"), Random(20)

    async def hear(message: AbstractIncomingMessage) -> None:
        arrived.setdefault(json.loads(message.body)["subject"], now())

    async def register(_: int) -> None:
        body = encoded(complaint(throw) | POTHOLE)
        headers = token | {"Idempotency-Key": uuid4().hex}
        status, answer = await wire.send(wire.encode("POST", TICKETS, body, headers))
        if status == 201:
            accepted[json.loads(answer)["number"]] = now()

    async with plant.channel() as channel:
        queue = await channel.get_queue(f"unit.{UNIT}")
        await queue.purge()
        await queue.consume(hear, no_ack=True)
        for count in (plan.warm, plan.dispatches):  # a process that just started is slow at first
            accepted.clear()
            await _steadily(register, count, plan.rate)
            deadline = now() + LATE
            while not accepted.keys() <= arrived.keys() and now() < deadline:
                await pause(LOOK)
    taken = sorted(max(0.0, arrived[n] - accepted[n]) * 1000 for n in accepted.keys() & arrived)
    missing = plan.dispatches - len(taken)
    figures = {  # what never came would be the slowest: then none of it counts
        f"dispatch_p{share}_ms": None if missing else quantile(taken, share / 100)
        for share in (99, 50)
    }
    return figures | {"details": {"rate": plan.rate, "tickets": len(taken), "missing": missing}}


async def _steadily(do: Any, count: int, rate: float) -> None:
    """Begin something so many times, at random moments, without waiting for its end."""
    began = now()
    async with asyncio.TaskGroup() as group:
        for at, due in zip(range(count), at_random(rate), strict=False):
            await pause(max(0.0, began + due - now()))
            group.create_task(do(at))


# --- whole loops -------------------------------------------------------------------------------

STORED = {
    "facts": "SELECT count(*) FROM outbox",
    "bytes": "SELECT coalesce(sum(octet_length(body)), 0) FROM outbox",
    "size": "SELECT pg_database_size(current_database())",
    "commits": "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """Where everything stands at one moment: the time, processor seconds and rows so far."""

    at: float
    cpu: dict[str, float]
    stored: dict[str, int]

    @classmethod
    async def of(cls, plant: Plant) -> Reading:
        """Now."""
        return cls(now(), plant.cpu(), await _stored(plant))


async def loop(plant: Plant, plan: Plan) -> Figures:
    """Whole loops a second, and what one ticket costs; everything on the same cores.

    Waves that are not through in their time do not count; no wave, no figure.
    """
    await plant.run(*NAMES)
    await loops(plant, plan.warm)
    first = await Reading.of(plant)
    readings = await _waves(plant, plan)
    tickets = len(readings) * plan.tickets
    if not readings:
        return {"cpu_ms_per_ticket": None, "loop_per_s": None, "details": {"tickets": 0}}
    seconds, used = readings[-1].at - first.at, difference(first.cpu, readings[-1].cpu)
    grown = difference(first.stored, readings[-1].stored)
    details = {"tickets": tickets, "seconds": seconds, "load_cpu_s": used.pop("load")}
    complete = {"broker", "database"} <= used.keys()  # not when they run in containers
    return {
        "cpu_ms_per_ticket": sum(cost_each(used, tickets).values()) if complete else None,
        "loop_per_s": tickets / seconds,
        "commits_per_ticket": grown["commits"] / tickets,
        "facts_per_ticket": grown["facts"] / tickets,
        "bytes_per_fact": grown["bytes"] / grown["facts"],
        "stored_kb_per_ticket": grown["size"] / 1024 / tickets,
        **{f"cpu_share.{name}": share for name, share in _shares(used).items()},
        **{f"rss_mb.{name}": plant.processes[name].rss for name in NAMES},
        "details": details,
    }


async def _waves(plant: Plant, plan: Plan) -> list[Reading]:
    """Where everything stood after each wave that went through the loop in time."""
    readings: list[Reading] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(plan.loop_seconds):
            for wave in range(plan.waves):
                await loops(plant, plan.tickets, wave + 1)
                readings.append(await Reading.of(plant))
    return readings


async def _stored(plant: Plant) -> dict[str, int]:
    """Sums over the databases of all services."""
    return {
        name: sum([int(await plant.value(service, query)) for service in NAMES])
        for name, query in STORED.items()
    }


def _shares(used: dict[str, float]) -> dict[str, float]:
    whole = sum(used.values()) or 1.0
    return {name: value / whole for name, value in sorted(used.items())}


# --- what is said to the databases -------------------------------------------------------------


async def statements(plant: Plant, plan: Plan) -> Figures:
    """Statements of one ticket's loop, BEGIN, COMMIT and ROLLBACK among them, less those with
    which services at rest look whether there is work. The plant must count them.
    """
    await plant.run(*NAMES)
    await loops(plant, plan.warm)
    before, began = Counter(plant.counts), now()
    await loops(plant, plan.counted, 1)
    seconds, said = now() - began, plant.counts - before
    before = Counter(plant.counts)
    await pause(plan.rest_seconds)
    resting = (plant.counts - before).total() / plan.rest_seconds
    details = {
        "tickets": plan.counted,
        "seconds": seconds,
        "at_rest_per_s": resting,
        "all_per_ticket": said.total() / plan.counted,
        "most": {query: count / plan.counted for query, count in said.most_common(SHOWN)},
    }
    each = (said.total() - resting * seconds) / plan.counted
    return {"statements_per_ticket": each, "details": details}


MEASURES: Sequence[Any] = (
    duplicates,
    statements,
    starts,  # what runs the county again has the clock of its start
    loop,
    dispatch,
    intake,
    batch,
    plain,
    relay,
    drain,
    critical,
    # What they make up no other service knows: nothing that has to rest comes after, where one plant is all.
    due,
    apscheduler,
    catchup,
    recompute,
    sweep,
    masks,
    matching,
    working_time,
    suggestions,
    finding,
    listing,
)
