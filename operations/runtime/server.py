"""How a service listens: what uvicorn is told, and a connection that waits for nobody for ever.

uvicorn bounds how many connections there are and how long an idle one is kept. It waits without end
for the head of a request, takes one of any size, and keeps what a client does not read for as long
as the client likes; here all three end.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from operations.runtime.reload import watch
from shared.errors import ConfigError
from shared.http.rate_limits import LARGEST_BATCH
from shared.service import DEAD, Service, service_of

HOST = "127.0.0.1"
LARGEST_HEAD = 64 * 1024
READ_AT_LEAST = 16 * 1024  # bytes of what waits, within read_seconds: a modem is faster
LARGEST_MESSAGE = (
    2 * LARGEST_BATCH
)  # in chunks of a few bytes each, a body takes far more than it is


def check_ports(ports: Iterable[int]) -> None:
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


def config(app: FastAPI, host: str, port: int, **tls: Any) -> uvicorn.Config:
    """How uvicorn serves an app of ours; ``tls`` is what it needs to serve HTTPS."""
    settings = service_of(app).settings
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=partial(ImpatientProtocol, settings.head_seconds, settings.body_seconds),  # type: ignore[arg-type]
        ws="none",
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        limit_concurrency=settings.connections,
        server_header=False,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=3,
        **tls,
    )


async def _drain(services: list[Service], serving: list[asyncio.Task[None]]) -> None:
    """Say on /readyz that work should go elsewhere, and go on serving until nobody sends any."""
    seconds = max(service.settings.drain_seconds for service in services)
    if seconds:
        for service in services:
            service.ready = False
        await asyncio.wait(serving, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)


class Server(uvicorn.Server):
    """A uvicorn server that leaves signals to us: several of them share one loop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(apps: Mapping[int, FastAPI], host: str, stop: asyncio.Event, **tls: Any) -> int:
    """Serve apps by port until stop, SIGINT or SIGTERM; the exit code tells if a loop died.

    ``tls`` is what uvicorn needs to serve HTTPS.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    servers = [Server(config(app, host, port, **tls)) for port, app in apps.items()]
    serving = [asyncio.create_task(server.serve()) for server in servers]
    stopping = asyncio.create_task(stop.wait())
    watching = asyncio.create_task(watch([service_of(app) for app in apps.values()], stop))
    await asyncio.wait([stopping, watching, *serving], return_when=asyncio.FIRST_COMPLETED)
    await _drain([service_of(app) for app in apps.values()], serving)
    for app in apps.values():
        service_of(app).begin_stop()  # open streams end; uvicorn waits for them
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*serving)
    stopping.cancel()
    watching.cancel()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.remove_signal_handler(number)
    broken = watching.done() and not watching.cancelled() and watching.exception()
    if broken or any(service_of(app).died for app in apps.values()):
        return DEAD
    return 0 if stop.is_set() else 1


class ImpatientProtocol(HttpToolsProtocol):
    """A connection that is closed when no head of a request comes in time, or too much of one, or
    when its client does not read what it asked for.
    """

    def __init__(
        self, head_seconds: float, read_seconds: float, *args: Any, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self._head_seconds = head_seconds
        self._read_seconds = read_seconds
        self._size = 0
        self._patience: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._stop_watching()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.transport.is_closing():
            self._stop_watching()

    def data_received(self, data: bytes) -> None:
        self._size += len(data)  # before: the end of a message, if it is in here, sets it back
        super().data_received(data)
        if self._size > (LARGEST_HEAD if self._patience else LARGEST_MESSAGE):
            self._hang_up()

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._size = 0

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._hang_up()
        elif self.cycle.response_complete:
            self._await_head()

    def _await_head(self) -> None:
        """Whatever comes meanwhile: uvicorn's own timer starts again at every byte."""
        self._stop_waiting()
        self._patience = self.loop.call_later(self._head_seconds, self._hang_up)

    def _hang_up(self) -> None:
        """Close; what the client has not read by then is sent, but not waited for without end."""
        self.transport.close()
        self._stop_watching()
        self._unread = self.loop.call_later(self._read_seconds, self.transport.abort)

    def _watch(self, waiting: int) -> None:
        """So much waits to be read; some of it must be, each time we look."""
        self._stop_watching()
        self._unread = self.loop.call_later(self._read_seconds, self._look, waiting)

    def _look(self, before: int) -> None:
        waiting = self.transport.get_write_buffer_size()
        if waiting > before - READ_AT_LEAST:
            self.transport.abort()
        else:
            self._watch(waiting)

    def _stop_watching(self) -> None:
        if self._unread:
            self._unread.cancel()
            self._unread = None

    def _stop_waiting(self) -> None:
        if self._patience:
            self._patience.cancel()
            self._patience = None
