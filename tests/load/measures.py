"""The figures of `make bench`, each measured by a function of its own on a plant that runs.

A measure answers figures by name and, under ``details``, what they were made of. None of them
waits for ever: each is bounded by the sizes and seconds of the plan.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

from aio_pika.abc import AbstractIncomingMessage

from operations.runtime.registry import NAMES
from services.tracker import jobs as tracker_jobs
from services.tracker.settings import Settings as TrackerSettings
from shared.clock import pause
from shared.messaging import outbox
from shared.storage.act import Store
from tests.load.arrivals import at_random
from tests.load.calls import complaint, encoded
from tests.load.county import loops
from tests.load.plan import LOOK, Figures, Plan, cost_each, difference, now
from tests.load.plant import CONFIG, Plant
from tests.load.storms import TICKETS, batch, hello, intake, plain
from tests.load.tally import quantile

LISTENERS = frozenset(NAMES) - {"intake"}
UNIT, WATER = "GSGS", "water.supply"  # a unit with a queue, and what the catalogue sends to it
LATE = 30.0  # seconds after which a dispatch counts as missing


# --- all services ------------------------------------------------------------------------------


async def starts(plant: Plant, _: Plan) -> Figures:
    """Seconds from starting a process to its /readyz, one after the other."""
    await plant.start(*NAMES)
    return {f"start_s.{name}": plant.processes[name].started for name in NAMES}


async def dispatch(plant: Plant, plan: Plan) -> Figures:
    """From the answer to a registration to its message in the unit's queue, at a steady rate."""
    accepted: dict[str, float] = {}
    arrived: dict[str, float] = {}
    wire, token, throw = plant.wire("intake"), plant.token("phone_system"), Random(20)

    async def hear(message: AbstractIncomingMessage) -> None:
        arrived.setdefault(json.loads(message.body)["subject"], now())

    async def register(at: int) -> None:
        body = encoded(complaint(throw) | {"type": "help", "topic": WATER, "flags": ()})
        headers = token | {"Idempotency-Key": f"dispatch-{at}"}
        status, answer = await wire.send(wire.encode("POST", TICKETS, body, headers))
        if status == 201:
            accepted[json.loads(answer)["number"]] = now()

    async with plant.channel() as channel:
        queue = await channel.get_queue(f"unit.{UNIT}")
        await queue.purge()
        await queue.consume(hear, no_ack=True)
        await _steadily(register, plan.dispatches, plan.rate)
        deadline = now() + LATE
        while not accepted.keys() <= arrived.keys() and now() < deadline:
            await pause(LOOK)
    taken = sorted(max(0.0, arrived[n] - accepted[n]) * 1000 for n in accepted.keys() & arrived)
    missing = plan.dispatches - len(taken)
    figures = {  # what never came would be the slowest: then none of it counts
        f"dispatch_p{share}_ms": None if missing else quantile(taken, share / 100)
        for share in (50, 99)
    }
    return figures | {"details": {"rate": plan.rate, "tickets": len(taken), "missing": missing}}


async def _steadily(do: Any, count: int, rate: float) -> None:
    """Begin something so many times, at random moments, without waiting for its end."""
    began = now()
    async with asyncio.TaskGroup() as group:
        for at, due in zip(range(count), at_random(rate), strict=False):
            await pause(max(0.0, began + due - now()))
            group.create_task(do(at))


