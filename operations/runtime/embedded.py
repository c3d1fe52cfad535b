"""All services embedded in one process, for ``make run``, the demo and the tests."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from base64 import b64encode
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from fastapi import FastAPI

from operations.runtime.registry import NAMES, part
from operations.runtime.runner import lay_out
from operations.runtime.server import HOST, check_ports, serve
from shared import clock
from shared.errors import ConfigError
from shared.security.tokens import issue, make_key
from shared.service import service_of, state_of
from shared.storage.migrations import migrate


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
        return issue(self.keys, role, unit or f"embedded-{role}", unit, days=1)


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
    check_ports(ports.values())
    clock.simulate(stepped_from)
    urls = {name: f"http://{HOST}:{port}" for name, port in ports.items()}
    common = _common(var / "keys", urls, stepped_from is not None) | settings
    apps = {name: await _app(name, server, common) for name in NAMES}
    services = [service_of(app) for app in apps.values()]
    for app in apps.values():
        state_of(app).on_this_clock = services
    await lay_out(common["bus_url"], services[0].settings.config_dir)
    stop = asyncio.Event()
    ended = asyncio.ensure_future(
        serve({ports[name]: app for name, app in apps.items()}, HOST, stop)
    )
    try:
        await _all_answer(ports.values(), ended)
        yield System(urls, Path(common["token_keys"]), apps, stop, ended)
    finally:
        stop.set()
        await ended


def _common(keys: Path, urls: Mapping[str, str], stepped: bool) -> dict[str, Any]:
    """What every service is told unless somebody says otherwise; each knows where its neighbours
    are, and takes of it what it has a field for.
    """
    return {
        "embedded": True,
        "bus_url": f"local://embedded-{os.getpid()}-{secrets.token_hex(4)}",
        "token_keys": keys,
        "clock": "simulated" if stepped else "real",
        "allow_private_webhooks": True,
        **{f"{name}_url": url for name, url in urls.items()},
        **secrets_of(keys),
    }


async def _app(name: str, server: Databases, common: Mapping[str, Any]) -> FastAPI:
    """One service on a database of its own with the schema of this version."""
    url = await server.ensure(f"jiesu_{name}")
    await migrate(url, part(name).migrations)
    addresses = {"database_url": url, "bus_url": common["bus_url"].replace("{service}", name)}
    token = {"service_token": _service_token(Path(common["token_keys"]), name)}
    return part(name).app(part(name).settings(**token | dict(common) | addresses))


def _service_token(keys: Path, name: str) -> str:
    try:
        return issue(keys, "service", name)
    except ValueError as error:  # no private key in the folder that was given
        raise ConfigError(str(error)) from None


async def _all_answer(ports: Iterable[int], ended: asyncio.Future[int]) -> None:
    """Wait until each port is listened on: that comes after a service calls itself ready."""
    for port in ports:
        while not await _listens(port):
            if ended.done():
                raise ConfigError("a service did not start; its log above says why")
            await clock.pause(0.05)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    return True


# --- its secrets -------------------------------------------------------------------------------

KEYS = ("index", "vault", "webhook")


def secrets_of(folder: Path) -> dict[str, Any]:
    """The keys of an embedded system: made at its first start, found again at the next."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "secrets.json"
    if not path.exists():
        if not (folder / "0001.key.pem").exists():  # an earlier first start may have been cut
            make_key(folder, "0001")  # sorts before later ones: the last id signs
        made = {name: b64encode(secrets.token_bytes(32)).decode() for name in KEYS}
        unfinished = path.with_suffix(".new")
        unfinished.touch(mode=0o600)
        unfinished.write_text(json.dumps(made))
        unfinished.rename(path)
    known = _known_secrets(path)
    return {
        "index_key": known["index"],
        "vault_keys": known.get("vault_keys", {"embedded": known["vault"]}),
        "vault_current": known.get("vault_current", "embedded"),
        "webhook_secret": known["webhook"],
    }


def _known_secrets(path: Path) -> dict[str, Any]:
    try:
        known: dict[str, Any] = json.loads(path.read_text())
        if set(KEYS) <= known.keys():
            return known
    except (ValueError, AttributeError):
        pass
    raise ConfigError(
        f"{path}: 内容残缺，请用备份替换；删除它会使保险箱永远打不开 it is damaged: put a copy of it back; "
        "who deletes it shuts the vault for ever"
    )
