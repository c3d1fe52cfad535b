"""The bus on RabbitMQ: topology, publishing with confirms, consuming in batches."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import aio_pika
from aio_pika.abc import AbstractConnection
from aiormq.exceptions import ChannelAccessRefused

from shared import clock
from shared.messaging.bus import (
    BACKOFF_CAP,
    Bus,
    BusTrouble,
    Message,
    Receive,
    Refused,
    Topology,
    persist,
)
from shared.messaging.consumer import Consumer
from shared.messaging.lanes import urgent_key, urgent_queue
from shared.messaging.publisher import Publisher
from shared.messaging.refusals import CUT, fault_of, is_cut, is_refusal, left_in_doubt, words_of
from shared.messaging.trouble import BLOCKED, is_blocked, said
from shared.observability import log

EXCHANGE = "jiesu.events"
UNROUTED = "jiesu.unrouted"
# Omitted means 20 on RabbitMQ 4.x; -1 loses messages on 3.10.
QUORUM: dict[str, Any] = {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000}
KEPT: dict[str, Any] = {"x-max-length": 100_000, "x-overflow": "drop-head"}
COPIES = QUORUM | KEPT


class RabbitBus(Bus):
    """RabbitMQ 3.10 to 4.x: one topic exchange, quorum queues, confirms within a timeout.

    ``gather``: seconds a message may wait for company, so that a batch, which is a transaction,
    is not one message each time.
    """

    def __init__(self, url: str, timeout: float = 10.0, gather: float = 0.0) -> None:
        self._url = url
        self._timeout = timeout
        self._gather = gather
        self._connection: AbstractConnection | None = None
        self._publisher: Publisher | None = None
        self._opening = asyncio.Lock()
        self._topology: dict[str, Sequence[str]] = {}
        self._consumers: dict[str, Consumer] = {}

    async def _connected(self) -> AbstractConnection:
        async with self._opening:
            # A connection calls itself closed only when we closed it, not when the broker died.
            if self._connection is None or not self._connection.connected.is_set():
                self._publisher = None
                self._connection = await aio_pika.connect(self._url, timeout=self._timeout)
            return self._connection

    @contextlib.asynccontextmanager
    async def _linked(self) -> AsyncIterator[AbstractConnection]:
        """The connection for a bounded moment; one that is frozen is given up. Raises BusTrouble."""
        with _as_trouble():
            try:
                async with asyncio.timeout(self._timeout):
                    yield await self._connected()
            except TimeoutError:
                await self._drop()
                raise

    async def declare(self, topology: Topology) -> None:
        """On a throw-away channel: a queue that stands with other arguments breaks only that."""
        self._topology.update(topology)
        async with self._linked() as connection:
            await _declare_exchange(connection)
            async with connection.channel() as channel:
                for queue, patterns in topology.items():
                    declared = await channel.declare_queue(queue, durable=True, arguments=QUORUM)
                    for pattern in patterns:
                        await declared.bind(EXCHANGE, pattern)

    async def publish(self, messages: Sequence[Message]) -> list[Exception | None]:
        """A broker that refuses a message may close the channel, or the connection, under all that
        are in flight. Then each that was not answered goes alone, once, and so the guilty one is
        found (shared/messaging/refusals.py).
        """
        answers = await self._publish(messages) if messages else []
        if len(messages) > 1 and any(left_in_doubt(answer) for answer in answers):
            await self._one_by_one(messages, answers)
        found = [_outcome(answer) for answer in answers]
        if found and all(isinstance(outcome, BusTrouble) for outcome in found):
            raise BusTrouble(str(found[0]))
        return found

    async def _one_by_one(
        self, messages: Sequence[Message], answers: list[Exception | None]
    ) -> None:
        """Publish alone what was not answered, as long as one message may take: the caller holds a
        lock meanwhile. What is left then goes with the next batch.
        """
        until = asyncio.get_running_loop().time() + self._timeout
        for at, answer in enumerate(answers):
            if not is_cut(answer):
                continue
            if asyncio.get_running_loop().time() < until:
                [answers[at]] = await self._alone(messages[at])
            else:
                answers[at] = BusTrouble("it was not its turn yet")

    async def _alone(self, message: Message) -> list[Exception | None]:
        try:
            return await self._publish([message])
        except BusTrouble as trouble:
            return [trouble]

    async def _publish(self, messages: Sequence[Message]) -> list[Exception | None]:
        """Publish all at once: what came of each, as the library says it."""
        publisher = self._publisher
        if publisher is None or publisher.is_closed:
            async with self._linked() as connection:
                publisher = await self._publishing(connection)
        answers = await publisher.publish(messages, self._timeout)
        if not any(map(is_cut, answers)):
            return answers
        blocked = await is_blocked(publisher.connection)
        await self._drop()  # what was still sent to a closed channel closes the connection
        return [BusTrouble(BLOCKED) if blocked and is_cut(answer) else answer for answer in answers]

    async def _publishing(self, connection: AbstractConnection) -> Publisher:
        async with self._opening:
            if self._publisher is None or self._publisher.is_closed:
                publisher = Publisher(connection, EXCHANGE)
                await publisher.open()
                self._publisher = publisher
            return self._publisher

    async def _drop(self) -> None:
        connection, self._connection, self._publisher = self._connection, None, None
        if connection is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(connection.close(), self._timeout)

    async def consume(self, queue: str, receive: Receive, stop: asyncio.Event) -> None:
        delay = 0.1
        while not stop.is_set():
            try:
                await self._consume_connected(queue, receive, stop)
                delay = 0.1
            except asyncio.CancelledError:
                if _we_are_stopped():
                    raise
                log.warning("the link froze", queue=queue)
            except Exception as error:
                log.warning("the broker is away", queue=queue, why=said(error), seconds=delay)
                await clock.pause(delay, stop)
                delay = min(delay * 2, BACKOFF_CAP)

    async def _consume_connected(self, queue: str, receive: Receive, stop: asyncio.Event) -> None:
        """Consume on a connection of our own until it breaks or stop is set."""
        await self.declare(self._topology)  # the broker may have come back empty
        connection = await aio_pika.connect(self._url, timeout=self._timeout)
        try:
            consumer = self._consumers[queue] = Consumer(connection)
            async with asyncio.timeout(self._timeout):
                if await _declare_lane(connection, queue, self._topology.get(queue, ())):
                    await consumer.open(urgent_queue(queue))
                await consumer.open(queue)
            while batch := await consumer.next_batch(self._gather, stop):
                fresh = consumer.fresh(batch)
                if fresh and not await persist(receive, fresh, stop):
                    return
                await consumer.acknowledge(batch)
        finally:
            self._consumers.pop(queue, None)
            with contextlib.suppress(Exception):
                await asyncio.wait_for(connection.close(), self._timeout)

    async def waiting(self, queue: str) -> int:
        async with self._linked() as connection, connection.channel() as channel:
            declared = await channel.declare_queue(queue, passive=True)
            waiting = declared.declaration_result.message_count or 0
            consumer = self._consumers.get(queue)
            return waiting + (consumer.in_hand if consumer else 0)

    async def close(self) -> None:
        await self._drop()


def _outcome(answer: Exception | None) -> Exception | None:
    """What came of one message: confirmed, refused for itself, or the link's trouble."""
    if answer is None:
        return None
    if is_refusal(answer):
        return Refused(words_of(answer))
    if isinstance(answer, BusTrouble):
        return answer
    return BusTrouble(words_of(answer) if fault_of(answer) else said(answer))


