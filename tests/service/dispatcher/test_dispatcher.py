"""The dispatcher hears of tickets: who gets them, and what becomes of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta

import pytest

from shared.events import (
    AssignmentDispatched,
    Fact,
    TicketSupplemented,
    TicketUnassigned,
    TicketUrged,
    TicketWithdrawn,
)
from shared.messaging.bus import Message
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import (
    COMPANY,
    COMPANY_CO,
    NUMBER,
    STREET_LIGHT,
    banquet,
    closed,
    company,
    finish,
    finish_all,
    names,
    register,
    reopened,
    settle,
    statuses,
    street_light,
)

# --- dispatch ----------------------------------------------------------------------------------


async def test_a_ticket_goes_to_the_unit_of_the_catalogue(dispatcher: Bench) -> None:
    """R-03 即时派单."""
    given = await register(dispatcher)
    (fact,) = await dispatcher.told()
    data: AssignmentDispatched = fact.data
    assert (fact.key, fact.subject, fact.round) == ("assignment.dispatched.CGZF", NUMBER, 1)
    assert fact.assignment == given[STREET_LIGHT]
    assert (data.rule, data.lead, data.co_handlers) == ("lighting-in-county-town", "CGZF", ())
    assert "“路灯不亮”属于“路灯”" in data.reason
    assert data.limits.model_dump(exclude_none=True) == {
        "sign": "4wh",
        "first_contact": "1wd",
        "handle": "5wd",
    }
    assert (data.title, data.address, data.redo) == ("路灯不亮", "滨江路8号", False)
    assert await statuses(dispatcher) == [("CGZF", 1, "dispatched")]


async def test_several_units_have_one_lead(dispatcher: Bench) -> None:
    """R-14 一个主办."""
    await register(dispatcher, company())
    told = await dispatcher.told("assignment.dispatched")
    assert [(fact.unit, fact.data.role) for fact in told] == [
        (COMPANY, "lead"),
        *((unit, "co") for unit in COMPANY_CO),
    ]
    assert {fact.data.lead for fact in told} == {COMPANY}
    assert {fact.data.co_handlers for fact in told} == {COMPANY_CO}
    assert {fact.data.limits.first_contact for fact in told if fact.data.role == "co"} == {None}


async def test_what_no_rule_covers_waits_for_the_desk(dispatcher: Bench) -> None:
    """R-04 派单顺序."""
    assert await register(dispatcher, banquet()) == {}
    (fact,) = await dispatcher.told()
    data: TicketUnassigned = fact.data
    assert fact.key == "ticket.unassigned"
    assert "“违规操办无事酒”" in data.reason
    assert "banquet-rules-asked" in data.nearest


async def test_the_reported_unit_is_passed_over(dispatcher: Bench) -> None:
    await register(dispatcher, company(reported_unit="SWJ"))
    assert await names(dispatcher) == ["ticket.unassigned"]


async def test_a_confidential_ticket_is_delivered_with_its_area_only(dispatcher: Bench) -> None:
    await register(dispatcher, street_light(confidential=True))
    (fact,) = await dispatcher.told("assignment.dispatched")
    assert (fact.data.area, fact.data.address, fact.data.location) == ("610924100", None, None)


async def test_the_effective_urgency_sets_the_limits(dispatcher: Bench) -> None:
    await register(dispatcher, street_light(content="灯杆倒下有人被困", urgency="complex"))
    told = await dispatcher.told("assignment.dispatched")
    assert {fact.data.urgency for fact in told} == {"critical"}
    assert told[0].data.limits.sign == "15min"


async def test_a_ticket_registered_twice_is_dispatched_once(dispatcher: Bench) -> None:
    fact = dispatcher.fact(street_light())
    await dispatcher.hear(fact, fact)
    await dispatcher.hear(fact)
    await dispatcher.hear(dispatcher.fact(street_light()))
    assert await names(dispatcher) == ["assignment.dispatched"]


# --- what the citizen does next ----------------------------------------------------------------


async def test_a_supplement_reaches_whoever_is_at_work(dispatcher: Bench) -> None:
    given = await register(dispatcher, company())
    await finish(dispatcher, "RSJ", given["RSJ"])
    await dispatcher.hear(dispatcher.fact(TicketSupplemented(content="改了名字"), subject=NUMBER))
    told = await dispatcher.told("assignment.updated")
    assert [fact.unit for fact in told] == [COMPANY, "SWJ", "SPJ"]
    assert {(fact.data.kind, fact.data.content) for fact in told} == {("supplemented", "改了名字")}


async def test_an_urging_reaches_the_unit_and_counts_at_the_desk(dispatcher: Bench) -> None:
    await register(dispatcher)
    await register(dispatcher, banquet(), "20260302-000002")
    for number in (NUMBER, "20260302-000002"):
        urged = TicketUrged(note="怎么还没人来", times=2)
        await dispatcher.hear(dispatcher.fact(urged, subject=number))
    (told,) = await dispatcher.told("assignment.updated")
    assert (told.unit, told.data.kind) == (STREET_LIGHT, "urged")
    page = await dispatcher.http("desk").get("/v1/unassigned")
    assert [item["urged"] for item in page.json()["items"]] == [2]


async def test_a_withdrawal_frees_every_unit(dispatcher: Bench) -> None:
    given = await register(dispatcher, company())
    await finish(dispatcher, "RSJ", given["RSJ"])
    withdrawn = dispatcher.fact(TicketWithdrawn(reason="不办了"), subject=NUMBER)
    await dispatcher.hear(withdrawn, withdrawn)
    told = await dispatcher.told("assignment.cancelled")
    assert [fact.unit for fact in told] == [COMPANY, "SWJ", "SPJ"]
    assert {fact.data.reason for fact in told} == {"withdrawn"}
    assert [status for _, _, status in await statuses(dispatcher)] == [
        "cancelled",
        "completed",
        "cancelled",
        "cancelled",
    ]


async def test_a_withdrawn_ticket_leaves_the_desk(dispatcher: Bench) -> None:
    await register(dispatcher, banquet())
    await dispatcher.hear(dispatcher.fact(TicketWithdrawn(reason="不办了"), subject=NUMBER))
    page = await dispatcher.http("desk").get("/v1/unassigned")
    counts = {"total": 0, "overdue": 0, "urgencies": {}}
    assert page.json() == {"items": [], "next": None, "counts": counts}


# --- the verdict -------------------------------------------------------------------------------


async def test_a_reopened_ticket_goes_back_to_its_lead(dispatcher: Bench) -> None:
    await register(dispatcher, company())
    await finish_all(dispatcher, COMPANY, *COMPANY_CO)
    await dispatcher.hear(dispatcher.fact(TicketSupplemented(content="差公章"), subject=NUMBER))
    await dispatcher.hear(reopened(dispatcher, 2))
    fact = (await dispatcher.told())[-1]
    data: AssignmentDispatched = fact.data
    assert (fact.key, fact.round) == ("assignment.dispatched.SCJG", 2)
    assert (data.redo, data.role, data.co_handlers) == (True, "lead", ())
    assert data.limits.handle == "3wd"
    assert data.rule == "enterprise-opening"
    assert "晚上还是黑的" in data.reason
    assert data.content.startswith("办执照")
    assert "差公章" in data.content
    assert (await statuses(dispatcher))[-1] == (COMPANY, 2, "dispatched")


async def test_a_second_redo_follows_the_first(dispatcher: Bench) -> None:
    await register(dispatcher)
    for round in (2, 3):
        await finish_all(dispatcher, STREET_LIGHT)
        await dispatcher.hear(reopened(dispatcher, round))
    assert await statuses(dispatcher) == [
        (STREET_LIGHT, 1, "completed"),
        (STREET_LIGHT, 2, "completed"),
        (STREET_LIGHT, 3, "dispatched"),
    ]


async def test_the_verdict_reaches_who_completed_the_last_round(dispatcher: Bench) -> None:
    await register(dispatcher, company())
    await finish_all(dispatcher, COMPANY, *COMPANY_CO)
    await dispatcher.hear(reopened(dispatcher, 2))
    await finish_all(dispatcher, COMPANY)
    await dispatcher.hear(closed(dispatcher, 2))
    told = await dispatcher.told("assignment.closed")
    assert [(fact.unit, fact.round, fact.data.kind) for fact in told] == [(COMPANY, 2, "satisfied")]


async def test_a_closed_ticket_hears_of_all_its_units(dispatcher: Bench) -> None:
    await register(dispatcher, company())
    await finish_all(dispatcher, COMPANY, *COMPANY_CO)
    await dispatcher.hear(closed(dispatcher))
    told = await dispatcher.told("assignment.closed")
    assert {fact.unit for fact in told} == {COMPANY, *COMPANY_CO}
    answer = await dispatcher.http("desk").get(f"/v1/tickets/{NUMBER}/assignments")
    assert answer.json()["status"] == "closed"


# --- late, doubled, in any order ---------------------------------------------------------------


async def test_what_comes_before_the_ticket_waits_for_it(dispatcher: Bench) -> None:
    early = [
        dispatcher.fact(TicketSupplemented(content="补充"), subject=NUMBER),
        dispatcher.fact(TicketUrged(note="快点", times=1), subject=NUMBER),
    ]
    await dispatcher.receive([Message(fact.key, str(fact.id), fact.encode()) for fact in early])
    assert [row["state"] for row in await dispatcher.parked()] == ["early", "early"]
    assert await dispatcher.told() == []
    await register(dispatcher)
    assert await dispatcher.parked() == []
    assert sorted(await names(dispatcher)) == [
        "assignment.dispatched",
        "assignment.updated",
        "assignment.updated",
    ]


@pytest.mark.parametrize("seed", range(4))
async def test_facts_of_a_first_round_give_the_same_rows_in_any_order(
    dispatcher: Bench, seed: int
) -> None:
    story = [
        company(),
        TicketSupplemented(content="补充一"),
        TicketSupplemented(content="补充二"),
        TicketUrged(note="快点", times=1),
        TicketUrged(note="再快点", times=2),
        TicketWithdrawn(reason="不办了"),
    ]
    facts = [dispatcher.fact(data, subject=NUMBER) for data in story]
    await in_any_order(dispatcher, facts, seed)
    assert {status for _, _, status in await statuses(dispatcher)} == {"cancelled"}
    (ticket,) = await dispatcher.rows("SELECT * FROM tickets")
    assert (ticket["urged"], ticket["withdrawn_at"] is not None) == (2, True)
    kept = await dispatcher.rows("SELECT content FROM supplements ORDER BY seq")
    assert [row["content"] for row in kept] == ["补充一", "补充二"]


@pytest.mark.parametrize("seed", range(6))
async def test_verdicts_give_the_same_rows_in_any_order(dispatcher: Bench, seed: int) -> None:
    """A verdict, a new round and a withdrawal cross one another; the units acted in between."""
    await register(dispatcher)
    await finish_all(dispatcher, STREET_LIGHT)
    facts = [
        closed(dispatcher, 1),
        reopened(dispatcher, 2),
        dispatcher.fact(TicketWithdrawn(reason="不办了"), subject=NUMBER),
    ]
    await in_any_order(dispatcher, facts, seed)
    assert await statuses(dispatcher) == [
        (STREET_LIGHT, 1, "completed"),
        (STREET_LIGHT, 2, "cancelled"),
    ]
    (ticket,) = await dispatcher.rows("SELECT round, resolved, closed FROM tickets")
    assert ticket == {"round": 2, "resolved": 1, "closed": 1}
    told = [name for name in await names(dispatcher) if name in LASTING]
    assert sorted(told) == sorted(LASTING)


LASTING = ["assignment.dispatched"] * 2 + ["assignment.closed", "assignment.cancelled"]


async def in_any_order(bench: Bench, facts: Sequence[Fact], seed: int) -> None:
    """Each fact twice, shuffled, in batches of two and three."""
    order = random.Random(seed)
    doubled = [*facts, *facts]
    order.shuffle(doubled)
    while doubled:
        size = order.choice((2, 3))
        batch, doubled = doubled[:size], doubled[size:]
        await bench.hear(*batch)
    await settle(bench)
    assert await bench.parked() == []


async def test_a_verdict_waits_for_the_round_it_is_about(dispatcher: Bench) -> None:
    await register(dispatcher)
    await finish_all(dispatcher, STREET_LIGHT)
    await dispatcher.hear(closed(dispatcher, 2), reopened(dispatcher, 2))
    assert [row["state"] for row in await dispatcher.parked()] == ["early"]
    await finish_all(dispatcher, STREET_LIGHT)
    await settle(dispatcher)
    assert await dispatcher.parked() == []
    assert [fact.round for fact in await dispatcher.told("assignment.closed")] == [2]


async def test_a_late_verdict_on_an_older_round_opens_nothing_again(dispatcher: Bench) -> None:
    await register(dispatcher)
    await finish_all(dispatcher, STREET_LIGHT)
    await dispatcher.hear(reopened(dispatcher, 2))
    await finish_all(dispatcher, STREET_LIGHT)
    await dispatcher.hear(closed(dispatcher, 2))
    await dispatcher.hear(closed(dispatcher, 1))
    answer = await dispatcher.http("desk").get(f"/v1/tickets/{NUMBER}/assignments")
    assert answer.json()["status"] == "closed"
    assert [each["verdict"] for each in answer.json()["assignments"]] == ["satisfied"] * 2


async def test_a_late_fact_of_an_older_round_opens_nothing(dispatcher: Bench) -> None:
    await register(dispatcher)
    await finish_all(dispatcher, STREET_LIGHT)
    await dispatcher.hear(reopened(dispatcher, 2))
    await dispatcher.hear(reopened(dispatcher, 2))
    assert len(await statuses(dispatcher)) == 2


async def test_nothing_ends_before_it_began(dispatcher: Bench) -> None:
    """A withdrawal dated before a dispatch that came late frees the unit at the dispatch."""
    before = dispatcher.now - timedelta(minutes=5)
    withdrawn = dispatcher.fact(TicketWithdrawn(reason="不办了"), subject=NUMBER, time=before)
    await dispatcher.hear(withdrawn, dispatcher.fact(street_light(), subject=NUMBER))
    (cancelled,) = await dispatcher.told("assignment.cancelled")
    assert cancelled.time == dispatcher.now
