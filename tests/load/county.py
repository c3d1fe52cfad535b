"""A county at work, as fast as it can: who signs, contacts, completes, calls back. For `make bench`.

It hears every dispatch on the exchange and answers over HTTP with each unit's own token, so one
loop is: register, dispatch, sign, contact, complete, outcome of the callback, closed. The callback
is a day away: the clocks of all services are stepped once, when every ticket is completed.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from random import Random
from secrets import token_hex
from typing import Any

from aio_pika.abc import AbstractIncomingMessage

from operations.runtime.registry import NAMES
from shared.clock import pause
from shared.messaging.rabbit_bus import EXCHANGE
from tests.load.calls import Call, complaint, encoded
from tests.load.plant import Plant

HEARD = (
    "assignment.dispatched.*",
    "assignment.completed.#",
    "ticket.unassigned",
    "callback.planned",
    "ticket.closed",
)
CALLING = "2026-03-{:02}T10:00:00+08:00"  # inside a calling window, of the days after plant.START
DESK_UNIT = "RXB"
AT_WORK = 32  # assignments worked on at once
LOOK = 0.1
TRIES = 5
Json = dict[str, Any]

COMPLETION = {
    "kind": "solved",
    "solved": True,
    "result": "已现场核实处理。",
    "signed_off_by": "单位主要负责人",
}
VISIT = {"how": "visit", "outcome": "reached"}  # a call would want the contact read before it
VERDICT = {"outcome": "answered", "contacted": "yes", "solved": "yes", "satisfied": "satisfied"}


class Unexpected(Exception):
    """A service answered otherwise than the loop needs."""


class County:
    """Citizens, desk, units and call-back staff of one loop."""

    def __init__(self, plant: Plant, work: asyncio.TaskGroup) -> None:
        self.plant = plant
        self.heard: Counter[str] = Counter()
        self._work = work
        self._news = asyncio.Event()
        self._turn = asyncio.Semaphore(AT_WORK)
        self._helped: Counter[str] = Counter()  # co-handlers that are done, by ticket
        self._help = defaultdict[str, asyncio.Event](asyncio.Event)
        self._tokens: dict[str, dict[str, str]] = {}

    # --- hearing -------------------------------------------------------------------------------

    async def hear(self, message: AbstractIncomingMessage) -> None:
        """A fact: a dispatch is worked on, what nobody has is assigned, an answer that waits is audited;
        the rest is counted.
        """
        fact = json.loads(message.body)
        name = fact["type"].removeprefix("cn.jiesu.").removesuffix(".v1")
        self.heard[name] += 1
        self._news.set()
        if name == "assignment.dispatched":
            self._work.create_task(self._handle(fact))
        elif name == "ticket.unassigned":
            self._work.create_task(self._assign(fact["subject"]))
        elif name == "assignment.completed" and fact["data"].get("audit"):
            self._work.create_task(self._audit(fact["assignment"]))

    async def until(self, name: str, count: int) -> None:
        """Wait until so many facts of a name were heard."""
        while self.heard[name] < count:
            self._news.clear()
            await self._news.wait()

    # --- acting --------------------------------------------------------------------------------

    async def register(self, complaints: Iterable[Json]) -> None:
        """Citizens call, all at once; they wait in line for one of the connections."""
        token, run = self._token("phone_system"), token_hex(4)
        calls = (
            self._post("intake", "/v1/tickets", one, token | {"Idempotency-Key": f"{run}-{at}"})
            for at, one in enumerate(complaints)
        )
        await asyncio.gather(*calls)

    async def _assign(self, number: str) -> None:
        order = {"lead": DESK_UNIT, "reason": "派单员研判后指定"}
        desk = self._token("desk") | {"Idempotency-Key": number}
        await self._post("dispatcher", f"/v1/tickets/{number}/assign", order, desk)

    async def _audit(self, order: str) -> None:
        """An answer that is much like another ticket's waits for the desk, which lets it pass."""
        desk = self._token("desk") | {"Idempotency-Key": f"{order}/audit"}
        await self._post(
            "dispatcher", f"/v1/assignments/{order}/audit", {"outcome": "passed"}, desk
        )

    async def _handle(self, fact: Json) -> None:
        """A unit does its duty; a lead completes when all who answer to it have."""
        data, ticket = fact["data"], fact["subject"]
        async with self._turn:
            await self._act(fact, "sign", {"handler": "经办人"})
            await self._act(fact, "contacts", VISIT)
        if data["role"] == "lead":
            while self._helped[ticket] < len(data["co_handlers"]):
                self._help[ticket].clear()
                await self._help[ticket].wait()
        async with self._turn:
            answer = f"您反映的“{data['title']}{data['content'][:20]}”已处理完毕。"
            await self._act(fact, "completion", COMPLETION | {"public_answer": answer})
        if data["role"] != "lead":
            self._helped[ticket] += 1
            self._help[ticket].set()

    async def _act(self, fact: Json, act: str, form: Json) -> None:
        path, token = (
            f"/v1/assignments/{fact['assignment']}/{act}",
            self._token("unit", fact["unit"]),
        )
        key = {"Idempotency-Key": f"{fact['assignment']}/{act}"}
        await self._post("dispatcher", path, form, token | key)

    async def step(self, wave: int) -> None:
        """Let the night after a wave pass, for every service."""
        for name in NAMES:
            now = {"now": CALLING.format(3 + wave)}
            await self._post(name, "/clock", now, self._token("ops"))

    async def call_back(self, count: int) -> None:
        """Call-back staff work the list of due callbacks until so many citizens were asked."""
        asked: set[str] = set()
        while len(asked) < count:
            page = await self._get("feedback", "/v1/callbacks?status=due&limit=200")
            due = [one for one in page["items"] if one["id"] not in asked]
            asked.update(one["id"] for one in due)
            await asyncio.gather(*map(self._ask, due))
            if not due:
                await pause(LOOK)

    async def _ask(self, callback: Json) -> None:
        path, form = f"/v1/callbacks/{callback['id']}/outcome", VERDICT | {"attempt": 1}
        key = {"Idempotency-Key": callback["id"]}
        await self._post("feedback", path, form, self._token("callback") | key)

    # --- the wire ------------------------------------------------------------------------------

    def _token(self, role: str, unit: str | None = None) -> dict[str, str]:
        slot = unit or role
        if slot not in self._tokens:
            self._tokens[slot] = self.plant.token(role, unit)
        return self._tokens[slot]

    async def _post(self, name: str, path: str, body: Json, headers: dict[str, str]) -> Json:
        return await self._send(name, Call(path, "POST", path, 200, encoded(body), headers))

    async def _get(self, name: str, path: str) -> Json:
        return await self._send(name, Call(path, "GET", path, 200, b"", self._token("callback")))

    async def _send(self, name: str, call: Call) -> Json:
        """The answer to a call; one that finds no connection of the pool free is made again."""
        for _ in range(TRIES):
            status, answer = await self.plant.wire(name).call(call)
            if status != 503:
                break
            self.heard["503"] += 1
            await pause(1.0)
        if status not in (200, 201):
            raise Unexpected(f"{call.method} {call.path}: {status} {answer.decode()[:300]}")
        read: Json = json.loads(answer)
        return read


