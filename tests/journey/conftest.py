"""All four services on PostgreSQL and RabbitMQ, and a county of examples/ around them.

Everybody connects to the broker as the user made for it: behind the fences the work must go on.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime
from io import StringIO

import aio_pika
import pytest
import structlog
import uvicorn
from aio_pika.abc import AbstractIncomingMessage

from examples.connection import open_http
from examples.county import Access, County
from examples.scene import Citizens, Scene
from examples.stories import Told, banquet, gone_wrong
from operations.runtime import embedded
from operations.runtime.server import Server
from shared.messaging.rabbit_bus import EXCHANGE
from shared.observability import configure_logs
from tests.fixtures.fences import Fenced, fences
from tests.fixtures.infrastructure import Broker, Postgres, free_ports

UNITS = ("HC", "ZJJ")  # they have a queue (delivery: amqp)


@dataclass(slots=True)
class Databases:
    """Databases of this journey's own."""

    postgres: Postgres
    prefix: str
    made: dict[str, str] = field(default_factory=dict)

    async def ensure(self, database: str) -> str:
        """Create one; its address."""
        self.made[database] = await self.postgres.create(f"{self.prefix}_{database}")
        return self.made[database]

    async def drop(self) -> None:
        """Drop them all."""
        for database in self.made:
            await self.postgres.drop(f"{self.prefix}_{database}")


@dataclass(slots=True)
class Journey:
    """What is left when the stories have been told."""

    system: embedded.System
    county: County
    databases: dict[str, str]
    overheard: list[bytes]
    log: StringIO
    lines: list[str] = field(default_factory=list)
    told: dict[str, Told] = field(default_factory=dict)


@contextmanager
def kept_log() -> Iterator[StringIO]:
    """Every log line of the services, at the most talkative level."""
    root, log = logging.getLogger(), StringIO()
    handlers, level = root.handlers[:], root.level
    with redirect_stdout(log):
        configure_logs("DEBUG")
        yield log
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


async def overhear(url: str, heard: list[bytes], until: asyncio.Event) -> None:
    """Keep a copy of everything that is said on the exchange."""

    async def keep(message: AbstractIncomingMessage) -> None:
        heard.append(message.body)
        await message.ack()

    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(EXCHANGE, "#")
        await queue.consume(keep)
        await until.wait()


@pytest.fixture(scope="module")
async def journey(
    postgres: Postgres, rabbitmq: Broker, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Journey]:
    """The first and the fourth story, told once over real servers."""
    databases = Databases(postgres, f"journey_{secrets.token_hex(4)}")
    secret, var = b64encode(secrets.token_bytes(32)).decode(), tmp_path_factory.mktemp("var")
    *_, phone_port = ports = free_ports(5)
    async with AsyncExitStack() as stack:
        log = stack.enter_context(kept_log())
        fenced = stack.enter_context(fences(rabbitmq))
        system = await stack.enter_async_context(
            embedded.system(
                var,
                databases,
                ports[0],
                datetime.fromisoformat("2026-03-02T08:30+08:00"),
                bus_url=fenced.pattern,
                phone_system_url=f"http://127.0.0.1:{phone_port}/callbacks",
                webhook_secret=secret,
                log_level="DEBUG",
            )
        )
        http = await stack.enter_async_context(open_http())
        access = Access(system.urls, system.token, secret, fenced.url("admin"))
        citizens = Citizens()
        county = County(http, access, citizens, books=tmp_path_factory.mktemp("books"), pause=0.03)
        told = Journey(system, county, databases.made, [], log)
        await _tell(stack, told, citizens, phone_port, fenced)
        yield told
    await databases.drop()


async def _tell(
    stack: AsyncExitStack, journey: Journey, citizens: Citizens, port: int, fenced: Fenced
) -> None:
    over = asyncio.Event()
    spy = asyncio.create_task(overhear(journey.county.access.broker or "", journey.overheard, over))
    receiver = journey.county.phone.receiver()
    server = Server(uvicorn.Config(receiver, port=port, log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve())
    scene = Scene(
        journey.county,
        citizens,
        lambda when, zh, en: journey.lines.append(f"{when:%m-%d %H:%M} {zh} {en}"),
    )
    for code in UNITS:
        unit = journey.county.unit(code)
        await stack.enter_async_context(unit.facts.consuming(fenced.url(f"unit.{code}")))
    try:
        journey.told["banquet"] = await banquet(scene)
        journey.told["gone_wrong"] = await gone_wrong(scene)
    finally:
        over.set()
        server.should_exit = True
        await asyncio.gather(spy, serving)
