"""How the trials' clients reach the services: through the gateway like everybody, and counting."""

from __future__ import annotations

import ssl

import httpx


class Counted(httpx.AsyncBaseTransport):
    """A plain transport that counts what it saw: ``requests``, those ``cut``, answers of 500 and above."""

    def __init__(self) -> None:
        limits = httpx.Limits(max_connections=32, max_keepalive_connections=32)
        context = ssl.create_default_context()
        self._wire = httpx.AsyncHTTPTransport(limits=limits, verify=context)
        self.requests = self.cut = self.unwell = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Raises httpx.TransportError."""
        self.requests += 1
        try:
            answer = await self._wire.handle_async_request(request)
        except httpx.TransportError:
            self.cut += 1
            raise
        self.unwell += answer.status_code >= 500
        return answer

    async def aclose(self) -> None:
        """Close every connection."""
        await self._wire.aclose()


def open_http(transport: Counted) -> httpx.AsyncClient:
    """A client over it."""
    return httpx.AsyncClient(transport=transport, trust_env=False, timeout=15)
