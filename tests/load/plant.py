"""The machinery a bench runs: databases, queues, one process per service, and what each one costs.

Everything is private: servers of tests/fixtures, free ports on loopback, keys of its own.
Services run as in production but for their clock, which is stepped: a callback is a day away.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aio_pika
import httpx
import psutil

from operations.runtime.registry import NAMES
from shared.security.tokens import issue
from tests.load.processes import Process, family, seconds_of
from tests.load.sides import UVICORN, Side, connected
from tests.load.tap import tapped
from tests.load.wire import Wire


@dataclass(slots=True)
class Plant:
    """Databases and queues of a side, and the processes that run on them.

    ``counts``: statements of services so far, each after the name of its service, where ``taps``
    (the addresses at which services find their databases instead) count them.
    """

    side: Side
    name: str
    processes: dict[str, Process] = field(default_factory=dict)
    taps: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    # --- processes -----------------------------------------------------------------------------

    async def run(self, *names: str, **settings: str) -> None:
        """Let these services run and no other: start and stop what that takes. ``settings``: what those that
        are started are told otherwise.
        """
        await self.stop(*(self.processes.keys() - set(names)))
        for name in names:
            if name not in self.processes:
                url = self.taps.get(name, self.url(name))
                command = ("-m", "services", name)
                self.processes[name] = await self.side.serve(
                    name, command, url, "/readyz", **settings
                )

    async def serve(self, name: str, app: str, path: str) -> None:
        """Serve an app with uvicorn, on intake's settings and a database of its own name."""
        self.processes[name] = await self.side.serve(name, (*UVICORN, app), self.url(name), path)

    async def stop(self, *names: str) -> None:
        """Stop processes side by side."""
        gone = [self.processes.pop(name) for name in names]
        await asyncio.gather(*(process.stop() for process in gone))

    async def stop_all(self) -> None:
        """Stop every process that runs."""
        await self.stop(*self.processes)

    # --- asking --------------------------------------------------------------------------------

    def url(self, service: str) -> str:
        """The address of a service's database."""
        return self.side.servers.postgres.url(self.database(service))

    def database(self, service: str) -> str:
        """The database of a service."""
        return f"{self.name}_{service}"

    def wire(self, name: str) -> Wire:
        """The connections to a process."""
        return self.processes[name].wire

    def token(self, role: str, unit: str | None = None) -> dict[str, str]:
        """Headers of a caller."""
        token = issue(self.side.home, role, unit or "bench", unit, days=1)
        return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    @asynccontextmanager
    async def connection(self, name: str) -> AsyncIterator[Any]:
        """A connection to the database of a service."""
        async with connected(self.url(name)) as connection:
            yield connection

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
        async with await aio_pika.connect(self.side.servers.broker.url) as connection:
            yield await connection.channel(publisher_confirms=False)

    async def purge(self) -> None:
        """Empty every queue, whatever stands in it."""
        broker = self.side.servers.broker
        vhost = httpx.URL(broker.url).path.removeprefix("/")
        async with httpx.AsyncClient(base_url=broker.api, trust_env=False) as client:
            queues = (await client.get(f"/api/queues/{vhost}?disable_stats=true")).json()
        async with self.channel() as channel:
            for queue in queues:
                await (await channel.get_queue(queue["name"])).purge()

    # --- what it costs -------------------------------------------------------------------------

    def cpu(self) -> dict[str, float]:
        """Seconds of processor each part has used so far; servers elsewhere are no part."""
        used = {name: process.cpu for name, process in self.processes.items()}
        for name, root in self.side.servers.seen.items():
            used[name] = seconds_of(family(root))
        ours = psutil.Process().cpu_times()  # without the children, which are the others
        return used | {"load": ours.user + ours.system}


@asynccontextmanager
async def plant(side: Side, *, counting: bool = False) -> AsyncIterator[Plant]:
    """Fresh databases and empty queues, ready for processes; all gone when the block ends.

    ``counting``: services reach their databases through taps, which costs time.
    """
    made, postgres = Plant(side, f"{side.name}_{secrets.token_hex(4)}"), side.servers.postgres
    async with AsyncExitStack() as last:
        for name in (*NAMES, "plain"):
            template = side.template("intake" if name == "plain" else name)
            await postgres.create(made.database(name), template)
            last.push_async_callback(postgres.drop, made.database(name))
        for name in NAMES if counting else ():
            tap = tapped(made.url(name), name, made.counts)
            made.taps[name] = await last.enter_async_context(tap)
        await made.purge()
        last.push_async_callback(made.stop_all)
        yield made
