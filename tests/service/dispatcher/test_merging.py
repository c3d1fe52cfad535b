"""并单 at the dispatcher: one piece of work for several citizens, and nobody lost (GB66-5, JN-28)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from services.dispatcher import jobs
from shared.events import (
    ClosingKind,
    Fact,
    TicketClosed,
    TicketMerged,
    TicketReopened,
    TicketUnmerged,
    TicketWithdrawn,
)
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import (
    STREET_LIGHT,
    assignments,
    finish,
    post,
    reach,
    register,
    settle,
    sign,
    statuses,
    street_light,
)

FIRST, SECOND, THIRD = "20260302-000001", "20260302-000002", "20260302-000003"


def merged(bench: Bench, number: str, into: str = FIRST, seq: int = 9) -> Fact:
    """Intake says that a ticket is merged."""
    data = TicketMerged(into=into, reason="同一处路灯")
    return bench.fact(data, subject=number, seq=seq)


def unmerged(bench: Bench, number: str, seq: int = 10) -> Fact:
    """Intake says that it was another matter after all."""
    data = TicketUnmerged(parted_from=FIRST, reason="不是同一盏灯")
    return bench.fact(data, subject=number, seq=seq)


def not_solved(bench: Bench, number: str, round: int) -> Fact:
    """A citizen does not agree."""
    data = TicketReopened(reasons=("not_solved",), comment="还是黑的")
    return bench.fact(data, subject=number, round=round)


async def three(bench: Bench) -> UUID:
    """Three citizens and one street light, merged; the assignment of the first."""
    for number in (FIRST, SECOND, THIRD):
        await register(bench, street_light(content=f"{number} 说路灯不亮"), number)
    await bench.hear(merged(bench, SECOND), merged(bench, THIRD))
    return (await assignments(bench, FIRST))[STREET_LIGHT]


async def resolved(bench: Bench) -> list[tuple[str, int]]:
    """Which tickets' rounds were said to be resolved."""
    return [(fact.subject, fact.round) for fact in await bench.told("ticket.resolved")]


async def open_leads(bench: Bench) -> int:
    """How many orders lie with units."""
    rows = await bench.rows(
        "SELECT id FROM assignments WHERE role = 'lead' AND status <> ALL(:ended)",
        ended=["completed", "cancelled", "returned"],
    )
    return len(rows)


async def test_three_citizens_are_one_piece_of_work(dispatcher: Bench) -> None:
    await three(dispatcher)
    assert await statuses(dispatcher, FIRST) == [(STREET_LIGHT, 1, "dispatched")]
    assert await statuses(dispatcher, SECOND) == [(STREET_LIGHT, 1, "cancelled")]
    assert await open_leads(dispatcher) == 1
    assert [fact.data.reason for fact in await dispatcher.told("assignment.cancelled")] == [
        "merged"
    ] * 2


async def test_the_units_at_work_hear_what_the_other_citizens_said(dispatcher: Bench) -> None:
    await three(dispatcher)
    told = await dispatcher.told("assignment.updated")
    assert [(fact.subject, fact.unit, fact.data.number) for fact in told] == [
        (FIRST, STREET_LIGHT, SECOND),
        (FIRST, STREET_LIGHT, THIRD),
    ]
    assert told[0].data.content == f"{SECOND} 说路灯不亮"


async def test_every_citizen_gets_the_answer_once(dispatcher: Bench) -> None:
    """R-09, gain 8."""
    order = await three(dispatcher)
    await finish(dispatcher, STREET_LIGHT, order)
    assert await resolved(dispatcher) == [(FIRST, 1), (SECOND, 1), (THIRD, 1)]
    answers = {fact.data.public_answer for fact in await dispatcher.told("ticket.resolved")}
    assert len(answers) == 1


