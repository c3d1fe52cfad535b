"""How a client outside meets several replicas: it knows all their addresses, and uses one that answers.

A refused connection is tried at the next address at once. A connection that is cut is the caller's
to repeat: only a request with an Idempotency-Key may be sent again (examples/connection.py does).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import httpx


class Replicas(httpx.AsyncBaseTransport):
    """``http://intake/…`` goes to one of intake's addresses (``host:port``): the last that answered.

    Counts what it saw: ``requests``, those ``cut`` after connecting, answers of 500 and above.
    """

    def __init__(self, addresses: Mapping[str, Sequence[str]]) -> None:
        self._addresses = {name: list(known) for name, known in addresses.items()}
        limits = httpx.Limits(max_connections=32, max_keepalive_connections=32)
        self._wire = httpx.AsyncHTTPTransport(limits=limits)
        self.requests = self.cut = self.unwell = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Raises httpx.TransportError."""
        known = self._addresses[request.url.host]
        self.requests += 1
        for address in known[:]:
            host, _, port = address.partition(":")
            request.url = request.url.copy_with(host=host, port=int(port))
            try:
                answer = await self._wire.handle_async_request(request)
            except httpx.ConnectError:
                self._last(known, address)
            except httpx.TransportError:
                self._last(known, address)
                self.cut += 1
                raise
            else:
                self.unwell += answer.status_code >= 500
                return answer
        raise httpx.ConnectError("no replica answers", request=request)

    @staticmethod
    def _last(known: list[str], address: str) -> None:
        """Try this address last from now on; another request may have said so already."""
        if known[0] == address:
            known.append(known.pop(0))

    async def aclose(self) -> None:
        """Close every connection."""
        await self._wire.aclose()


def open_http(transport: Replicas) -> httpx.AsyncClient:
    """A client over replicas, for a Connection per service at ``http://<service>``."""
    return httpx.AsyncClient(transport=transport, trust_env=False, timeout=15)