@asynccontextmanager
async def county(plant: Plant) -> AsyncIterator[County]:
    """A county that hears facts while the block lasts; it ends when all work is done."""
    async with plant.channel() as channel, asyncio.TaskGroup() as work:
        one = County(plant, work)
        queue = await channel.declare_queue(exclusive=True)
        for pattern in HEARD:
            await queue.bind(EXCHANGE, pattern)
        await queue.consume(one.hear, no_ack=True)
        yield one


def complaints(count: int, seed: int = 311) -> Sequence[Json]:
    """What citizens of the county call about."""
    throw = Random(seed)
    return [complaint(throw) for _ in range(count)]


async def loops(plant: Plant, count: int, wave: int = 0) -> None:
    """Take so many complaints through the whole loop, and wait until everything rests.

    Every complainant has a telephone and wants an answer, so each is called back, the next day.
    At most four waves: after the fourth comes a Saturday.
    """
    async with county(plant) as people:
        await people.register(complaints(count, wave))
        await people.until("callback.planned", count)
        await _rest(plant)  # a tracker that has not heard all would see clocks run out overnight
        await people.step(wave)
        await people.call_back(count)
        await people.until("ticket.closed", count)
    await _rest(plant)


async def _rest(plant: Plant) -> None:
    while not await plant.idle():
        await pause(LOOK)
