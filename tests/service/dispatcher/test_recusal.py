"""回避: the reported unit and its kin get, see, read and hear nothing of the ticket (R-35, JN-32)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from shared.events import TicketRegistered, TicketSupplemented, TicketUrged, TicketWithdrawn
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import (
    DONE,
    NUMBER,
    RETURN,
    ask_back,
    assignments,
    finish,
    names,
    post,
    register,
    reopened,
    statuses,
    street_light,
    warned,
)
from tests.fixtures.scenes.feed import delivered, listening, page, quick

__all__ = ["quick"]  # a fixture

ASSIGN = f"/v1/tickets/{NUMBER}/assign"
POLICE, TRAFFIC, COUNTY, NEIGHBOUR = "GAJ", "JJDD", "ZFB", "SCJG"


def traffic(**given: Any) -> TicketRegistered:
    """What the traffic police leads, alone."""
    matter = {"topic": "traffic.violation", "title": "乱停车", "content": "路口天天有车乱停"}
    return street_light(**matter | given)


# --- nothing is given --------------------------------------------------------------------------


@pytest.mark.parametrize("type", ["report", "complaint"])
async def test_no_rule_gives_it_to_kin(dispatcher: Bench, type: str) -> None:
    """R-35 保密回避."""
    await register(dispatcher, traffic(type=type, reported_unit=POLICE))
    assert await names(dispatcher) == ["ticket.unassigned"]
    (item,) = (await dispatcher.http("desk").get("/v1/unassigned")).json()["items"]
    assert item["reason"] == (
        "规则 traffic-police 指向“公安局交通警察大队”，系被反映单位“公安局”的上下级单位，该单位须回避 / "
        "Rule traffic-police names JJDD, kin of the reported unit GAJ: it must withdraw"
    )


async def test_nor_when_a_town_is_reported_to_the_county(dispatcher: Bench) -> None:
    town = {"topic": "conduct.attitude", "type": "report", "reported_unit": "HC"}
    await register(dispatcher, street_light(**town))
    assert await names(dispatcher) == ["ticket.unassigned"]


@pytest.mark.parametrize(
    ("reported", "unit", "words"),
    [
        (POLICE, POLICE, "“公安局”是被反映单位，须回避"),
        (POLICE, TRAFFIC, "“公安局交通警察大队”是被反映单位“公安局”的上下级单位，须回避"),
        (POLICE, COUNTY, "“紫阳县人民政府办公室”是被反映单位“公安局”的上下级单位，须回避"),
        (TRAFFIC, POLICE, "“公安局”是被反映单位“公安局交通警察大队”的上下级单位，须回避"),
    ],
)
@pytest.mark.parametrize("field", ["lead", "co_handlers"])
async def test_by_hand_neither(
    dispatcher: Bench, reported: str, unit: str, words: str, field: str
) -> None:
    await register(dispatcher, traffic(type="report", reported_unit=reported))
    body = {"lead": NEIGHBOUR, "co_handlers": ["RSJ"], "reason": "指定"}
    body[field] = unit if field == "lead" else ["RSJ", unit]
    problem = await post(dispatcher.http("desk"), ASSIGN, body, 409)
    assert problem["type"].endswith("/recused")
    assert (problem["field"], problem["unit"]) == (field, unit)
    assert problem["detail"].partition(" / ")[0] == words
    assert await statuses(dispatcher) == []


async def test_siblings_and_who_is_two_steps_away_may_have_it(dispatcher: Bench) -> None:
    """Units under one parent do not answer for one another."""
    await register(dispatcher, traffic(type="report", reported_unit=TRAFFIC))
    body = {"lead": NEIGHBOUR, "co_handlers": [COUNTY], "reason": "指定"}
    await post(dispatcher.http("desk"), ASSIGN, body)
    assert set(await assignments(dispatcher)) == {NEIGHBOUR, COUNTY}


async def test_an_open_ticket_is_not_given_away_to_kin(dispatcher: Bench) -> None:
    await register(dispatcher, street_light(type="report", reported_unit=POLICE))
    await post(dispatcher.http("desk"), ASSIGN, {"lead": TRAFFIC, "reason": "改派"}, 409)
    assert await statuses(dispatcher) == [("CGZF", 1, "dispatched")]


async def test_who_suggests_kin_learns_nothing_by_it(dispatcher: Bench) -> None:
    """The suggestion is taken as any other is; the desk alone is told that it cannot be followed."""
    given = await register(dispatcher, street_light(type="report", reported_unit=POLICE))
    suggestion = RETURN | {"suggested_unit": TRAFFIC}
    path = f"/v1/assignments/{given['CGZF']}/return-requests"
    asked = await post(dispatcher.http("unit", "CGZF"), path, suggestion)
    assert asked["status"] == "return_requested"


# --- what an older release gave it -------------------------------------------------------------


async def wronged(bench: Bench) -> UUID:
    """The traffic police has what the police is reported for, as no release does any more."""
    given = await register(bench, traffic(type="complaint"))
    await bench.do("""UPDATE tickets SET matter = matter || '{"reported_unit": "GAJ"}'""")
    return given[TRAFFIC]


def acts(assignment: UUID) -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything a unit does to an assignment."""
    yield f"/v1/assignments/{assignment}/sign", {"handler": "张三"}
    yield f"/v1/assignments/{assignment}/contacts", {"how": "phone", "outcome": "reached"}
    yield f"/v1/assignments/{assignment}/progress", {"note": "在办"}
    yield f"/v1/assignments/{assignment}/return-requests", RETURN
    yield f"/v1/assignments/{assignment}/completion", DONE