async def test_who_does_not_agree_is_worked_on_again_by_the_same_lead(dispatcher: Bench) -> None:
    await finish(dispatcher, STREET_LIGHT, await three(dispatcher))
    satisfied = TicketClosed(kind=ClosingKind.SATISFIED)
    await dispatcher.hear(
        dispatcher.fact(satisfied, subject=FIRST), not_solved(dispatcher, SECOND, 2)
    )
    assert await statuses(dispatcher, SECOND) == [
        (STREET_LIGHT, 1, "cancelled"),
        (STREET_LIGHT, 2, "dispatched"),
    ]
    again = (await dispatcher.told("assignment.dispatched"))[-1]
    assert (again.subject, again.data.redo) == (SECOND, True)


async def test_the_second_who_does_not_agree_joins_the_first(dispatcher: Bench) -> None:
    await finish(dispatcher, STREET_LIGHT, await three(dispatcher))
    await dispatcher.hear(not_solved(dispatcher, SECOND, 2))
    await dispatcher.hear(not_solved(dispatcher, THIRD, 2))
    assert await open_leads(dispatcher) == 1
    joined = (await dispatcher.told("assignment.updated"))[-1]
    assert (joined.subject, joined.data.number) == (SECOND, THIRD)
    assert "还是黑的" in joined.data.content
    await finish(dispatcher, STREET_LIGHT, (await assignments(dispatcher, SECOND))[STREET_LIGHT])
    assert (await resolved(dispatcher))[3:] == [(SECOND, 2), (THIRD, 2)]


async def test_the_work_goes_on_when_the_citizen_whose_number_it_has_withdraws(
    dispatcher: Bench,
) -> None:
    await three(dispatcher)
    await dispatcher.hear(dispatcher.fact(TicketWithdrawn(reason="不用了"), subject=FIRST))
    assert await statuses(dispatcher, FIRST) == [(STREET_LIGHT, 1, "cancelled")]
    assert (await statuses(dispatcher, SECOND))[-1] == (STREET_LIGHT, 1, "dispatched")
    assert await open_leads(dispatcher) == 1
    order = (await dispatcher.told("assignment.dispatched"))[-1]
    assert f"{THIRD} 说路灯不亮" in order.data.content
    await finish(dispatcher, STREET_LIGHT, (await assignments(dispatcher, SECOND))[STREET_LIGHT])
    assert await resolved(dispatcher) == [(SECOND, 1), (THIRD, 1)]


async def test_who_waits_may_withdraw_alone(dispatcher: Bench) -> None:
    order = await three(dispatcher)
    await dispatcher.hear(dispatcher.fact(TicketWithdrawn(reason="不用了"), subject=SECOND))
    await finish(dispatcher, STREET_LIGHT, order)
    assert await resolved(dispatcher) == [(FIRST, 1), (THIRD, 1)]


async def test_unmerged_it_gets_an_order_of_its_own(dispatcher: Bench) -> None:
    order = await three(dispatcher)
    await dispatcher.hear(unmerged(dispatcher, SECOND))
    assert (await statuses(dispatcher, SECOND))[-1] == (STREET_LIGHT, 1, "dispatched")
    assert (await dispatcher.told("assignment.updated"))[-1].data.kind == "unmerged"
    await finish(dispatcher, STREET_LIGHT, order)
    assert await resolved(dispatcher) == [(FIRST, 1), (THIRD, 1)]


@pytest.mark.parametrize("twice", [False, True])
async def test_facts_may_come_in_any_order_and_twice(dispatcher: Bench, twice: bool) -> None:
    facts = [
        unmerged(dispatcher, SECOND),
        merged(dispatcher, THIRD),
        merged(dispatcher, SECOND),
        *(dispatcher.fact(street_light(), subject=number) for number in (SECOND, FIRST, THIRD)),
    ]
    for fact in facts * (1 + twice):
        await dispatcher.hear(fact)
    await settle(dispatcher)
    assert await open_leads(dispatcher) == 2
    works = await dispatcher.rows("SELECT number, work FROM tickets ORDER BY number")
    assert [row["work"] for row in works] == [FIRST, None, FIRST]


