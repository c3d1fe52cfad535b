"""A PostgreSQL and a RabbitMQ of our own, to be killed and started again; what they hold stays."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psutil

from services import embedded
from services.registry import NAMES, migrations
from shared.db import migrate
from tests.fire.proxy import Target
from tests.infrastructure import DockerRabbit, LocalRabbit, Postgres, private_rabbitmq


class Database:
    """The PostgreSQL out of the wheel, durable: what was committed survives its death."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._running = ExitStack()
        self._server: embedded.EmbeddedServer | None = None
        self._templates: set[str] = set()

    def start(self) -> None:
        """Start it on the data it left behind."""
        self._server = self._running.enter_context(embedded.start(self._home, durable=True))

    def stop(self) -> None:
        """Stop it; whoever is connected is cut off."""
        self._running.close()

    def crash(self) -> None:
        """Kill it with SIGKILL."""
        lock = self._home / "cluster" / "postmaster.pid"
        psutil.Process(int(lock.read_text().split("\n", 1)[0])).kill()
        self.stop()

    @property
    def postgres(self) -> Postgres:
        """It as it runs now: its socket is another after each start."""
        if self._server is None:
            raise AssertionError("the database was not started")
        return Postgres(self._server.url("postgres"))

    @property
    def socket(self) -> Path:
        """The folder of its socket."""
        if self._server is None:
            raise AssertionError("the database was not started")
        return self._server.socket

    @property
    def target(self) -> Target:
        """Where a proxy finds it."""
        return self.socket / ".s.PGSQL.5432"

    async def make(self, database: str, service: str) -> None:
        """Create a service's database, with its schema."""
        template = f"template_{service}"
        if service not in self._templates:
            await migrate(await self.postgres.create(template), migrations(service))
            self._templates.add(service)
        await self.postgres.create(database, template)


class Servers:
    """Both servers; a town has databases and a virtual host of its own on them."""

    def __init__(self, database: Database, rabbit: LocalRabbit | DockerRabbit) -> None:
        self.database, self.rabbit = database, rabbit

    async def prepare(self) -> tuple[str, str]:
        """A prefix for databases that stand now, and the address of a new virtual host."""
        prefix = f"fire_{secrets.token_hex(4)}"
        for name in NAMES:
            await self.database.make(f"{prefix}_{name}", name)
        broker = httpx.URL(self.rabbit.broker.url)
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        async with httpx.AsyncClient(base_url=self.rabbit.broker.api, timeout=30) as api:
            (await api.put(f"/api/vhosts/{prefix}")).raise_for_status()
            path = f"/api/permissions/{prefix}/{broker.username}"
            (await api.put(path, json=everything)).raise_for_status()
        return prefix, str(broker.copy_with(path=f"/{prefix}"))

    async def restart_rabbit(self) -> None:
        """Kill the broker and start it again."""
        await asyncio.to_thread(self.rabbit.kill)
        await asyncio.to_thread(self.rabbit.start)


@contextmanager
def provide() -> Iterator[Servers]:
    """Both servers while the block lasts."""
    with TemporaryDirectory(prefix="jiesu-fire-") as home:
        database = Database(Path(home))
        database.start()
        try:
            with private_rabbitmq() as rabbit:
                yield Servers(database, rabbit)
        finally:
            database.stop()
