"""Runs one service in a process of its own, as in production."""

from __future__ import annotations

import asyncio
import gc
import os
from datetime import datetime
from pathlib import Path

import uvloop

from operations.runtime.registry import PORTS, part, service_queues, settings_of, topology
from operations.runtime.server import HOST, serve
from operations.runtime.tls import Tls
from shared import clock
from shared.errors import ConfigError
from shared.messaging.connect import connect
from shared.messaging.local_bus import LocalBus
from shared.observability import configure_logs
from shared.settings import ServiceSettings


def run_process(name: str) -> int:
    """Run a service as the environment says, until it is told to stop; answers the exit code."""
    settings = settings_of(name)
    configure_logs(settings.log_level)
    host, port = os.environ.get("JIESU_HOST") or HOST, os.environ.get("JIESU_PORT") or PORTS[name]
    return uvloop.run(run_one(name, settings, host, int(port)))


async def run_one(name: str, settings: ServiceSettings, host: str, port: int) -> int:
    """One service in this process, on the addresses of its settings; answers the exit code."""
    if settings.bus_url.startswith("local:"):
        raise ConfigError("one service alone needs JIESU_BUS_URL=amqp://…: local:// is one process")
    clock.simulate(stepped_from(settings))
    tls = Tls()
    tls.trust()
    app = part(name).app(settings)
    gc.collect()
    gc.freeze()  # what was imported and built stays: it is looked through no more, and garbage sooner
    return await serve({port: app}, host, asyncio.Event(), **tls.serving())


def stepped_from(settings: ServiceSettings) -> datetime | None:
    """Where the stepped clock starts that settings ask for; None where it is real."""
    return (settings.clock_start or clock.real()) if settings.clock == "simulated" else None


async def lay_out(bus_url: str, config_dir: Path) -> None:
    """Queues stand before anything is said. Nobody outside can take a unit's from a local bus.

    ``{service}`` in the address becomes ``migrate``, who may lay everything out.
    """
    bus = connect(bus_url.replace("{service}", "migrate"))
    if isinstance(bus, LocalBus):
        await bus.declare(service_queues())
    else:
        await bus.declare(topology(config_dir))
        await bus.close()
