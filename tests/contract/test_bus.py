"""One suite both buses obey: LocalBus must behave as RabbitMQ does."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Sequence

import aio_pika
import pytest

from shared.messaging.bus import Bus, BusTrouble, Message, Refused, matches
from shared.messaging.connect import connect
from shared.messaging.local_bus import LocalBus
from shared.messaging.rabbit_bus import UNROUTED, RabbitBus
from tests.fixtures.listener import Listener, consuming, message
from tests.fixtures.patience import WITHIN
from tests.fixtures.rabbitmq import Broker


@pytest.fixture(params=["local", "rabbitmq"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    """Each of the two buses."""
    if request.param == "local":
        made: Bus = LocalBus()
    else:
        made = RabbitBus(request.getfixturevalue("rabbitmq").url)
    yield made
    await made.close()


@pytest.fixture
def queue() -> str:
    """A queue of this test's own."""
    return f"svc.test-{secrets.token_hex(4)}"


async def test_a_queue_gets_what_its_patterns_match(bus: Bus, queue: str) -> None:
    word = queue.rpartition("-")[2]
    await bus.declare({queue: [f"{word}.signed.*", f"{word}.closed", f"deadline.#.{word}"]})
    listener = Listener()
    keys = [f"{word}.signed.HC", f"{word}.signed", f"{word}.closed", f"deadline.a.b.{word}"]
    async with consuming(bus, queue, listener):
        outcomes = await bus.publish([message(key) for key in keys])
        await listener.until(lambda: len(listener.keys) >= 3)
    assert outcomes == [None] * 4
    assert sorted(listener.keys) == sorted([keys[0], keys[2], keys[3]])


async def test_a_fact_comes_as_it_was_sent_and_once_per_queue(bus: Bus, queue: str) -> None:
    await bus.declare({queue: [f"{queue}.*", f"{queue}.#"]})  # two patterns match, one copy
    listener = Listener()
    sent = Message(f"{queue}.x", "an-id", '{"标题": "停水"}'.encode())
    async with consuming(bus, queue, listener):
        await bus.publish([sent])
        await listener.until(lambda: bool(listener.keys))
    assert [m for batch in listener.batches for m in batch] == [sent]


