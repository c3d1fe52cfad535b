"""Runs services: one in a process of its own, or all of them embedded in one."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from fastapi import FastAPI

from operations.runtime.registry import NAMES, migrations, part, service_queues, topology
from operations.runtime.server import serve
from operations.runtime.tls import Tls
from shared import clock
from shared.errors import ConfigError
from shared.messaging.connect import connect
from shared.messaging.local_bus import LocalBus
from shared.security.tokens import issue, make_key
from shared.service import service_of, state_of
from shared.settings import ServiceSettings
from shared.storage.migrations import migrate

HOST = "127.0.0.1"


def check_ports(ports: list[int]) -> None:
    """Raises ConfigError, in one line, when a port is taken."""
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                raise ConfigError(
                    f"端口 {port} 已被占用 Port {port} is taken; set JIESU_PORTS to another first port"
                ) from None


# --- embedded ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class System:
    """All services embedded in this process: addresses, tokens by role, the apps themselves."""

    urls: dict[str, str]
    keys: Path
    apps: dict[str, FastAPI]
    stop: asyncio.Event
    ended: asyncio.Future[int]

    def token(self, role: str, unit: str | None = None) -> str:
        """A day's token for a role."""
        return issue(self.keys, role, unit or "embedded", unit, days=1)


def secrets_of(folder: Path) -> dict[str, Any]:
    """The keys of an embedded system: made at its first start, found again at the next."""
    path = folder / "secrets.json"
    if not path.exists():
        if not (folder / "0001.key.pem").exists():  # an earlier first start may have been cut
            make_key(folder, "0001")  # sorts before later ones: the last id signs
        path.touch(mode=0o600)
        path.write_text(
            json.dumps({name: b64encode(secrets.token_bytes(32)).decode() for name in KEYS})
        )
    known = json.loads(path.read_text())
    return {
        "index_key": known["index"],
        "vault_keys": known.get("vault_keys", {"embedded": known["vault"]}),
        "vault_current": known.get("vault_current", "embedded"),
        "webhook_secret": known["webhook"],
    }


KEYS = ("index", "vault", "webhook")


class Databases(Protocol):
    """Where databases are made: the embedded server, or a test's."""

    async def ensure(self, database: str) -> str:
        """Create a database unless it is there; answers its address."""


@asynccontextmanager
async def system(
    var: Path,
    server: Databases,
    first_port: int = 8001,
    stepped_from: datetime | None = None,
    **settings: Any,
) -> AsyncIterator[System]:
    """All services in this process, on the local bus unless ``bus_url`` says otherwise.

    ``{service}`` in ``bus_url`` becomes who connects: a service, or ``migrate``. ``settings`` are
    given to every service that has such a field. Raises ConfigError.
    """
    ports = {name: first_port + at for at, name in enumerate(NAMES)}
    check_ports(list(ports.values()))
    clock.simulate(stepped_from)
    urls = {name: f"http://{HOST}:{port}" for name, port in ports.items()}
    common = await _settings(var / "keys", urls, stepped_from is not None) | settings
    apps = {}
    for name in NAMES:
        url = await server.ensure(f"jiesu_{name}")
        await migrate(url, migrations(name))
        own = {"database_url": url, "bus_url": common["bus_url"].replace("{service}", name)}
        apps[name] = part(name).app(part(name).settings(**common | own))
    for app in apps.values():
        state_of(app).on_this_clock = [service_of(other) for other in apps.values()]
    await _declare(common["bus_url"], part("intake").settings(**common).config_dir)
    stop = asyncio.Event()
    ended = asyncio.ensure_future(
        serve({ports[name]: app for name, app in apps.items()}, HOST, stop)
    )
    try:
        await _all_ready(apps, ended)
        yield System(urls, var / "keys", apps, stop, ended)
    finally:
        stop.set()
        await ended


async def _declare(bus_url: str, config_dir: Path) -> None:
    """Queues stand before anything is said. Nobody outside can take a unit's from a local bus."""
    bus = connect(bus_url.replace("{service}", "migrate"))
    if isinstance(bus, LocalBus):
        await bus.declare(service_queues())
    else:
        await bus.declare(topology(config_dir))
        await bus.close()


async def _settings(keys: Path, urls: Mapping[str, str], stepped: bool) -> dict[str, Any]:
    keys.mkdir(parents=True, exist_ok=True)
    return {
        "embedded": True,
        "bus_url": f"local://embedded-{os.getpid()}-{secrets.token_hex(4)}",
        "token_keys": keys,
        "clock": "simulated" if stepped else "real",
        "intake_url": urls["intake"],
        "allow_private_webhooks": True,
        **secrets_of(keys),
        "service_token": issue(keys, "service", "feedback"),
    }


async def _all_ready(apps: Mapping[str, FastAPI], ended: asyncio.Future[int]) -> None:
    while not all(service_of(app).ready for app in apps.values()):
        if ended.done():
            raise ConfigError("a service did not start; its log above says why")
        await clock.pause(0.05)


async def run_one(name: str, settings: ServiceSettings, host: str, port: int) -> int:
    """One service in this process, on the addresses of its settings; answers the exit code."""
    if settings.bus_url.startswith("local:"):
        raise ConfigError("one service alone needs JIESU_BUS_URL=amqp://…: local:// is one process")
    if settings.clock == "simulated":
        with suppress(ValueError):
            clock.simulate(datetime.fromisoformat(os.environ.get("JIESU_CLOCK_START", "")))
        if not clock.is_stepped():
            clock.simulate(clock.real())
    tls = Tls()
    tls.trust()
    return await serve({port: part(name).app(settings)}, host, asyncio.Event(), **tls.serving())
