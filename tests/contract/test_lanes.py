"""What is urgent overtakes what waits, on both buses, and nobody misses what another lane carries."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace

import aio_pika
import httpx
import pytest

from operations.runtime.registry import topology
from shared.clock import pause
from shared.messaging.bus import Bus, Message
from shared.messaging.lanes import PRIORITY, TWINS, Twins, urgent_queue
from shared.messaging.local_bus import LocalBus
from shared.messaging.rabbit_bus import COPIES, EXCHANGE, QUORUM, RabbitBus
from tests.fixtures.fences import ZIYANG, Fenced, fences
from tests.fixtures.listener import Listener, consuming, message
from tests.fixtures.patience import WITHIN
from tests.fixtures.rabbitmq import Broker

QUEUE = "svc.dispatcher"
MANY = 3_000
SOON = 400  # what a consumer may have in hand, and a batch


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


def hurry(sent: Message) -> Message:
    return replace(sent, urgent=True)


def all_of(listener: Listener) -> list[Message]:
    """Whatever was handed over, as often as it was."""
    return [message for batch in listener.batches for message in batch]


async def until_empty(bus: Bus, queue: str) -> None:
    """Wait until all that came to both queues was acknowledged."""
    async with asyncio.timeout(WITHIN):
        while await bus.waiting(queue) or await bus.waiting(urgent_queue(queue)):
            await pause(0.02)


def once(keys: Sequence[str]) -> list[str]:
    """What came, each at its first coming: an inbox knows the second."""
    return list(dict.fromkeys(keys))


async def heard_once(bus: RabbitBus, queue: str) -> None:
    """Make a queue and its lane stand: a service has listened before anything waits."""
    await bus.declare({queue: [f"{queue}.#"]})
    listener = Listener()
    async with consuming(bus, queue, listener):
        await bus.publish([message(f"{queue}.first")])
        await listener.until(lambda: bool(listener.keys))


async def publish_and_hear(bus: Bus, queue: str, sent: Sequence[Message]) -> list[str]:
    """Publish while nobody listens, then listen until all has come."""
    listener, patience = Listener(), None
    if isinstance(bus, RabbitBus):
        await heard_once(bus, queue)
    else:
        await bus.declare({queue: [f"{queue}.#"]})
        patience = 0.0  # its publish waits for who receives
    publishing = asyncio.create_task(bus.publish(sent))
    await asyncio.wait([publishing], timeout=patience)
    async with consuming(bus, queue, listener):
        await listener.until(lambda: len(set(listener.keys)) == len(sent))
        assert await publishing == [None] * len(sent)
    return once(listener.keys)


async def test_what_is_urgent_overtakes_what_waits(bus: Bus, queue: str) -> None:
    ordinary = [message(f"{queue}.{n}") for n in range(MANY)]
    urgent = [hurry(message(f"{queue}.urgent.{n}")) for n in range(3)]
    keys = await publish_and_hear(bus, queue, ordinary + urgent)
    places = [keys.index(sent.key) for sent in urgent]
    assert max(places) < SOON
    assert places == sorted(places)
    assert [key for key in keys if ".urgent." not in key] == [sent.key for sent in ordinary]


async def test_whoever_receives_is_told_what_is_urgent(bus: Bus, queue: str) -> None:
    sent = [message(f"{queue}.a"), hurry(message(f"{queue}.b"))]
    await bus.declare({queue: [f"{queue}.#"]})
    listener = Listener()
    async with consuming(bus, queue, listener):
        await bus.publish(sent)
        await listener.until(lambda: len(set(listener.keys)) == 2)
    came = {m for batch in listener.batches for m in batch}
    assert came == set(sent)


# --- RabbitMQ: beside who knows no lanes, and after it ------------------------------------------


async def test_an_urgent_message_is_in_every_queue_that_wants_it_once(
    rabbitmq: Broker, queue: str
) -> None:
    """Units, the release before and whoever else listens know nothing of lanes."""
    bus, unit = RabbitBus(rabbitmq.url), f"unit.test-{secrets.token_hex(4)}"
    await heard_once(bus, queue)
    await bus.declare({unit: [f"{queue}.#"]})
    sent = hurry(message(f"{queue}.x"))
    await bus.publish([sent])
    async with await aio_pika.connect(rabbitmq.url) as connection:
        channel = await connection.channel()
        for name in (queue, unit, urgent_queue(queue)):
            stands = await channel.get_queue(name)
            came = await stands.get()
            assert (came.routing_key, came.message_id) == (sent.key, sent.id)
            assert came.priority == PRIORITY
            assert "BCC" not in came.headers
            assert await stands.get(fail=False) is None
    await bus.close()


async def test_the_second_delivery_of_an_urgent_message_is_not_handed_over_again(
    rabbitmq: Broker, queue: str
) -> None:
    """One by one, so that no two stand in a batch; another body under the same id is another one."""
    bus, listener = RabbitBus(rabbitmq.url), Listener()
    await bus.declare({queue: [f"{queue}.#"]})
    async with consuming(bus, queue, listener):
        for n in range(5):
            await bus.publish([hurry(message(f"{queue}.{n}"))])
            await bus.publish([hurry(Message(f"{queue}.{n}", "same", str(n).encode()))])
        await listener.until(lambda: len(set(all_of(listener))) == 10)
        await until_empty(bus, queue)
    assert (
        sum(len(set(batch)) for batch in listener.batches) == 10
    )  # twins in a batch are the inbox's
    await bus.close()


def test_twins_are_forgotten_when_the_second_came_or_too_many_wait() -> None:
    twins, first = Twins(), hurry(message("x"))
    twins.received(first)
    assert twins.know(first)
    assert not twins.know(replace(first, body=b"other"))
    assert not twins.know(replace(first, key="y"))
    assert not twins.know(replace(first, urgent=False))
    twins.received(first)
    assert not twins.know(first)
    twins.received(first)
    for n in range(TWINS):
        twins.received(hurry(message(f"x.{n}")))
    assert not twins.know(first)  # the inbox knows it


async def test_without_a_second_queue_what_is_urgent_comes_all_the_same(
    rabbitmq: Broker, queue: str
) -> None:
    """A release that knows lanes publishes before any consumer made one."""
    bus, listener = RabbitBus(rabbitmq.url), Listener()
    await bus.declare({queue: [f"{queue}.#"]})
    sent = [message(f"{queue}.a"), hurry(message(f"{queue}.b"))]
    assert await bus.publish(sent) == [None, None]
    async with consuming(bus, queue, listener):
        await listener.until(lambda: len(set(listener.keys)) == 2)
    await bus.close()


async def test_what_the_release_before_publishes_comes_as_ever(
    rabbitmq: Broker, queue: str
) -> None:
    bus, listener = RabbitBus(rabbitmq.url), Listener()
    await bus.declare({queue: [f"{queue}.#"]})
    async with await aio_pika.connect(rabbitmq.url) as connection:
        exchange = await (await connection.channel()).get_exchange(EXCHANGE, ensure=False)
        await exchange.publish(aio_pika.Message(b"{}", message_id="old"), f"{queue}.x")
    async with consuming(bus, queue, listener):
        await listener.until(lambda: bool(listener.keys))
    assert listener.batches == [[Message(f"{queue}.x", "old", b"{}")]]
    await bus.close()


async def test_after_the_way_back_nothing_is_missing_and_nothing_piles_up(
    rabbitmq: Broker, queue: str
) -> None:
    """The release before reads the one queue; the copies wait, so many at most, for the next."""
    bus, sent = RabbitBus(rabbitmq.url), hurry(message(f"{queue}.x"))
    await heard_once(bus, queue)
    await bus.publish([sent])
    async with await aio_pika.connect(rabbitmq.url) as connection:
        channel = await connection.channel()
        before = await channel.declare_queue(queue, durable=True, arguments=QUORUM)
        assert (await before.get(no_ack=True)).message_id == sent.id
    assert COPIES["x-overflow"] == "drop-head"
    listener = Listener()
    async with consuming(bus, queue, listener):
        await listener.until(lambda: bool(listener.keys))
    assert [m for batch in listener.batches for m in batch] == [sent]
    await bus.close()


# --- behind fences -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fenced(rabbitmq: Broker) -> Iterator[Fenced]:
    """A broker behind its fences."""
    with fences(rabbitmq) as one:
        yield one


async def hears(fenced: Fenced, sent: Message, queues: Sequence[str]) -> None:
    """The dispatcher hears what intake says, by each of these queues."""
    speaker, bus = RabbitBus(fenced.url("intake")), RabbitBus(fenced.url("dispatcher"))
    listener = Listener()
    await bus.declare({QUEUE: topology(ZIYANG)[QUEUE]})
    async with consuming(bus, QUEUE, listener):
        await speaker.publish([message("ticket.urged")])
        await listener.until(lambda: bool(listener.keys))
    assert await speaker.publish([sent]) == [None]
    assert [await bus.waiting(name) for name in queues] == [1] * len(queues)
    async with consuming(bus, QUEUE, listener):
        await listener.until(lambda: sent.key in listener.keys)
        async with asyncio.timeout(WITHIN):
            while any([await bus.waiting(name) for name in queues]):
                await pause(0.02)
    await bus.close()
    await speaker.close()


async def test_services_have_the_rights_their_lanes_need(fenced: Fenced) -> None:
    await hears(fenced, hurry(message("ticket.registered")), [QUEUE, urgent_queue(QUEUE)])
    async with await aio_pika.connect(fenced.url("tracker")) as connection:
        channel = await connection.channel()
        with pytest.raises(aio_pika.exceptions.ChannelClosed, match="ACCESS_REFUSED"):
            await (await channel.get_queue(urgent_queue(QUEUE), ensure=False)).get()


async def test_who_may_not_have_a_second_queue_hears_all_the_same(rabbitmq: Broker) -> None:
    """The definitions of the release before are still in force."""
    before = {"configure": "^svc.dispatcher$", "write": ".*", "read": ".*"}
    with fences(rabbitmq) as fenced:
        async with httpx.AsyncClient(base_url=rabbitmq.api, timeout=WITHIN) as client:
            path = f"/api/permissions/{fenced.vhost}/dispatcher.{fenced.vhost}"
            (await client.put(path, json=before)).raise_for_status()
        await hears(fenced, hurry(message("ticket.registered")), [QUEUE])
