"""场景 What a story is told with: people, the stepped clock, and somebody who listens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from examples.connection import Json
from examples.county import County
from examples.department_system import PATIENCE, Department, Order
from examples.phone_system import Call

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")

Tell = Callable[[datetime, str, str], None]  # when it happened, in Chinese, in English


class BrokenPromise(Exception):
    """Jiesu did something else than it promises; the message says what was expected."""


class Citizens:
    """How the citizens of the stories answer, ticket by ticket and round by round; and of a promised day,
    after it came.
    """

    def __init__(self) -> None:
        self.answers: dict[str, list[Json]] = {}
        self.of_promises: dict[str, Json] = {}

    def __call__(self, call: Call) -> Json:
        if call.about == "promise":
            return self.of_promises[call.number]
        return self.answers[call.number][call.round - 1]


class Scene:
    """One story being told: it lets time pass, waits for facts and says what happened."""

    def __init__(self, county: County, citizens: Citizens, tell: Tell) -> None:
        self.county, self.phone, self.office = county, county.phone, county.office
        self.citizens = citizens
        self._tell = tell

    @property
    def now(self) -> datetime:
        """The trade's time, as clocks on the wall show it."""
        return self.county.stepper.now.astimezone(CHINA)

    def unit(self, code: str) -> Department:
        """One of the county's units."""
        return self.county.unit(code)

    async def at(self, moment: str) -> None:
        """Let time pass to an instant, Asia/Shanghai; calls that are asked for are made."""
        await self._until(datetime.fromisoformat(moment).replace(tzinfo=CHINA))

    async def settle(self) -> None:
        """Let everything that follows from what was done happen; no time passes."""
        await self._until(self.now)

    async def _until(self, moment: datetime) -> None:
        await self.county.stepper.run(moment, self._dial)

    async def _dial(self, _: datetime) -> bool:
        return bool(await self.phone.dial())

    def tell(self, zh: str, en: str, when: str | None = None) -> None:
        """Say what happened now, or at the time of a fact."""
        self._tell(datetime.fromisoformat(when).astimezone(CHINA) if when else self.now, zh, en)

    async def hears(self, unit: str, name: str, order: Order, **data: Any) -> Json:
        """The fact about an order that a unit was promised, once it has come to it.

        ``data``: what its own part must say. Raises BrokenPromise.
        """
        department = self.unit(unit)
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    for fact in department.book.facts.values():
                        if _is(fact, name, order, data):
                            return fact
                    await department.facts.wait()
        except TimeoutError:
            raise BrokenPromise(f"{unit} never heard {name} {data} of {order.ticket}") from None

    async def ends(self, number: str, kind: str) -> None:
        """The ticket is closed with this verdict. Raises BrokenPromise."""
        await self.settle()
        assignments = await self.office.assignments(number)
        verdicts = {one["verdict"] for one in assignments if one["status"] == "completed"}
        status = (await self.office.ticket(number))["status"]
        if status != "closed" or kind not in verdicts:
            raise BrokenPromise(f"{number} is {status} with {verdicts}, not closed as {kind}")


def _is(fact: Json, name: str, order: Order, data: Mapping[str, Any]) -> bool:
    return (
        fact["type"] == f"cn.jiesu.{name}.v1"
        and fact.get("assignment") == order.id
        and data.items() <= fact["data"].items()
    )
