"""The bus on links that misbehave: the proxy itself, and what RabbitBus makes of it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from urllib.parse import urlsplit

import pytest

from examples.demo import free_ports
from shared.bus import BusTrouble, Message, RabbitBus
from tests.fire.proxy import Proxy
from tests.infrastructure import Broker

TIMEOUT = 1.0
WITHIN = 20.0


@pytest.fixture
async def line(rabbitmq: Broker) -> AsyncIterator[Proxy]:
    """A line to the broker that can misbehave."""
    parts = urlsplit(rabbitmq.url)
    proxy = Proxy((parts.hostname or "", parts.port or 0), free_ports(1))
    async with proxy.listening():
        yield proxy


@pytest.fixture
async def bus(rabbitmq: Broker, line: Proxy) -> AsyncIterator[RabbitBus]:
    """A bus on that line, with a queue ``fire.<its port>``."""
    parts = urlsplit(rabbitmq.url)
    login = f"{parts.username}:{parts.password}"
    made = RabbitBus(f"amqp://{login}@127.0.0.1:{line.port}{parts.path}", TIMEOUT)
    await made.declare({queue_of(line): [f"{queue_of(line)}.#"]})
    yield made
    line.resume()
    await made.close()


def queue_of(line: Proxy) -> str:
    return f"fire.{line.port}"


def messages(line: Proxy, count: int) -> list[Message]:
    return [Message(f"{queue_of(line)}.x", secrets.token_hex(8), b"{}") for _ in range(count)]


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
    bus: RabbitBus, line: Proxy
) -> None:
    await bus.publish(messages(line, 1))
    line.freeze()
    for ask in (
        lambda: bus.publish(messages(line, 1)),
        lambda: bus.waiting(queue_of(line)),
        lambda: bus.declare({}),
    ):
        async with asyncio.timeout(4 * TIMEOUT):
            with pytest.raises(BusTrouble):
                await ask()
    line.resume()
    assert await bus.publish(messages(line, 1)) == [None]


async def test_a_link_that_is_cut_in_midst_refuses_no_fact(bus: RabbitBus, line: Proxy) -> None:
    """What was not confirmed is the link's trouble: no fact is put off for it."""
    await bus.publish(messages(line, 1))
    line.delay = 0.05
    publishing = asyncio.create_task(bus.publish(messages(line, 150)))
    await asyncio.wait([publishing], timeout=0.2)
    line.cut()
    line.resume()
    try:
        outcomes: Sequence[Exception | None] = await publishing
    except BusTrouble:
        outcomes = []
    assert all(error is None or isinstance(error, BusTrouble) for error in outcomes)


async def test_a_consumer_goes_on_after_every_cut(bus: RabbitBus, line: Proxy) -> None:
    heard: set[str] = set()
    came, stop = asyncio.Condition(), asyncio.Event()

    async def receive(batch: Sequence[Message]) -> None:
        async with came:
            heard.update(message.id for message in batch)
            came.notify_all()

    consuming = asyncio.create_task(bus.consume(queue_of(line), receive, stop))
    other = RabbitBus(bus._url.replace(str(line.port), str(line.target[1])), 5.0)  # type: ignore[index]
    for _ in range(3):
        sent = messages(line, 5)
        await other.publish(sent)
        async with came:
            wanted = {message.id for message in sent}
            await asyncio.wait_for(came.wait_for(lambda: wanted <= heard), WITHIN)  # noqa: B023
        line.cut()
    stop.set()
    await asyncio.wait_for(consuming, WITHIN)
    await other.close()
