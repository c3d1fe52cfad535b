"""Clients that send slowly, too much, or nothing that is HTTP: on a real port, with real bytes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from operations.runtime.server import Server, config
from shared import clock
from tests.fixtures.bench import Bench, bench
from tests.fixtures.benches import Template
from tests.fixtures.ports import free_ports
from tests.fixtures.postgres import Postgres

HEAD, BODY = 0.3, 0.6  # seconds a request's head and body may take here
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /v1/tickets HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


class Line:
    """One connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, *pieces: bytes) -> None:
        """Send; a connection closed by the other side takes no more."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    async def close(self) -> None:
        """Hang up."""
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()

    async def rest(self) -> bytes:
        """Everything that comes until the other side closes."""
        try:
            return await self.reader.read()
        except ConnectionError:
            return b""

    async def drip(self, piece: bytes, every: float = 0.05) -> bytes:
        """Send a piece again and again, until the other side closes; what it said."""
        said = asyncio.create_task(self.rest())
        while not said.done():
            if not self.writer.transport.is_closing():
                self.writer.write(piece)
            await clock.pause(every)
        return await said


@asynccontextmanager
async def listening_on(one: Bench) -> AsyncIterator[int]:
    """The app on a port, as a service serves it."""
    [port] = free_ports(1)
    server = Server(config(one.app, "127.0.0.1", port, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await clock.pause(0.01)
    try:
        yield port
    finally:
        server.should_exit = True
        await serving


@pytest.fixture(scope="module")
async def port(postgres: Postgres, template: Template, keys: Path) -> AsyncIterator[int]:
    """Intake on a port, impatient, for four connections at most."""
    bounds = {"head_seconds": HEAD, "body_seconds": BODY, "connections": 4}
    async with (
        postgres.fresh_database(await template("intake")) as url,
        bench("intake", url, keys, **bounds) as one,
        listening_on(one) as port,
    ):
        yield port


Dial = Callable[[], Awaitable[Line]]


@pytest.fixture
async def dial(port: int) -> AsyncIterator[Dial]:
    """What opens a connection."""
    opened: list[Line] = []

    async def open_one() -> Line:
        opened.append(Line(*await asyncio.open_connection("127.0.0.1", port)))
        return opened[-1]

    yield open_one
    for line in opened:
        await line.close()


@pytest.fixture(autouse=True)
async def impatient() -> AsyncIterator[None]:
    """A test that waits for ever fails."""
    async with asyncio.timeout(20):
        yield


def problem(answer: bytes) -> tuple[int, str]:
    """Status and slug of an answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head, answer
    return int(head.split()[1]), json.loads(body)["type"].rpartition("/")[2]


# --- slowly ------------------------------------------------------------------------------------


async def test_who_says_nothing_is_hung_up_on(dial: Dial) -> None:
    assert await (await dial()).rest() == b""


@pytest.mark.parametrize("piece", [b"X-Slow: 1\r\n", b"\r\n", b"G"])
async def test_a_head_that_drips_is_not_waited_for(dial: Dial, piece: bytes) -> None:
    line = await dial()
    await line.send(b"GET /healthz HTTP/1.1\r\n" if piece.startswith(b"X") else b"\r\n")
    await line.drip(piece)


async def test_a_second_head_that_drips_is_not_waited_for_either(dial: Dial) -> None:
    line = await dial()
    await line.send(GET)
    assert (await line.drip(b"\r\n")).startswith(b"HTTP/1.1 200")


async def test_a_body_that_drips_is_a_408(dial: Dial) -> None:
    line = await dial()
    await line.send(POST + b"Content-Length: 100000\r\n\r\n")
    assert problem(await line.drip(b" ")) == (408, "too-slow")


async def test_a_body_in_chunks_that_never_ends_is_a_408(dial: Dial) -> None:
    line = await dial()
    await line.send(CHUNKED)
    assert problem(await line.drip(b"1\r\n \r\n")) == (408, "too-slow")


