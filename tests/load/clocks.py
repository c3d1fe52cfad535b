"""Figures of the tracker's clocks: what a tick takes, how late a mark is, how long very many take."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from aio_pika.abc import AbstractIncomingMessage

from shared import clock
from shared.clock import pause
from shared.messaging.rabbit_bus import EXCHANGE
from tests.fixtures.many_clocks import arm, newest
from tests.load.calls import complaint, encoded
from tests.load.county import Unexpected
from tests.load.plan import LOOK, Figures, Plan, now
from tests.load.plant import Plant
from tests.load.sides import PROJECT
from tests.load.storms import TICKETS
from tests.load.tally import quantile

PATIENCE = 60.0  # seconds for one ticket to reach the tracker
# What the catalogue sends to a unit, without a desk, with a limit of working days.
POTHOLE = {
    "type": "help",
    "topic": "road.damage",
    "area": "610924100",
    "urgency": "normal",
    "flags": (),
}
TICKS = Path(__file__).with_name("ticks.py")
APSCHEDULED = Path(__file__).with_name("apscheduled.py")
OF_LOAD = PROJECT / ".venv-load" / "bin" / "python"
LAST_YEAR, NEXT_CENTURY = datetime(2025, 12, 31, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC)
SOON, AT_LAST = timedelta(seconds=2), timedelta(seconds=30)
FACTS = "SELECT count(*) FROM outbox"
UNSENT = "SELECT EXISTS (SELECT 1 FROM outbox WHERE position IS NULL)"
IS_DUE = "SELECT EXISTS (SELECT 1 FROM clocks WHERE next_at <= $1)"
DUE = "SELECT count(*) FROM clocks WHERE next_at <= $1"


async def sample(plant: Plant) -> Any:
    """A unit's clock with none of its marks passed; where there is none, of a new ticket."""
    if found := await _newest(plant):
        return found
    await plant.run()
    await plant.run("intake", "dispatcher", "tracker")
    wire, token = plant.wire("intake"), plant.token("phone_system")
    body = complaint(Random(1)) | POTHOLE
    status, answer = await wire.send(wire.encode("POST", TICKETS, encoded(body), token))
    if status != 201:
        raise Unexpected(f"a ticket to be tracked: {status} {answer.decode()[:300]}")
    began = now()
    while now() - began < PATIENCE:
        if found := await _newest(plant):
            return found
        await pause(LOOK)
    raise Unexpected("the tracker has no clock of a ticket that was dispatched")


async def _newest(plant: Plant) -> Any:
    async with plant.connection("tracker") as connection:
        return await newest(connection)


async def step(plant: Plant, moment: datetime) -> None:
    """Set the tracker's clock."""
    wire, body = plant.wire("tracker"), encoded({"now": moment.isoformat()})
    await wire.send(wire.encode("POST", "/clock", body, plant.token("ops")))


async def gone(plant: Plant, exists: str, seconds: float, *arguments: object) -> float:
    """Seconds until there is no row of a kind any more, or all there were to wait."""
    began = now()
    async with plant.connection("tracker") as connection:
        while now() - began < seconds and await connection.fetchval(exists, *arguments):
            await pause(LOOK)
    return now() - began


async def due(plant: Plant, plan: Plan) -> Figures:
    """One mark each of very many clocks falls due at one moment. Seconds until the tracker, which
    runs as always, has passed them all and their facts are in the outbox.
    """
    like = await sample(plant)
    await plant.run("tracker")
    moment = like["next_at"] + timedelta(seconds=1)
    async with plant.connection("tracker") as connection:
        await arm(connection, like["id"], plan.due, like["next_at"])
    used, began = plant.processes["tracker"].cpu, now()
    await step(plant, moment)
    await gone(plant, IS_DUE, plan.due_seconds, moment)
    seconds, left = now() - began, await plant.value("tracker", DUE, moment)
    passed = plan.due - left
    cost = (plant.processes["tracker"].cpu - used) * 1_000_000 / max(passed, 1)
    details = {"clocks": passed, "seconds": seconds, "cpu_us_per_clock": cost}
    note = f"由前 from the first {passed:,} in {seconds:.1f} s"
    return {
        "due_10k_s": seconds * 10_000 / passed if passed else None,
        "due_per_s": passed / seconds,
        "details": details,
        "notes": {"due_10k_s": note} if passed < 10_000 else {},
    }


