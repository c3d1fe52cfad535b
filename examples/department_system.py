"""部门系统 A department's system on Jiesu's public interfaces: what a vendor would start from.

    dispatcher ──queue unit.<code> or feed──→ department ──sign · contact · complete · return──→ dispatcher
                                              department ──extension──→ tracker
                                              department ──who must be contacted, and why──→ intake

What it must do follows from the facts it holds (unit_facts.py); what it did, it says by HTTP, each
act under a key of its own, so that an act sent twice is done once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import uuid4

import httpx

from examples.connection import Connection, Json, Refused, rest
from examples.unit_facts import Book, UnitFacts

PATIENCE = 120.0  # seconds
SOON = 0.5  # seconds
NOT_FOUND = 404
NEEDS_CUSTODIAN = "custodian-needed"


@dataclass(frozen=True, slots=True)
class Order:
    """派单: one work order. ``id`` names the assignment; ``data`` is the dispatch as it came."""

    id: str
    unit: str
    ticket: str
    round: int
    dispatched: datetime
    data: Json = field(repr=False)

    @property
    def leads(self) -> bool:
        """主办 leads and answers the citizen; 协办 answers to the lead."""
        return bool(self.data["role"] == "lead")


Act = Literal["sign", "contact", "complete", "ask_return", "ask_extension"]


@dataclass(frozen=True, slots=True)
class Step:
    """One act on an order: when, and the form that goes with it."""

    at: datetime
    act: Act
    form: Json


# How a department handles an order: the steps it means to take.
Plan = Callable[[Order], Iterable[Step]]


def by_hand(_: Order) -> Iterable[Step]:
    """No plan: the department does what it is told to."""
    return ()


# Telephoning the custodian, whose list shows the request anyway.
Ring = Callable[[], Awaitable[object]]


async def nobody() -> None:
    """Nobody is rung: the custodian finds the request in the list."""


class Department:
    """One unit with its token (role ``unit``), its book, the plan it works by, and how it rings the
    custodian when it has asked for a confidential contact.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        urls: dict[str, str],
        unit: str,
        token: str,
        plan: Plan = by_hand,
        book: Book | None = None,
        ring: Ring = nobody,
    ) -> None:
        self.unit = unit
        self._ring = ring
        self.orders: dict[str, Order] = {}
        self.book = book or Book()
        self._plan = plan
        self._steps: dict[str, list[Step]] = {}
        self._intake = Connection(http, urls["intake"], token)
        self._dispatcher = Connection(http, urls["dispatcher"], token)
        self._tracker = Connection(http, urls["tracker"], token)
        self.facts = UnitFacts(self._dispatcher, unit, self.book, self._heed)

    # --- what it must do -----------------------------------------------------------------------

    def _heed(self, fact: Json) -> None:
        """A dispatch brings an order; when the order is taken back, its steps go with it."""
        id = fact.get("assignment", "")
        match fact["type"]:
            case "cn.jiesu.assignment.dispatched.v1" | "cn.jiesu.assignment.transferred.v1":
                order = Order(
                    id=id,
                    unit=fact["unit"],
                    ticket=fact["subject"],
                    round=fact["round"],
                    dispatched=datetime.fromisoformat(fact["time"]),
                    data=fact["data"],
                )
                self.orders[id] = order
                # The order may have been taken back already: facts come in no promised order.
                self._steps.setdefault(id, sorted(self._plan(order), key=lambda step: step.at))
            case "cn.jiesu.assignment.cancelled.v1" | "cn.jiesu.assignment.returned.v1":
                self._steps[id] = []

    async def order(self, ticket: str, round: int = 1, but: Order | None = None) -> Order:
        """The order of a ticket's round, as soon as it has come; ``but`` one that came before it. Raises
        TimeoutError.
        """
        async with asyncio.timeout(PATIENCE):
            while True:
                for order in self.orders.values():
                    if (order.ticket, order.round) == (ticket, round) and order is not but:
                        return order
                await self.facts.wait()

    def next_step(self) -> datetime | None:
        """When there is next something to do."""
        return min((steps[0].at for steps in self._steps.values() if steps), default=None)

    async def work(self, now: datetime) -> list[tuple[Step, Order]]:
        """Take the steps that are due, up to a lead's answer, and say which. Orders go on side by side,
        each in its order.
        """
        taken = await asyncio.gather(
            *(self._go_on(id, now, up_to_answer=True) for id in self._steps)
        )
        return [pair for pairs in taken for pair in pairs]

    async def answer(self, now: datetime) -> list[tuple[Step, Order]]:
        """Give the leads' answers that are due, one after the other: each is compared with those before."""
        by_ticket = sorted(self._steps, key=lambda id: (self.orders[id].ticket, id))
        return [pair for id in by_ticket for pair in await self._go_on(id, now)]

    async def _go_on(
        self, id: str, now: datetime, *, up_to_answer: bool = False
    ) -> list[tuple[Step, Order]]:
        steps, order, taken = self._steps[id], self.orders[id], []
        while steps and steps[0].at <= now:
            if up_to_answer and order.leads and steps[0].act == "complete":
                break
            step = steps.pop(0)
            await getattr(self, step.act)(order, **step.form)
            taken.append((step, order))
        return taken

    # --- what it does --------------------------------------------------------------------------

    async def sign(self, order: Order, handler: str) -> Json:
        """签收, naming who handles it (专人负责)."""
        return await self._act(order, "sign", {"handler": handler})

    async def contact(self, order: Order, attempt: int = 1, outcome: str = "reached") -> Json:
        """先行联系: read whom to call, call, and say what came of it: reached, no_answer …

        Each reading is written down with its reason. The name and number are kept nowhere.
        """
        await self._read_own_contact(order, f"先行联系 first contact, attempt {attempt}")
        form = {"how": "phone", "outcome": outcome}
        return await self._act(order, "contacts", form, f"contacts/{attempt}")

    async def read_contact(self, ticket: str, reason: str) -> Json:
        """Name, phone and address of who must be contacted. Raises Refused: 404 for others, 409
        ``custodian-needed`` when a custodian has to let us first.

        Each try is a reading of its own and is written down.
        """
        path = f"/v1/tickets/{ticket}/contact-reads"
        person: Json = await self._intake.post(path, {"reason": reason}, key=str(uuid4()))
        return person

    async def request_contact(self, ticket: str, reason: str) -> Json:
        """查阅申请: ask the custodian to let us read a confidential contact. Asked again while it waits,
        it is the same request.
        """
        path = f"/v1/tickets/{ticket}/contact-requests"
        asked: Json = await self._intake.post(path, {"reason": reason}, key=str(uuid4()))
        return asked

    async def _read_own_contact(self, order: Order, reason: str) -> Json:
        """Who must be contacted, as soon as it is ours to read: of a confidential matter when the
        custodian has let us. Raises Refused when that does not come.
        """
        over, asked = asyncio.get_running_loop().time() + PATIENCE, False
        while True:
            try:
                return await self.read_contact(order.ticket, reason)
            except Refused as refused:
                waits = refused.slug == NEEDS_CUSTODIAN
                may_come = waits or refused.status == NOT_FOUND
                if not may_come or asyncio.get_running_loop().time() > over:
                    raise
            if waits and not asked:
                asked = bool(await self.request_contact(order.ticket, reason))
                await self._ring()
                continue
            await rest(SOON)

    async def complete(self, order: Order, **form: object) -> Json:
        """办结, with the form of R-21: kind, solved, result, public_answer, signed_off_by …"""
        return await self._act(order, "completion", form)

    async def ask_return(self, order: Order, **form: object) -> Json:
        """退单申请: reason_code, legal_basis, suggested_unit, approver; the desk decides."""
        return await self._act(order, "return-requests", form)

    async def state(self, arbitration: str, words: str) -> Json:
        """陈述: what we say in a dispute, once at each step."""
        path = f"/v1/arbitrations/{arbitration}/statements"
        stated: Json = await self._dispatcher.post(path, {"words": words}, key=str(uuid4()))
        return stated

    async def ask_extension(self, order: Order, **form: object) -> Json:
        """延期申请: reason, legal_basis, days; a supervisor decides."""
        path = f"/v1/assignments/{order.id}/extensions"
        asked: Json = await self._tracker.post(path, form, key=f"{order.id}/extensions")
        return asked

    async def keep_promise(self, order: Order, result: str) -> Json:
        """承诺兑现: what we had put off until a day is done."""
        path, key = f"/v1/promises/{order.id}/fulfilment", f"{order.id}/fulfilment"
        kept: Json = await self._tracker.post(path, {"result": result}, key=key)
        return kept

    async def _act(self, order: Order, act: str, form: Json, key: str = "") -> Json:
        path = f"/v1/assignments/{order.id}/{act}"
        done: Json = await self._dispatcher.post(path, form, key=f"{order.id}/{key or act}")
        return done
