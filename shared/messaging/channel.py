"""A channel whose messages and confirms come to us where the connection reads them.

aiormq queues every frame for a task of the channel, starts a task for every message and a future
for every publish; that is most of what a message costs. What comes by the hundred is taken here as
it is read, and what is said goes out in one write. All else, such as the answers to calls, closing,
heartbeats and TLS, stays aiormq's (docs/adr/0034-lean-amqp.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiormq
from aio_pika.abc import AbstractConnection
from aiormq.abc import ChannelFrame
from pamqp.body import ContentBody
from pamqp.commands import Basic
from pamqp.frame import FrameTypes
from pamqp.header import ContentHeader

from shared.messaging.bus import BusTrouble
from shared.messaging.refusals import CUT

Confirm = Basic.Ack | Basic.Nack


@dataclass(slots=True)
class Content:
    """A message as it comes: what announces it, its properties, its body in pieces."""

    method: Basic.Deliver | Basic.Return
    header: ContentHeader | None = None
    pieces: list[bytes] = field(default_factory=list)
    left: int = 0  # octets of the body that are still to come

    @property
    def id(self) -> str:
        return (self.header and self.header.properties.message_id) or ""

    @property
    def priority(self) -> int | None:
        return self.header.properties.priority if self.header else None

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)


class DirectChannel(aiormq.Channel):
    """A channel of aiormq's that passes messages and confirms on without queueing them.

    ``came`` is called with each message that is delivered or returned, ``confirmed`` with each
    confirm, in the broker's order, by the task that reads the connection: they must not fail.
    Without ``confirmed`` the broker is not asked to confirm.
    """

    def __init__(
        self,
        connection: AbstractConnection,
        came: Callable[[Content], None],
        confirmed: Callable[[Confirm], None] | None = None,
    ) -> None:
        """Raises BusTrouble when the connection is closed."""
        if connection.transport is None:
            raise BusTrouble("the connection is closed")
        below = connection.transport.connection
        number = max(below.channels, default=0) + 1
        super().__init__(below, number, publisher_confirms=confirmed is not None)
        self.frames = Frames(self._take)  # before the channel's own reader has begun
        below.channels[number] = self
        self._came, self._confirmed = came, confirmed
        self._coming: Content | None = None

    async def write(self, payload: bytes) -> None:
        """Hand what is marshalled over to be written; when this returns it is in line, and no other
        task has run since.
        """
        await self.write_queue.put(ChannelFrame(payload, should_close=False))

    def on_loss(self, lost: Callable[[Exception], None]) -> None:
        """Have it said when the channel or the connection closes, and why."""
        self.closing.add_done_callback(lambda closing: lost(_why(closing)))

    def _take(self, frame: FrameTypes) -> bool:
        """Whether a frame is for us."""
        coming = self._coming
        if self._confirmed and isinstance(frame, (Basic.Ack, Basic.Nack)):
            self._confirmed(frame)
            return True
        if isinstance(frame, (Basic.Deliver, Basic.Return)):
            self._coming = Content(frame)
            return True
        if coming is None:
            return False
        if isinstance(frame, ContentHeader):
            coming.header, coming.left = frame, frame.body_size
        elif isinstance(frame, ContentBody):
            coming.pieces.append(frame.value)
            coming.left -= len(frame.value)
        else:
            return False
        if not coming.left:
            self._coming = None
            self._came(coming)
        return True


class Frames(asyncio.Queue[Any]):
    """What aiormq's reader of a connection puts in for a channel: taken, or queued as it would be."""

    def __init__(self, take: Callable[[FrameTypes], bool]) -> None:
        super().__init__()
        self._take = take

    async def put(self, item: tuple[int, FrameTypes]) -> None:
        _, frame = item
        if not self._take(frame):
            await super().put(item)


def _why(closing: asyncio.Future[Any]) -> Exception:
    """What closed a channel. A link that froze is cancelled from inside aiormq."""
    error = None if closing.cancelled() else closing.exception()
    return error if isinstance(error, CUT) else BusTrouble("the link froze")
