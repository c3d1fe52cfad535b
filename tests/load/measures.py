"""The figures of `make bench`, each measured by a function of its own on a plant that runs.

A measure answers figures by name and, under ``details``, what they were made of. None of them
waits for ever: each is bounded by the sizes and seconds of the plan.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
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
from tests.load.plant import CONFIG, Plant
from tests.load.tally import quantile
from tests.load.wire import Wire

Figures = dict[str, Any]
TICKETS = "/v1/tickets"
LISTENERS = frozenset(NAMES) - {"intake"}
UNIT, WATER = "GSGS", "water.supply"  # a unit with a queue, and what the catalogue sends to it
EMPTY_WITHIN = 2.0  # seconds after the end for the outbox
LATE = 30.0  # seconds after which a dispatch counts as missing
LOOK = 0.02


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes of a bench; seconds are the most each part may take."""

    seconds: float = 8.0
    requests: int = 12_000
    lines: int = 64
    plain_requests: int = 4_000
    batch: int = 500
    batches: int = 16
    rate: float = 20.0
    dispatches: int = 400
    tickets: int = 300
    waves: int = 4
    loop_seconds: float = 120.0
    backlog: int = 100_000
    drain_seconds: float = 100.0
    clocks: int = 1_000_000
    ticks: int = 20


SMALL = Plan(
    seconds=1.0,
    requests=60,
    lines=8,
    plain_requests=20,
    batch=10,
    batches=2,
    dispatches=8,
    tickets=4,
    waves=1,
    loop_seconds=60.0,
    backlog=100,
    drain_seconds=60.0,
    clocks=1_000,
    ticks=2,
)


def now() -> float:
    """Seconds on the loop's clock."""
    return asyncio.get_running_loop().time()


# --- a storm of requests -----------------------------------------------------------------------