STORED = {
    "facts": "SELECT count(*) FROM outbox",
    "bytes": "SELECT coalesce(sum(octet_length(body)), 0) FROM outbox",
    "size": "SELECT pg_database_size(current_database())",
    "commits": "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """Where everything stands at one moment: the time, processor seconds and rows so far."""

    at: float
    cpu: dict[str, float]
    stored: dict[str, int]

    @classmethod
    async def of(cls, plant: Plant) -> Mark:
        """Now."""
        return cls(now(), await plant.cpu(), await _stored(plant))


async def loop(plant: Plant, plan: Plan) -> Figures:
    """Whole loops a second, and what one ticket costs; everything on the same cores.

    Waves that are not through in their time do not count; no wave, no figure.
    """
    first = await Mark.of(plant)
    marks = await _waves(plant, plan)
    tickets = len(marks) * plan.tickets
    if not marks:
        return {"loop_per_s": None, "details": {"tickets": 0}}
    seconds, used = marks[-1].at - first.at, difference(first.cpu, marks[-1].cpu)
    grown = difference(first.stored, marks[-1].stored)
    details = {"tickets": tickets, "seconds": seconds, "load_cpu_s": used.pop("load")}
    complete = {"broker", "database"} <= used.keys()  # not when they run in containers
    return {
        "loop_per_s": tickets / seconds,
        "facts_per_ticket": grown["facts"] / tickets,
        "bytes_per_fact": grown["bytes"] / grown["facts"],
        "stored_kb_per_ticket": grown["size"] / 1024 / tickets,
        "commits_per_ticket": grown["commits"] / tickets,
        "cpu_ms_per_ticket": sum(cost_each(used, tickets).values()) if complete else None,
        **{f"cpu_share.{name}": share for name, share in _shares(used).items()},
        **{f"rss_mb.{name}": size for name, size in plant.rss().items()},
        "details": details,
    }


async def _waves(plant: Plant, plan: Plan) -> list[Mark]:
    """Where everything stood after each wave that went through the loop in time."""
    marks: list[Mark] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(plan.loop_seconds):
            for wave in range(plan.waves):
                await loops(plant, plan.tickets, wave)
                marks.append(await Mark.of(plant))
    return marks


async def _stored(plant: Plant) -> dict[str, int]:
    """Sums over the databases of all services."""
    return {
        name: sum([int(await plant.value(service, query)) for service in NAMES])
        for name, query in STORED.items()
    }


def _shares(used: dict[str, float]) -> dict[str, float]:
    whole = sum(used.values()) or 1.0
    return {name: value / whole for name, value in sorted(used.items())}


# --- a backlog ---------------------------------------------------------------------------------

# Facts as intake said them, about tickets nobody has heard of yet.
FILL = """
    WITH sample AS (
        SELECT row_number() OVER (ORDER BY id) - 1 AS at, fact, subject, key, body, recorded
        FROM outbox WHERE key = 'ticket.registered' ORDER BY id LIMIT 500),
    wanted AS (
        SELECT n, gen_random_uuid() AS fact, '20991231-' || lpad(n::text, 6, '0') AS subject
        FROM generate_series(1, $1::int) AS n)
    INSERT INTO outbox (fact, subject, key, body, recorded)
    SELECT w.fact, w.subject, s.key,
        replace(replace(s.body, s.fact::text, w.fact::text), s.subject, w.subject), s.recorded
    FROM wanted w JOIN sample s ON s.at = w.n % (SELECT count(*) FROM sample) ORDER BY w.n"""
HANDLED = "SELECT count(*) FROM tickets WHERE number LIKE '20991231-%'"
STUCK = "SELECT count(*) FROM retry"


async def drain(plant: Plant, plan: Plan) -> Figures:
    """The broker was away: facts wait in intake's outbox. Seconds from starting the dispatcher
    until it has handled them all and its own facts are out.

    What is not done in its time is extrapolated from what was, and says so.
    """
    await plant.stop(*(LISTENERS & plant.processes.keys()))
    await _purge(plant)
    async with plant.connection("intake") as connection:
        await connection.execute(FILL, plan.backlog)
    began, relayed, done = now(), None, 0
    await plant.start("dispatcher")
    while now() - began < plan.drain_seconds:
        done = await plant.value("dispatcher", HANDLED)
        if relayed is None and not await plant.unsent("intake"):
            relayed = now() - began
        if done >= plan.backlog and not await plant.unsent("dispatcher"):
            break
        await pause(0.25)
    seconds = now() - began
    details = {"facts": done, "seconds": seconds, "extrapolated": done < 100_000}
    return {
        "drain_100k_facts_s": seconds * 100_000 / done if done else None,
        "relay_per_s": plan.backlog / relayed if relayed else None,
        "details": details | {"stuck": await plant.value("dispatcher", STUCK)},
    }


async def _purge(plant: Plant) -> None:
    """Empty the services' queues of what earlier measures left."""
    async with plant.channel() as channel:
        for name in NAMES:
            await (await channel.get_queue(f"svc.{name}")).purge()


# --- many clocks -------------------------------------------------------------------------------

# Running clocks like one there is, of the kind with the most marks.
ARM = """
    INSERT INTO clocks SELECT r.* FROM clocks s, generate_series(1, $1::int) n,
        LATERAL jsonb_populate_record(s, jsonb_build_object(
            'id', gen_random_uuid(), 'status', 'running', 'next_at', $2::timestamptz + n * interval '1s',
            'passed', '{}'::jsonb, 'ended_at', NULL, 'breached_at', NULL, 'judged_at', NULL)) r
        WHERE s.id = (SELECT min(id::text)::uuid FROM clocks WHERE kind = 'handle')"""
LAST_YEAR, NEXT_CENTURY = datetime(2025, 12, 31, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC)


async def sweep(plant: Plant, plan: Plan) -> Figures:
    """What a tick of the tracker takes while very many clocks run: one that finds nothing due, and
    one that passes the marks of a hundred clocks, with all that follows.
    """
    await plant.stop(*({"tracker"} & plant.processes.keys()))
    url = plant.postgres.url(plant.database("tracker"))
    rules = TrackerSettings(embedded=True, config_dir=CONFIG).load()
    store = Store("tracker", url, rules, pool_size=1, before_commit=outbox.write)
    async with plant.connection("tracker") as connection:
        began = now()
        await connection.execute(ARM, plan.clocks, NEXT_CENTURY, timeout=300)
        await connection.execute("ANALYZE clocks")
        details = {"armed": plan.clocks, "arming_s": now() - began}
        while await tracker_jobs.sweep(store, 100):  # what the loops left running is long overdue
            pass
        idle = await _ticks(store, plan.ticks, 0)
        await connection.execute(ARM, 100 * (plan.ticks + 1), LAST_YEAR)
        due = await _ticks(store, plan.ticks, 100)
    await store.close()
    return {"tick_idle_ms": idle, "tick_100_due_ms": due, "details": details}


async def _ticks(store: Store[Any], count: int, owed: int) -> float:
    """Milliseconds of one of so many ticks, each of which must find so many clocks due."""
    began = now()
    for at in range(count + 1):
        if at == 1:  # the first one only makes everything ready
            began = now()
        if (moved := await tracker_jobs.sweep(store, 100)) != owed:
            raise AssertionError(f"a tick moved {moved} clocks of {owed}")
    return (now() - began) * 1000 / count


async def stop_listeners(plant: Plant, _: Plan) -> Figures:
    """Intake is measured alone: the others stop, and what is said to them waits."""
    await plant.stop(*LISTENERS)
    return {}


MEASURES: Sequence[Any] = (
    starts,
    loop,
    dispatch,
    stop_listeners,
    intake,
    batch,
    plain,
    hello,
    drain,
    sweep,
)
