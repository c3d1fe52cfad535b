"""A real alarm of the broker: what is told says so, and all goes on by itself once it is over."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from shared.messaging.bus import BusTrouble, Message
from shared.messaging.rabbit_bus import RabbitBus
from shared.messaging.trouble import BLOCKED
from tests.fixtures.fire.servers import Servers
from tests.fixtures.fire.town import until

TIMEOUT = 2.0  # seconds until the bus gives a publish up: the broker never refuses, it keeps silent
WATERMARK = "set_vm_memory_high_watermark"
NONE, USUAL = "0", "0.6"


@asynccontextmanager
async def alarm(servers: Servers) -> AsyncIterator[None]:
    """The broker has no memory left while the block lasts."""
    await asyncio.to_thread(servers.rabbit.control, WATERMARK, NONE)
    try:
        yield
    finally:
        await asyncio.to_thread(servers.rabbit.control, WATERMARK, USUAL)


async def test_an_alarm_is_said_and_ends_by_itself(burning: Servers) -> None:
    key = f"alarm.{secrets.token_hex(4)}"
    bus = RabbitBus(burning.rabbit.broker.url, TIMEOUT)
    await bus.declare({f"svc.{key}": [key]})

    async def tells() -> bool:
        try:
            return await bus.publish([Message(key, secrets.token_hex(8), b"{}")]) == [None]
        except BusTrouble:
            return False

    assert await tells()
    async with alarm(burning):
        for _ in range(2):  # on the connection that was open, and on the one opened for the second
            with pytest.raises(BusTrouble) as trouble:
                await bus.publish([Message(key, secrets.token_hex(8), b"{}")])
            assert str(trouble.value) == BLOCKED
        assert await bus.waiting(f"svc.{key}") == 1  # who only listens is served
    await until(tells)
    await bus.close()
