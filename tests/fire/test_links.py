"""The bus on links that misbehave: the proxy itself, and what RabbitBus makes of it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from shared.messaging.bus import BusTrouble, Message
from shared.messaging.rabbit_bus import RabbitBus
from tests.fixtures.fire.proxy import CHUNK, Proxy
from tests.fixtures.fire.town import until
from tests.fixtures.patience import WITHIN
from tests.fixtures.ports import free_ports
from tests.fixtures.rabbitmq import Broker

TIMEOUT = 1.0  # seconds until a frozen link is given up; too few for a link that is only slow
PATIENT = 30.0


@pytest.fixture
async def line(rabbitmq: Broker) -> AsyncIterator[Proxy]:
    """A line to the broker that can misbehave."""
    parts = urlsplit(rabbitmq.url)
    proxy = Proxy((parts.hostname or "", parts.port or 0), free_ports(1)[0])
    async with proxy.listening():
        yield proxy


@pytest.fixture
async def bus(rabbitmq: Broker, line: Proxy) -> AsyncIterator[RabbitBus]:
    """A patient bus on that line, with a queue ``fire.<its port>``."""
    async with on(line, url_over(line, rabbitmq)) as made:
        yield made


@asynccontextmanager
async def on(line: Proxy, url: str, timeout: float = PATIENT) -> AsyncIterator[RabbitBus]:
    """A bus that waits so long for an answer, its queue declared."""
    made = RabbitBus(url, timeout)
    await made.declare({queue_of(line): [f"{queue_of(line)}.#"]})
    try:
        yield made
    finally:
        line.resume()
        await made.close()


def url_over(line: Proxy, rabbitmq: Broker) -> str:
    """The broker's address as it is over a line."""
    parts = urlsplit(rabbitmq.url)
    return f"amqp://{parts.username}:{parts.password}@127.0.0.1:{line.port}{parts.path}"


def queue_of(line: Proxy) -> str:
    return f"fire.{line.port}"


def messages(line: Proxy, count: int, body: bytes = b"{}") -> list[Message]:
    return [Message(f"{queue_of(line)}.x", secrets.token_hex(8), body) for _ in range(count)]


async def test_a_link_the_broker_dropped_is_opened_again(bus: RabbitBus, line: Proxy) -> None:
    """aio-pika calls a connection closed only when we closed it."""
    assert await bus.publish(messages(line, 1)) == [None]
    for _ in range(3):
        line.cut()
        for _ in range(3):  # the first may still meet the broken one
            try:
                outcomes = await bus.publish(messages(line, 1))
                break
            except BusTrouble:
                continue
        assert outcomes == [None]
    line.cut()
    with_luck = [await _depth(bus, line) for _ in range(2)]
    assert with_luck[-1] == 4


async def _depth(bus: RabbitBus, line: Proxy) -> int | None:
    try:
        return await bus.waiting(queue_of(line))
    except BusTrouble:
        return None


async def test_who_accepts_and_closes_is_trouble_and_nothing_else(
    bus: RabbitBus, line: Proxy
) -> None:
    line.refuse()
    for _ in range(3):
        with pytest.raises(BusTrouble):
            await bus.publish(messages(line, 1))
        with pytest.raises(BusTrouble):
            await bus.waiting(queue_of(line))
        with pytest.raises(BusTrouble):
            await bus.declare({})
    line.resume()
    assert await bus.publish(messages(line, 1)) == [None]


async def test_a_frozen_link_is_trouble_in_time_and_is_given_up(
    bus: RabbitBus, line: Proxy, rabbitmq: Broker
) -> None:
    hasty = RabbitBus(url_over(line, rabbitmq), TIMEOUT)
    await until(lambda: is_published(hasty, line))
    line.freeze()
    for ask in (
        lambda: hasty.publish(messages(line, 1)),
        lambda: hasty.waiting(queue_of(line)),
        lambda: hasty.declare({}),
    ):
        async with asyncio.timeout(WITHIN):
            with pytest.raises(BusTrouble):
                await ask()
    line.resume()
    await until(lambda: is_published(hasty, line))
    await hasty.close()


async def is_published(bus: RabbitBus, line: Proxy) -> bool:
    """Whether a message is confirmed in the time the bus gives it."""
    try:
        return await bus.publish(messages(line, 1)) == [None]
    except BusTrouble:
        return False


async def test_a_link_that_is_cut_in_midst_refuses_no_fact(line: Proxy, rabbitmq: Broker) -> None:
    """What was not confirmed is the link's trouble: no fact is put off for it.

    Each is larger than a piece, and the broker hears all but the last: so some are confirmed for
    sure, and for sure one is not.
    """
    async with on(line, url_over(line, rabbitmq), 2 * PATIENT) as patient:
        await patient.publish(messages(line, 1))
        sent, before = messages(line, 20, bytes(CHUNK)), line.answered
        trap = line.trap(sent[-1].id.encode(), "freeze", heard=False)
        publishing = asyncio.create_task(patient.publish(sent))
        await asyncio.wait_for(trap.sprung.wait(), WITHIN)

        async def answered() -> bool:
            return line.answered > before

        await until(answered)
        async with on(
            line, url_over(line, rabbitmq)
        ):  # takes longer than to read what was answered
            line.cut()
        outcomes = await asyncio.wait_for(publishing, WITHIN)
    cut = [error for error in outcomes if isinstance(error, BusTrouble)]
    assert 0 < outcomes.count(None) < len(sent)
    assert outcomes.count(None) + len(cut) == len(sent)
    assert outcomes[-1] in cut


class Listener:
    """Hears on a bus while its block lasts, and is told by another that does not misbehave."""

    def __init__(self, bus: RabbitBus, line: Proxy, rabbitmq: Broker) -> None:
        self._bus, self._line, self._other = bus, line, RabbitBus(rabbitmq.url)
        self._heard: set[str] = set()
        self._came, self._stop = asyncio.Condition(), asyncio.Event()

    async def __aenter__(self) -> Listener:
        hearing = self._bus.consume(queue_of(self._line), self._receive, self._stop)
        self._hearing = asyncio.create_task(hearing)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        await asyncio.wait_for(self._hearing, WITHIN)
        await self._other.close()

    async def _receive(self, batch: Sequence[Message]) -> None:
        async with self._came:
            self._heard.update(message.id for message in batch)
            self._came.notify_all()

    async def hears(self) -> None:
        """What is said now is heard."""
        sent = messages(self._line, 5)
        await self._other.publish(sent)
        wanted = {message.id for message in sent}
        async with self._came:
            await asyncio.wait_for(self._came.wait_for(lambda: wanted <= self._heard), WITHIN)


async def test_a_consumer_goes_on_after_every_cut(
    bus: RabbitBus, line: Proxy, rabbitmq: Broker
) -> None:
    async with Listener(bus, line, rabbitmq) as listener:
        for _ in range(3):
            await listener.hears()
            line.cut()
        await listener.hears()


async def test_a_consumer_gives_a_frozen_link_up_after_three_heartbeats(
    bus: RabbitBus, line: Proxy, rabbitmq: Broker
) -> None:
    quick = RabbitBus(f"{url_over(line, rabbitmq)}?heartbeat=1", TIMEOUT)
    async with Listener(quick, line, rabbitmq) as listener:
        await listener.hears()
        line.freeze()
        before = line.taken

        async def tries_another() -> bool:
            return line.taken > before

        await until(tries_another)
        line.resume()
        await listener.hears()
    await quick.close()