async def apscheduler(plant: Plant, plan: Plan) -> Figures:
    """As many jobs of APScheduler 3 fall due at one moment, which do nothing; kept in the same PostgreSQL.
    Not counted without the environment that `make locust` makes, too.
    """
    if not OF_LOAD.exists():
        return {"apscheduler_per_s": None}
    url = plant.url("plain")
    said = await plant.side.run(
        str(APSCHEDULED), str(plan.due), str(plan.due_seconds), database_url=url, python=OF_LOAD
    )
    found: dict[str, float] = json.loads(said.splitlines()[-1])
    return {"apscheduler_per_s": found["jobs"] / found["seconds"], "details": found}


# --- while very many run -----------------------------------------------------------------------


async def sweep(plant: Plant, plan: Plan) -> Figures:
    """What a tick of the tracker takes while very many clocks run: one that finds nothing due, and
    for each clock one that passes every mark it has, with all that follows, to the commit. And how late a
    mark is passed there by a tracker that runs as always.
    """
    like = (await sample(plant))["id"]
    await plant.run()
    async with plant.connection("tracker") as connection:
        began = now()
        await arm(connection, like, plan.clocks, NEXT_CENTURY, 1.0, alone=True)
        details: dict[str, Any] = {"armed": plan.clocks, "arming_s": now() - began}
        details["empty"] = empty = await _ticks(plant, plan.ticks)
        owed = int(max(100 * (plan.ticks + 1), 3 * empty["limit"]))
        await arm(connection, like, owed, LAST_YEAR, 1.0)
        before = await connection.fetchval(FACTS)
        details["due"] = passed = await _ticks(plant, owed)
        details["facts_per_clock"] = (await connection.fetchval(FACTS) - before) / owed
    if empty["moved"] or passed["first"] + passed["moved"] != owed:
        raise Unexpected(f"{owed} clocks were due: {details}")
    late = await _late(plant, plan, like)
    return {
        "tick_per_clock_us": passed["seconds"] * 1_000_000 / passed["moved"],
        "tick_cpu_per_clock_us": passed["cpu_s"] * 1_000_000 / passed["moved"],
        "tick_empty_ms_1m": empty["seconds"] * 1000 / empty["ticks"],
        # What never came would be the latest: then none of it counts.
        "late_p99_ms_1m": quantile(late, 0.99) if len(late) == plan.late else None,
        "details": details | {"late": {"marks": len(late), "ms_p50": quantile(late, 0.5)}},
    }


async def _ticks(plant: Plant, most: int) -> dict[str, float]:
    """Ticks of the side's own code, in a process where nothing else happens."""
    said = await plant.side.run(str(TICKS), str(most), database_url=plant.url("tracker"))
    found: dict[str, float] = json.loads(said.splitlines()[-1])
    return found


async def _late(plant: Plant, plan: Plan, like: UUID) -> list[float]:
    """Milliseconds from the true time of a mark until its fact is on the broker, in order."""
    late: dict[str, float] = {}

    async def hear(message: AbstractIncomingMessage) -> None:
        fact = json.loads(message.body)
        due_at = datetime.fromisoformat(fact["time"])
        if due_at > first:
            late.setdefault(fact["id"], (clock.real() - due_at).total_seconds() * 1000)

    await plant.run("tracker", clock="real")
    await gone(plant, UNSENT, plan.outage_seconds)  # what the ticks said, which had no relay
    first = clock.real() + SOON
    async with plant.channel() as channel, plant.connection("tracker") as connection:
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(EXCHANGE, "deadline.breached.#")
        await queue.consume(hear, no_ack=True)
        apart = 1 / plan.late_rate
        await arm(connection, like, plan.late, first, apart, one_mark=True)
        last = first + timedelta(seconds=plan.late * apart) + AT_LAST
        while len(late) < plan.late and clock.real() < last:
            await pause(LOOK)
    await plant.stop("tracker")
    return sorted(late.values())
