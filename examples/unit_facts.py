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


class Book:
    """A unit's own store: every fact once, in a file, with the place it had in the feed.

    Without a file it forgets at its end, and the unit reads its feed from the beginning again.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.facts: dict[str, Json] = {}
        self.cursor = 0
        self._path = path
        if path and path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                self._hold(row["fact"], row["position"])

    def keep(self, fact: Json, position: int) -> bool:
        """Store a fact; False when it stood there already."""
        if fact["id"] in self.facts:
            return False
        if self._path:
            row = json.dumps({"position": position, "fact": fact}, ensure_ascii=False)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(row + "\n")
        self._hold(fact, position)
        return True

    def _hold(self, fact: Json, position: int) -> None:
        self.facts[fact["id"]] = fact
        self.cursor = max(self.cursor, position)


class UnitFacts:
    """The facts of one unit, as they come; ``heed`` is called with each new one."""

    def __init__(
        self, dispatcher: Connection, unit: str, book: Book, heed: Callable[[Json], None]
    ) -> None:
        self._dispatcher, self._unit, self._book, self._heed = dispatcher, unit, book, heed
        self._came: asyncio.Event | None = None  # set while facts are pushed to us
        for fact in book.facts.values():
            heed(fact)

    def _take(self, fact: Json, position: int = 0) -> None:
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
        self._take(json.loads(message.body))
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
                async for position, fact in self._events():
                    self._take(fact, position)
            except httpx.TransportError:
                await rest(LOOK_AGAIN)
            except httpx.HTTPStatusError as refused:
                if refused.response.status_code < 500:
                    raise
                await rest(LOOK_AGAIN)

    async def _events(self) -> AsyncIterator[tuple[int, Json]]:
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(self._book.cursor)}
        position = 0
        async for line in self._dispatcher.lines(self._path, headers):
            field, _, value = line.partition(": ")
            if field == "id":
                position = int(value)
            elif field == "data":
                yield position, json.loads(value)

    async def read(self) -> bool:
        """Take what has come to the feed since the last time, page by page; False for nothing."""
        start, more = self._book.cursor, True
        while more:
            query: Query = {"after": self._book.cursor, "limit": PAGE}
            page = await self._dispatcher.get(self._path, query)
            for item in page["items"]:
                self._take(item["fact"], item["position"])
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