@dataclass(slots=True)
class Storm:
    """Requests sent as fast as they are answered: how many were, in how many seconds."""

    answered: int = 0
    seconds: float = 0.0
    refused: int = 0

    @property
    def per_s(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds if self.seconds else 0.0


async def storm(
    wire: Wire, requests: Iterable[bytes], lines: int, seconds: float, owed: int
) -> Storm:
    """Send requests on so many connections until they or the seconds run out."""
    waiting, counted, began = iter(requests), Storm(), now()

    async def line() -> None:
        for request in waiting:
            if now() - began > seconds:
                break
            status, _ = await wire.send(request)
            counted.answered += status == owed
            counted.refused += status != owed

    await asyncio.gather(*(line() for _ in range(lines)))
    counted.seconds = now() - began
    return counted


def registrations(plant: Plant, name: str, count: int, seed: int) -> list[bytes]:
    """Encoded registrations, each under a key of its own."""
    throw, token, wire = Random(seed), plant.token("phone_system"), plant.wire(name)
    return [
        wire.encode(
            "POST",
            TICKETS,
            encoded(complaint(throw)),
            token | {"Idempotency-Key": f"{name}-{seed}-{at}"},
        )
        for at in range(count)
    ]


async def _emptied(plant: Plant, name: str, patience: float) -> float:
    """Seconds until the outbox of a service is empty, or the patience when it is not by then."""
    began = now()
    while now() - began < patience:
        if not await plant.unsent(name):
            return now() - began
        await pause(LOOK)
    return patience


# --- intake ------------------------------------------------------------------------------------


async def intake(plant: Plant, plan: Plan) -> Figures:
    """Registrations a second at intake alone: the other services are stopped, their queues fill.

    It counts while the relay keeps up. When it does not, fewer connections are tried.
    """
    await storm(plant.wire("intake"), registrations(plant, "intake", plan.lines * 2, 0), 8, 2, 201)
    tried, lines = [], plan.lines
    while True:
        requests, cpu = registrations(plant, "intake", plan.requests, lines), await plant.cpu()
        came = await storm(plant.wire("intake"), requests, lines, plan.seconds, 201)
        emptied = await _emptied(plant, "intake", plan.seconds * 4)
        tried.append({"lines": lines, "per_s": came.per_s, "outbox_empty_after_s": emptied})
        if emptied <= EMPTY_WITHIN or len(tried) == 3:
            break
        lines = max(1, lines // 4)
    counts = emptied <= EMPTY_WITHIN and not came.refused
    cost = _cost(_difference(cpu, await plant.cpu()), came.answered)
    details = {"tried": tried, "refused": came.refused, "cpu_ms": cost}
    return {"intake_per_s": came.per_s if counts else None, "details": details}


async def batch(plant: Plant, plan: Plan) -> Figures:
    """Complaints a second in batches, two at a time."""
    throw, token, wire = Random(5), plant.token("phone_system"), plant.wire("intake")
    bodies = [[complaint(throw) for _ in range(plan.batch)] for _ in range(plan.batches)]
    requests = [
        wire.encode("POST", f"{TICKETS}/batch", encoded({"tickets": one}), token) for one in bodies
    ]
    came = await storm(wire, requests, 2, plan.seconds, 200)
    emptied = await _emptied(plant, "intake", plan.seconds * 4)
    details = {"size": plan.batch, "batches": came.answered, "outbox_empty_after_s": emptied}
    return {"batch_per_s": came.per_s * plan.batch, "details": details}


async def plain(plant: Plant, plan: Plan) -> Figures:
    """The same registrations, written plainly; the other services are stopped as for intake."""
    await plant.serve("plain", "tests.load.plain:app", "/docs")
    try:
        await storm(plant.wire("plain"), registrations(plant, "plain", 20, 0), 4, 2, 201)
        requests, cpu = registrations(plant, "plain", plan.plain_requests, 1), await plant.cpu()
        came = await storm(plant.wire("plain"), requests, plan.lines, plan.seconds, 201)
        cost = _cost(_difference(cpu, await plant.cpu()), came.answered)
    finally:
        await plant.stop("plain")
    return {"plain_per_s": came.per_s, "details": {"refused": came.refused, "cpu_ms": cost}}


async def hello(plant: Plant, plan: Plan) -> Figures:
    """What FastAPI under the same server can at most."""
    await plant.serve("hello", "tests.load.hello:app", "/")
    try:
        request = plant.wire("hello").encode("GET", "/")
        requests, cpu = [request] * (plan.requests * 4), await plant.cpu()
        came = await storm(plant.wire("hello"), requests, plan.lines, plan.seconds / 2, 200)
        cost = _cost(_difference(cpu, await plant.cpu()), came.answered)
    finally:
        await plant.stop("hello")
    return {"hello_per_s": came.per_s, "details": {"refused": came.refused, "cpu_ms": cost}}


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
    seconds, used = marks[-1].at - first.at, _difference(first.cpu, marks[-1].cpu)
    grown = _difference(first.stored, marks[-1].stored)
    details = {"tickets": tickets, "seconds": seconds, "load_cpu_s": used.pop("load")}
    complete = {"broker", "database"} <= used.keys()  # not when they run in containers
    return {
        "loop_per_s": tickets / seconds,
        "facts_per_ticket": grown["facts"] / tickets,
        "bytes_per_fact": grown["bytes"] / grown["facts"],
        "stored_kb_per_ticket": grown["size"] / 1024 / tickets,
        "commits_per_ticket": grown["commits"] / tickets,
        "cpu_ms_per_ticket": sum(_cost(used, tickets).values()) if complete else None,
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


def _difference(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {name: after[name] - before[name] for name in after.keys() & before.keys()}


def _cost(used: dict[str, float], count: int) -> dict[str, float]:
    """Milliseconds of processor each part used for one of so many."""
    return {name: value * 1000 / max(count, 1) for name, value in sorted(used.items())}


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
