"""A critical ticket is with its unit while thousands of ordinary facts wait, and keeps its lane."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from operations.runtime.registry import service_queues
from shared import clock
from shared.events import Urgency
from shared.messaging.bus import Bus, Message
from shared.messaging.outbox import Relay
from shared.messaging.rabbit_bus import RabbitBus
from shared.service import Service
from tests.fixtures.bench import Bench
from tests.fixtures.listener import Listener, consuming
from tests.fixtures.patience import WITHIN
from tests.fixtures.rabbitmq import Broker
from tests.fixtures.recorder import Recorder, parcel, told
from tests.fixtures.scenes.dispatcher import STREET_LIGHT, act, register, street_light
from tests.fixtures.scenes.intake import complaint, post, registered
from tests.fixtures.scenes.tracker import Story

MANY = 3_000
SOON = 600  # facts: what may be in the dispatcher's hands, in flight and in a batch
ORDINARY = {"topic": "lighting.street", "title": "路灯不亮", "content": "门前路灯三天不亮"}

WAITING = """
    INSERT INTO outbox (fact, subject, key, body, recorded)
    SELECT gen_random_uuid(), 'waits-' || n, 'ticket.urged', '{}', now()
    FROM generate_series(1, :many) AS n"""


class Kept(RabbitBus):
    """A bus that only writes down what is published."""

    def __init__(self) -> None:
        super().__init__("amqp://nowhere")
        self.published: list[Message] = []

    async def publish(self, messages: Sequence[Message]) -> list[Exception | None]:
        self.published += messages
        return [None] * len(messages)


async def lanes(bench: Bench) -> list[tuple[str, int]]:
    """What was told, with its lane, in the order it was told."""
    rows = await bench.rows("SELECT key, lane FROM outbox ORDER BY id")
    return [(row["key"], row["lane"]) for row in rows]


# --- the outbox --------------------------------------------------------------------------------


async def test_what_is_urgent_is_relayed_first_and_the_rest_in_order(intake: Bench) -> None:
    bus = Kept()
    relay = Relay(intake.service.store, bus)
    await intake.do(WAITING, many=MANY)  # without a lane, as the release before writes
    await registered(intake, urgency="critical")
    await registered(intake, **ORDINARY)
    await registered(intake, urgency="urgent")
    assert await relay.run_once(limit=100) == 100
    keys = [(message.key, message.urgent) for message in bus.published]
    assert keys[:3] == [("ticket.registered", True)] * 2 + [("ticket.urged", False)]
    rows = await intake.rows("SELECT fact FROM outbox WHERE lane = 1 ORDER BY id LIMIT 98")
    assert [m.id for m in bus.published[2:]] == [str(row["fact"]) for row in rows]


async def test_a_batch_that_is_too_large_begins_with_what_is_urgent(
    intake: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = Kept()
    monkeypatch.setattr("shared.messaging.outbox.LARGEST_BATCH", 1)
    await intake.do(WAITING, many=3)
    await registered(intake, urgency="critical")
    assert await Relay(intake.service.store, bus).run_once() == 1
    assert bus.published[0].urgent


# --- a ticket's lane -----------------------------------------------------------------------------


async def test_all_a_service_says_of_an_urgent_ticket_is_urgent(dispatcher: Bench) -> None:
    ids = await register(dispatcher, street_light(urgency="critical"))
    await act(dispatcher, STREET_LIGHT, ids[STREET_LIGHT], "sign", {"handler": "王"})
    assert {lane for _, lane in await lanes(dispatcher)} == {0}
    await register(dispatcher, street_light(), "20260302-000002")
    assert [lane for _, lane in await lanes(dispatcher)][-1] == 1


@pytest.mark.parametrize(
    ("changes", "lane"),
    [
        ({"content": "有人站在六楼楼顶要跳楼"}, 0),
        ({"title": "楼道里有燃气泄漏的味道"}, 0),
        ({"content": "Ｂ１车库坍塌，有人被困"}, 0),
        ({"topic": "gas.leak"}, 0),  # what lies under a topic
        ({"flags": ["fire_safety"]}, 0),
        ({"topic": "forest.fire"}, 0),
        ({"content": "吵得我想死的心都有了"}, 0),  # doubtful: a person sees it at once
        ({}, 1),
        ({"content": "希望减轻生活负担"}, 1),
        ({"content": "检查过了，没有燃气泄漏"}, 1),
        ({"content": "跳楼大甩卖的喇叭太吵", "type": "commendation"}, 1),  # passed on, not handled
    ],
)
async def test_what_the_place_counts_as_urgent_overtakes_from_the_door_on(
    intake: Bench, changes: dict[str, Any], lane: int
) -> None:
    """Whatever the agent chose: the dispatcher would find it urgent, once it has read it."""
    await registered(intake, **(ORDINARY | changes))
    assert await lanes(intake) == [("ticket.registered", lane)]


async def test_a_batch_overtakes_in_part(intake: Bench) -> None:
    batch = [complaint(**ORDINARY), complaint(**ORDINARY | {"content": "老人被困电梯"})]
    answer = await post(intake, "/v1/tickets/batch", {"tickets": batch})
    assert answer.status_code == 200, answer.text
    assert [lane for _, lane in await lanes(intake)] == [1, 0]


async def test_who_is_told_urgently_speaks_urgently_and_goes_on_so(intake: Bench) -> None:
    """A service whose facts name no urgency knows a ticket's lane from what it heard."""
    recorder = Recorder(intake)
    await intake.do("CREATE TABLE seen (subject text, times int, at timestamptz)")
    recorder.answering = True
    ordinary, raised = told(intake, "A"), told(intake, "A", 2)
    await intake.receive([parcel(ordinary)])
    await intake.receive([Message(raised.key, str(raised.id), raised.encode(), urgent=True)])
    await intake.receive([parcel(told(intake, "A", 3)), parcel(told(intake, "B"))])
    rows = await intake.rows("SELECT subject, lane FROM outbox ORDER BY id")
    assert [tuple(row.values()) for row in rows] == [("A", 1), ("A", 0), ("A", 0), ("B", 1)]


