"""Clients that send slowly, too much, or nothing that is HTTP: on a real port, with real bytes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from shared import clock
from tests.fixtures.bench import bench
from tests.fixtures.benches import Template
from tests.fixtures.lines import Line, Listening, listening
from tests.fixtures.patience import WITHIN
from tests.fixtures.postgres import Postgres

HEAD, BODY = 1.5, 0.6  # seconds a request's head and body may take where they are looked at
SLOWLY = 3.0  # where some of an answer must be read in a while: nobody here sleeps that long
PATIENT = 600.0  # where they are not: no busy machine may make a client slow that is not
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /v1/tickets HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@asynccontextmanager
async def intake_on_a_port(
    postgres: Postgres, template: Template, keys: Path, **bounds: float
) -> AsyncIterator[Listening]:
    """Intake with bounds for its clients, on a port."""
    async with (
        postgres.fresh_database(await template("intake")) as url,
        bench("intake", url, keys, **bounds) as one,
        listening(one) as listens,
    ):
        yield listens


@pytest.fixture(scope="module")
async def heads(postgres: Postgres, template: Template, keys: Path) -> AsyncIterator[Listening]:
    """A server that waits for no head, for four connections at most."""
    bounds = {"head_seconds": HEAD, "body_seconds": PATIENT, "connections": 4}
    async with intake_on_a_port(postgres, template, keys, **bounds) as listens:
        yield listens


@pytest.fixture(scope="module")
async def bodies(postgres: Postgres, template: Template, keys: Path) -> AsyncIterator[Listening]:
    """A server that waits for no body, and for nobody who does not read."""
    bounds = {"head_seconds": PATIENT, "body_seconds": BODY}
    async with intake_on_a_port(postgres, template, keys, **bounds) as listens:
        yield listens


Dial = Callable[[Listening], Awaitable[Line]]


@pytest.fixture
async def dial() -> AsyncIterator[Dial]:
    """What opens a connection; it is forgotten before the next test."""
    opened: list[tuple[Listening, Line]] = []

    async def open_one(to: Listening) -> Line:
        opened.append((to, await to.dial()))
        return opened[-1][1]

    yield open_one
    for _, line in opened:
        await line.close()
    for to, _ in opened:
        await to.is_alone()


@pytest.fixture(autouse=True)
async def impatient() -> AsyncIterator[None]:
    """A test that waits for ever fails."""
    async with asyncio.timeout(WITHIN):
        yield


def problem(answer: bytes) -> tuple[int, str]:
    """Status and slug of an answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head, answer
    return int(head.split()[1]), json.loads(body)["type"].rpartition("/")[2]


# --- slowly ------------------------------------------------------------------------------------


async def test_who_says_nothing_is_hung_up_on(heads: Listening, dial: Dial) -> None:
    assert await (await dial(heads)).rest() == b""


@pytest.mark.parametrize("piece", [b"X-Slow: 1\r\n", b"\r\n", b"G"])
async def test_a_head_that_drips_is_not_waited_for(
    heads: Listening, dial: Dial, piece: bytes
) -> None:
    line = await dial(heads)
    await line.send(b"GET /healthz HTTP/1.1\r\n" if piece.startswith(b"X") else b"\r\n")
    await line.drip(piece)


async def test_a_second_head_that_drips_is_not_waited_for_either(
    heads: Listening, dial: Dial
) -> None:
    line = await dial(heads)
    await line.send(GET)
    assert (await line.drip(b"\r\n")).startswith(b"HTTP/1.1 200")


async def test_a_body_that_drips_is_a_408(bodies: Listening, dial: Dial) -> None:
    line = await dial(bodies)
    await line.send(POST + b"Content-Length: 100000\r\n\r\n")
    assert problem(await line.drip(b" ")) == (408, "too-slow")


async def test_a_body_in_chunks_that_never_ends_is_a_408(bodies: Listening, dial: Dial) -> None:
    line = await dial(bodies)
    await line.send(CHUNKED)
    assert problem(await line.drip(b"1\r\n \r\n")) == (408, "too-slow")


