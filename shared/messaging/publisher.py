"""Publishing in batches: one write for all, and each message's answer by its delivery tag."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import aio_pika
from aio_pika.abc import AbstractConnection
from aiormq.exceptions import DeliveryError
from pamqp.body import ContentBody
from pamqp.commands import Basic
from pamqp.frame import FrameTypes, marshal
from pamqp.header import ContentHeader

from shared.messaging.bus import Message
from shared.messaging.channel import Confirm, Content, DirectChannel
from shared.messaging.lanes import PRIORITY, urgent_key


class Publisher:
    """A channel in confirm mode. The broker numbers what it takes from it, and so do we."""

    def __init__(self, connection: AbstractConnection, exchange: str) -> None:
        """Raises BusTrouble when the connection is closed."""
        self.connection = connection
        self._exchange = exchange
        self._channel = DirectChannel(connection, self._returned, self._confirmed)
        self._channel.on_loss(self._lose)
        self._last_tag = 0
        self._unconfirmed: dict[int, tuple[Batch, int]] = {}  # by tag, in order: whose, and which
        self._lost: Exception | None = None

    async def open(self) -> None:
        """Before anything is published."""
        await self._channel.open()

    @property
    def is_closed(self) -> bool:
        return self._channel.is_closed

    async def publish(self, messages: Sequence[Message], timeout: float) -> list[Exception | None]:
        """Publish all at once: what came of each. None is confirmed, DeliveryError what the broker
        does not take; else why it cannot be sent, or was not answered within ``timeout`` seconds.
        """
        batch = Batch(messages)
        try:
            async with asyncio.timeout(timeout):
                await self._send(batch)
                await batch.answered.wait()
        except TimeoutError as error:
            batch.answer_rest(error)
        return batch.answers

    async def _send(self, batch: Batch) -> None:
        payload: list[bytes] = []
        sent = []
        for at, message in enumerate(batch.messages):
            try:
                payload += self._marshal(message)
                sent.append(at)
            except Exception as error:  # a key that is too long, say: nobody else's fault
                batch.answer(at, error)
        if not sent:
            return
        await self._channel.write(b"".join(payload))
        # No other task has run since it stands in line, so this is the order the broker numbers.
        for tag, at in enumerate(sent, self._last_tag + 1):
            self._unconfirmed[tag] = batch, at
        self._last_tag += len(sent)
        if self._lost:
            self._lose(self._lost)

    def _marshal(self, message: Message) -> list[bytes]:
        body, largest = message.body, self._channel.max_content_size
        largest = largest if largest > 0 else max(len(body), 1)  # a broker may set no limit
        frames: tuple[FrameTypes, ...] = (
            Basic.Publish(exchange=self._exchange, routing_key=message.key, mandatory=True),
            ContentHeader(body_size=len(body), properties=_properties(message)),
            *(ContentBody(body[at : at + largest]) for at in range(0, len(body), largest)),
        )
        return [marshal(frame, self._channel.number) for frame in frames]

    def _confirmed(self, frame: Confirm) -> None:
        last = frame.delivery_tag or self._last_tag  # 0 is all there are
        tags = [tag for tag in self._unconfirmed if tag <= last] if frame.multiple else [last]
        self._answer(tags, DeliveryError(None, frame) if isinstance(frame, Basic.Nack) else None)

    def _returned(self, content: Content) -> None:
        """No queue takes it; it is confirmed all the same, right after this."""
        for batch, at in self._unconfirmed.values():
            if batch.messages[at].id == content.id and at not in batch.returned:
                batch.returned[at] = DeliveryError(None, content.method)
                return

    def _lose(self, error: Exception) -> None:
        self._lost = error
        self._answer([*self._unconfirmed], error)

    def _answer(self, tags: Iterable[int], error: Exception | None) -> None:
        for tag in tags:
            if tag in self._unconfirmed:
                batch, at = self._unconfirmed.pop(tag)
                batch.answer(at, error)


class Batch:
    """Messages that are published together, and what came of each so far."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self.messages = messages
        self.answers: list[Exception | None] = [None] * len(messages)
        self.answered = asyncio.Event()
        self.returned: dict[int, Exception] = {}
        self._left = set(range(len(messages)))

    def answer(self, at: int, error: Exception | None) -> None:
        """Keep the first answer to a message; a confirm of what was returned is none."""
        if at in self._left:
            self._left.remove(at)
            self.answers[at] = self.returned.get(at, error)
        if not self._left:
            self.answered.set()

    def answer_rest(self, error: Exception) -> None:
        """The same answer to all that have none."""
        for at in [*self._left]:
            self.answer(at, error)


def _properties(message: Message) -> Basic.Properties:
    return Basic.Properties(
        content_type="application/cloudevents+json",
        # Not None, as aio-pika writes them: who reads a unit's queue may look into them. The broker
        # routes by what stands in BCC too, and takes it out.
        headers={"BCC": [urgent_key(message.key)]} if message.urgent else {},
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        priority=PRIORITY if message.urgent else 0,
        message_id=message.id,
    )
