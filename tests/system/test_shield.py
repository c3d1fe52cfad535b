"""举报 and 回避 through all services: who must not know of a ticket finds it at no door (R-35, JN-32)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest

from tests.fixtures.scenes.courier import County

NOWHERE = "20260302-999999"
POLICE = {"topic": "traffic.violation", "reported_unit": "GAJ", "content": "路口的车交了钱就不查"}
REPORTS = {
    "截留补助款": {"topic": "rural.affairs", "area": "610924110", "content": "镇上截留补助款"},
    "索要好处费": {"topic": "water.supply", "content": "供水公司抄表的人向我索要好处费"},
    "村主任": {"topic": "rural.affairs", "area": "610924112", "content": "举报我们村主任"},
}


def units(county: County) -> Sequence[str]:
    return [unit.code for unit in county.dispatcher.service.store.config.units.units]


def plain(answer: httpx.Response) -> tuple[int, Any]:
    """An answer without what is its own: where and when it was given."""
    body = answer.json()
    return answer.status_code, {k: v for k, v in body.items() if k not in ("instance", "trace")}


async def doors(county: County, unit: str, number: str) -> AsyncIterator[httpx.Response]:
    """Whatever a unit can ask of a ticket by its number."""
    ticket, reason = f"/v1/tickets/{number}", {"reason": "先行联系"}
    dispatcher, tracker = county.dispatcher.http("unit", unit), county.tracker.http("unit", unit)
    yield await dispatcher.get(f"{ticket}/assignments")
    yield await tracker.get(f"{ticket}/clocks")
    yield await county.intake.http("unit", unit).post(f"{ticket}/contact-reads", json=reason)


async def finds(county: County, unit: str, number: str) -> bool:
    """Whether a unit can tell the ticket from one that does not exist, or is told of it."""
    there = [plain(answer) async for answer in doors(county, unit, number)]
    if there != [plain(answer) async for answer in doors(county, unit, NOWHERE)]:
        return True
    client = county.dispatcher.http("unit", unit)
    heard = [await client.get(f"/v1/units/{unit}/{what}") for what in ("feed", "assignments")]
    told = [fact for bench in county.benches.values() for fact in await bench.told()]
    addressed = any((fact.unit, fact.subject) == (unit, number) for fact in told)
    return addressed or any(number in answer.text for answer in heard)


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
async def test_a_report_that_names_nobody_reaches_no_unit(
    county: County, report: dict[str, Any]
) -> None:
    """R-35 保密回避."""
    number = await county.ticket(type="report", title="举报", **report)
    assert [unit for unit in units(county) if await finds(county, unit, number)] == []
    desk = (await county.dispatcher.http("desk").get("/v1/unassigned")).json()
    assert [item["number"] for item in desk["items"]] == [number]


async def test_kin_of_the_reported_unit_find_nothing_all_along(county: County) -> None:
    number = await county.ticket(type="report", title="举报", **POLICE)
    assert [unit for unit in units(county) if await finds(county, unit, number)] == []
    path = f"/v1/tickets/{number}/assign"
    for unit in ("GAJ", "JJDD", "ZFB"):
        for body in ({"lead": unit}, {"lead": "GSGS", "co_handlers": [unit]}):
            refused = await county.dispatcher.http("desk").post(path, json=body | {"reason": "查"})
            assert (refused.status_code, refused.json()["unit"]) == (409, unit)
    order = {"lead": "GSGS", "co_handlers": ["SCJG"], "reason": "与其无利害关系"}
    await county.do("desk", county.dispatcher, path, order)
    said = f"/v1/tickets/{number}/supplements"
    await county.do("phone_system", county.intake, said, {"content": "他们昨晚又来了"})
    finders = [unit for unit in units(county) if await finds(county, unit, number)]
    assert sorted(finders) == ["GSGS", "SCJG"]
