"""The bus inside one process. It is durable because the outbox is: ``publish`` answers only after
every subscriber's transaction has committed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

from shared.messaging.bus import (
    Bus,
    BusTrouble,
    Message,
    Receive,
    Topology,
    drain,
    first_of,
    matches,
    persist,
)


class Parcel(NamedTuple):
    """A message in a queue: what is urgent first, then what came first."""

    ordinary: bool
    number: int
    message: Message
    received: asyncio.Future[None]


class LocalBus(Bus):
    """A bus inside one process; queues live as long as it does, the outbox remembers the rest."""

    _named: dict[str, LocalBus] = {}  # noqa: RUF012 - a registry shared on purpose

    def __init__(self) -> None:
        self._bindings: dict[str, set[str]] = {}
        self._queues: dict[str, asyncio.PriorityQueue[Parcel]] = {}
        self._numbers = count()
        self._in_hand: Counter[str] = Counter()
        self._stopped: set[str] = set()

    @classmethod
    def named(cls, name: str) -> LocalBus:
        """The bus all services of this process share under a name."""
        return cls._named.setdefault(name, cls())

    @classmethod
    def forget(cls, name: str) -> None:
        """Drop a bus, as the end of its process would."""
        cls._named.pop(name, None)

    async def declare(self, topology: Topology) -> None:
        for queue, patterns in topology.items():
            self._bindings.setdefault(queue, set()).update(patterns)
            self._queues.setdefault(queue, asyncio.PriorityQueue())

    async def publish(self, messages: Sequence[Message]) -> list[Exception | None]:
        futures = [self._send(message) for message in messages]
        outcomes = await asyncio.gather(
            *(asyncio.gather(*some) for some in futures), return_exceptions=True
        )
        return [outcome if isinstance(outcome, Exception) else None for outcome in outcomes]

    def _send(self, message: Message) -> list[asyncio.Future[None]]:
        loop = asyncio.get_running_loop()
        futures = []
        for queue, patterns in self._bindings.items():
            if any(matches(pattern, message.key) for pattern in patterns):
                future: asyncio.Future[None] = loop.create_future()
                parcel = Parcel(not message.urgent, next(self._numbers), message, future)
                self._queues[queue].put_nowait(parcel)
                futures.append(future)
                if queue in self._stopped:
                    _refuse(drain_all(self._queues[queue]))
        return futures

    async def consume(self, queue: str, receive: Receive, stop: asyncio.Event) -> None:
        parcels = self._queues[queue]
        self._stopped.discard(queue)
        while not stop.is_set():
            first = await first_of(parcels, stop)
            if first is None:
                continue
            batch: list[Parcel] = drain(parcels, first)
            self._in_hand[queue] = len(batch)
            received = await persist(receive, [parcel.message for parcel in batch], stop)
            self._in_hand[queue] = 0
            if not received:
                _refuse(batch)
                break
            for parcel in batch:
                if not parcel.received.done():
                    parcel.received.set_result(None)
        self._stopped.add(queue)
        _refuse(drain_all(parcels))

    async def waiting(self, queue: str) -> int:
        return self._queues[queue].qsize() + self._in_hand[queue]

    async def close(self) -> None:
        for parcels in self._queues.values():
            _refuse(drain_all(parcels))


def drain_all(parcels: asyncio.Queue[Parcel]) -> list[Parcel]:
    """Everything that stands in a queue."""
    return [parcels.get_nowait() for _ in range(parcels.qsize())]


def _refuse(parcels: Sequence[Parcel]) -> None:
    for parcel in parcels:
        if not parcel.received.done():
            parcel.received.set_exception(BusTrouble("the consumer stopped"))
