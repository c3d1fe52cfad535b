"""A town: Jiesu as a county runs it, every service a process, and a proxy on each of its lines.

people (examples/) ──HTTP──→ service ──proxy──→ PostgreSQL
                                └─────proxy──→ RabbitMQ
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import secrets
import signal
import sys
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from sqlalchemy import text

from examples.connection import open_http
from examples.county import Access
from examples.demo import free_ports
from services.__main__ import main as services_main
from services.registry import NAMES, topology
from shared import clock
from shared.auth import issue, make_key
from shared.bus import connect
from shared.db import open_engine
from shared.events import Fact
from tests.fire.proxy import Proxy
from tests.fire.servers import Servers

PROJECT = Path(__file__).resolve().parents[2]
START = datetime.fromisoformat("2026-03-02T08:30+08:00")
READY_WITHIN = 120.0  # many start at once, and tests share their machine
GONE_WITHIN = 40.0


# Modules are loaded once, by the server that processes are forked from: a start costs a second less.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        "tests.fire.town",
        *(f"services.{name}.{file}" for name in NAMES for file in ("main", "models")),
    ]
)


def be_service(name: str, environment: dict[str, str], log: Path) -> None:
    """What the process does: ``python -m services NAME``, with its log in a file."""
    os.chdir(PROJECT)
    os.environ.update(environment)
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.stdout = sys.stderr = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115 - open until the end
    sys.argv = ["services", name]
    services_main()


@dataclass(slots=True)
class Replica:
    """One process of a service: it is started, killed, stopped, and its log is kept."""

    service: str
    port: int
    environment: dict[str, str]
    log_file: Path
    database: Proxy
    bus: Proxy
    process: BaseProcess | None = None
    starts: int = 0

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self, now: datetime) -> None:
        """Start the process; its stepped clock shows ``now``."""
        given = self.environment | {"JIESU_CLOCK_START": now.isoformat()}
        self.process = FORKS.Process(
            target=be_service, args=(self.service, given, self.log_file), daemon=True
        )
        await asyncio.to_thread(self.process.start)
        self.starts += 1

    async def ready(self, http: httpx.AsyncClient) -> None:
        """Wait until it wants work."""
        async with asyncio.timeout(READY_WITHIN):
            while not await self._answers(http):
                code = self.process.exitcode if self.process else None
                if code is not None:
                    raise AssertionError(f"{self.service} ended with {code}: {self.log()[-2000:]}")
                await clock.pause(0.05)

    async def _answers(self, http: httpx.AsyncClient) -> bool:
        try:
            return (await http.get(f"{self.url}/readyz")).is_success
        except httpx.TransportError:
            return False

    async def kill(self) -> None:
        """SIGKILL: it does nothing any more, and its connections break."""
        await self.end(signal.SIGKILL)

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the exit code."""
        if self.process is None:
            return 0
        if self.process.exitcode is None and self.process.pid is not None:
            os.kill(self.process.pid, number)
        return await self.gone()

    async def gone(self) -> int:
        """The exit code, once it has ended by itself."""
        if self.process is None:
            raise AssertionError(f"{self.service} was never started")
        await asyncio.to_thread(self.process.join, GONE_WITHIN)
        if (code := self.process.exitcode) is None:
            raise AssertionError(f"{self.service} does not end: {self.log()[-2000:]}")
        self.database.cut()  # a proxy holds lines a dead client cannot
        self.bus.cut()
        return code

    def log(self) -> str:
        """What all its lives have logged."""
        return self.log_file.read_text() if self.log_file.exists() else ""


