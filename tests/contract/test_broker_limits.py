"""A unit's system that opens connections without end gets no more, and the services go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack

import aio_pika
import pytest

from operations.broker import LIMITS
from shared.messaging import trouble
from shared.messaging.bus import BusTrouble
from shared.messaging.rabbit_bus import RabbitBus
from tests.fixtures.fences import Fenced, fences
from tests.fixtures.rabbitmq import Broker


@pytest.fixture(scope="module")
def fenced(rabbitmq: Broker) -> Iterator[Fenced]:
    """A broker behind its fences."""
    with fences(rabbitmq) as one:
        yield one


async def test_a_unit_has_so_many_connections_and_no_more(fenced: Fenced) -> None:
    async with AsyncExitStack() as opened:
        for _ in range(LIMITS["max-connections"]):
            connection = await aio_pika.connect(fenced.url("unit.HC"))
            opened.push_async_callback(connection.close)
        one_more = RabbitBus(fenced.url("unit.HC"))
        with pytest.raises(BusTrouble) as refused:
            await one_more.waiting("unit.HC")
        assert str(refused.value) == trouble.NO_ENTRY
        service = RabbitBus(fenced.url("intake"))
        assert await service.waiting("svc.intake") == 0
        await service.close()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda url: url.replace(":intake-", ":other-"), trouble.REFUSED),
        (lambda url: f"{url}-other", trouble.NO_ENTRY),
        (
            lambda url: url.replace("@", "@no-such-host.invalid/").split("/fenced")[0],
            trouble.NO_NAME,
        ),
    ],
    ids=["password", "virtual host", "name"],
)
async def test_who_cannot_connect_is_told_why(
    fenced: Fenced, change: object, sentence: str
) -> None:
    bus = RabbitBus(change(fenced.url("intake")))  # type: ignore[operator]
    with pytest.raises(BusTrouble) as refused:
        await bus.waiting("svc.intake")
    assert str(refused.value) == sentence
    await bus.close()
