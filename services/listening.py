"""How a service listens: what uvicorn is told, and a connection that waits for nobody for ever.

uvicorn bounds how many connections there are and how long an idle one is kept. It waits without end
for the head of a request, and takes one of any size; here both end.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.guard import LARGEST_BATCH
from shared.settings import ServiceSettings

LARGEST_HEAD = 64 * 1024
LARGEST_MESSAGE = (
    2 * LARGEST_BATCH
)  # in chunks of a few bytes each, a body takes far more than it is


def config(app: FastAPI, host: str, port: int, **tls: Any) -> uvicorn.Config:
    """How uvicorn serves an app of ours; ``tls`` is what it needs to serve HTTPS."""
    settings: ServiceSettings = app.state.service.settings
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=partial(ImpatientProtocol, settings.head_seconds),  # type: ignore[arg-type]
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


class ImpatientProtocol(HttpToolsProtocol):
    """A connection that is closed when no head of a request comes in time, or too much of one."""

    def __init__(self, head_seconds: float, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._head_seconds = head_seconds
        self._size = 0
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._size += len(data)  # before: the end of a message, if it is in here, sets it back
        super().data_received(data)
        if self._size > (LARGEST_HEAD if self._patience else LARGEST_MESSAGE):
            self.transport.close()

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._size = 0

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self._await_head()

    def _await_head(self) -> None:
        """Whatever comes meanwhile: uvicorn's own timer starts again at every byte."""
        self._stop_waiting()
        self._patience = self.loop.call_later(self._head_seconds, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._patience:
            self._patience.cancel()
            self._patience = None