async def test_a_fact_that_came_early_hurries_its_ticket_when_it_is_tried_again(
    tracker: Bench, story: Story
) -> None:
    """What a rule alone made urgent may come before the ticket it is about."""
    dispatched = story.dispatched(urgency=Urgency.CRITICAL)
    await tracker.receive([Message(dispatched.key, str(dispatched.id), dispatched.encode(), True)])
    await tracker.receive([parcel(story.registered())])
    assert await lanes(tracker) == [("deadline.set", 1)]
    assert await tracker.service.inbox.retry_once(now=clock.real() + timedelta(minutes=1)) == 1
    assert {lane for _, lane in (await lanes(tracker))[1:]} == {0}


# --- from the phone to the unit --------------------------------------------------------------------


@asynccontextmanager
async def relaying(service: Service, bus: Bus) -> AsyncIterator[None]:
    """A service's relay, which looks without a pause."""
    relay, stop = Relay(service.store, bus), asyncio.Event()

    async def run() -> None:
        while not stop.is_set():
            await relay.run_once()

    task = asyncio.create_task(run())
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, WITHIN)


async def test_a_critical_ticket_is_with_its_unit_before_what_waits_has_passed(
    intake: Bench, dispatcher: Bench, rabbitmq: Broker
) -> None:
    """Ordinary tickets wait in intake's outbox and in the dispatcher's queue, by the thousand (R-38)."""
    word = secrets.token_hex(4)
    queue, unit, bus, listener = f"svc.{word}", f"unit.{word}", RabbitBus(rabbitmq.url), Listener()
    stop = asyncio.Event()
    subscriptions = service_queues()["svc.dispatcher"]
    await bus.declare({queue: subscriptions, unit: [f"*.*.{STREET_LIGHT}"]})
    async with consuming(bus, queue, Listener()):  # its lane stands
        await bus.publish([parcel(dispatcher.fact(street_light(), subject="20260301-000001"))])
    waiting = [
        dispatcher.fact(street_light(), subject=f"20260301-{number:06}") for number in range(MANY)
    ]
    await bus.publish([parcel(fact) for fact in waiting])
    await intake.do(WAITING, many=MANY)
    critical = await registered(
        intake, urgency="critical", type="complaint", topic="lighting.street", title="路灯漏电"
    )

    def is_there() -> bool:
        return any(
            critical["number"].encode() in message.body and message.urgent
            for batch in listener.batches
            for message in batch
        )

    async with (
        consuming(bus, unit, listener),
        relaying(intake.service, bus),
        relaying(dispatcher.service, bus),
    ):
        hearing = asyncio.create_task(bus.consume(queue, dispatcher.receive, stop))
        await listener.until(is_there)
        [passed] = await dispatcher.rows("SELECT count(*) AS tickets FROM tickets")
        stop.set()
        await asyncio.wait_for(hearing, WITHIN)
    assert passed["tickets"] < SOON
    await bus.close()
