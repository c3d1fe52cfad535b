"""Consuming in batches: what has arrived from a queue is taken together and acknowledged at once."""

from __future__ import annotations

import asyncio

from aio_pika.abc import AbstractConnection
from pamqp.commands import Basic

from shared import clock
from shared.messaging.bus import BATCH, BusTrouble, Message, drain, first_of
from shared.messaging.channel import Content, DirectChannel

PREFETCH = 200


class Consumer:
    """One queue's messages in the broker's order, on a channel of their own."""

    def __init__(self, connection: AbstractConnection) -> None:
        """Raises BusTrouble when the connection is closed."""
        self.in_hand = 0  # messages that were delivered and not yet acknowledged
        self._last_tag = 0
        self._lost = False
        self._arrived: asyncio.Queue[tuple[int, Message] | None] = asyncio.Queue()
        self._channel = DirectChannel(connection, self._delivered)
        self._channel.on_loss(self._lose)
        self._channel.on_consumer_cancel_callbacks.add(self._lose)  # its queue was deleted

    async def open(self, queue: str) -> None:
        """Begin to take what is in a queue."""
        await self._channel.open()
        await self._channel.basic_qos(prefetch_count=PREFETCH)
        await self._channel.rpc(Basic.Consume(queue=queue))

    async def next_batch(self, gather: float, stop: asyncio.Event) -> list[Message]:
        """What has arrived, after at most ``gather`` seconds of waiting for company; nothing at
        stop: what is not acknowledged then comes again. Raises BusTrouble when the channel closed.
        """
        first = await first_of(self._arrived, stop)
        if gather and self._arrived.qsize() < BATCH - 1:
            await clock.pause(gather, stop)
        if stop.is_set():
            return []
        if self._lost:
            raise BusTrouble("the channel closed")
        batch = drain(self._arrived, first)
        self._last_tag, _ = batch[-1]
        return [message for _, message in batch]

    async def acknowledge(self, batch: list[Message]) -> None:
        """The batch that was taken last is received, and with it all before."""
        await self._channel.basic_ack(self._last_tag, multiple=True)
        self.in_hand -= len(batch)

    def _delivered(self, content: Content) -> None:
        if isinstance(content.method, Basic.Deliver):
            message = Message(content.method.routing_key or "", content.id, content.body)
            self.in_hand += 1
            self._arrived.put_nowait((content.method.delivery_tag or 0, message))

    def _lose(self, _: object) -> None:
        self._lost = True
        self._arrived.put_nowait(None)  # whoever waits
