"""部门系统 A department's system on Jiesu's public interfaces: what a vendor would start from.

    dispatcher ──AMQP queue unit.<code>, or GET /v1/units/<code>/feed──→ its own book of facts
    department ──sign · contact · complete · return (dispatcher), extension (tracker)──→ Jiesu

Facts come at least once and in no promised order. So each is stored under its id, and only then
acknowledged; what the department must do follows from the facts it holds.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import aio_pika
import httpx
from aio_pika.abc import AbstractIncomingMessage

from examples.connection import Connection, Json


@dataclass(frozen=True, slots=True)
class Order:
    """派单: one work order. ``id`` names the assignment; ``data`` is the dispatch as it came."""

    id: str
    ticket: str
    round: int
    dispatched: datetime
    data: Json

    @property
    def leads(self) -> bool:
        """主办 leads and answers the citizen; 协办 answers to the lead."""
        return bool(self.data["role"] == "lead")


@dataclass(frozen=True, slots=True)
class Step:
    """What to do on an order, and when: sign, contact, complete, return or extend."""

    at: datetime
    act: str
    form: Json


Plan = Callable[[Order], Iterable[Step]]  # how this department handles an order
OVER = {"assignment.cancelled", "assignment.returned"}  # the order is no longer ours


class Book:
    """The department's own store: every fact once, in a file, with the place in the feed."""

    def __init__(self, path: Path | None = None) -> None:
        self.facts: dict[str, Json] = {}
        self.cursor = 0
        self._path = path
        if path and path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                self._hold(row["fact"], row["cursor"])

    def keep(self, fact: Json, cursor: int = 0) -> bool:
        """Store a fact; False when it had been stored before."""
        new = fact["id"] not in self.facts
        if self._path:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"fact": fact, "cursor": cursor}, ensure_ascii=False) + "\n")
        self._hold(fact, cursor)
        return new

    def _hold(self, fact: Json, cursor: int) -> None:
        self.facts.setdefault(fact["id"], fact)
        self.cursor = max(self.cursor, cursor)


class Department:
    """One unit with its token (role ``unit``). Without a plan it does only what it is told to."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        urls: dict[str, str],
        unit: str,
        token: str,
        book: Book | None = None,
        plan: Plan = lambda order: (),
    ) -> None:
        self.unit = unit
        self.book = book or Book()
        self.orders: dict[str, Order] = {}
        self._intake, self._dispatcher, self._tracker = (
            Connection(http, urls[name], token) for name in ("intake", "dispatcher", "tracker")
        )
        self._plan = plan
        self._steps: dict[str, list[Step]] = {}
        self._came: asyncio.Event | None = None
        for fact in self.book.facts.values():
            self._heed(fact)

    # --- facts come in -------------------------------------------------------------------------

    @asynccontextmanager
    async def consuming(self, amqp: str) -> AsyncIterator[None]:
        """Take facts from the queue while the block lasts (units with ``delivery: amqp``)."""
        self._came = asyncio.Event()
        async with await aio_pika.connect_robust(amqp) as connection:
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=50)
            queue = await channel.get_queue(f"unit.{self.unit}", ensure=False)  # it stands already
            await queue.consume(self._take_message)
            yield

    async def _take_message(self, message: AbstractIncomingMessage) -> None:
        self._take(json.loads(message.body))
        await message.ack()  # only now: had we died before, it would come again
        if self._came:
            self._came.set()

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Take facts from the feed as a stream of server-sent events while the block lasts."""
        self._came = asyncio.Event()
        task = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _follow(self) -> None:
        while True:  # Jiesu ends a stream now and then; it goes on where it ended
            headers = {"Accept": "text/event-stream", "Last-Event-ID": str(self.book.cursor)}
            async for position, fact in self._dispatcher.events(self._feed, headers):
                self._take(fact, position)
                if self._came:
                    self._came.set()

    async def read_feed(self) -> None:
        """Take what has come to the feed since the last time, page by page."""
        more = True
        while more:
            page = await self._dispatcher.get(self._feed, after=str(self.book.cursor), limit=500)
            for item in page["items"]:
                self._take(item["fact"], item["position"])
            more = page["more"]

    @property
    def _feed(self) -> str:
        return f"/v1/units/{self.unit}/feed"

    def _take(self, fact: Json, position: int = 0) -> None:
        if self.book.keep(fact, position):
            self._heed(fact)

    def _heed(self, fact: Json) -> None:
        id, name = fact.get("assignment", ""), fact["type"].split(".", 2)[2].rpartition(".v")[0]
        if name == "assignment.dispatched":
            dispatched = datetime.fromisoformat(fact["time"])
            order = Order(id, fact["subject"], fact["round"], dispatched, fact["data"])
            self.orders[id] = order
            self._steps.setdefault(id, sorted(self._plan(order), key=lambda step: step.at))
        elif name in OVER:
            self._steps[id] = []

    async def order(self, ticket: str, round: int = 1) -> Order:
        """The order of a ticket's round, as soon as it has come."""
        while True:
            for order in self.orders.values():
                if (order.ticket, order.round) == (ticket, round):
                    return order
            await self.hear()

    async def hear(self) -> None:
        """Take what has come; with an open queue or stream, wait until something comes."""
        if self._came is None:
            await self.read_feed()
        else:
            await self._came.wait()
            self._came.clear()

    # --- the department acts -------------------------------------------------------------------
