"""一个月的量 The month at work: calls come in, units, office and citizens act, time passes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from examples.behaviour import Behaviour
from examples.connection import Json
from examples.county import County
from examples.month import Case, by_moment
from examples.scene import CHINA, Tell
from examples.stepper import earliest

# Facts after which a unit has another plan; the rest it finds in its feed when it looks.
TURNS = {"assignment.dispatched", "assignment.cancelled", "assignment.returned"}
Decision = Callable[[], Awaitable[object]]  # of the hotline office


class Month:
    """Everybody's month: what the stepper asks at each instant, and when it asks next."""

    def __init__(
        self,
        county: County,
        behaviour: Behaviour,
        calls: Sequence[Case],
        known: dict[str, int],
        tell: Tell,
    ) -> None:
        self._county, self._behaviour, self._tell = county, behaviour, tell
        self._calls = by_moment(calls)
        self._moments = sorted(self._calls, reverse=True)
        self._known = known
        self._decisions: list[Decision] = []
        self._heard = 0
        self._news: dict[str, str] = {}  # facts by id that their units have not found yet
        self._suggested: dict[str, str] = {}
        self._week = 0

    def agenda(self) -> datetime | None:
        """When somebody next means to act."""
        units = (unit.next_step() for unit in self._county.units.values())
        return earliest((self._moments[-1] if self._moments else None, *units))

    async def people(self, now: datetime) -> bool:
        """Everybody acts who has to at an instant; True when somebody did."""
        self._tell_of_the_week(now.astimezone(CHINA))
        acted = await self._register(now)
        acted |= await self._ring()
        acted |= await self._work(now)
        acted |= bool(await self._county.phone.dial())
        acted |= bool(self._decisions)
        while self._decisions:
            await self._decisions.pop(0)()
        return acted

    async def _register(self, now: datetime) -> bool:
        """The calls of this hour are registered together, in their order."""
        if not self._moments or self._moments[-1] > now:
            return False
        calls = self._calls[self._moments.pop()]
        complaints = [call.complaint for call in calls]
        receipts = await self._county.phone.register_many(complaints, f"calls/{now.isoformat()}")
        for call, receipt in zip(calls, receipts, strict=True):
            self._known[receipt.number] = call.index
        return True

    async def _ring(self) -> bool:
        """Ring the bell of each unit that got or lost an order, and of the desk; True while a unit
        has to be rung again: its feed has a fact a moment later than the dispatcher's log.
        """
        facts, self._heard = await self._county.office.facts("dispatcher", self._heard)
        for fact in facts:
            name = fact["type"].removeprefix("cn.jiesu.").removesuffix(".v1")
            if name in TURNS:
                self._news[fact["id"]] = fact["unit"]
            elif name == "assignment.return_requested":
                self._suggested[fact["subject"]] = fact["data"]["suggested_unit"]
                self._decisions.append(self._rule_on_return(fact))
            elif name == "ticket.unassigned":
                self._decisions.append(self._assign(fact["subject"]))
        units = {code: self._county.unit(code) for code in sorted(set(self._news.values()))}
        await asyncio.gather(*(unit.facts.read() for unit in units.values()))
        self._news = {
            id: code for id, code in self._news.items() if id not in units[code].book.facts
        }
        return bool(self._news)

    async def _work(self, now: datetime) -> bool:
        """Units work side by side; each takes its steps in order. They answer in turn, or it would be chance
        which of two answers that are alike is audited as the copy.
        """
        units = sorted(self._county.units.items())
        due = [unit for _, unit in units if (unit.next_step() or now) <= now]
        taken = await asyncio.gather(*(unit.work(now) for unit in due))
        taken += [await unit.answer(now) for unit in due]
        for step, order in (pair for pairs in taken for pair in pairs):
            if step.act == "ask_extension":
                self._decisions.append(self._rule_on_extension(order.ticket))
        return any(taken)

    def _tell_of_the_week(self, now: datetime) -> None:
        if (week := now.isocalendar().week) != self._week:
            self._week = week
            self._tell(
                now, f"已受理 {len(self._known)} 件", f"{len(self._known)} registered so far"
            )

    # --- the hotline office --------------------------------------------------------------------

    def _rule_on_return(self, fact: Json) -> Decision:
        granted = self._behaviour.returns(fact["subject"])
        ruling = "不属其职责，同意退单" if granted else "属其职责，不同意退单"
        return lambda: self._county.office.rule_on_return(
            fact["assignment"], granted=granted, ruling=ruling
        )

    def _assign(self, number: str) -> Decision:
        async def assign() -> None:
            ticket = await self._county.office.ticket(number)
            unit = self._suggested.get(number) or self._behaviour.appointed(ticket)
            await self._county.office.assign(
                number, unit, "派单员研判后指定", approved="属地镇牵头，职能部门指导"
            )

        return assign

    def _rule_on_extension(self, number: str) -> Decision:
        async def rule() -> None:
            granted = self._behaviour.extends(number)
            for asked in (await self._county.office.clocks(number))["extensions"]:
                await self._county.office.rule_on_extension(
                    asked["id"], granted=granted, reason="情况属实" if granted else "可按期办结"
                )

        return rule