async def test_requests_one_behind_the_other_are_all_answered(
    bodies: Listening, dial: Dial
) -> None:
    line = await dial(bodies)
    await line.send(GET * 5)
    for _ in range(5):
        assert (await line.answer()).startswith(b"HTTP/1.1 200")


async def test_slow_ones_hold_up_others_only_until_they_are_hung_up_on(
    heads: Listening, dial: Dial
) -> None:
    slow = [await dial(heads) for _ in range(4)]
    for line in slow:
        await line.send(b"GET /healthz HTTP/1.1\r\nX-Slow:")
    late = await dial(heads)
    await late.send(GET)
    assert (await late.rest()).startswith(b"HTTP/1.1 503")
    for line in slow:
        await line.rest()
    again = await dial(heads)
    await again.send(GET)
    assert (await again.reader.readline()).startswith(b"HTTP/1.1 200")


async def test_a_large_body_does_not_count_against_the_next_head(
    bodies: Listening, dial: Dial
) -> None:
    line = await dial(bodies)
    await line.send(POST + b"Content-Length: 200000\r\n\r\n" + b" " * 200_000)
    await line.answer()
    await line.send(GET[:20])
    await clock.pause(0.05)  # a segment of its own
    await line.send(GET[20:])
    assert (await line.answer()).startswith(b"HTTP/1.1 200")


MANY = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 100  # more than any kernel buffers


async def test_who_does_not_read_the_answers_is_hung_up_on(bodies: Listening, dial: Dial) -> None:
    deaf = await dial(bodies)
    await deaf.send(MANY)
    await bodies.is_dialled()
    await bodies.is_alone()
    assert 0 < (await deaf.rest()).count(b"HTTP/1.1 200") < 100


async def test_who_reads_slowly_gets_everything(
    postgres: Postgres, template: Template, keys: Path
) -> None:
    """All in all it takes longer than a client may take to read some of it."""
    bounds, said = {"head_seconds": PATIENT, "body_seconds": SLOWLY}, b""
    async with intake_on_a_port(postgres, template, keys, **bounds) as listens:
        slow = await listens.dial()
        await slow.send(MANY)
        began = clock.real()
        while said.count(b"HTTP/1.1 200") < 100:
            said += await slow.reader.readexactly(160_000)
            await clock.pause(0.04)
        assert clock.real() - began > timedelta(seconds=SLOWLY)
        await slow.close()


# --- too much ----------------------------------------------------------------------------------


async def test_a_head_without_end_is_hung_up_on(bodies: Listening, dial: Dial) -> None:
    line = await dial(bodies)
    await line.send(b"GET /healthz HTTP/1.1\r\n")
    assert await line.drip(b"X-Long: " + b"x" * 8_000 + b"\r\n", every=0.001) == b""


async def test_a_body_larger_than_any_complaint_is_not_read(bodies: Listening, dial: Dial) -> None:
    line = await dial(bodies)
    await line.send(POST + b"Content-Length: 300000\r\n\r\n")
    assert problem(await line.rest()) == (413, "too-large")


async def test_a_stranger_hands_in_no_batch(bodies: Listening, dial: Dial) -> None:
    line = await dial(bodies)
    large = POST.replace(b"/tickets", b"/tickets/batch") + b"Content-Length: 300000\r\n\r\n"
    await line.send(large)
    assert problem(await line.rest()) == (413, "too-large")


async def test_trailers_without_end_are_hung_up_on(bodies: Listening, dial: Dial) -> None:
    line = await dial(bodies)
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
async def test_nothing_sent_is_a_500_or_ends_the_service(
    bodies: Listening, dial: Dial, request_: bytes
) -> None:
    line = await dial(bodies)
    await line.send(request_)
    line.writer.write_eof()
    assert not (await line.rest()).startswith(b"HTTP/1.1 5")
    after = await dial(bodies)
    await after.send(GET)
    assert (await after.reader.readline()).startswith(b"HTTP/1.1 200")
