"""一个月的量 The month at work: calls come in, units, office and citizens act, time passes."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from itertools import count
from typing import NamedTuple

from examples.behaviour import Behaviour
from examples.connection import Json
from examples.county import County
from examples.month import Case, by_moment
from examples.stepper import earliest

DESK_TAKES = timedelta(minutes=10)  # from something to decide to its decision
# Facts after which a unit has another plan; the rest it finds in its feed when it looks.
TURNS = {"assignment.dispatched", "assignment.cancelled", "assignment.returned"}


class Errand(NamedTuple):
    """Something the hotline office does at an instant, in the order in which it was planned."""

    at: datetime
    turn: int
    do: Callable[[], Awaitable[object]]


class Month:
    """Everybody's month: what the stepper asks at each instant, and when it asks next."""

    def __init__(
        self, county: County, behaviour: Behaviour, calls: Iterable[Case], known: dict[str, int]
    ) -> None:
        self._county, self._behaviour = county, behaviour
        self._calls = by_moment(calls)
        self._moments = sorted(self._calls, reverse=True)
        self._known = known
        self._errands: list[Errand] = []
        self._turns = count()
        self._heard = 0
        self._suggested: dict[str, str] = {}

    def agenda(self) -> datetime | None:
        """When somebody next means to act."""
        units = (unit.next_step() for unit in self._county.units.values())
        first_errand = self._errands[0].at if self._errands else None
        return earliest((self._moments[-1] if self._moments else None, first_errand, *units))

    async def people(self, now: datetime) -> bool:
        """Everybody acts who has to at an instant; True when somebody did."""
        acted = await self._register(now)
        acted |= await self._ring(now)
        acted |= await self._work(now)
        acted |= bool(await self._county.phone.dial())
        acted |= await self._decide(now)
        return acted

    async def _register(self, now: datetime) -> bool:
        """The calls of this half hour are registered together, in their order."""
        if not self._moments or self._moments[-1] > now:
            return False
        calls = self._calls[self._moments.pop()]
        complaints = [call.complaint for call in calls]
        receipts = await self._county.phone.register_many(complaints, f"calls/{now.isoformat()}")
        for call, receipt in zip(calls, receipts, strict=True):
            self._known[receipt.number] = call.index
        return True

    async def _ring(self, now: datetime) -> bool:
        """Ring the bell of each unit that got or lost an order, and of the desk."""
        facts, self._heard = await self._county.office.facts("dispatcher", self._heard)
        news = set()
        for fact in facts:
            name = fact["type"].removeprefix("cn.jiesu.").removesuffix(".v1")
            if name in TURNS:
                news.add(fact["unit"])
            elif name == "assignment.return_requested":
                self._suggested[fact["subject"]] = fact["data"]["suggested_unit"]
                self._plan(now, self._rule_on_return(fact))
            elif name == "ticket.unassigned":
                self._plan(now, self._assign(fact["subject"]))
        await asyncio.gather(*(self._county.unit(code).facts.read() for code in sorted(news)))
        return False  # reading moves nothing

    async def _work(self, now: datetime) -> bool:
        """Units work side by side; each takes its steps in order."""
        due = [unit for unit in self._county.units.values() if (unit.next_step() or now) <= now]
        taken = await asyncio.gather(*(unit.work(now) for unit in due))
        for step, order in (pair for pairs in taken for pair in pairs):
            if step.act == "ask_extension":
                self._plan(now, self._rule_on_extension(order.ticket))
        return any(taken)

    async def _decide(self, now: datetime) -> bool:
        acted = False
        while self._errands and self._errands[0].at <= now:
            await heapq.heappop(self._errands).do()
            acted = True
        return acted

    # --- the hotline office --------------------------------------------------------------------

    def _plan(self, now: datetime, do: Callable[[], Awaitable[object]]) -> None:
        heapq.heappush(self._errands, Errand(now + DESK_TAKES, next(self._turns), do))

    def _rule_on_return(self, fact: Json) -> Callable[[], Awaitable[object]]:
        granted = self._behaviour.returns(fact["subject"])
        ruling = "不属其职责，同意退单" if granted else "属其职责，不同意退单"
        return lambda: self._county.office.rule_on_return(
            fact["assignment"], granted=granted, ruling=ruling
        )

    def _assign(self, number: str) -> Callable[[], Awaitable[object]]:
        async def assign() -> None:
            ticket = await self._county.office.ticket(number)
            unit = self._suggested.get(number) or self._behaviour.appointed(ticket)
            await self._county.office.assign(number, unit, "派单员研判后指定")

        return assign

    def _rule_on_extension(self, number: str) -> Callable[[], Awaitable[object]]:
        async def rule() -> None:
            granted = self._behaviour.extends(number)
            for asked in (await self._county.office.clocks(number))["extensions"]:
                await self._county.office.rule_on_extension(
                    asked["id"], granted=granted, reason="情况属实" if granted else "可按期办结"
                )

        return rule
