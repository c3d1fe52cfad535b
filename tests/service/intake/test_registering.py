"""Registering: numbers, masks, what is told; the same complaint twice, many at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fastapi.routing import APIRoute

from services.intake import registration, routes
from shared import clock
from shared.events import TicketType
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import CALLER, complaint, post, registered, rows, tables


async def test_a_complaint_gets_its_number_and_is_told(intake: Bench) -> None:
    """R-01 记录成单."""
    ticket = await registered(intake)
    assert ticket["number"] == "20260302-000001"
    [fact] = await intake.told()
    assert (fact.name, fact.subject, fact.seq) == ("ticket.registered", ticket["number"], 1)
    assert fact.data.type is TicketType.HELP
    assert fact.data.has_contact
    assert fact.actor == "phone_system:test"


async def test_a_day_has_its_own_numbers_in_local_time(intake: Bench) -> None:
    await registered(intake)
    intake.at("2026-03-03T00:10+08:00")  # still the second of March in UTC
    assert (await registered(intake))["number"] == "20260303-000001"


async def test_nobody_is_named_outside_the_vault(intake: Bench) -> None:
    """R-36 身份遮蔽."""
    await registered(
        intake,
        content="我叫王小明，住紫阳县城关镇河堤路8号3单元201，打139 0915 0001找我，停水。",
        address="紫阳县城关镇河堤路8号3单元201",
    )
    known = "".join([str(await rows(intake, table)) for table in await tables(intake)])
    for secret in ("王小明", "13909150001", "139 0915 0001", "河堤路8号3单元201"):
        assert secret not in known
    assert "停水" in known


async def test_a_confidential_ticket_carries_the_area_only(intake: Bench) -> None:
    place = {"longitude": 108.53, "latitude": 32.52}
    await registered(intake, type="report", address="红椿镇街道12号", location=place)
    [fact] = await intake.told()
    assert fact.data.confidential
    assert (fact.data.address, fact.data.location) == (None, None)
    assert fact.data.area == "610924100"


async def test_coordinates_do_not_say_where_the_home_is(intake: Bench) -> None:
    place = {"longitude": 108.53, "latitude": 32.52}
    await registered(intake, address=CALLER["address"], location=place)
    await registered(intake, address="滨江路路口", location=place)
    home, street = await intake.told()
    assert (home.data.address, home.data.location) == ("[住址]", None)
    assert street.data.location.longitude == 108.53


async def test_a_report_may_ask_not_to_be_confidential(intake: Bench) -> None:
    await registered(intake, type="report", confidential=False, address="红椿镇街道12号")
    [fact] = await intake.told()
    assert fact.data.address == "红椿镇街道12号"


async def test_a_complaint_without_a_phone_has_no_contact(intake: Bench) -> None:
    await registered(intake, caller=None)
    assert not (await intake.told())[0].data.has_contact


# --- registered before -------------------------------------------------------------------------


async def test_a_repeated_key_returns_the_first_ticket(intake: Bench) -> None:
    client, key = intake.http("phone_system"), {"Idempotency-Key": "call-1"}
    first = await client.post("/v1/tickets", json=complaint(), headers=key)
    again = await client.post("/v1/tickets", json=complaint(), headers=key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert len(await intake.told()) == 1


async def test_a_key_with_another_complaint_is_refused(intake: Bench) -> None:
    client, key = intake.http("phone_system"), {"Idempotency-Key": "call-1"}
    await client.post("/v1/tickets", json=complaint(), headers=key)
    other = await client.post("/v1/tickets", json=complaint(title="别的事"), headers=key)
    assert other.status_code == 422
    assert other.json()["type"].endswith("idempotency-key-reused")


async def test_a_repeated_source_number_returns_the_first_ticket(intake: Bench) -> None:
    first = await registered(intake, channel="province", source_number="SX-77")
    answer = await post(
        intake,
        "/v1/tickets",
        complaint(channel="province", source_number="SX-77", urgency="urgent"),  # the same words
    )
    assert answer.status_code == 200
    assert answer.json()["number"] == first["number"]
    other = await registered(intake, channel="national", source_number="SX-77")
    assert other["number"] != first["number"]
    assert len(await intake.told()) == 2


async def test_fifty_at_once_under_ten_keys_are_ten_tickets(intake: Bench) -> None:
    client = intake.http("phone_system")

    async def call(n: int) -> Any:
        key = {"Idempotency-Key": f"k{n % 10}"}
        return await client.post("/v1/tickets", json=complaint(title=f"第{n % 10}件"), headers=key)

    answers = await asyncio.gather(*(call(n) for n in range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] * 40 + [201] * 10
    assert len({answer.json()["number"] for answer in answers}) == 10
    assert len(await intake.told("ticket.registered")) == 10
    assert len(await rows(intake, "vault")) == 10


# --- batch -------------------------------------------------------------------------------------


async def test_each_complaint_of_a_batch_has_its_own_answer(intake: Bench) -> None:
    batch = [
        complaint(),
        complaint(topic="water.suply"),
        complaint(content=""),
        complaint(source_number="A1"),
        complaint(source_number="A1"),
        {"nonsense": True},
    ]
    answer = await post(intake, "/v1/tickets/batch", {"tickets": batch})
    assert answer.status_code == 200
    answers = answer.json()["answers"]
    assert [each["status"] for each in answers] == [201, 422, 422, 201, 200, 422]
    assert "water.supply" in str(answers[1]["problem"]["nearest"])
    assert answers[4]["ticket"]["number"] == answers[3]["ticket"]["number"]
    assert len(await intake.told()) == 2


async def test_others_get_a_turn_between_two_complaints_of_a_batch(
    intake: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns, made_at, make = 0, list[int](), registration.ticket_row

    def ticket_row(*given: Any) -> dict[str, Any]:
        made_at.append(turns)
        return make(*given)

    monkeypatch.setattr(registration, "ticket_row", ticket_row)
    batch = {"tickets": [complaint()] * 50}
    asked = asyncio.create_task(post(intake, "/v1/tickets/batch", batch))
    while not asked.done():
        await clock.breathe()
        turns += 1
    assert (await asked).status_code == 200
    assert len(made_at) == len(set(made_at)) == 50


async def test_a_thousand_complaints_fit_a_batch_and_no_more(intake: Bench) -> None:
    answer = await post(intake, "/v1/tickets/batch", {"tickets": [complaint()] * 1000})
    assert {each["status"] for each in answer.json()["answers"]} == {201}
    assert len({each["ticket"]["number"] for each in answer.json()["answers"]}) == 1000
    for size in (0, 1001):
        refused = await post(intake, "/v1/tickets/batch", {"tickets": [complaint()] * size})
        assert refused.status_code == 422


def test_no_other_route_is_tried_before_a_registrations() -> None:
    """Routes are tried in their order, a microsecond each; most requests are registrations."""
    first = routes.router.routes[0]
    assert isinstance(first, APIRoute)
    assert (first.path, first.methods) == ("/v1/tickets", {"POST"})
