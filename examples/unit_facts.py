"""部门取件 How a unit takes its facts from Jiesu: from its queue, as a stream, or page by page.

    unit.<code> (AMQP)  ─┐
    feed, as a stream   ─┼─→ book (stored, each once) ─→ acknowledged ─→ heeded
    feed, page by page  ─┘

Facts come at least once and in no promised order. So each is stored under its id first, and only
then acknowledged: a system that dies in between gets it again, and knows it by its id.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aio_pika
import httpx
from aio_pika.abc import AbstractIncomingMessage

from examples.connection import Connection, Json, Query, rest

PREFETCH = 50
PAGE = 500
LOOK_AGAIN = 0.2  # seconds


def fact_in(text: str | bytes) -> Json:
    """The fact a text holds. Raises ValueError for what is none."""
    try:
        fact = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested without an end") from None
    named = isinstance(fact, dict) and all(isinstance(fact.get(key), str) for key in ("id", "type"))
    if not named:
        raise ValueError("a fact has an id and a type")
    return dict(fact)


class Book:
    """A unit's own store: every fact once, in a file, with the place it had in the feed.

    Without a file it forgets at its end, and the unit reads its feed from the beginning again. What
    cannot be read is parked: written aside as it came (``<book>.parked``) for a person to look at,
    and everything behind it goes on, also after a restart.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.facts: dict[str, Json] = {}
        self.parked: list[str] = []
        self.cursor = 0
        self._path = path
        self._aside = path.with_name(f"{path.name}.parked") if path else None
        for row in rows_of(self._aside):
            if parked := _parked_in(row):
                self.parked.append(parked["line"])
                self.cursor = max(self.cursor, parked["position"])
        for row in rows_of(path):
            self._remember(row)

    def _remember(self, row: bytes) -> None:
        """Take a row of the book as it was kept; a broken one is parked once."""
        try:
            kept = json.loads(row)
            fact, position = fact_in(json.dumps(kept["fact"])), int(kept["position"])
        except (ValueError, KeyError, TypeError, RecursionError):
            if (line := row.decode(errors="replace")) not in self.parked:
                self.park(line)
        else:
            self._hold(fact, position)

    def keep(self, fact: Json, position: int) -> bool:
        """Store a fact; False when it stood there already."""
        if fact["id"] in self.facts:
            return False
        _append(self._path, {"position": position, "fact": fact})
        self._hold(fact, position)
        return True

    def park(self, line: str, position: int = 0) -> None:
        """Write aside what cannot be read, and do not ask for it again."""
        _append(self._aside, {"position": position, "line": line})
        self.parked.append(line)
        self.cursor = max(self.cursor, position)

    def _hold(self, fact: Json, position: int) -> None:
        self.facts[fact["id"]] = fact
        self.cursor = max(self.cursor, position)


def rows_of(path: Path | None) -> list[bytes]:
    """The rows of a file; each ends at a line feed and nowhere else."""
    return [row for row in path.read_bytes().split(b"\n") if row] if path and path.exists() else []


def _parked_in(row: bytes) -> Json | None:
    try:
        parked = json.loads(row)
        return {"line": str(parked["line"]), "position": int(parked["position"])}
    except (ValueError, KeyError, TypeError, RecursionError):
        return None  # half written when we died: it is parked again


def _append(path: Path | None, row: Json) -> None:
    """One row in a line of its own: the last may be half written, as when we died over it."""
    if path is None:
        return
    written = json.dumps(row).encode()  # escaped: no letter of it can end a line
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            written = written if file.read(1) == b"\n" else b"\n" + written
        file.write(written + b"\n")


class UnitFacts:
    """The facts of one unit, as they come; ``heed`` is called with each new one."""

    def __init__(
        self, dispatcher: Connection, unit: str, book: Book, heed: Callable[[Json], None]
    ) -> None:
        self._dispatcher, self._unit, self._book, self._heed = dispatcher, unit, book, heed
        self._came: asyncio.Event | None = None  # set while facts are pushed to us
        for fact in book.facts.values():
            heed(fact)

    def _take(self, text: str | bytes, position: int = 0) -> None:
        """Store what came and heed it; what is no fact is parked, and the rest goes on."""
        try:
            fact = fact_in(text)
        except ValueError:
            line = text.decode(errors="replace") if isinstance(text, bytes) else text
            self._book.park(line, position)
        else:
            if self._book.keep(fact, position):
                self._heed(fact)
        if self._came:
            self._came.set()

    # --- three ways ----------------------------------------------------------------------------

    @asynccontextmanager
    async def consuming(self, amqp: str) -> AsyncIterator[None]:
        """Take facts from the queue while the block lasts (units with ``delivery: amqp``).

        The queue stands already; a unit's broker user may read it and nothing else.
        """
        self._came = asyncio.Event()
        async with await aio_pika.connect_robust(amqp) as connection:
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=PREFETCH)
            queue = await channel.get_queue(f"unit.{self._unit}", ensure=False)
            await queue.consume(self._take_message)
            yield

    async def _take_message(self, message: AbstractIncomingMessage) -> None:
        self._take(message.body)
        await message.ack()

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Take facts from the feed as a stream of server-sent events while the block lasts."""
        self._came = asyncio.Event()
        following = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def _follow(self) -> None:
        """Jiesu ends a stream now and then, and networks do: go on where it ended."""
        while True:
            try:
                async for position, text in self._events():
                    self._take(text, position)
            except httpx.TransportError:
                await rest(LOOK_AGAIN)
            except httpx.HTTPStatusError as refused:
                if refused.response.status_code < 500:
                    raise
                await rest(LOOK_AGAIN)

    async def _events(self) -> AsyncIterator[tuple[int, bytes]]:
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(self._book.cursor)}
        position = 0
        async for line in self._dispatcher.lines(self._path, headers):
            field, _, value = line.partition(b": ")
            if field == b"id" and value.isdigit():
                position = int(value)
            elif field == b"data":
                yield position, value

    async def read(self) -> bool:
        """Take what has come to the feed since the last time, page by page; False for nothing."""
        start, more = self._book.cursor, True
        while more:
            query: Query = {"after": self._book.cursor, "limit": PAGE}
            page = await self._dispatcher.get(self._path, query)
            for item in page["items"]:
                self._take(json.dumps(item["fact"]), item["position"])
            more = page["more"]
        return self._book.cursor > start

    @property
    def _path(self) -> str:
        return f"/v1/units/{self._unit}/feed"

    async def wait(self) -> None:
        """Until more facts may have come, by whichever of the ways is open."""
        if self._came is None:
            if not await self.read():
                await rest(LOOK_AGAIN)
        else:
            await self._came.wait()
            self._came.clear()
