"""Figures of the tracker's clocks: what a tick takes, and how long very many take that fall due."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from shared.clock import pause
from tests.load.calls import complaint, encoded
from tests.load.county import Unexpected
from tests.load.plan import LOOK, Figures, Plan, now
from tests.load.plant import Plant
from tests.load.storms import TICKETS

PATIENCE = 60.0  # seconds for one ticket to reach the tracker
WATER = "water.supply"  # what the catalogue sends to a unit, without a desk
TICKS = Path(__file__).with_name("ticks.py")
LAST_YEAR, NEXT_CENTURY = datetime(2025, 12, 31, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC)

# Running clocks like one there is ($2), of the kind with the most marks, each of a ticket of its own: one
# falls due at $3, the others each $4 seconds later.
OPEN = """
    INSERT INTO tickets SELECT r.* FROM clocks c JOIN tickets t ON t.number = c.ticket,
        generate_series(1, $1::int) n,
        LATERAL jsonb_populate_record(t, jsonb_build_object('number', '20251231-' || lpad(n::text, 7, '0'))) r
        WHERE c.id = $2
    ON CONFLICT DO NOTHING"""
ARM = """
    INSERT INTO clocks SELECT r.* FROM clocks s, generate_series(1, $1::int) n,
        LATERAL jsonb_populate_record(s, jsonb_build_object(
            'id', gen_random_uuid(), 'ticket', '20251231-' || lpad(n::text, 7, '0'),
            'status', 'running', 'passed', '{}'::jsonb,
            'next_at', $3::timestamptz + n * $4::float8 * interval '1s',
            'ended_at', NULL, 'breached_at', NULL, 'judged_at', NULL)) r
        WHERE s.id = $2"""
NEWEST = """
    SELECT id, next_at FROM clocks WHERE kind = 'handle' AND status = 'running'
        AND passed = '{}'::jsonb AND next_at IS NOT NULL ORDER BY started_at DESC LIMIT 1"""
FACTS = "SELECT count(*) FROM outbox"
DUE = "SELECT count(*) FROM clocks WHERE next_at <= $1"


async def _sample(plant: Plant) -> Any:
    """A unit's clock with none of its marks passed; where there is none, of a new ticket."""
    if found := await _newest(plant):
        return found
    await plant.run("intake", "dispatcher", "tracker")
    wire, token = plant.wire("intake"), plant.token("phone_system")
    body = complaint(Random(1)) | {"type": "help", "topic": WATER, "flags": ()}
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
        return await connection.fetchrow(NEWEST)


async def _arm(connection: Any, count: int, like: Any, first: datetime, apart: float) -> None:
    """So many running clocks, whose next marks lie so many seconds apart."""
    await connection.execute(OPEN, count, like, timeout=600)
    await connection.execute(ARM, count, like, first, apart, timeout=600)


async def due(plant: Plant, plan: Plan) -> Figures:
    """One mark each of very many clocks falls due at one moment. Seconds until the tracker, which
    runs as always, has passed them all.
    """
    sample = await _sample(plant)
    await plant.run("tracker")
    moment = sample["next_at"] + timedelta(seconds=1)
    async with plant.connection("tracker") as connection:
        await _arm(connection, plan.due, sample["id"], sample["next_at"], 0.0)
        await connection.execute("ANALYZE clocks")
    wire, used = plant.wire("tracker"), plant.processes["tracker"].cpu
    step = encoded({"now": moment.isoformat()})
    began, left = now(), plan.due
    await wire.send(wire.encode("POST", "/clock", step, plant.token("ops")))
    while now() - began < plan.due_seconds:
        if not (left := await plant.value("tracker", DUE, moment)):
            break
        await pause(LOOK)
    seconds, passed = now() - began, plan.due - left
    cost = (plant.processes["tracker"].cpu - used) * 1_000_000 / max(passed, 1)
    details = {"clocks": passed, "seconds": seconds, "cpu_us_per_clock": cost}
    note = f"由前 from the first {passed:,} in {seconds:.1f} s"
    return {
        "due_10k_s": seconds * 10_000 / passed if passed else None,
        "details": details,
        "notes": {"due_10k_s": note} if passed < 10_000 else {},
    }


async def sweep(plant: Plant, plan: Plan) -> Figures:
    """What a tick of the tracker takes while very many clocks run: one that finds nothing due, and
    for each clock one that passes every mark it has, with all that follows, to the commit.
    """
    sample = await _sample(plant)
    await plant.run()
    async with plant.connection("tracker") as connection:
        began = now()
        await _arm(connection, plan.clocks, sample["id"], NEXT_CENTURY, 1.0)
        details: dict[str, Any] = {"armed": plan.clocks, "arming_s": now() - began}
        await connection.execute("ANALYZE clocks")
        details["idle"] = idle = await _ticks(plant, plan.ticks)
        owed = int(max(100 * (plan.ticks + 1), 3 * idle["limit"]))
        await _arm(connection, owed, sample["id"], LAST_YEAR, 1.0)
        before = await connection.fetchval(FACTS)
        details["due"] = passed = await _ticks(plant, owed)
        details["facts_per_clock"] = (await connection.fetchval(FACTS) - before) / owed
    if idle["moved"] or passed["first"] + passed["moved"] != owed:
        raise Unexpected(f"{owed} clocks were due: {details}")
    return {
        "tick_per_clock_us": passed["seconds"] * 1_000_000 / passed["moved"],
        "tick_cpu_per_clock_us": passed["cpu_s"] * 1_000_000 / passed["moved"],
        "tick_idle_ms": idle["seconds"] * 1000 / idle["ticks"],
        "details": details,
    }


async def _ticks(plant: Plant, most: int) -> dict[str, float]:
    """Ticks of the side's own code, in a process where nothing else happens."""
    said = await plant.side.run(str(TICKS), str(most), database_url=plant.url("tracker"))
    found: dict[str, float] = json.loads(said.splitlines()[-1])
    return found
