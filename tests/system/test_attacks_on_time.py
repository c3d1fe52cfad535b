"""A handler who wants time: asking, taking back, waiting, extending and splitting give what policy gives,
once, and nothing that was missed comes back (ADR 0049, 0083, 0087).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from shared import clock
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.courier import County
from tests.fixtures.scenes.dispatcher import RETURN

UNIT = "ZJJ"
ROAD: dict[str, Any] = {"topic": "road.damage", "title": "道路破损", "content": "路面破损"}
ASKS_BACK = RETURN | {"suggested_unit": "SWJ"}
CLOCKS = """SELECT kind, due, breached_at FROM clocks WHERE ticket = :number AND unit = :unit
    ORDER BY coalesce(resumed_at, started_at), id"""


class Handler:
    """A handler of the unit that has the newest order of a ticket."""

    def __init__(self, county: County, number: str) -> None:
        self.county, self.number = county, number

    async def tries(self, what: str, body: dict[str, Any], bench: Bench | None = None) -> Any:
        """The answer to an act, which is carried."""
        path = f"/v1/assignments/{await self.county.assignment(self.number)}/{what}"
        answer = await (bench or self.county.dispatcher).http("unit", UNIT).post(path, json=body)
        await self.county.carry()
        return answer

    async def does(self, what: str, body: dict[str, Any], bench: Bench | None = None) -> Any:
        answer = await self.tries(what, body, bench)
        assert answer.is_success, answer.text
        return answer.json()

    async def takes_up(self) -> None:
        await self.does("sign", {"handler": "张三"})
        await self.does("contacts", {"how": "phone", "outcome": "reached"})

    async def asks_and_takes_back(self, hours: int = 3) -> None:
        """A return of which the desk has not said anything."""
        await self.does("return-requests", ASKS_BACK)
        self.county.at(f"2026-03-02T{9 + hours:02}:00+08:00")
        await self.does("return-withdrawal", {"reason": "属本单位职责"})

    async def asks_to_wait(self, reached: str) -> Any:
        body = {"awaited": "documents", "reason": "等待材料", "contact_time": reached}
        return await self.tries("wait", body)

    async def rules(self, what: str, **body: Any) -> None:
        """The desk is kind."""
        path = f"/v1/assignments/{await self.county.assignment(self.number)}/{what}"
        said = {"granted": True, "ruling": "同意"} | body
        await self.county.do("desk", self.county.dispatcher, path, said)

    async def dues(self) -> dict[str, str]:
        """When its clocks are due, by kind, in the county's time."""
        rows = await self.county.tracker.rows(CLOCKS, number=self.number, unit=UNIT)
        zone = datetime.fromisoformat("2026-03-02T00:00+08:00").tzinfo
        return {row["kind"]: f"{row['due'].astimezone(zone):%m-%d %H:%M}" for row in rows}


@pytest.fixture
async def handler(county: County) -> Handler:
    """With an order of Monday morning, five working days to handle it."""
    county.at("2026-03-02T09:00+08:00")
    return Handler(county, await county.ticket(**ROAD))


async def test_asking_back_and_taking_it_back_gives_nothing(
    county: County, handler: Handler
) -> None:
    """Not to sign, not to call, not to handle; a second time is refused. What ran out meanwhile ran out."""
    before = await handler.dues()
    await handler.asks_and_takes_back()
    assert await handler.dues() == before
    assert (await handler.tries("return-requests", ASKS_BACK)).status_code == 409
    await county.sweep()
    assert (await county.replayed())[0] == []


async def test_what_ran_out_while_it_asked_back_is_late(county: County, handler: Handler) -> None:
    """To sign it had four working hours, and it took them all to think."""
    due = (await handler.dues())["sign"]
    assert due == "03-02 15:00"
    county.at("2026-03-02T09:30+08:00")
    await handler.does("return-requests", ASKS_BACK)
    county.at("2026-03-02T15:20+08:00")
    await handler.does("return-withdrawal", {"reason": "属本单位职责"})
    await county.sweep()
    [late] = await county.tracker.told("deadline.breached")
    assert (late.data.clock, late.time) == (
        "sign",
        datetime.fromisoformat("2026-03-02T15:00+08:00"),
    )


