"""The machinery a bench runs: databases, queues, one process per service, and what each one costs.

Everything is private: servers of tests/fixtures, free ports on loopback, keys of its own.
Services run as in production but for their clock, which is stepped: a callback is a day away.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aio_pika
import asyncpg
import httpx
import psutil
from sqlalchemy import make_url

from operations.runtime.embedded import secrets_of
from operations.runtime.registry import NAMES, part, topology
from operations.runtime.server import HOST
from shared.clock import pause
from shared.messaging.connect import connect
from shared.security.tokens import issue
from shared.storage.migrations import migrate
from tests.fixtures.ports import free_ports
from tests.fixtures.postgres import Postgres
from tests.fixtures.rabbitmq import Broker
from tests.load.wire import NoAnswer, Wire

PROJECT = Path(__file__).parents[2]
CONFIG = PROJECT / "config" / "ziyang"
START = "2026-03-02T09:00:00+08:00"  # a Monday
PATIENCE = 180.0  # seconds for a process to start or stop
LOOK = 0.02
UVICORN = ("-m", "uvicorn", "--no-access-log", "--log-level", "warning", "--host", HOST)


class DidNotStart(Exception):
    """A process of the bench ended or was not ready in time; the message holds its last words."""


@dataclass(slots=True)
class Process:
    """One process that serves HTTP; ``started`` is how many seconds it took to be ready."""

    name: str
    popen: subprocess.Popen[bytes]
    url: str
    wire: Wire
    log: Path
    started: float = 0.0

    async def ready(self, path: str) -> None:
        """Wait until a path answers 200. Raises DidNotStart."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        request = self.wire.encode("GET", path)
        while loop.time() - began < PATIENCE and self.popen.poll() is None:
            try:
                if (await self.wire.send(request))[0] == 200:
                    self.started = loop.time() - began
                    return
            except NoAnswer:
                pass
            await pause(LOOK)
        raise DidNotStart(f"{self.name}: {self.log.read_text()[-2000:]}")

    async def stop(self) -> None:
        """End it the way a supervisor does."""
        self.wire.close()
        if self.popen.poll() is None:
            self.popen.terminate()
        try:
            await asyncio.to_thread(self.popen.wait, PATIENCE / 2)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()


