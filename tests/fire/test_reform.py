"""机构改革 under load: a unit is merged into another while calls come in and the dispatcher is killed.

Thirty open orders in every state (R-14): each is found in the new unit's list, none is lost, none doubled, no
clock begins anew, and the figures of both months say whose what is (ADR 0056).
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared import clock
from shared.security.tokens import issue
from tests.fixtures.fire.servers import Servers
from tests.fixtures.fire.town import Town, town, until
from tests.fixtures.scenes.dispatcher import DONE, RETURN
from tests.fixtures.scenes.intake import complaint
from tests.fixtures.scenes.reform import BASIS, NEW, OLD, followed

ORDERS, ORDERS_LONG = 30, 300
KILLS, KILLS_LONG = 2, 12
BEFORE, NIGHT, AFTER = "2026-03-31T16:30+08:00", "2026-04-01T00:00+08:00", "2026-04-02T10:00+08:00"
LIGHT = {"topic": "lighting.street", "title": "路灯不亮", "content": "滨江路路灯坏了一周"}
STATES = ("dispatched", "signed", "contacted", "return_requested", "co_handler", "completed")
MOVED = "SELECT count(*) FROM assignments WHERE unit = :unit AND former <> '[]'"


@dataclass
class Merger:
    """A county of which one unit becomes part of another; ``orders``: its assignments by id, each with
    the state it was brought to.
    """

    town: Town
    orders: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)  # registrations that were answered

    async def ask(self, service: str, path: str, body: Any, role: str, unit: str = "") -> Any:
        """An act, repeated under its key until it is answered: whatever dies meanwhile."""
        who = {"Authorization": f"Bearer {self.token(role, unit)}", "Idempotency-Key": str(uuid4())}

        async def tried() -> httpx.Response | None:
            url = self.town[service].url + path
            try:
                answer = await self.town.http.post(url, json=body, headers=who)
            except httpx.TransportError:
                return None
            return None if answer.status_code == 503 else answer

        return await until(tried, 60)

    def token(self, role: str, unit: str = "") -> str:
        """A token; of the desk it is another person's than the supervisor's."""
        return issue(self.town.keys, role, f"{role}-fire", unit or None, days=1)

    async def read(self, service: str, path: str, role: str, unit: str = "") -> Any:
        who = {"Authorization": f"Bearer {self.token(role, unit)}"}
        answer = await self.town.http.get(self.town[service].url + path, headers=who)
        assert answer.is_success, answer.text
        return answer.json()

    async def done(self, *asked: Any, **whose: Any) -> Any:
        answer = await self.ask(*asked, **whose)
        assert answer.is_success, answer.text
        return answer.json()

    # --- before --------------------------------------------------------------------------------

    async def give(self, states: list[str]) -> None:
        """An order of the old unit in each of these states."""
        for state in states:
            given = await self.done("intake", "/v1/tickets", complaint(**LIGHT), "phone_system")
            self.numbers[given["number"]] = state
        await until(lambda: self._known(len(states)))
        for number, state in self.numbers.items():
            await self._bring(number, state)

    async def _known(self, count: int) -> bool:
        [row] = await self.town.rows("tracker", "SELECT count(*) FROM assignments")
        return bool(row[0] >= count)

    async def _bring(self, number: str, state: str) -> None:
        if state == "co_handler":
            body = {"lead": "HC", "co_handlers": [OLD], "reason": "联合处置"}
            ask = {"lead": "HC", "ground": "需属地镇牵头"}
            path = f"/v1/tickets/{number}/approvals"
            asked = await self.done("dispatcher", path, ask, "desk")
            granted = {"granted": True, "note": "同意"}
            path = f"/v1/approvals/{asked['id']}/decision"
            await self.done("dispatcher", path, granted, "supervisor")
            await self.done("dispatcher", f"/v1/tickets/{number}/assign", body, "desk")
        query = (
            "SELECT id FROM assignments WHERE ticket = :number AND unit = :unit ORDER BY id DESC"
        )
        [[id], *_] = await self.town.rows("dispatcher", query, number=number, unit=OLD)
        self.orders[str(id)] = state
        if state in ("dispatched", "co_handler"):
            return
        path = f"/v1/assignments/{id}"
        acts: list[tuple[str, Any]] = [("sign", {"handler": "张三"})]
        if state in ("contacted", "completed"):
            acts.append(("contacts", {"how": "phone", "outcome": "reached", "note": "已了解"}))
        if state == "completed":
            acts.append(("completion", DONE))
        if state == "return_requested":
            acts.append(("return-requests", RETURN))
        for what, body in acts:
            await self.done("dispatcher", f"{path}/{what}", body, "unit", OLD)

    async def tracked(self) -> bool:
        """Whether the tracker has heard of all that was done."""
        query = """SELECT count(signed_at), count(contacted_at), count(return_requested_at),
            count(completed_at) FROM assignments WHERE unit = :unit"""
        [row] = await self.town.rows("tracker", query, unit=OLD)
        states = Counter(self.orders.values())
        contacted, asked, done = (
            states[name] for name in ("contacted", "return_requested", "completed")
        )
        return tuple(row) == (
            states["signed"] + contacted + asked + done,
            contacted + done,
            asked,
            done,
        )

    # --- meanwhile -----------------------------------------------------------------------------

    async def calls(self, stop: asyncio.Event) -> None:
        """Calls come in, two at a time."""
        while not stop.is_set():
            asked = ("intake", "/v1/tickets", complaint(**LIGHT), "phone_system")
            for given in await asyncio.gather(self.done(*asked), self.done(*asked)):
                self.taken.append(given["number"])
            await clock.pause(0.1)

    async def acts(self, stop: asyncio.Event) -> None:
        """Whoever works at the old unit goes on with the old token."""
        while not stop.is_set():
            await clock.pause(0.05)
            query = """SELECT id FROM assignments WHERE status = 'dispatched'
                AND ticket <> ALL(CAST(:known AS text[])) ORDER BY id LIMIT 1"""
            for [id] in await self.town.rows("dispatcher", query, known=list(self.numbers)):
                body = {"handler": "李四"}  # where it is the new unit's already, the token is, too
                await self.ask("dispatcher", f"/v1/assignments/{id}/sign", body, "unit", OLD)

    async def merge(self, kills: int) -> dict[str, Any]:
        """Two persons decide it, and at night it takes effect, whatever dies."""
        plan = {"kind": "merge", "into": NEW, "effective": NIGHT[:10], "reason": BASIS}
        reform = await self.done("dispatcher", f"/v1/units/{OLD}/reforms", plan, "supervisor")
        await self.done("dispatcher", f"/v1/reforms/{reform['id']}/approval", {}, "desk")
        await self.town.step(NIGHT)
        for _ in range(kills):
            await clock.pause(0.4)
            await self.town.kill("dispatcher")
            await self.town.start("dispatcher")

        async def over() -> Any:
            found = await self.read("dispatcher", f"/v1/reforms/{reform['id']}", "desk")
            return found if found["status"] == "done" else None

        found: dict[str, Any] = await until(over, 120)
        return found

    # --- afterwards ----------------------------------------------------------------------------

    async def listed(self, what: str) -> dict[str, dict[str, Any]]:
        """All that the new unit finds in one of its lists, by id."""
        found: dict[str, dict[str, Any]] = {}
        after, more = "", True
        while more:
            page = await self.read(
                "dispatcher", f"/v1/units/{NEW}/{what}?limit=100{after}", "unit", NEW
            )
            for row in page["items"]:
                found[row["id"]] = row  # what became due anew meanwhile stands on two pages
            more = page["next"] is not None
            after = f"&after={page['next']}"
        return found

    async def clocks(self) -> dict[str, Any]:
        """Kind and due moment of each clock of the orders."""
        query = """SELECT assignment, kind, started_at, due, status, breached_at FROM clocks
            WHERE assignment = ANY(CAST(:ids AS uuid[])) ORDER BY assignment, kind"""
        rows = await self.town.rows("tracker", query, ids=list(self.orders))
        return {f"{row[0]} {row[1]}": tuple(row[2:]) for row in rows}

    async def heard(self, count: int) -> bool:
        """Whether the tracker has heard of so many transfers."""
        query = "SELECT count(*) FROM assignments WHERE transfers <> '[]'"
        [row] = await self.town.rows("tracker", query)
        return bool(row[0] >= count)

    async def rates(self, month: str, days: int) -> dict[str, Any]:
        path = f"/v1/rates?basis=judged&from=2026-{month}-01&to=2026-{month}-{days}"
        found = await self.read("tracker", path, "supervisor")
        return {row["unit"]: row for row in found["units"]}


async def test_thirty_orders_in_every_state_follow_a_merger_under_load(
    burning: Servers, long: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    count, kills = (ORDERS_LONG, KILLS_LONG) if long else (ORDERS, KILLS)
    folder, began = followed(tmp_path, **{OLD: [NEW]}), clock.real()
    async with town(burning, tmp_path, JIESU_CONFIG_DIR=str(folder)) as one:
        await one.start()
        await one.step(BEFORE)
        merger = Merger(one)
        await merger.give(list(islice(cycle(STATES), count)))
        await until(lambda: merger.tracked())
        before, stop = await merger.clocks(), asyncio.Event()
        load = asyncio.gather(merger.calls(stop), merger.acts(stop))
        reform = await merger.merge(kills)
        stop.set()
        await load
        await until(lambda: merger.heard(count), 60)
        await _nothing_of_the_load_is_lost(merger)
        await _each_is_there_once(merger, count)
        await _no_clock_began_anew(merger, before)
        await _the_figures_of_both_months(merger)
        await _a_redo_comes_to_the_new_unit(merger)
    figures = {
        "orders": count,
        "kills": kills,
        "registered_meanwhile": len(merger.taken),
        "left": reform["left"],
        "seconds": round((clock.real() - began).total_seconds()),
    }
    with capsys.disabled():
        os.write(1, f"\nreform: {json.dumps(figures)}\n".encode())


async def _each_is_there_once(merger: Merger, count: int) -> None:
    listed, orders = await merger.listed("assignments"), await merger.listed("orders")
    assert len(merger.orders) == count
    for id, state in merger.orders.items():
        expected = "dispatched" if state == "co_handler" else state
        assert listed[id]["status"] == expected, state
        assert (id in orders) is (state != "completed")
    told = Counter(
        str(fact.assignment)
        for fact in await merger.town.facts("dispatcher", "assignment.transferred")
    )
    assert {id: told[id] for id in merger.orders} == dict.fromkeys(merger.orders, 1)
    assert max(told.values()) == 1
    assert len(await merger.town.facts("dispatcher", "unit.reformed")) == 1
    assert await merger.town.rows("dispatcher", MOVED, unit=OLD) == [(0,)]


async def _no_clock_began_anew(merger: Merger, before: dict[str, Any]) -> None:
    after = await merger.clocks()
    assert after.keys() == before.keys()
    for name, (started, due, *_) in before.items():
        assert after[name][:2] == (started, due), name


async def _nothing_of_the_load_is_lost(merger: Merger) -> None:
    assert merger.taken

    async def with_the_new_unit() -> bool:
        query = """SELECT count(DISTINCT ticket) FROM assignments
            WHERE ticket = ANY(CAST(:numbers AS text[])) AND unit = :unit"""
        [row] = await merger.town.rows("dispatcher", query, numbers=merger.taken, unit=NEW)
        return bool(row[0] == len(merger.taken))

    await until(with_the_new_unit, 60)


async def _the_figures_of_both_months(merger: Merger) -> None:
    """What was signed or missed in March is the old unit's; what is done in April the new one's."""
    contacted = next(id for id, state in merger.orders.items() if state == "contacted")
    await merger.town.step(AFTER)
    path = f"/v1/assignments/{contacted}/completion"
    await merger.done("dispatcher", path, DONE, "unit", NEW)

    async def judged() -> Any:
        april = await merger.rates("04", 30)
        return april if april.get(NEW, {}).get("handle", {}).get("due") else None

    april, march = await until(judged), await merger.rates("03", 31)
    facts, night = await merger.town.facts("dispatcher"), datetime.fromisoformat(NIGHT)
    signed = [fact for fact in facts if fact.name == "assignment.signed" and fact.time < night]
    assert march[OLD]["sign"]["on_time"] == len(signed) > len(STATES)
    assert NEW not in march
    assert (march[OLD]["successors"], march[OLD]["until"]) == ([NEW], "2026-03-31T16:00:00Z")
    assert april[NEW]["handle"]["on_time"] >= 1
    assert april[NEW]["follows"] == [{"unit": OLD, "since": "2026-03-31T16:00:00Z"}]


async def _a_redo_comes_to_the_new_unit(merger: Merger) -> None:
    number = next(number for number, state in merger.numbers.items() if state == "completed")
    said = {"satisfied": "unsatisfied", "solved": "no"}
    await merger.done("feedback", f"/v1/tickets/{number}/verdict", said, "agent")

    async def given() -> Any:
        query = "SELECT unit FROM assignments WHERE ticket = :number AND round = 2"
        return await merger.town.rows("dispatcher", query, number=number)

    assert await until(given) == [(NEW,)]
