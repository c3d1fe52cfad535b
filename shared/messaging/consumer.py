"""Consuming in batches: what has arrived is taken together, what is urgent first, and acknowledged at
once.
"""

from __future__ import annotations

import asyncio
from itertools import count
from typing import NamedTuple

from aio_pika.abc import AbstractConnection
from pamqp.commands import Basic

from shared import clock
from shared.messaging.bus import BATCH, BusTrouble, Message, drain, first_of
from shared.messaging.channel import Content, DirectChannel
from shared.messaging.lanes import Twins, is_urgent

PREFETCH = 200
LOSS = -1  # before every lane: whoever waits is to look


class Arrival(NamedTuple):
    """A message that was delivered: by lane, and in a lane as it came."""

    lane: int
    number: int
    tag: int
    message: Message


class Consumer:
    """The messages of one queue, or of some that are lanes: what came in the first goes before what
    came in the next.
    """

    def __init__(self, connection: AbstractConnection) -> None:
        self.in_hand = 0  # messages that were delivered and not yet acknowledged
        self._connection = connection
        # One a lane, for an acknowledgement is a channel's.
        self._channels: list[DirectChannel] = []
        self._arrived: asyncio.PriorityQueue[Arrival] = asyncio.PriorityQueue()
        self._numbers = count()
        self._twins = Twins()
        self._lost = False

    async def open(self, queue: str) -> None:
        """Begin to take what is in a queue, as the next lane. Raises BusTrouble when the connection
        is closed.
        """
        lane = len(self._channels)
        channel = DirectChannel(self._connection, lambda content: self._delivered(lane, content))
        self._channels.append(channel)
        channel.on_loss(self._lose)
        channel.on_consumer_cancel_callbacks.add(self._lose)  # its queue was deleted
        await channel.open()
        await channel.basic_qos(prefetch_count=PREFETCH)
        await channel.rpc(Basic.Consume(queue=queue))

    async def next_batch(self, gather: float, stop: asyncio.Event) -> list[Arrival]:
        """What has arrived, after at most ``gather`` seconds of waiting for company; nothing at stop:
        what is not acknowledged then comes again. Raises BusTrouble when a channel closed.
        """
        first = await first_of(self._arrived, stop)
        if gather and first and self._arrived.qsize() < BATCH - 1:
            await clock.pause(gather, stop)
        if stop.is_set():
            return []
        if self._lost:
            raise BusTrouble("the channel closed")
        return drain(self._arrived, first)

    def fresh(self, batch: list[Arrival]) -> list[Message]:
        """What of a batch was not received on this connection before: what is urgent comes twice."""
        return [arrival.message for arrival in batch if not self._twins.know(arrival.message)]

    async def acknowledge(self, batch: list[Arrival]) -> None:
        """The batch that was taken last is received, and with it all before."""
        for arrival in batch:
            self._twins.received(arrival.message)
        for lane, tag in {arrival.lane: arrival.tag for arrival in batch}.items():
            await self._channels[lane].basic_ack(tag, multiple=True)
        self.in_hand -= len(batch)

    def _delivered(self, lane: int, content: Content) -> None:
        method = content.method
        if isinstance(method, Basic.Deliver):
            message = Message(
                method.routing_key or "", content.id, content.body, is_urgent(content.priority)
            )
            self.in_hand += 1
            tag = method.delivery_tag or 0
            self._arrived.put_nowait(Arrival(lane, next(self._numbers), tag, message))

    def _lose(self, _: object) -> None:
        self._lost = True
        self._arrived.put_nowait(Arrival(LOSS, next(self._numbers), 0, Message("", "", b"")))
