"""What is measured: a tree, the interpreter it runs under, and what it has on the servers.

The code of a side runs in processes of its own, from its own folder; this bench speaks to it by
HTTP, AMQP and SQL alone. So a side may be another checkout. It must know ``python -m services
NAME`` and ``migrate``, the JIESU_… settings and paths this bench uses, and have tests/load/plain.py
and hello.py of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil
from sqlalchemy import make_url

from operations.runtime.embedded import secrets_of
from operations.runtime.registry import NAMES
from operations.runtime.server import HOST
from shared.clock import pause
from tests.fixtures.ports import free_ports
from tests.fixtures.postgres import Postgres
from tests.fixtures.rabbitmq import Broker
from tests.load.processes import DidNotStart, Process, seen
from tests.load.wire import Wire

PROJECT = Path(__file__).parents[2]
START = "2026-03-02T09:00:00+08:00"  # a Monday
NUMBERED = 30  # looks, one a second
UVICORN = ("-m", "uvicorn", "--no-access-log", "--log-level", "warning", "--host", HOST)


@dataclass(frozen=True, slots=True)
class Tree:
    """A checkout, and the interpreter to run it under, which must have its dependencies."""

    path: Path = PROJECT
    python: Path = Path(sys.executable)

    def __str__(self) -> str:
        return f"{self.path.name} ({self.python.parent.parent.name})"

    def revision(self) -> str:
        """Which commit it is."""
        command = ["git", "describe", "--always", "--dirty"]
        said = subprocess.run(
            command, cwd=self.path, capture_output=True, text=True, check=False
        ).stdout
        return said.strip()

    def version(self) -> str:
        """Which Python runs it."""
        ask = "import platform; print(platform.python_version())"
        return subprocess.run(
            [self.python, "-c", ask], capture_output=True, text=True, check=True
        ).stdout.strip()


@dataclass(frozen=True, slots=True)
class Servers:
    """PostgreSQL and RabbitMQ; ``seen``: their processes by name, not of servers elsewhere."""

    postgres: Postgres
    broker: Broker
    seen: Mapping[str, psutil.Process]

    @classmethod
    async def of(cls, postgres: Postgres, broker: Broker) -> Servers:
        """The servers, and the processes they are on this machine."""
        found = {"database": await _database(postgres), "broker": await _broker(broker)}
        return cls(postgres, broker, {name: process for name, process in found.items() if process})

    async def value(self, query: str) -> Any:
        """One value from the database server."""
        async with connected(self.postgres.url("postgres")) as connection:
            return await connection.fetchval(query)


@dataclass(frozen=True, slots=True)
class Side:
    """A tree on the servers: keys, a virtual host, and a migrated template of each database."""

    tree: Tree
    servers: Servers
    home: Path
    secrets: Mapping[str, Any]
    name: str

    @property
    def config(self) -> Path:
        """The rules it goes by, its own."""
        return self.tree.path / "config" / "ziyang"

    def template(self, service: str) -> str:
        """The database that a service's are copies of."""
        return f"{self.name}_template_{service}"

    def environment(self, database_url: str, **settings: str) -> dict[str, str]:
        """What a process is told: as in production, with the clock stepped; ``settings`` are otherwise."""
        own = {
            "DATABASE_URL": database_url,
            "BUS_URL": self.servers.broker.url,
            "HOST": HOST,
            "CONFIG_DIR": str(self.config),
            "TOKEN_KEYS": str(self.home),
            "INDEX_KEY": self.secrets["index_key"],
            "VAULT_KEYS": json.dumps(self.secrets["vault_keys"]),
            "VAULT_CURRENT": self.secrets["vault_current"],
            "WEBHOOK_SECRET": self.secrets["webhook_secret"],
            "SERVICE_TOKEN": "unused",  # nobody reads a contact here
            "CLOCK": "simulated",
            "CLOCK_START": START,
        } | {name.upper(): value for name, value in settings.items()}
        ours = ("JIESU_", "PYTHON")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        path = {"PYTHONPATH": str(self.tree.path), "PYTHONSAFEPATH": "1"}
        return inherited | path | {f"JIESU_{name}": value for name, value in own.items()}

    async def serve(
        self, name: str, command: Sequence[str], database_url: str, path: str, **settings: str
    ) -> Process:
        """Start a process that serves HTTP; it is ready when ``path`` answers. Raises DidNotStart."""
        [port] = free_ports(1)
        log = self.home / f"{self.name}.{name}.log"
        ports = {"JIESU_PORT": str(port), "UVICORN_PORT": str(port)}
        popen = self._spawn(command, self.environment(database_url, **settings) | ports, log)
        process = Process(name, popen, Wire(f"http://{HOST}:{port}", 128), log)
        try:
            await process.ready(path)
        except BaseException:
            await process.stop()
            raise
        return process

    def _spawn(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> subprocess.Popen[bytes]:
        with log.open("wb") as out:
            return subprocess.Popen(
                (self.tree.python, *command),
                cwd=self.tree.path,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    async def run(self, *command: str, database_url: str, python: Path | None = None) -> str:
        """Run a command to its end; what it printed. Raises DidNotStart when it fails."""
        running = await asyncio.create_subprocess_exec(
            python or self.tree.python,
            *command,
            cwd=self.tree.path,
            env=self.environment(database_url),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        out, trouble = await running.communicate()
        if running.returncode:
            raise DidNotStart(f"{' '.join(command)}: {trouble.decode()[-2000:]}")
        return out.decode()


@asynccontextmanager
async def side(tree: Tree, servers: Servers, home: Path) -> AsyncIterator[Side]:
    """A tree laid out on the servers while the block lasts."""
    name = f"bench_{secrets.token_hex(4)}"
    postgres = servers.postgres
    async with AsyncExitStack() as last:
        broker = await last.enter_async_context(_virtual_host(servers.broker, name))
        made = Side(tree, replace(servers, broker=broker), home, secrets_of(home), name)
        for service in NAMES:
            await postgres.create(made.template(service))
            last.push_async_callback(postgres.drop, made.template(service))
        urls = postgres.url(made.template("SERVICE")).replace("SERVICE", "{service}")
        await made.run("-m", "services", "migrate", database_url=urls)
        yield made


@asynccontextmanager
async def _virtual_host(broker: Broker, name: str) -> AsyncIterator[Broker]:
    """A virtual host of a side's own: trees may want queues with other arguments."""
    user, everything = (
        httpx.URL(broker.url).username,
        dict.fromkeys(("configure", "write", "read"), ".*"),
    )
    async with httpx.AsyncClient(base_url=broker.api, trust_env=False, timeout=60) as client:
        (await client.put(f"/api/vhosts/{name}")).raise_for_status()
        grant = await client.put(f"/api/permissions/{name}/{user}", json=everything)
        grant.raise_for_status()
        try:
            yield Broker(str(httpx.URL(broker.url).copy_with(path=f"/{name}")), broker.api)
        finally:
            (await client.delete(f"/api/vhosts/{name}")).raise_for_status()


async def _database(postgres: Postgres) -> psutil.Process | None:
    """Its process on this machine: the parent of those that serve a connection."""
    async with connected(postgres.url("postgres")) as connection:
        backend = seen(await connection.fetchval("SELECT pg_backend_pid()"), "postgres")
        return backend.parent() if backend else None


async def _broker(broker: Broker) -> psutil.Process | None:
    """Its process on this machine; it says its number only some seconds after its start."""
    async with httpx.AsyncClient(base_url=broker.api, trust_env=False) as client:
        for _ in range(NUMBERED):
            [node, *_] = (await client.get("/api/nodes")).raise_for_status().json()
            if "os_pid" in node:
                return seen(int(node["os_pid"]), "beam")
            await pause(1.0)
    return None


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    """A connection to a database."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(address)
    try:
        yield connection
    finally:
        await connection.close()
