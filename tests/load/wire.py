"""HTTP/1.1 with next to no cost: who measures on the same cores must not be what is measured.

Bytes out, status and body in; connections are kept alive, one request at a time on each. Answers
must say their length, as this project's do.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import cast
from urllib.parse import urlsplit

from tests.load.calls import Call

PATIENCE = 60.0  # seconds
END = b"\r\n\r\n"
LENGTH = b"\r\ncontent-length:"


class NoAnswer(Exception):
    """The connection broke or was refused, or there was no answer in time."""


class Line(asyncio.Protocol):
    """One connection; ``used``: it has carried an answer, so the other side may have hung up."""

    def __init__(self) -> None:
        self.used = False
        self.closed = False
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._came = b""
        self._end = 0  # of the answer in hand, once its head is known

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if self._answer and not self._answer.done():
            self._answer.set_exception(NoAnswer("the connection broke"))

    def send(self, request: bytes) -> asyncio.Future[tuple[int, bytes]]:
        """Send a request; status and body of its answer."""
        self._answer = asyncio.get_running_loop().create_future()
        if self._transport is None or self.closed:
            self._answer.set_exception(NoAnswer("the connection is closed"))
        else:
            self._transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._came = self._came + data if self._came else data
        if not self._end:
            head = self._came.find(END)
            if head < 0:
                return
            self._end = head + len(END) + _length(self._came[:head].lower())
        if len(self._came) >= self._end and self._answer and not self._answer.done():
            body = self._came[self._came.find(END) + len(END) : self._end]
            status = int(self._came[9:12])
            self._came, self._end, self.used = b"", 0, True
            self._answer.set_result((status, body))

    def close(self) -> None:
        """Hang up."""
        if self._transport:
            self._transport.close()


def _length(head: bytes) -> int:
    at = head.find(LENGTH)
    return int(head[at + len(LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0


class Wire:
    """Connections to one server, at most ``limit`` at once; they wait in line for a free one."""

    def __init__(self, url: str, limit: int = 64) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"不是地址 not an address: {url!r}; such as http://127.0.0.1:8001")
        self._host = parts.hostname
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._authority = parts.netloc.rpartition("@")[2]
        self._free: list[Line] = []
        self._turn = asyncio.Semaphore(limit)

    def encode(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> bytes:
        """A request as bytes, so that it can be made before it is timed."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._authority}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode() + END + body

    async def call(self, call: Call) -> tuple[int, bytes]:
        """Make a call. Raises NoAnswer."""
        return await self.send(self.encode(call.method, call.path, call.body, call.headers))

    async def send(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer to an encoded request. Raises NoAnswer.

        A server may hang up on a connection that rests; such a request is sent once more.
        """
        async with self._turn:
            line = await self._line()
            try:
                return await self._on(line, request)
            except NoAnswer:
                if not line.used:
                    raise
            return await self._on(await self._open(), request)

    async def _on(self, line: Line, request: bytes) -> tuple[int, bytes]:
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await line.send(request)
        except BaseException as error:
            line.close()
            if isinstance(error, TimeoutError):
                line.used = False  # it may be at work on it: not again
                raise NoAnswer(f"no answer within {PATIENCE:.0f} s") from None
            raise
        self._free.append(line)
        return answer

    async def _line(self) -> Line:
        while self._free:
            line = self._free.pop()
            if not line.closed:
                return line
        return await self._open()

    async def _open(self) -> Line:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(PATIENCE):
                _, line = await loop.create_connection(Line, self._host, self._port, ssl=self._tls)
        except (OSError, TimeoutError) as error:
            raise NoAnswer(f"{self._authority}: {type(error).__name__}") from None
        return line

    def close(self) -> None:
        """Hang up on every connection."""
        for line in self._free:
            line.close()