def same(one: httpx.Response, other: httpx.Response) -> bool:
    """Whether nobody can tell two refusals apart, but by what they asked and their traces."""
    own = {"instance", "trace", "trace_id"}
    plain = [{k: v for k, v in each.json().items() if k not in own} for each in (one, other)]
    return one.status_code == other.status_code and plain[0] == plain[1]


async def test_it_does_not_exist_for_it(dispatcher: Bench) -> None:
    assignment = await wronged(dispatcher)
    client = dispatcher.http("unit", TRAFFIC)
    there = await client.get(f"/v1/tickets/{NUMBER}/assignments")
    nowhere = await client.get("/v1/tickets/20260302-999999/assignments")
    assert (there.status_code, same(there, nowhere)) == (404, True)
    for (path, body), (other, _) in zip(acts(assignment), acts(uuid4()), strict=True):
        there, nowhere = await client.post(path, json=body), await client.post(other, json=body)
        assert (there.status_code, same(there, nowhere)) == (404, True), path
    assert await statuses(dispatcher) == [(TRAFFIC, 1, "dispatched")]


@pytest.mark.parametrize("status", ["", "cancelled"])
async def test_its_lists_leave_it_out(dispatcher: Bench, status: str) -> None:
    await wronged(dispatcher)
    await register(dispatcher, traffic(), "20260302-000002")
    if status:
        for number in (NUMBER, "20260302-000002"):
            withdrawn = TicketWithdrawn(reason="不办了")
            await dispatcher.hear(dispatcher.fact(withdrawn, subject=number))
    path, query = f"/v1/units/{TRAFFIC}/assignments", {"status": status} if status else {}
    client = dispatcher.http("unit", TRAFFIC)
    whole = (await client.get(path, params=query | {"limit": 1})).json()
    assert [order["number"] for order in whole["items"]] == ["20260302-000002"]
    assert whole["next"] is None
    desk = (await dispatcher.http("desk").get(path, params=query)).json()
    assert len(desk["items"]) == 2