async def test_a_body_of_any_size_comes_as_it_was_sent(bus: Bus, queue: str) -> None:
    """A frame of RabbitMQ holds 131,064 octets; larger bodies come in pieces."""
    await bus.declare({queue: [f"{queue}.#"]})
    sizes = (0, 1, 131_063, 131_064, 131_065, 400_000)
    sent = [
        message(f"{queue}.x", bytes(range(256)) * (size // 256) + b"x" * (size % 256))
        for size in sizes
    ]
    listener = Listener()
    async with consuming(bus, queue, listener):
        assert await bus.publish(sent) == [None] * len(sizes)
        await listener.until(lambda: len(listener.keys) == len(sizes))
    assert [m for batch in listener.batches for m in batch] == sent


async def test_two_queues_get_a_copy_each(bus: Bus, queue: str) -> None:
    other = f"{queue}-other"
    await bus.declare({queue: [f"{queue}.#"], other: [f"{queue}.#"]})
    one, two = Listener(), Listener()
    async with consuming(bus, queue, one), consuming(bus, other, two):
        await bus.publish([message(f"{queue}.x")])
        await one.until(lambda: len(one.keys) == 1)
        await two.until(lambda: len(two.keys) == 1)


async def test_order_is_kept_and_batches_are_bounded(bus: Bus, queue: str) -> None:
    await bus.declare({queue: [f"{queue}.#"]})
    keys = [f"{queue}.{n}" for n in range(250)]
    listener = Listener()
    async with consuming(bus, queue, listener):
        await bus.publish([message(key) for key in keys])
        await listener.until(lambda: len(listener.keys) == 250)
    assert listener.keys == keys
    assert max(map(len, listener.batches)) <= 100


async def test_a_batch_that_fails_comes_again_and_nothing_is_lost(bus: Bus, queue: str) -> None:
    await bus.declare({queue: [f"{queue}.#"]})
    listener = Listener(failures=2)
    async with consuming(bus, queue, listener):
        await bus.publish([message(f"{queue}.{n}") for n in range(5)])
        await listener.until(lambda: len(listener.keys) == 5)
    assert listener.keys == [f"{queue}.{n}" for n in range(5)]


async def test_what_nobody_listens_to_is_confirmed(bus: Bus, queue: str) -> None:
    await bus.declare({queue: ["never.said"]})
    assert await bus.publish([message(f"{queue}.unheard")]) == [None]
    assert await bus.waiting(queue) == 0


async def test_publishing_nothing_is_nothing(bus: Bus) -> None:
    assert await bus.publish([]) == []


async def test_declaring_twice_changes_nothing(bus: Bus, queue: str) -> None:
    for _ in range(2):
        await bus.declare({queue: [f"{queue}.#"]})
    listener = Listener()
    async with consuming(bus, queue, listener):
        await bus.publish([message(f"{queue}.x")])
        await listener.until(lambda: len(listener.keys) == 1)


async def test_a_stopped_consumer_finishes_its_batch(bus: Bus, queue: str) -> None:
    await bus.declare({queue: [f"{queue}.#"]})
    entered, leave, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(_: Sequence[Message]) -> None:
        entered.set()
        await leave.wait()
        done.set()

    stop = asyncio.Event()
    task = asyncio.create_task(bus.consume(queue, slow, stop))
    publishing = asyncio.create_task(bus.publish([message(f"{queue}.x")]))
    await asyncio.wait_for(entered.wait(), WITHIN)
    stop.set()
    leave.set()
    await asyncio.wait_for(task, WITHIN)
    assert done.is_set()
    assert await publishing == [None]


async def test_what_was_not_received_at_stop_is_received_later(bus: Bus, queue: str) -> None:
    """RabbitMQ keeps it in the queue; LocalBus leaves it in the outbox by refusing the publish."""
    await bus.declare({queue: [f"{queue}.#"]})
    failing = Listener(failures=1_000)
    stop = asyncio.Event()
    task = asyncio.create_task(bus.consume(queue, failing.receive, stop))
    sent = message(f"{queue}.x")
    publishing = asyncio.create_task(bus.publish([sent]))
    await failing.until(lambda: failing.refused > 0)
    stop.set()
    await asyncio.wait_for(task, WITHIN)
    listener = Listener()
    async with consuming(bus, queue, listener):
        if isinstance((await publishing)[0], BusTrouble):
            await bus.publish([sent])
        await listener.until(lambda: len(listener.keys) == 1)


# --- each bus's own promises -------------------------------------------------------------------


async def test_local_publish_answers_after_the_subscriber_is_done() -> None:
    bus, listener = LocalBus(), Listener()
    await bus.declare({"q": ["a.#"]})
    publishing = asyncio.create_task(bus.publish([message("a.b")]))
    await asyncio.wait([publishing], timeout=0.05)
    assert not publishing.done()
    async with consuming(bus, "q", listener):
        assert await asyncio.wait_for(publishing, WITHIN) == [None]
    assert listener.keys == ["a.b"]


async def test_local_refuses_at_once_when_the_consumer_has_stopped() -> None:
    bus = LocalBus()
    await bus.declare({"q": ["a.#"]})
    async with consuming(bus, "q", Listener()):
        pass
    [outcome] = await bus.publish([message("a.b")])
    assert isinstance(outcome, BusTrouble)


async def test_what_is_in_our_hands_still_waits(bus: Bus, queue: str) -> None:
    """Whoever asks whether we are idle must not be told so while a fact is being handled."""
    begun, let_go, stop = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def hold(_: Sequence[Message]) -> None:
        begun.set()
        await let_go.wait()

    await bus.declare({queue: [f"{queue}.#"]})
    task = asyncio.create_task(bus.consume(queue, hold, stop))
    publishing = asyncio.create_task(bus.publish([message(f"{queue}.x")]))
    await asyncio.wait_for(begun.wait(), WITHIN)
    assert await bus.waiting(queue) == 1
    let_go.set()
    assert await publishing == [None]
    stop.set()
    await asyncio.wait_for(task, WITHIN)
    assert await bus.waiting(queue) == 0


async def test_rabbit_lets_what_arrives_wait_for_company(rabbitmq: Broker, queue: str) -> None:
    bus, listener = RabbitBus(rabbitmq.url, gather=4.0), Listener()
    await bus.declare({queue: [f"{queue}.#"]})
    async with consuming(bus, queue, listener):
        for key in ("a", "b", "c"):  # each confirmed before the next: they arrive one by one
            await bus.publish([message(f"{queue}.{key}")])
        await listener.until(lambda: len(listener.keys) == 3)
    assert [len(batch) for batch in listener.batches] == [3]
    await bus.close()


async def test_rabbit_keeps_what_nobody_listens_to_aside(rabbitmq: Broker) -> None:
    bus = RabbitBus(rabbitmq.url)
    await bus.declare({})
    before = await bus.waiting(UNROUTED)
    await bus.publish([message("nobody.listens.to.this")])
    assert await bus.waiting(UNROUTED) == before + 1
    await bus.close()


async def test_rabbit_refuses_what_it_could_not_even_keep_aside(rabbitmq: Broker) -> None:
    """Confirmed and dropped would be lost: without its alternate a message comes back."""
    bus = RabbitBus(rabbitmq.url)
    await bus.declare({})
    async with await aio_pika.connect(rabbitmq.url) as connection:
        channel = await connection.channel()
        kept = await channel.get_queue(UNROUTED)
        await kept.unbind(UNROUTED)
        try:
            [answer] = await bus.publish([message("nobody.listens.to.this")])
        finally:
            await kept.bind(UNROUTED)
    assert isinstance(answer, Refused)
    assert str(answer).startswith("312 NO_ROUTE")
    await bus.close()


async def test_rabbit_writes_every_message_to_its_disk(rabbitmq: Broker, queue: str) -> None:
    """A quorum queue would anyway; the one that keeps what nobody heard is none."""
    bus, sent = RabbitBus(rabbitmq.url), message(f"{queue}.x")
    await bus.declare({queue: [f"{queue}.#"]})
    await bus.publish([sent])
    async with await aio_pika.connect(rabbitmq.url) as connection:
        channel = await connection.channel()
        came = await (await channel.get_queue(queue)).get()
    assert (came.message_id, came.delivery_mode) == (sent.id, aio_pika.DeliveryMode.PERSISTENT)
    await bus.close()


async def test_rabbit_away_is_trouble_and_nothing_else() -> None:
    bus = connect("amqp://guest:guest@127.0.0.1:1/", timeout=0.5)
    with pytest.raises(BusTrouble):
        await bus.publish([message("a.b")])
    with pytest.raises(BusTrouble):
        await bus.declare({"q": ["#"]})


async def test_rabbit_consumer_waits_for_the_broker_and_stops_when_told() -> None:
    bus, stop = RabbitBus("amqp://guest:guest@127.0.0.1:1/", timeout=0.5), asyncio.Event()
    task = asyncio.create_task(bus.consume("q", Listener().receive, stop))
    await asyncio.wait([task], timeout=0.1)
    assert not task.done()
    stop.set()
    await asyncio.wait_for(task, WITHIN)


@pytest.mark.parametrize(
    ("pattern", "key", "expected"),
    [
        ("ticket.#", "ticket.registered", True),
        ("ticket.#", "ticket", True),
        ("#", "a.b.c", True),
        ("*.*.HC", "assignment.signed.HC", True),
        ("*.*.HC", "ticket.HC", False),
        ("*.*.HC", "assignment.signed.HCX", False),
        ("a.#.z", "a.z", True),
        ("a.#.z", "a.b.c.z", True),
        ("a.#.z", "a.b.c", False),
        ("a.*", "a", False),
        ("#.#", "", True),
    ],
)
def test_topic_patterns(pattern: str, key: str, expected: bool) -> None:
    assert matches(pattern, key) is expected


def test_named_local_buses_are_one_per_name() -> None:
    try:
        assert connect("local://a-name") is connect("local://a-name")
        assert connect("local://a-name") is not connect("local://b-name")
    finally:
        with contextlib.suppress(KeyError):
            LocalBus.forget("a-name")
            LocalBus.forget("b-name")
