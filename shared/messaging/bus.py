"""The message bus: what a service needs of one, and what both of ours do alike.

Two buses obey one contract suite (tests/contract/test_bus.py): RabbitBus is the real thing,
LocalBus lives in one process.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from shared import clock
from shared.observability import log
from shared.storage.trouble import said

BATCH = 100
BACKOFF_CAP = 10.0


@dataclass(frozen=True, slots=True)
class Message:
    """A fact on its way: routing key, the fact's id and the body as it stands in the outbox.
    ``urgent``: it goes before others that wait.
    """

    key: str
    id: str
    body: bytes
    urgent: bool = False


Receive = Callable[[Sequence[Message]], Awaitable[None]]
Topology = Mapping[str, Sequence[str]]  # queue → binding patterns


class BusTrouble(Exception):
    """The bus cannot be reached now; nothing is known to have been published."""


class Refused(Exception):
    """The bus does not take this one message, and takes others; its words say why."""


@lru_cache(maxsize=100_000)
def matches(pattern: str, key: str) -> bool:
    """AMQP topic match: ``*`` is one word, ``#`` any number of words, also none."""
    return _match(pattern.split("."), key.split("."))


def _match(pattern: list[str], words: list[str]) -> bool:
    if not pattern:
        return not words
    if pattern[0] == "#":
        return any(_match(pattern[1:], words[i:]) for i in range(len(words) + 1))
    return bool(words) and pattern[0] in ("*", words[0]) and _match(pattern[1:], words[1:])


class Bus(ABC):
    """What a service needs of a bus."""

    @abstractmethod
    async def declare(self, topology: Topology) -> None:
        """Make queues and bindings that are not there yet."""

    @abstractmethod
    async def publish(self, messages: Sequence[Message]) -> list[Exception | None]:
        """Publish all, answer one by one: None is confirmed, Refused concerns that message alone,
        BusTrouble is no fault of it. Raises BusTrouble when nothing could be published.
        """

    @abstractmethod
    async def consume(self, queue: str, receive: Receive, stop: asyncio.Event) -> None:
        """Hand over what arrives in batches until stop is set; the batch in hand is finished. What
        is urgent comes first; otherwise messages come as they were published.

        A batch counts as received when ``receive`` returns. When it raises, nothing is
        acknowledged and the same batch is handed over again after a pause that grows.
        """

    @abstractmethod
    async def waiting(self, queue: str) -> int:
        """How many messages wait in a queue or in our hands."""

    @abstractmethod
    async def close(self) -> None:
        """Give connections back."""


async def persist(receive: Receive, batch: Sequence[Message], stop: asyncio.Event) -> bool:
    """Hand a batch over until it is received. False: we were stopped before it was."""
    delay = 0.1
    while True:
        try:
            await receive(batch)
            return True
        except Exception as error:
            log.warning("consuming pauses", seconds=delay, why=said(error))
        if stop.is_set():
            return False
        await clock.pause(delay, stop)
        delay = min(delay * 2, BACKOFF_CAP)


def drain(queue: asyncio.Queue[Any], first: Any) -> list[Any]:
    """The first item and what else has arrived, up to a batch."""
    batch = [first]
    while len(batch) < BATCH and not queue.empty():
        batch.append(queue.get_nowait())
    return batch


async def first_of(queue: asyncio.Queue[Any], stop: asyncio.Event) -> Any | None:
    """The next item, or None when stop comes first."""
    if not queue.empty() and not stop.is_set():
        return queue.get_nowait()
    getting = asyncio.ensure_future(queue.get())
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({getting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return getting.result() if getting.done() else None
    finally:
        getting.cancel()
        stopping.cancel()