async def test_its_feed_leaves_out_what_it_was_told_before(dispatcher: Bench) -> None:
    await wronged(dispatcher)
    other = dispatcher.fact(warned(dispatcher, TRAFFIC).data, subject="20260302-7", unit=TRAFFIC)
    await delivered(dispatcher, warned(dispatcher, TRAFFIC), other)
    got = await page(dispatcher, TRAFFIC)
    assert [item["fact"]["subject"] for item in got["items"]] == ["20260302-7"]
    assert got["next"] == 3
    assert (await page(dispatcher, TRAFFIC, after=0, limit=2))["more"]
    desk = (await dispatcher.http("desk").get(f"/v1/units/{TRAFFIC}/feed")).json()
    assert len(desk["items"]) == 3


async def test_its_stream_says_nothing_of_it(quick: Bench) -> None:
    await wronged(quick)
    await delivered(quick)
    async with listening(quick, TRAFFIC) as stream:
        assert await stream.next() == {"comment": "ping"}
        await delivered(
            quick, quick.fact(warned(quick, TRAFFIC).data, subject="20260302-7", unit=TRAFFIC)
        )
        assert '"subject":"20260302-7"' in (await stream.next_fact())["data"]


async def test_it_is_not_told_what_the_citizen_says_next(dispatcher: Bench) -> None:
    await wronged(dispatcher)
    for data in (TicketSupplemented(content="他们又来了"), TicketUrged(note="快", times=1)):
        await dispatcher.hear(dispatcher.fact(data, subject=NUMBER))
    assert await dispatcher.told("assignment.updated") == []


async def test_the_desk_takes_it_away_and_gives_it_to_another(dispatcher: Bench) -> None:
    await wronged(dispatcher)
    await post(dispatcher.http("desk"), ASSIGN, {"lead": NEIGHBOUR, "reason": "原单位须回避"})
    assert await statuses(dispatcher) == [
        (TRAFFIC, 1, "cancelled"),
        (NEIGHBOUR, 1, "dispatched"),
    ]


async def test_it_does_not_get_it_to_do_again(dispatcher: Bench) -> None:
    given = await register(dispatcher, traffic())
    await finish(dispatcher, TRAFFIC, given[TRAFFIC])
    await dispatcher.do("""UPDATE tickets SET matter = matter || '{"reported_unit": "GAJ"}'""")
    await dispatcher.hear(reopened(dispatcher, 2))
    assert (await names(dispatcher))[-1] == "ticket.unassigned"
    (item,) = (await dispatcher.http("desk").get("/v1/unassigned")).json()["items"]
    assert (item["round"], item["nearest"]) == (2, ["traffic-police"])
    assert "第2轮重办" in item["reason"]
    assert "“公安局交通警察大队”是被反映单位“公安局”的上下级单位，须回避" in item["reason"]
    await post(dispatcher.http("desk"), ASSIGN, {"lead": NEIGHBOUR, "reason": "改由他办"})
    assert (await statuses(dispatcher))[-1] == (NEIGHBOUR, 2, "dispatched")


@pytest.mark.parametrize("withdrawn_first", [True, False])
async def test_a_withdrawn_ticket_is_not_left_to_the_desk(
    dispatcher: Bench, withdrawn_first: bool
) -> None:
    given = await register(dispatcher, traffic())
    await finish(dispatcher, TRAFFIC, given[TRAFFIC])
    await dispatcher.do("""UPDATE tickets SET matter = matter || '{"reported_unit": "GAJ"}'""")
    withdrawn = dispatcher.fact(TicketWithdrawn(reason="不办了"), subject=NUMBER)
    facts = [withdrawn, reopened(dispatcher, 2)]
    for fact in facts if withdrawn_first else reversed(facts):
        await dispatcher.hear(fact)
    assert (await dispatcher.http("desk").get("/v1/unassigned")).json()["items"] == []


async def test_who_need_not_stand_back_is_not_hindered(dispatcher: Bench) -> None:
    given = await register(dispatcher, street_light(type="report", reported_unit=POLICE))
    await dispatcher.hear(dispatcher.fact(TicketSupplemented(content="再补充"), subject=NUMBER))
    await delivered(dispatcher)
    assert len((await page(dispatcher, "CGZF"))["items"]) == 2
    await ask_back(dispatcher, "CGZF", given["CGZF"])
