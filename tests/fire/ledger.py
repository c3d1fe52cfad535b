"""The reckoning: what every service said, against what every other received and did.

A fact is *lost* when somebody it was meant for never received it, or a number in a row of numbers
is missing. It is *doubled* when it, or what follows from it, stands twice.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import aio_pika

from services.registry import NAMES, part, topology
from shared.bus import matches
from shared.events import Fact
from shared.rabbit_bus import UNROUTED
from tests.fire.town import PROJECT, Town


@dataclass(slots=True)
class Ledger:
    """What was counted, and what did not add up."""

    tickets: int = 0
    facts: int = 0
    unrouted: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def once(self, what: str, found: Iterable[Hashable], count: int | None = None) -> None:
        """Each of these stands once; ``count`` is how many there must be."""
        seen = Counter(found)
        self.counts[what] = seen.total()
        self.doubled += [f"{what} {one} ×{times}" for one, times in seen.items() if times > 1]
        if count is not None and len(seen) < count:
            self.lost.append(f"{what}: {count - len(seen)} of {count} are missing")
        if count is not None and len(seen) > count:
            self.doubled.append(f"{what}: {len(seen) - count} more than {count}")

    def same(self, what: str, meant: Iterable[UUID], found: Iterable[UUID]) -> None:
        """Everything meant for somebody came, and nothing that was never said."""
        wanted, came = set(meant), set(found)
        self.lost += [f"{what} never received {one}" for one in wanted - came]
        self.doubled += [f"{what} received {one}, which nobody said" for one in came - wanted]


async def reckon(town: Town, *, ended: bool = True) -> Ledger:
    """Count everything in a town that has come to rest; ``ended``: every ticket is closed."""
    ledger = Ledger()
    said = {name: await town.facts(name) for name in NAMES}
    everything = [fact for facts in said.values() for fact in facts]
    ledger.facts = len(everything)
    _count_facts(ledger, everything)
    for name in NAMES:
        await _count_log(ledger, town, name, everything)
    await _count_feed(ledger, town, everything)
    if town.vhost:
        await _count_queues(ledger, town, everything)
    if ended:
        await _count_duties(ledger, town, everything)
        await _count_callbacks(ledger, town, everything)
    return ledger


def _count_facts(ledger: Ledger, facts: list[Fact]) -> None:
    ledger.once("facts by id", (fact.id for fact in facts))
    ledger.once("facts by number", ((fact.subject, fact.source, fact.seq) for fact in facts))
    for (subject, source), number in Counter((f.subject, f.source) for f in facts).items():
        last = max(f.seq for f in facts if (f.subject, f.source) == (subject, source))
        if last != number:
            ledger.lost.append(f"{source} numbered {last} facts of {subject} and has {number}")


async def _count_log(ledger: Ledger, town: Town, name: str, facts: list[Fact]) -> None:
    """A service relayed all it said, received all it listens to, and has nothing left to do."""
    rows = await town.rows(name, "SELECT position FROM outbox ORDER BY position")
    if [row.position for row in rows] != list(range(1, len(rows) + 1)):
        ledger.lost.append(f"{name}: places in the log are not 1 to {len(rows)}")
    patterns = part(name).subscriptions
    meant = [f.id for f in facts if any(matches(pattern, f.key) for pattern in patterns)]
    received = await town.rows(name, "SELECT event FROM inbox")
    ledger.same(name, meant, (row.event for row in received))
    for row in await town.rows(name, "SELECT state, subject, reason FROM retry"):
        ledger.open.append(f"{name}: {row.state} {row.subject} {row.reason}")


async def _count_feed(ledger: Ledger, town: Town, facts: list[Fact]) -> None:
    """A unit's feed holds every fact addressed to it, once."""
    rows = await town.rows("dispatcher", "SELECT unit, event, position FROM feed")
    ledger.once("feed", ((row.unit, row.event) for row in rows))
    ledger.once("places in the feed", (row.position for row in rows))
    ledger.same("the feed", (f.id for f in facts if f.unit), (row.event for row in rows))