async def test_requests_one_behind_the_other_are_all_answered(dial: Dial) -> None:
    line = await dial()
    await line.send(GET * 5)
    assert (await line.rest()).count(b"HTTP/1.1 200") == 5


async def test_slow_ones_hold_up_others_only_until_they_are_hung_up_on(dial: Dial) -> None:
    slow = [await dial() for _ in range(4)]
    for line in slow:
        await line.send(b"GET /healthz HTTP/1.1\r\nX-Slow:")
    late = await dial()
    await late.send(GET)
    assert (await late.rest()).startswith(b"HTTP/1.1 503")
    for line in slow:
        await line.rest()
    again = await dial()
    await again.send(GET)
    assert (await again.reader.readline()).startswith(b"HTTP/1.1 200")


async def test_a_large_body_does_not_count_against_the_next_head(dial: Dial) -> None:
    line = await dial()
    await line.send(POST + b"Content-Length: 200000\r\n\r\n" + b" " * 200_000)
    head = await line.reader.readuntil(b"\r\n\r\n")
    [length] = [row[16:] for row in head.split(b"\r\n") if row.startswith(b"content-length:")]
    await line.reader.readexactly(int(length))
    await line.send(GET[:20])
    await clock.pause(0.05)  # a segment of its own
    await line.send(GET[20:])
    assert (await line.rest()).startswith(b"HTTP/1.1 200")


MANY = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 100  # more than any kernel buffers


async def test_who_does_not_read_the_answers_is_hung_up_on(dial: Dial) -> None:
    deaf = await dial()
    await deaf.send(MANY)
    await clock.pause(4 * BODY)
    assert 0 < (await deaf.rest()).count(b"HTTP/1.1 200") < 100


async def test_who_reads_slowly_gets_everything(dial: Dial) -> None:
    slow, said = await dial(), b""
    await slow.send(MANY)
    while said.count(b"HTTP/1.1 200") < 100:
        said += await slow.reader.readexactly(40_000)
        await clock.pause(0.01)


# --- too much ----------------------------------------------------------------------------------


async def test_a_head_without_end_is_hung_up_on(dial: Dial) -> None:
    line = await dial()
    await line.send(b"GET /healthz HTTP/1.1\r\n")
    assert await line.drip(b"X-Long: " + b"x" * 8_000 + b"\r\n", every=0.001) == b""


async def test_a_body_larger_than_any_complaint_is_not_read(dial: Dial) -> None:
    line = await dial()
    await line.send(POST + b"Content-Length: 300000\r\n\r\n")
    assert problem(await line.rest()) == (413, "too-large")


async def test_a_stranger_hands_in_no_batch(dial: Dial) -> None:
    line = await dial()
    large = POST.replace(b"/tickets", b"/tickets/batch") + b"Content-Length: 300000\r\n\r\n"
    await line.send(large)
    assert problem(await line.rest()) == (413, "too-large")


async def test_trailers_without_end_are_hung_up_on(dial: Dial) -> None:
    line = await dial()
    await line.send(CHUNKED + b"2\r\n{}\r\n0\r\n")
    await line.drip(b"X-Trailer: " + b"x" * 60_000 + b"\r\n", every=0.001)


# --- nothing that is HTTP ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",  # TLS to a plain port
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /%ff%00%0a HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz?%ff=\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://169.254.169.254/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET //elsewhere.example/healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT elsewhere.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"BREW /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\xff\xfe: 1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\ntraceparent: \xff\xfe\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        POST + b"Content-Length: -1\r\n\r\n{}",
        POST + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\n",
    ],
)
async def test_nothing_sent_is_a_500_or_ends_the_service(dial: Dial, request_: bytes) -> None:
    line = await dial()
    await line.send(request_)
    line.writer.write_eof()
    assert not (await line.rest()).startswith(b"HTTP/1.1 5")
    after = await dial()
    await after.send(GET)
    assert (await after.reader.readline()).startswith(b"HTTP/1.1 200")