@dataclass(slots=True)
class Plant:
    """Servers, and the processes that run on them."""

    postgres: Postgres
    broker: Broker
    home: Path
    secrets: Mapping[str, Any]
    processes: dict[str, Process] = field(default_factory=dict)

    # --- processes -----------------------------------------------------------------------------

    async def start(self, *names: str) -> None:
        """Start services, one after the other."""
        for name in names:
            await self._run(name, ("-m", "services", name), self.environment(name), "/readyz")

    async def serve(self, name: str, app: str, path: str) -> None:
        """Serve an app with uvicorn, on intake's settings and a database of its own name."""
        await self._run(name, (*UVICORN, app), self.environment("intake", name), path)

    async def _run(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], path: str
    ) -> None:
        [port] = free_ports(1)
        log = self.home / f"{name}.log"
        ports = {"JIESU_PORT": str(port), "UVICORN_PORT": str(port)}
        popen = _spawn(command, {**environment, **ports}, log)
        url = f"http://{HOST}:{port}"
        process = self.processes[name] = Process(name, popen, url, Wire(url, 128), log)
        await process.ready(path)

    async def stop(self, *names: str) -> None:
        """Stop processes side by side."""
        gone = [self.processes.pop(name) for name in names]
        await asyncio.gather(*(process.stop() for process in gone))

    async def stop_all(self) -> None:
        """Stop every process that runs."""
        await self.stop(*self.processes)

    def environment(self, service: str, database: str = "") -> dict[str, str]:
        """What a service is told: as in production, with the clock stepped."""
        own = {
            "DATABASE_URL": self.postgres.url(self.database(database or service)),
            "BUS_URL": self.broker.url,
            "HOST": HOST,
            "CONFIG_DIR": str(CONFIG),
            "TOKEN_KEYS": str(self.home),
            "INDEX_KEY": self.secrets["index_key"],
            "VAULT_KEYS": json.dumps(self.secrets["vault_keys"]),
            "VAULT_CURRENT": self.secrets["vault_current"],
            "WEBHOOK_SECRET": self.secrets["webhook_secret"],
            "CLOCK": "simulated",
            "CLOCK_START": START,
        }
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("JIESU_")}
        return inherited | {f"JIESU_{name}": value for name, value in own.items()}

    # --- asking --------------------------------------------------------------------------------

    def database(self, name: str) -> str:
        """The database of a service."""
        return f"{self.home.name}_{name}"

    def wire(self, name: str) -> Wire:
        """The connections to a process."""
        return self.processes[name].wire

    def token(self, role: str, unit: str | None = None) -> dict[str, str]:
        """Headers of a caller."""
        token = issue(self.home, role, unit or "bench", unit, days=1)
        return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    @asynccontextmanager
    async def connection(self, name: str) -> AsyncIterator[Any]:
        """A connection to the database of a service."""
        url = make_url(self.postgres.url(self.database(name))).set(drivername="postgresql")
        connection = await asyncpg.connect(url.render_as_string(hide_password=False))
        try:
            yield connection
        finally:
            await connection.close()

    async def value(self, name: str, query: str, *arguments: object) -> Any:
        """One value from the database of a service."""
        async with self.connection(name) as connection:
            return await connection.fetchval(query, *arguments)

    async def unsent(self, name: str = "intake") -> int:
        """How many facts wait in the outbox of a service."""
        query = "SELECT count(*) FROM outbox WHERE position IS NULL"
        return int(await self.value(name, query))

    async def idle(self) -> bool:
        """Whether no running service has anything to do."""
        for name in set(NAMES) & self.processes.keys():
            look = self.wire(name).encode("GET", "/clock", headers=self.token("ops"))
            _, body = await self.wire(name).send(look)
            if not json.loads(body)["idle"]:
                return False
        return True

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
        """A channel to the broker."""
        async with await aio_pika.connect(self.broker.url) as connection:
            yield await connection.channel(publisher_confirms=False)

    # --- what it costs -------------------------------------------------------------------------

    async def roots(self) -> dict[str, psutil.Process]:
        """The processes at the root of each part; not of servers in containers or elsewhere."""
        parts = {
            name: psutil.Process(process.popen.pid) for name, process in self.processes.items()
        }
        async with self.connection("intake") as connection:
            backend = _seen(await connection.fetchval("SELECT pg_backend_pid()"), "postgres")
            if server := backend and backend.parent():
                parts["database"] = server
        if node := _seen(await self._broker_pid(), "beam"):
            parts["broker"] = node
        return parts

    async def _broker_pid(self) -> int:
        async with httpx.AsyncClient(base_url=self.broker.api, trust_env=False) as client:
            nodes = (await client.get("/api/nodes")).raise_for_status().json()
        return int(nodes[0].get("os_pid", 0))

    async def cpu(self) -> dict[str, float]:
        """Seconds of processor each part has used so far."""
        used = {name: sum(_seconds(root)) for name, root in (await self.roots()).items()}
        ours = psutil.Process().cpu_times()  # without the children, which are the others
        return used | {"load": ours.user + ours.system}

    def rss(self) -> dict[str, float]:
        """Resident memory of each service, in MB."""
        return {
            name: psutil.Process(process.popen.pid).memory_info().rss / 2**20
            for name, process in self.processes.items()
        }


def _spawn(
    command: Sequence[str], environment: Mapping[str, str], log: Path
) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        return subprocess.Popen(
            (sys.executable, *command),
            cwd=PROJECT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )


def _seen(number: int, program: str) -> psutil.Process | None:
    """A server's process; None when its number is not one of this machine."""
    try:
        process = psutil.Process(number)
        return process if process.name().startswith(program) else None
    except psutil.NoSuchProcess:
        return None


def _seconds(root: psutil.Process) -> Iterator[float]:
    """Processor time of a process, its children, and those of them that ended."""
    for process in (root, *root.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        yield times.user + times.system + times.children_user + times.children_system


@asynccontextmanager
async def plant(postgres: Postgres, broker: Broker, home: Path) -> AsyncIterator[Plant]:
    """Databases and queues, ready for processes; all gone when the block ends."""
    made = Plant(postgres, broker, home, secrets_of(home))
    async with AsyncExitStack() as last:
        for name in (*NAMES, "plain"):
            url = await postgres.create(made.database(name))
            last.push_async_callback(postgres.drop, made.database(name))
            await migrate(url, part("intake" if name == "plain" else name).migrations)
        queues = topology(CONFIG)
        bus = connect(broker.url)
        await bus.declare(queues)
        await bus.close()
        async with made.channel() as channel:  # on a broker that others used before
            for name in queues:
                await (await channel.get_queue(name)).purge()
        last.push_async_callback(made.stop_all)
        yield made