async def _count_queues(ledger: Ledger, town: Town, facts: list[Fact]) -> None:
    """What goes to a unit's queue, and what goes to none, waits there: at least once."""
    queues = topology(PROJECT / "config" / "ziyang")
    for queue, patterns in queues.items():
        if queue.startswith("unit."):
            meant = [f.id for f in facts if any(matches(one, f.key) for one in patterns)]
            ledger.same(queue, meant, await drained(town, queue))
    every = [pattern for patterns in queues.values() for pattern in patterns]
    unheard = [f.id for f in facts if not any(matches(one, f.key) for one in every)]
    ledger.unrouted = len(unheard)
    ledger.same(UNROUTED, unheard, await drained(town, UNROUTED))


async def drained(town: Town, queue: str) -> list[UUID]:
    """The ids of all that waits in a queue; it is empty afterwards."""
    found = []
    async with await aio_pika.connect(town.vhost) as connection:
        waiting = await (await connection.channel()).get_queue(queue, ensure=False)
        while message := await waiting.get(no_ack=True, fail=False):
            found.append(UUID(json.loads(message.body)["id"]))
    return found


async def _count_duties(ledger: Ledger, town: Town, facts: list[Fact]) -> None:
    """Assignments and their clocks."""
    said = [fact for fact in facts if fact.name == "assignment.dispatched"]
    rows = await town.rows("dispatcher", "SELECT id, ticket, round, unit, state FROM assignments")
    ledger.once("assignments", (row.id for row in rows), len(said))
    standing = [row for row in rows if row.state not in ("returned", "cancelled")]
    ledger.once("duties", ((row.ticket, row.round, row.unit) for row in standing))
    clocks = await town.rows(
        "tracker", "SELECT ticket, round, kind, assignment, started, state FROM clocks"
    )
    ledger.once("clocks", ((c.ticket, c.round, c.kind, c.assignment, c.started) for c in clocks))
    ledger.open += [f"clock {c.kind} of {c.ticket} is {c.state}" for c in clocks if _runs(c)]
    started = [f for f in facts if f.name == "deadline.set"]
    faces = [
        (f.subject, f.round, f.assignment, f.time, face.clock)
        for f in started
        for face in f.data.clocks
    ]
    ledger.once("clocks told", faces, len(clocks))
    marks = [f for f in facts if f.name in ("deadline.warned", "deadline.breached")]
    ledger.once(
        "marks", ((f.name, f.subject, f.round, f.assignment, f.data.clock, f.time) for f in marks)
    )


def _runs(clock: Any) -> bool:
    return clock.state not in ("met", "cancelled")


async def _count_callbacks(ledger: Ledger, town: Town, facts: list[Fact]) -> None:
    """Callbacks, their outcomes, what citizens were told, and that every ticket ended once."""
    tickets = await town.rows("intake", "SELECT number, stage FROM ticket")
    ledger.tickets = len(tickets)
    ledger.open += [f"{row.number} is {row.stage}" for row in tickets if row.stage != "closed"]
    for name in ("ticket.registered", "ticket.closed"):
        found = [f.subject for f in facts if f.name == name]
        ledger.once(name, found, len(tickets))
    reopened = [f for f in facts if f.name == "ticket.reopened"]
    ledger.once("ticket.reopened", ((f.subject, f.round) for f in reopened))
    callbacks = await town.rows("feedback", "SELECT number, round, next_step FROM callbacks")
    ledger.open += [f"callback of {c.number}: {c.next_step}" for c in callbacks if c.next_step]
    ledger.once("callbacks", ((c.number, c.round) for c in callbacks))
    ended = [f for f in facts if f.name in ("callback.answered", "callback.given_up")]
    ledger.once("outcomes", ((f.subject, f.round) for f in ended), len(callbacks))
    told = [f for f in facts if f.name == "citizen.told"]
    messages = await town.rows("feedback", "SELECT number FROM messages")
    words = ((f.subject, f.round, f.data.event, f.data.zh) for f in told)
    ledger.once("messages to citizens", words, len(messages))