async def test_a_unit_that_must_stand_back_from_one_of_them_gets_none_of_it(
    dispatcher: Bench,
) -> None:
    await register(dispatcher, street_light(), FIRST)
    await register(dispatcher, street_light(reported_unit=STREET_LIGHT), SECOND)
    await dispatcher.hear(merged(dispatcher, SECOND))
    assert await dispatcher.told("assignment.updated") == []
    [waiting] = (await dispatcher.http("desk").get("/v1/unassigned")).json()["items"]
    assert waiting["number"] == SECOND


async def test_the_desk_sees_how_many_wait_and_assigns_where_the_work_is(dispatcher: Bench) -> None:
    await three(dispatcher)
    desk = dispatcher.http("desk")
    seen = (await desk.get(f"/v1/tickets/{FIRST}/assignments")).json()
    assert (seen["citizens"], seen["merged"]) == (3, [SECOND, THIRD])
    assert (await desk.get(f"/v1/tickets/{SECOND}/assignments")).json()["merged_into"] == FIRST
    body: dict[str, Any] = {"lead": "ZJJ", "reason": "改派"}
    refused = await post(desk, f"/v1/tickets/{SECOND}/assign", body, status=409)
    assert (refused["type"].rpartition("/")[2], refused["number"]) == ("in-other-work", FIRST)
    await post(desk, f"/v1/tickets/{FIRST}/assign", body)
    assert await open_leads(dispatcher) == 1


async def test_a_ticket_is_not_assigned_to_whom_another_of_its_citizens_accuses(
    dispatcher: Bench,
) -> None:
    await three(dispatcher)
    await register(dispatcher, street_light(reported_unit="ZJJ"), "20260302-000004")
    await dispatcher.hear(merged(dispatcher, "20260302-000004"))
    body = {"lead": "ZJJ", "reason": "改派"}
    refused = await post(dispatcher.http("desk"), f"/v1/tickets/{FIRST}/assign", body, status=409)
    assert refused["type"].endswith("recused")


async def test_who_was_left_by_a_replica_of_the_release_before_is_answered(
    dispatcher: Bench,
) -> None:
    order = await three(dispatcher)
    await dispatcher.do("UPDATE tickets SET work = NULL WHERE number = :number", number=FIRST)
    await dispatcher.do("UPDATE tickets SET work = number WHERE number <> :number", number=FIRST)
    await finish(dispatcher, STREET_LIGHT, order)  # it knows of nobody else
    await dispatcher.do("UPDATE tickets SET work = :number", number=FIRST)
    assert await resolved(dispatcher) == [(FIRST, 1)]
    assert await jobs.take_up_left(dispatcher.service.store, 10) == 2
    assert await resolved(dispatcher) == [(FIRST, 1), (SECOND, 1), (THIRD, 1)]
    assert await jobs.take_up_left(dispatcher.service.store, 10) == 0


async def duty(bench: Bench, number: str, unit: str = STREET_LIGHT) -> str | None:
    """Under which assignment a unit handles a ticket, as intake asks before it opens a contact."""
    answer = await bench.http("service", None, "intake").get(f"/v1/tickets/{number}/duties/{unit}")
    found: str | None = answer.json()["assignment"]
    return found


async def test_who_works_for_a_citizen_may_contact_that_citizen(dispatcher: Bench) -> None:
    """R-36: while it waits for them, and nobody else."""
    order = await three(dispatcher)
    assert await duty(dispatcher, SECOND) is None
    await sign(dispatcher, STREET_LIGHT, order)
    assert await duty(dispatcher, SECOND) == str(order)
    assert await duty(dispatcher, SECOND, "ZJJ") is None
    await dispatcher.hear(unmerged(dispatcher, SECOND))
    assert await duty(dispatcher, SECOND) is None
    await reach(dispatcher, STREET_LIGHT, order)
    assert await duty(dispatcher, THIRD) == str(order)