async def test_everything_at_once_gives_what_was_granted_and_no_more(
    county: County, handler: Handler
) -> None:
    """A wait of two days and an extension of two; the matter split off has them, and no second wait."""
    await handler.asks_and_takes_back()
    county.at("2026-03-03T09:00+08:00")
    await handler.takes_up()
    reached = clock.now().isoformat()
    assert (await handler.asks_to_wait(reached)).is_success
    await handler.rules("wait-ruling")
    county.at("2026-03-05T09:00+08:00")
    await handler.does("wait-end", {"note": "已送来"})
    assert (await handler.dues())["handle"] == "03-11 18:00"
    assert (await handler.asks_to_wait(reached)).json()["type"].endswith("waited-before")
    asked = await handler.does(
        "extensions", {"reason": "材料多", "legal_basis": "条例", "days": 2}, county.tracker
    )
    path, granted = f"/v1/extensions/{asked['id']}/ruling", {"granted": True, "reason": "同意"}
    await county.do("supervisor", county.tracker, path, granted)
    assert (await handler.dues())["handle"] == "03-13 18:00"
    matter = {"topic": "road.damage", "title": "护栏松动", "content": "护栏松动", "lead": UNIT}
    body = {"remainder": {"content": "路面破损"}, "matters": [matter], "reason": "两件事"}
    split = await county.do("desk", county.intake, f"/v1/tickets/{handler.number}/split", body)
    piece = Handler(county, split["matters"][1]["number"])
    assert (await piece.dues())["handle"] == "03-13 18:00"
    more = {"reason": "材料多", "legal_basis": "条例", "days": 2}
    assert (await piece.does("extensions", more, county.tracker))["ordinal"] == 2
    await piece.takes_up()
    refused = await piece.asks_to_wait(clock.now().isoformat())
    assert refused.json()["type"].endswith("waited-before")
    await county.sweep()
    assert (await county.replayed())[0] == []


async def test_asking_back_again_after_a_recall_gives_nothing_either(
    county: County, handler: Handler
) -> None:
    """Nobody ruled on the first, so it was none; the second asks the same, whatever its ground."""
    county.at("2026-03-03T09:00+08:00")
    await handler.does("return-requests", ASKS_BACK)
    tickets = f"/v1/tickets/{handler.number}"
    for hour in (11, 16):
        county.at(f"2026-03-03T{hour}:00+08:00")
        await county.do("desk", county.dispatcher, f"{tickets}/recall", {"reason": "核实"})
        body = {"lead": UNIT, "reason": "派单"}
        await county.do("desk", county.dispatcher, f"{tickets}/assign", body)
        assert (await handler.dues())["handle"] == "03-10 10:30"
        other = ASKS_BACK | {"reason_code": "wrong_area", "legal_basis": f"条例{hour}"}
        await handler.does("return-requests", other)


async def test_an_extension_buys_no_later_wait(county: County, handler: Handler) -> None:
    """It is asked for within the time the order was given at first."""
    await handler.takes_up()
    reached = clock.now().isoformat()
    asked = await handler.does(
        "extensions", {"reason": "材料多", "legal_basis": "条例", "days": 5}, county.tracker
    )
    path, granted = f"/v1/extensions/{asked['id']}/ruling", {"granted": True, "reason": "同意"}
    await county.do("supervisor", county.tracker, path, granted)
    county.at("2026-03-10T09:00+08:00")
    assert (await handler.asks_to_wait(reached)).json()["type"].endswith("wait-too-late")


async def test_taken_back_and_given_again_there_is_no_time_to_wait_in(
    county: County, handler: Handler
) -> None:
    """Printed anew the order says five days; what is left of them is over, and nothing is granted."""
    await handler.takes_up()
    reached = clock.now().isoformat()
    county.at("2026-03-09T17:00+08:00")
    tickets = f"/v1/tickets/{handler.number}"
    await county.do("desk", county.dispatcher, f"{tickets}/recall", {"reason": "核实"})
    body = {"lead": UNIT, "reason": "派单"}
    await county.do("desk", county.dispatcher, f"{tickets}/assign", body)
    await handler.takes_up()
    assert (await handler.asks_to_wait(reached)).is_success
    county.at("2026-03-09T18:01+08:00")
    path = f"/v1/assignments/{await county.assignment(handler.number)}/wait-ruling"
    desk = county.dispatcher.http("desk")
    late = await desk.post(path, json={"granted": True, "ruling": "同意"})
    assert late.json()["type"].endswith("wait-too-late")
    await county.sweep()
    [breach] = [
        f for f in await county.tracker.told("deadline.breached") if f.data.clock == "handle"
    ]
    assert breach.time == datetime.fromisoformat("2026-03-09T18:00+08:00")
