"""Figures of requests sent as fast as they are answered: what intake takes, and what the plain way would."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from shared.clock import pause
from tests.load.calls import complaint, encoded
from tests.load.plan import LOOK, Figures, Plan, cost_each, difference, now
from tests.load.plant import Plant
from tests.load.wire import Wire

TICKETS = "/v1/tickets"
WARM = 10  # complaints before those that count
EMPTY_WITHIN = 2.0  # seconds after the end for the outbox


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


async def emptied_after(plant: Plant, name: str, patience: float) -> float:
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
    await plant.run("intake")
    await storm(plant.wire("intake"), registrations(plant, "intake", plan.lines * 2, 0), 8, 2, 201)
    tried, lines = [], plan.lines
    while True:
        requests, cpu = registrations(plant, "intake", plan.requests, lines), plant.cpu()
        came = await storm(plant.wire("intake"), requests, lines, plan.seconds, 201)
        emptied = await emptied_after(plant, "intake", plan.seconds * 4)
        tried.append({"lines": lines, "per_s": came.per_s, "outbox_empty_after_s": emptied})
        if emptied <= EMPTY_WITHIN or len(tried) == 3:
            break
        lines = max(1, lines // 4)
    counts = emptied <= EMPTY_WITHIN and not came.refused
    cost = cost_each(difference(cpu, plant.cpu()), came.answered)
    details = {"tried": tried, "refused": came.refused, "cpu_ms": cost}
    return {
        "intake_per_s": came.per_s if counts else None,
        "intake_cpu_ms": cost["intake"],
        "details": details,
    }


async def batch(plant: Plant, plan: Plan) -> Figures:
    """Complaints a second in batches, two at a time."""
    await plant.run("intake")
    throw, token, wire = Random(5), plant.token("phone_system"), plant.wire("intake")
    bodies = [[complaint(throw) for _ in range(plan.batch)] for _ in range(plan.batches)]
    requests = [
        wire.encode("POST", f"{TICKETS}/batch", encoded({"tickets": one}), token)
        for one in (bodies[0][:WARM], *bodies)
    ]
    await wire.send(requests.pop(0))
    came = await storm(wire, requests, 2, plan.seconds, 200)
    emptied = await emptied_after(plant, "intake", plan.seconds * 4)
    details = {"size": plan.batch, "batches": came.answered, "outbox_empty_after_s": emptied}
    return {"batch_per_s": came.per_s * plan.batch, "details": details}


async def plain(plant: Plant, plan: Plan) -> Figures:
    """The same registrations, written plainly; the other services are stopped as for intake."""
    await plant.run()
    await plant.serve("plain", "tests.load.plain:app", "/docs")
    try:
        await storm(plant.wire("plain"), registrations(plant, "plain", 20, 0), 4, 2, 201)
        requests, cpu = registrations(plant, "plain", plan.plain_requests, 1), plant.cpu()
        came = await storm(plant.wire("plain"), requests, plan.lines, plan.seconds, 201)
        cost = cost_each(difference(cpu, plant.cpu()), came.answered)
    finally:
        await plant.stop("plain")
    return {"plain_per_s": came.per_s, "details": {"refused": came.refused, "cpu_ms": cost}}