@dataclass(slots=True)
class Town:
    """All processes, and what one needs to live among them. ``now``: what new clocks show."""

    servers: Servers
    prefix: str
    vhost: str
    keys: Path
    webhook_secret: str
    phone_port: int
    http: httpx.AsyncClient
    replicas: dict[str, Replica]
    started: datetime = START
    now: Callable[[], datetime] = lambda: START

    def __getitem__(self, name: str) -> Replica:
        return self.replicas[name]

    @property
    def urls(self) -> dict[str, str]:
        """Addresses by name of the process: ``intake``, and ``intake-2`` if there is one."""
        return {name: replica.url for name, replica in self.replicas.items()}

    @property
    def access(self) -> Access:
        """What people are given."""
        return Access(self.urls, self.token, self.webhook_secret, self.vhost)

    def token(self, role: str, unit: str | None = None) -> str:
        """A day's token."""
        return issue(self.keys, role, "fire", unit, days=1)

    async def start(self, *names: str) -> None:
        """Start processes, all of them if none is named, and wait until they want work."""
        chosen = [self.replicas[name] for name in names or self.replicas]
        await asyncio.gather(*(replica.start(self.now()) for replica in chosen))
        await asyncio.gather(*(replica.ready(self.http) for replica in chosen))

    async def kill(self, name: str) -> None:
        """Kill one with SIGKILL."""
        await self.replicas[name].kill()

    async def restart_database(self, *, crash: bool) -> None:
        """Stop or kill the database under everybody, and start it again."""
        database = self.servers.database
        await asyncio.to_thread(database.crash if crash else database.stop)
        await asyncio.to_thread(database.start)
        for replica in self.replicas.values():
            replica.database.cut()
            replica.database.target = database.target

    async def step(self, moment: str) -> None:
        """Set every clock to an instant, whether anybody rests or not."""
        body = {"now": moment}
        headers = {"Authorization": f"Bearer {self.token('ops')}"}
        for replica in self.replicas.values():
            answer = await self.http.post(f"{replica.url}/clock", json=body, headers=headers)
            answer.raise_for_status()
        instant = datetime.fromisoformat(moment)
        self.now = lambda: instant

    async def rows(self, service: str, query: str, **values: Any) -> list[Any]:
        """Rows of a plain query in a service's database."""
        url = self.servers.database.postgres.url(f"{self.prefix}_{service}")
        engine = open_engine(url, 1)
        async with engine.connect() as connection:
            found = list((await connection.execute(text(query), values)).all())
        await engine.dispose()
        return found

    async def do(self, service: str, statement: str) -> None:
        """Run a statement in a service's database."""
        url = self.servers.database.postgres.url(f"{self.prefix}_{service}")
        engine = open_engine(url, 1)
        async with engine.begin() as connection:
            await connection.execute(text(statement))
        await engine.dispose()

    async def facts(self, service: str, name: str | None = None) -> list[Fact]:
        """What a service said, in order of position; what is not relayed yet stands last."""
        rows = await self.rows(service, "SELECT body FROM outbox ORDER BY position, id")
        facts = [Fact.decode(row.body) for row in rows]
        return [fact for fact in facts if name is None or fact.name == name]


async def until(true: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Look until something is so; the last answer. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not (found := await true()):
            await clock.pause(0.05)
        return found


@asynccontextmanager
async def town(
    servers: Servers, var: Path, replicas: int = 1, **settings: str
) -> AsyncIterator[Town]:
    """A town that is ready to be started, its queues declared; all its processes die with it."""
    prefix, vhost = await servers.prepare()
    bus = connect(vhost)
    await bus.declare(topology(PROJECT / "config" / "ziyang"))
    await bus.close()
    make_key(var / "keys", "fire")
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(open_http())
        one = Town(servers, prefix, vhost, var / "keys", _key(), free_ports(1), http, {})
        await _lay_out(stack, one, var, replicas, settings)
        try:
            yield one
        finally:
            await asyncio.gather(*(replica.kill() for replica in one.replicas.values()))


async def _lay_out(
    stack: AsyncExitStack, town: Town, var: Path, replicas: int, settings: dict[str, str]
) -> None:
    port = free_ports(3 * len(NAMES) * replicas)
    amqp = urlsplit(town.vhost)
    shared = _shared_settings(town, port) | settings
    for number in range(1, replicas + 1):
        for service in NAMES:
            database = Proxy(town.servers.database.target, port + 1)
            bus = Proxy((amqp.hostname or "", amqp.port or 0), port + 2)
            await stack.enter_async_context(database.listening())
            await stack.enter_async_context(bus.listening())
            name = service if number == 1 else f"{service}-{number}"
            given = shared | {
                "JIESU_PORT": str(port),
                "JIESU_DATABASE_URL": "postgresql+asyncpg://postgres@127.0.0.1:"
                f"{database.port}/{town.prefix}_{service}",
                "JIESU_BUS_URL": f"amqp://{amqp.username}:{amqp.password}@127.0.0.1:"
                f"{bus.port}{amqp.path}",
            }
            town.replicas[name] = Replica(service, port, given, var / f"{name}.log", database, bus)
            port += 3


def _shared_settings(town: Town, intake_port: int) -> dict[str, str]:
    return {
        "JIESU_CLOCK": "simulated",
        "JIESU_TOKEN_KEYS": str(town.keys),
        "JIESU_INDEX_KEY": _key(),
        "JIESU_VAULT_KEYS": json.dumps({"fire": _key()}),
        "JIESU_VAULT_CURRENT": "fire",
        "JIESU_PHONE_SYSTEM_URL": f"http://127.0.0.1:{town.phone_port}/callbacks",
        "JIESU_WEBHOOK_SECRET": town.webhook_secret,
        "JIESU_ALLOW_PRIVATE_WEBHOOKS": "true",
        "JIESU_INTAKE_URL": f"http://127.0.0.1:{intake_port}",
        "JIESU_SERVICE_TOKEN": issue(town.keys, "service", "feedback"),
    }


def _key() -> str:
    return b64encode(secrets.token_bytes(32)).decode()
