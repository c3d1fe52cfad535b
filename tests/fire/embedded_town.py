"""The embedded system (one process, LocalBus) in a process that can be killed at any moment."""

from __future__ import annotations

import asyncio
import multiprocessing
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx
import uvloop

from examples.demo import CONFIG
from services import runner
from services.embedded import EmbeddedServer
from services.registry import NAMES
from shared import clock
from shared.auth import issue
from shared.observability import configure_logs

READY_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where it lives: a folder, databases with a prefix on a server, five neighbouring ports."""

    var: Path
    socket: Path
    prefix: str
    port: int
    secret: str

    @property
    def urls(self) -> dict[str, str]:
        """The services' addresses."""
        return {name: f"http://{runner.HOST}:{self.port + n}" for n, name in enumerate(NAMES)}

    @property
    def phone_port(self) -> int:
        """Where requests to call go."""
        return self.port + len(NAMES)

    def token(self, role: str, unit: str | None = None) -> str:
        """A day's token."""
        return issue(self.var / "keys", role, "fire", unit, days=1)

    async def ensure(self, database: str) -> str:
        """Create a database unless it is there; answers its address."""
        service = database.removeprefix("jiesu_")
        return await EmbeddedServer(self.socket).ensure(f"{self.prefix}_{service}")


def be_system(place: Place, now: datetime) -> None:
    """What the process does, until it is killed."""
    configure_logs("CRITICAL")
    uvloop.run(_serve(place, now))


async def _serve(place: Place, now: datetime) -> None:
    async with runner.system(
        place.var,
        place,
        place.port,
        now,
        config_dir=CONFIG,
        webhook_secret=place.secret,
        phone_system_url=f"http://{runner.HOST}:{place.phone_port}/callbacks",
    ) as system:
        await asyncio.shield(system.ended)


class EmbeddedTown:
    """Starts the process, and kills it. Modules are loaded once, by the server it is forked from."""

    def __init__(self, place: Place, http: httpx.AsyncClient) -> None:
        self.place, self.kills = place, 0
        self._http = http
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.fire.embedded_town", *map(_main, NAMES)])
        self._process: BaseProcess | None = None

    async def start(self, now: datetime) -> None:
        """Start it and wait until every service wants work; its clock shows ``now``."""
        self._process = self._context.Process(target=be_system, args=(self.place, now), daemon=True)
        self._process.start()
        async with asyncio.timeout(READY_WITHIN):
            for url in self.place.urls.values():
                while not await self._answers(url):
                    await clock.pause(0.02)

    async def _answers(self, url: str) -> bool:
        try:
            return (await self._http.get(f"{url}/readyz")).is_success
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self.kills += 1


def _main(name: str) -> str:
    return f"services.{name}.main"
