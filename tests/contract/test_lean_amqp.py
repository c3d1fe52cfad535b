"""A message costs no task and no future, and each still gets its own answer, however it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import aio_pika
import pytest

from shared.messaging.bus import BusTrouble, Message, Refused
from shared.messaging.rabbit_bus import RabbitBus
from shared.messaging.trouble import BLOCKED
from tests.fixtures.listener import Listener, consuming, message
from tests.fixtures.odd_broker import Answer, How, OddBroker, odd_broker
from tests.fixtures.patience import WITHIN
from tests.fixtures.rabbitmq import Broker

MANY = 300


@pytest.fixture
async def broker() -> AsyncIterator[OddBroker]:
    """A broker that answers as told."""
    async with odd_broker() as broker:
        yield broker


@pytest.fixture
async def bus(broker: OddBroker) -> AsyncIterator[RabbitBus]:
    """The bus on it."""
    bus = RabbitBus(broker.url, timeout=20)
    yield bus
    await bus.close()


def told(broker: OddBroker, *hows: How | None) -> list[Message]:
    """A message for each answer; None is a plain confirm."""
    batch = [message(f"a.{n}") for n in range(len(hows))]
    broker.answers = {m.id: Answer(how, 312) for m, how in zip(batch, hows, strict=True) if how}
    return batch


def kinds(outcomes: list[Exception | None]) -> list[type[Exception] | None]:
    return [None if outcome is None else type(outcome) for outcome in outcomes]


# --- what is counted by tag --------------------------------------------------------------------


async def test_one_confirm_may_be_for_all_before_it(bus: RabbitBus, broker: OddBroker) -> None:
    batch = told(broker, "silence", None, "silence", "ack all", None)
    assert await bus.publish(batch) == [None] * 5


async def test_a_refusal_may_be_of_all_before_it(bus: RabbitBus, broker: OddBroker) -> None:
    batch = told(broker, "silence", None, "silence", "nack all", "silence", "ack all")
    outcomes = await bus.publish(batch)
    assert kinds(outcomes) == [Refused, None, Refused, Refused, None, None]


async def test_what_was_returned_stays_so_when_all_are_confirmed(
    bus: RabbitBus, broker: OddBroker
) -> None:
    batch = told(broker, "silence", "return unconfirmed", "return", "silence", "ack all")
    outcomes = await bus.publish(batch)
    assert kinds(outcomes) == [None, Refused, Refused, None, None]
    assert str(outcomes[1]).startswith("312 ")


async def test_of_two_with_one_id_each_gets_its_answer(bus: RabbitBus, broker: OddBroker) -> None:
    first, _ = told(broker, "return", None)
    assert kinds(await bus.publish([first, first])) == [Refused, Refused]


async def test_batches_that_fly_together_get_their_own_answers(
    bus: RabbitBus, broker: OddBroker
) -> None:
    batch = told(broker, None, "return", None, "silence", "nack", "ack all")
    one, other = await asyncio.gather(bus.publish(batch[:3]), bus.publish(batch[3:]))
    assert kinds(one) == [None, Refused, None]
    assert kinds(other) == [None, Refused, None]


async def test_what_is_never_confirmed_is_trouble_in_time(broker: OddBroker) -> None:
    hasty = RabbitBus(broker.url, timeout=1.0)
    batch = told(broker, None, "silence", None)
    async with asyncio.timeout(WITHIN):
        assert kinds(await hasty.publish(batch)) == [None, BusTrouble, None]
    assert await hasty.publish([message("a.later")]) == [None]
    assert broker.connections == 2
    await hasty.close()


async def test_an_alarm_of_the_broker_is_called_so(broker: OddBroker) -> None:
    hasty = RabbitBus(broker.url, timeout=1.0)
    async with asyncio.timeout(WITHIN):
        outcomes = await hasty.publish(told(broker, None, "blocked", "silence"))
    assert [str(outcome) for outcome in outcomes] == ["None", BLOCKED, BLOCKED]
    await hasty.close()


async def test_who_stops_waiting_leaves_the_count_right(bus: RabbitBus, broker: OddBroker) -> None:
    [silent] = told(broker, "silence")
    waiting = asyncio.create_task(bus.publish([silent]))
    while not broker.tried:
        await asyncio.wait([waiting], timeout=0.01)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    batch = told(broker, None, "nack", None)
    assert kinds(await bus.publish(batch)) == [None, Refused, None]
    assert broker.connections == 1


# --- what it costs, on the library as it is ----------------------------------------------------


@contextmanager
def counted_tasks() -> Iterator[list[str]]:
    """The names of the tasks that are begun in the block."""
    begun: list[str] = []

    def begin(loop: asyncio.AbstractEventLoop, coro: Any, **more: Any) -> asyncio.Task[Any]:
        begun.append(coro.__qualname__)
        return asyncio.Task(coro, loop=loop, **more)

    loop = asyncio.get_running_loop()
    loop.set_task_factory(begin)
    try:
        yield begun
    finally:
        loop.set_task_factory(None)


async def test_no_message_costs_a_task(rabbitmq: Broker) -> None:
    """aiormq starts one for each message and each publish; ours go past it, in this version too."""
    bus, queue, listener = RabbitBus(rabbitmq.url), "svc.test-tasks", Listener()
    await bus.declare({queue: [f"{queue}.#"]})
    await bus.publish([message(f"{queue}.x")])
    async with consuming(bus, queue, listener):
        await listener.until(lambda: len(listener.keys) == 1)
        with counted_tasks() as begun:
            await bus.publish([message(f"{queue}.x") for _ in range(MANY)])
            await listener.until(lambda: len(listener.keys) == 1 + MANY)
    assert len(begun) < MANY / 3
    assert not [name for name in begun if "publish" in name or "deliver" in name.lower()]
    await bus.close()


async def test_a_queue_that_was_deleted_is_made_and_heard_again(rabbitmq: Broker) -> None:
    """The broker only tells the consumer so; the channel stays open."""
    bus, queue, listener = RabbitBus(rabbitmq.url), "svc.test-deleted", Listener()
    await bus.declare({queue: [f"{queue}.#"]})
    async with consuming(bus, queue, listener):
        await bus.publish([message(f"{queue}.a")])
        await listener.until(lambda: len(listener.keys) == 1)
        async with await aio_pika.connect(rabbitmq.url) as connection:
            channel = await connection.channel()
            await channel.queue_delete(queue)
        async with asyncio.timeout(WITHIN):
            while len(listener.keys) == 1:
                await bus.publish([message(f"{queue}.b")])
    await bus.close()
