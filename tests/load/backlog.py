"""Figures of facts that wait: how fast they are relayed and handled, and who may overtake them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any
from uuid import uuid4

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from shared.clock import pause
from shared.messaging.rabbit_bus import EXCHANGE
from tests.load.calls import complaint, encoded
from tests.load.county import Unexpected
from tests.load.plan import LOOK, Figures, Plan, cost_each, difference, now
from tests.load.plant import Plant
from tests.load.storms import TICKETS, emptied_after, registrations, storm

SAMPLES = 200  # registrations that facts are made after
WORD, POLICE = "跳楼", "GAJ"  # what makes a matter critical, and the unit it goes to
STUCK = "SELECT count(*) FROM retry"

# Facts as intake said them, about tickets nobody has heard of yet: $2 begins their numbers.
FILL = """
    WITH sample AS (
        SELECT row_number() OVER (ORDER BY id) - 1 AS at, fact, subject, key, body, recorded
        FROM outbox WHERE key = 'ticket.registered' ORDER BY id LIMIT 500),
    wanted AS (
        SELECT n, gen_random_uuid() AS fact, $2 || '-' || lpad(n::text, 6, '0') AS subject
        FROM generate_series(1, $1::int) AS n)
    INSERT INTO outbox (fact, subject, key, body, recorded)
    SELECT w.fact, w.subject, s.key,
        replace(replace(s.body, s.fact::text, w.fact::text), s.subject, w.subject), s.recorded
    FROM wanted w JOIN sample s ON s.at = w.n % (SELECT count(*) FROM sample) ORDER BY w.n"""
ORDINARY = """
    SELECT fact, subject, key, body FROM outbox WHERE key = 'ticket.registered'
        AND body::jsonb -> 'data' ->> 'urgency' NOT IN ('urgent', 'critical')
    ORDER BY id LIMIT 500"""
HANDLED = "SELECT count(*) FROM tickets WHERE number LIKE $1 || '-%'"
RELAYED, DRAINED, BEHIND = "20991229", "20991230", "20991231"


async def _with_samples(plant: Plant) -> None:
    """Intake alone has said some facts, and all queues are empty."""
    await plant.run("intake")
    await storm(plant.wire("intake"), registrations(plant, "intake", SAMPLES, 7), 8, 60, 201)
    await emptied_after(plant, "intake", 60)
    await plant.purge()


async def relay(plant: Plant, plan: Plan) -> Figures:
    """Facts a second from the outbox to the broker, with nobody else at work."""
    await _with_samples(plant)
    used = plant.cpu()
    async with plant.connection("intake") as connection:
        await connection.execute(FILL, plan.relayed, RELAYED)
    seconds = await emptied_after(plant, "intake", plan.drain_seconds)
    cost = cost_each(difference(used, plant.cpu()), plan.relayed)
    left = await plant.unsent("intake")
    details = {"facts": plan.relayed - left, "seconds": seconds, "cpu_ms": cost}
    return {"relay_alone_per_s": (plan.relayed - left) / seconds, "details": details}


async def drain(plant: Plant, plan: Plan) -> Figures:
    """The broker was away: facts wait in intake's outbox. Seconds from starting the dispatcher
    until it has handled them all and its own facts are out.

    What is not done in its time is extrapolated from what was, and says so.
    """
    await _with_samples(plant)
    async with plant.connection("intake") as connection:
        await connection.execute(FILL, plan.backlog, DRAINED)
    began, relayed, done = now(), None, 0
    await plant.run("intake", "dispatcher")
    while now() - began < plan.drain_seconds:
        done = await plant.value("dispatcher", HANDLED, DRAINED)
        if relayed is None and not await plant.unsent("intake"):
            relayed = now() - began
        if done >= plan.backlog and not await plant.unsent("dispatcher"):
            break
        await pause(0.25)
    seconds = now() - began
    sent = plan.backlog - await plant.unsent("intake")
    figures = {
        "drain_100k_facts_s": seconds * 100_000 / done if done else None,
        "relay_per_s": sent / (relayed or seconds),
    }
    details = {"facts": done, "seconds": seconds, "extrapolated": done < 100_000}
    details |= {"relayed": sent, "stuck": await plant.value("dispatcher", STUCK)}
    note = f"由前 from the first {done:,} in {seconds:.0f} s"
    return figures | {
        "details": details,
        "notes": {"drain_100k_facts_s": note} if done < 100_000 else {},
    }


# --- who may overtake --------------------------------------------------------------------------


async def critical(plant: Plant, plan: Plan) -> Figures:
    """Ordinary facts wait in the dispatcher's queue, it is at work on them, and a critical ticket
    is registered. Seconds from intake's answer to the message for the unit.

    One that does not come in its time is given up, and the wait worked out from the pace so far.
    """
    await _with_samples(plant)
    heard: dict[str, float] = {}
    async with plant.channel() as channel:
        await _crowd(plant, channel, plan.behind)
        await _listen(channel, heard)
        await plant.run("intake", "dispatcher")
        while not (first := await plant.value("dispatcher", HANDLED, BEHIND)):
            await pause(LOOK)
        number, since = await _call_for_help(plant), now()
        while number not in heard and now() - since < plan.critical_seconds:
            await pause(LOOK)
        waited = max(0.0, heard.get(number, now()) - since)
    done = await plant.value("dispatcher", HANDLED, BEHIND)
    await plant.run("intake")
    per_s = (done - first) / waited if waited else 0.0
    details = {"facts": plan.behind, "waited_s": waited, "came": number in heard, "per_s": per_s}
    figures, note = {"critical_behind_100k_s": waited, "details": details}, ""
    if number not in heard:
        figures["critical_behind_100k_s"] = 100_000 / per_s if per_s else None
        note = f"未到 not there after {waited:.0f} s; 100,000 at {per_s:.0f}/s"
    elif plan.behind < 100_000:
        note = f"只隔 behind {plan.behind:,} only"
    return figures | {"notes": {"critical_behind_100k_s": note} if note else {}}


async def _crowd(plant: Plant, channel: AbstractChannel, count: int) -> None:
    """Let so many ordinary facts wait at the dispatcher, and at nobody else."""
    async with plant.connection("intake") as connection:
        samples = await connection.fetch(ORDINARY)
    door = await channel.declare_exchange("bench.crowd", aio_pika.ExchangeType.TOPIC)
    queue = await channel.get_queue("svc.dispatcher")
    await queue.bind(door, "#")
    for at in range(count):
        sample = samples[at % len(samples)]
        await door.publish(_copy(sample, f"{BEHIND}-{at:06}"), sample["key"])
    waiting = 0
    while waiting < count:
        await pause(LOOK)
        found = await channel.declare_queue(queue.name, passive=True)
        waiting = found.declaration_result.message_count or 0
    await door.delete()


def _copy(sample: Mapping[str, Any], subject: str) -> aio_pika.Message:
    """A fact like another, about another ticket."""
    fact, body = str(uuid4()), str(sample["body"])
    body = body.replace(str(sample["fact"]), fact).replace(sample["subject"], subject)
    return aio_pika.Message(
        body.encode(),
        message_id=fact,
        content_type="application/cloudevents+json",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )


async def _listen(channel: AbstractChannel, heard: dict[str, float]) -> None:
    """Note when each ticket's dispatch to the police is put into queues."""

    async def hear(message: AbstractIncomingMessage) -> None:
        heard.setdefault(json.loads(message.body)["subject"], now())

    queue = await channel.declare_queue(exclusive=True)
    await queue.bind(EXCHANGE, f"assignment.dispatched.{POLICE}")
    await queue.consume(hear, no_ack=True)


async def _call_for_help(plant: Plant) -> str:
    """Register a critical ticket; its number."""
    wire = plant.wire("intake")
    body = complaint(Random(110)) | {"type": "help", "title": f"有人要{WORD}", "flags": ()}
    headers = plant.token("phone_system") | {"Idempotency-Key": "critical"}
    status, answer = await wire.send(wire.encode("POST", TICKETS, encoded(body), headers))
    if status not in (200, 201):
        raise Unexpected(f"a critical ticket: {status} {answer.decode()[:300]}")
    return str(json.loads(answer)["number"])
