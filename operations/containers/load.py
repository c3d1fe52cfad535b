"""A small load on the real clock: complaints at a steady rate, and the unit that handles them.

Every complaint declines a reply, so that its loop ends today: registered, dispatched, signed,
completed, resolved, closed. What must hold at the end is in check.py.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeVar

import httpx

from examples.connection import Json, Refused, Unreachable, rest
from examples.county import Access, County
from examples.department_system import Order
from examples.phone_system import Call
from examples.scene import BrokenPromise
from examples.stories import ROAD, done
from operations.containers.compose import Project
from operations.containers.counted import Counted, open_http
from shared import clock

UNIT = "ZJJ"  # who mends roads
COMPLAINT: Json = ROAD | {"reply_declined": True}
LOOK_AGAIN = 0.3  # seconds
PATIENCE = timedelta(seconds=120)  # for what was cut off by a kill

T = TypeVar("T")


def nobody(call: Call) -> Json:
    """No citizen is called: all declined."""
    raise BrokenPromise(f"{call.number} declined a reply and is called")


class Load:
    """Complaints under way. ``confirmed``: numbers Jiesu gave out; ``errors``: what a client saw.

    ``patient`` repeats, under the same key, what could not be done: somebody pulls plugs.
    """

    def __init__(
        self,
        county: County,
        transport: Counted,
        http: httpx.AsyncClient,
        *,
        patient: bool = False,
    ) -> None:
        self.county, self.transport, self.http = county, transport, http
        self.confirmed: list[str] = []
        self.errors: list[str] = []
        self._patient = patient
        self._run = secrets.token_hex(4)
        self._handled: set[str] = set()
        self._over = asyncio.Event()
        self._count = 0

    async def register(self, count: int, per_second: float) -> None:
        """Register so many complaints at a rate, each when its moment has come."""
        async with asyncio.TaskGroup() as calls:
            for _ in range(count):
                calls.create_task(self._call(f"{self._run}-{self._count}"))
                self._count += 1
                await rest(1 / per_second)

    async def register_until(self, over: asyncio.Event, per_second: float) -> None:
        """Register complaints at a rate until something is over."""
        while not over.is_set():
            await self.register(max(1, round(per_second)), per_second)

    async def _call(self, key: str) -> None:
        receipt = await self._do(lambda: self.county.phone.register(COMPLAINT, key))
        if receipt:
            self.confirmed.append(receipt.number)

    async def handle(self) -> None:
        """Sign and complete what comes to the unit, until the load is over."""
        unit = self.county.unit(UNIT)
        while not self._over.is_set():
            await self._do(unit.facts.read)
            fresh = [order for id, order in unit.orders.items() if id not in self._handled]
            self._handled.update(order.id for order in fresh)
            await asyncio.gather(*map(self._handle, fresh))
            await rest(LOOK_AGAIN)

    async def _handle(self, order: Order) -> None:
        unit = self.county.unit(UNIT)
        await self._do(lambda: unit.sign(order, "市政股"))
        answer = f"您反映的“{order.data['title']}{order.data['content']}”已填平。"
        await self._do(lambda: unit.complete(order, **done(answer)))

    async def _do(self, act: Callable[[], Awaitable[T]]) -> T | None:
        """Do something; what goes wrong is an error of this load, or is done again."""
        until = clock.real() + PATIENCE
        while True:
            try:
                return await act()
            except (Refused, Unreachable) as error:
                if self._patient and isinstance(error, Unreachable) and clock.real() < until:
                    continue
                self.errors.append(str(error))
                return None

    async def finish(self) -> None:
        """Until everything confirmed is closed. Raises BrokenPromise."""
        after, closed, until = 0, set[str](), clock.real() + PATIENCE
        while not closed >= set(self.confirmed):
            if clock.real() > until:
                open_ones = sorted(set(self.confirmed) - closed)
                raise BrokenPromise(f"{len(open_ones)} not closed, such as {open_ones[:3]}")
            facts, after = await self.county.office.facts("feedback", after)
            closed |= {fact["subject"] for fact in facts if ".ticket.closed." in fact["type"]}
            await rest(LOOK_AGAIN)

    def end(self) -> None:
        """The unit goes home."""
        self._over.set()


@asynccontextmanager
async def loading(project: Project, *, patient: bool = False) -> AsyncIterator[Load]:
    """A load on a project, its unit at work while the block lasts."""
    transport = Counted()
    async with open_http(transport) as http:
        county = County(
            http, Access(project.urls, project.token, project.secret("WEBHOOK_SECRET")), nobody
        )
        load = Load(county, transport, http, patient=patient)
        handling = asyncio.create_task(load.handle())
        try:
            yield load
        finally:
            load.end()
            await handling
