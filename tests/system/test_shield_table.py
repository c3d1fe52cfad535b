"""回避: the shield table through all services: who got a report, and who can read what (R-35, JN-32).

What is expected stands in tests/fixtures/scenes/shield.py, written by hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.fixtures.scenes.courier import County
from tests.fixtures.scenes.intake import registered
from tests.fixtures.scenes.shield import HERE, LEADS, ROWS, TEXTS, UNITS, Row, kin

NOWHERE = "20260302-999999"
REASON = {"reason": "先行联系"}


async def told(county: County, rows: Iterable[Row], type: str = "report") -> dict[str, Row]:
    """Each row as a ticket through the front door, carried."""
    tickets = {}
    for row in rows:
        given: dict[str, Any] = {"type": type, "topic": row.topic, "content": row.content}
        stated = {"reported": row.reported.model_dump()} if row.reported.stated else {}
        ticket = await registered(county.intake, title="举报", area=HERE, **given, **stated)
        tickets[ticket["number"]] = row
    await county.carry()
    return tickets


async def listed(county: County, unit: str) -> str:
    """All a unit finds in its lists: its feed and its assignments."""
    client = county.dispatcher.http("unit", unit)
    pages = [
        await client.get(f"/v1/units/{unit}/{what}?limit=500") for what in ("feed", "assignments")
    ]
    assert all(page.is_success for page in pages)
    return "".join(page.text for page in pages)


async def doors(county: County, unit: str, number: str) -> list[httpx.Response]:
    """What a unit can ask of a ticket by its number."""
    ticket = f"/v1/tickets/{number}"
    return [
        await county.dispatcher.http("unit", unit).get(f"{ticket}/assignments"),
        await county.tracker.http("unit", unit).get(f"{ticket}/clocks"),
        await county.intake.http("unit", unit).post(f"{ticket}/contact-reads", json=REASON),
        await county.dispatcher.http("unit", unit).get(f"{ticket}/explain"),
    ]


async def acts(county: County, unit: str, assignment: Any) -> list[httpx.Response]:
    """What a unit can ask of an assignment by its id."""
    client, path = county.dispatcher.http("unit", unit), f"/v1/assignments/{assignment}"
    return [
        await client.get(f"{path}/supplements"),
        await client.post(f"{path}/progress", json={"note": "在办"}),
        await county.tracker.http("unit", unit).post(
            f"{path}/extensions", json={"reason": "复杂", "days": 3}
        ),
    ]


def plain(answers: Iterable[httpx.Response]) -> list[tuple[int, Any]]:
    """Answers without what is their own: where and when they were given."""
    own = ("instance", "trace")
    return [
        (answer.status_code, {k: v for k, v in answer.json().items() if k not in own})
        for answer in answers
    ]


@pytest.mark.parametrize("text", sorted(TEXTS.keys() - {"a village head"}))
async def test_who_finds_a_report(county: County, text: str) -> None:
    """R-35: by no door, list, queue or feed does anybody find it but whom the table gives it to."""
    tickets = await told(county, [row for row in ROWS if row.text == text])
    addressed = {
        (fact.unit, fact.subject)
        for bench in county.benches.values()
        for fact in await bench.told()
        if fact.unit
    }
    assert addressed == {(unit, number) for number, row in tickets.items() for unit in row.given_to}
    orders = {
        (fact.unit, fact.subject): fact.assignment
        for fact in await county.dispatcher.told("assignment.dispatched")
    }
    for (unit, _), order in orders.items():
        signing = county.dispatcher.http("unit", unit).post(
            f"/v1/assignments/{order}/sign", json={"handler": "专人"}
        )
        assert (await signing).is_success
    for unit in UNITS:
        lists, nowhere = await listed(county, unit), plain(await doors(county, unit, NOWHERE))
        assert {status for status, _ in nowhere} == {404}
        for number, row in tickets.items():
            assert (number in lists) is (unit in row.given_to), (unit, row)
            if unit in row.given_to:
                answers = await doors(county, unit, number)
                found = [answer.status_code for answer in answers]
                assert found == [200, 200, 409, 200], (unit, row)  # confidential: a custodian first
                assert answers[2].json()["type"].endswith("custodian-needed")
            elif unit in kin(row.named) | LEADS[row.topic]:  # of others the lists say enough
                assert plain(await doors(county, unit, number)) == nowhere, (unit, row)


# --- what was given before it was known whom it is about ------------------------------------------


async def state(county: County, number: str, row: Row) -> None:
    """As a correction writes it, in every service; nothing is dispatched anew by it here."""
    reported = row.reported.model_dump(mode="json")
    first = next(iter(row.reported.units), None)
    said = json.dumps({"reported": reported, "reported_unit": first})
    await county.dispatcher.do(
        f"UPDATE tickets SET matter = matter || '{said}' WHERE number = '{number}'"
    )
    for bench, table in ((county.intake, "ticket"), (county.tracker, "tickets")):
        await bench.do(
            f"UPDATE {table} SET reported = '{json.dumps(reported)}' WHERE number = '{number}'"
        )


@pytest.mark.parametrize("cancelled", [False, True])
@pytest.mark.parametrize("stated", ["units", "words"])
async def test_who_becomes_recused_finds_nothing_of_what_it_had(
    county: County, stated: str, cancelled: bool
) -> None:
    """R-35: lead or co-handler, at work or cancelled: its lists, its feed and every door forget the ticket,
    and the others keep it.
    """
    complaints = [
        Row(text, topic, "empty") for text in TEXTS if TEXTS[text].named for topic in LEADS
    ]
    tickets = await told(county, complaints, type="complaint")
    given = {
        (fact.unit, fact.subject): fact.assignment
        for fact in await county.dispatcher.told("assignment.dispatched")
    }
    assert len(given) > 40
    desk = county.dispatcher.http("desk")
    for number, row in tickets.items():
        if cancelled:
            order = {"lead": "RXB", "reason": "改派"}
            answer = await desk.post(f"/v1/tickets/{number}/assign", json=order)
            assert answer.is_success, answer.text
        await state(county, number, row._replace(stated=stated))
    await county.carry()
    lists = {unit: await listed(county, unit) for unit in UNITS}
    hidden = 0
    for (unit, number), assignment in given.items():
        assert unit
        recused = unit in kin(tickets[number].named)
        hidden += recused
        assert (number in lists[unit]) is not recused, (unit, tickets[number])
        if recused:
            assert plain(await doors(county, unit, number)) == plain(
                await doors(county, unit, NOWHERE)
            )
            assert plain(await acts(county, unit, assignment)) == plain(
                await acts(county, unit, uuid4())
            )
    assert 10 < hidden < len(given) - 10


async def test_why_an_order_was_cancelled_is_never_told(county: County) -> None:
    """Its unit hears that it was given to another, in words that fit every order."""
    (number,) = await told(county, [Row("a town", "rural.affairs", "empty")], type="complaint")
    order = {"lead": "RXB", "reason": "举报红椿镇政府，原承办单位回避"}
    desk = county.dispatcher.http("desk")
    assert (await desk.post(f"/v1/tickets/{number}/assign", json=order)).is_success
    (fact,) = await county.dispatcher.told("assignment.cancelled")
    assert (fact.unit, fact.data.model_dump()) == ("HC", {"reason": "redispatched"})
    await county.carry()
    assert "回避" not in await listed(county, "HC")
    own = await county.dispatcher.http("unit", "HC").get(f"/v1/tickets/{number}/assignments")
    assert "回避" not in own.text
    assert own.json()["shield"] is None
