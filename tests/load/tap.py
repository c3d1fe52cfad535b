"""What services say to their databases, counted on the way: whatever driver or library says it.

A tap stands between a service and PostgreSQL, passes every byte on, and reads what the service
sends. (Neither pg_stat_statements nor a count of statements is in every PostgreSQL we run on.)
It costs time, so nothing else is measured through it. The messages are those of
https://www.postgresql.org/docs/current/protocol-message-formats.html.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy import make_url

from tests.fixtures.ports import HOST

ENCRYPTION = (80877103, 80877104)  # what a client asks first, as if it were a version: TLS or GSS
SHOWN = 100  # letters of a statement
CHUNK = 2**16
Address = tuple[str, int] | str  # host and port, or the path of a socket


@dataclass(slots=True)
class Reading:
    """Statements of one connection, read as they are sent.

    One is what is executed up to the next round trip: many rows given to one statement count once,
    as they are one call of the driver's. BEGIN, COMMIT and ROLLBACK are statements, too.
    """

    counts: Counter[str]
    service: str = ""
    _left: bytes = b""
    _prepared: dict[bytes, str] = field(default_factory=dict)
    _bound: dict[bytes, str] = field(default_factory=dict)
    _executed: set[str] = field(default_factory=set)

    def feed(self, data: bytes) -> None:
        """Take what was sent, in pieces of any size."""
        data, at = self._left + data, 0
        while len(data) - at >= 5:
            end = at + 1 + int.from_bytes(data[at + 1 : at + 5])
            if end > len(data):
                break
            self._message(data[at : at + 1], data[at + 5 : end])
            at = end
        self._left = data[at:]

    def _message(self, kind: bytes, body: bytes) -> None:
        match kind:
            case b"Q":
                self._count(_shown(body.rstrip(b"\0")))
            case b"P":
                name, query, _ = body.split(b"\0", 2)
                self._prepared[name] = _shown(query)
            case b"B":
                portal, name, _ = body.split(b"\0", 2)
                self._bound[portal] = self._prepared.get(name, "?")
            case b"E":
                self._executed.add(self._bound.get(body.split(b"\0", 1)[0], "?"))
            case b"S":
                self._count(*self._executed)
                self._executed.clear()

    def _count(self, *queries: str) -> None:
        self.counts.update(f"{self.service}: {query}" for query in queries)


def _shown(query: bytes) -> str:
    return " ".join(query.decode(errors="replace").split())[:SHOWN].rstrip(";")


@asynccontextmanager
async def tapped(url: str, service: str, counts: Counter[str]) -> AsyncIterator[str]:
    """The address at which a service's database is found while its statements are counted."""
    serve = _serving(_address(url), lambda: Reading(counts, service))
    server = await asyncio.start_server(serve, HOST, 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        here = make_url(url).set(host=HOST, port=port, query={})
        yield here.render_as_string(hide_password=False)


def _address(url: str) -> Address:
    address = make_url(url)
    if folder := address.query.get("host"):
        return f"{folder}/.s.PGSQL.{address.port or 5432}"
    return address.host or HOST, address.port or 5432


def _serving(
    address: Address, reading: Callable[[], Reading]
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def serve(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        if isinstance(address, str):
            server, to_server = await asyncio.open_unix_connection(address)
        else:
            server, to_server = await asyncio.open_connection(*address)
        try:
            await _greet(client, to_client, to_server)
            await asyncio.gather(
                _pass_on(client, to_server, reading().feed), _pass_on(server, to_client)
            )
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # one of them hung up
        finally:
            to_client.close()
            to_server.close()

    return serve


async def _greet(
    client: asyncio.StreamReader, to_client: asyncio.StreamWriter, to_server: asyncio.StreamWriter
) -> None:
    """The first message has no kind; encryption is refused, for then nothing could be read."""
    while True:
        size = await client.readexactly(4)
        rest = await client.readexactly(int.from_bytes(size) - 4)
        if int.from_bytes(rest[:4]) not in ENCRYPTION:
            to_server.write(size + rest)
            return
        to_client.write(b"N")


async def _pass_on(
    source: asyncio.StreamReader,
    target: asyncio.StreamWriter,
    read: Callable[[bytes], None] = lambda _: None,
) -> None:
    while data := await source.read(CHUNK):
        target.write(data)
        await target.drain()
        read(data)
    target.close()