async def _declare_exchange(connection: AbstractConnection) -> None:
    """Unless it stands: a service's user may use it and not make it (operations/broker.py)."""
    with contextlib.suppress(aio_pika.exceptions.ChannelNotFoundEntity):
        async with connection.channel() as channel:
            await channel.declare_exchange(EXCHANGE, passive=True)
            return
    kept_aside: dict[str, Any] = {"alternate-exchange": UNROUTED}
    async with connection.channel() as channel:
        await channel.declare_exchange(UNROUTED, aio_pika.ExchangeType.FANOUT, durable=True)
        kept = await channel.declare_queue(UNROUTED, durable=True, arguments=KEPT)
        await kept.bind(UNROUTED)
        topic = aio_pika.ExchangeType.TOPIC
        await channel.declare_exchange(EXCHANGE, topic, durable=True, arguments=kept_aside)


async def _declare_lane(
    connection: AbstractConnection, queue: str, patterns: Sequence[str]
) -> bool:
    """Whether a queue has a second one for what is urgent; whose user may not have it goes without."""
    try:
        async with connection.channel() as channel:
            declared = await channel.declare_queue(
                urgent_queue(queue), durable=True, arguments=COPIES
            )
            for pattern in patterns:
                await declared.bind(EXCHANGE, urgent_key(pattern))
    except ChannelAccessRefused as error:
        log.warning("nothing overtakes here", queue=queue, why=said(error))
        return False
    return True


def _we_are_stopped() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


@contextlib.contextmanager
def _as_trouble() -> Iterator[None]:
    try:
        yield
    except asyncio.CancelledError as error:
        if _we_are_stopped():
            raise
        raise BusTrouble("the link froze") from error
    except CUT as error:
        raise BusTrouble(said(error)) from error
