"""并单 at the dispatcher: one piece of work for several citizens, and nobody lost (GB66-5, JN-28)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from services.dispatcher import jobs
from shared.events import (
    ClosingKind,
    Fact,
    Reported,
    TicketClosed,
    TicketCorrected,
    TicketMerged,
    TicketReopened,
    TicketSupplemented,
    TicketType,
    TicketUnmerged,
    TicketWithdrawn,
    Urgency,
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


async def test_whom_a_report_is_about_does_not_learn_that_its_own_ticket_was_merged_into_it(
    dispatcher: Bench,
) -> None:
    """R-35: a number that opens nothing to it ties a citizen it knows to a report about it."""
    await register(dispatcher, street_light(reported_unit=STREET_LIGHT), FIRST)
    await register(dispatcher, street_light(), SECOND)
    await dispatcher.hear(merged(dispatcher, SECOND))
    read = f"/v1/tickets/{SECOND}/assignments"
    own = (await dispatcher.http("unit", STREET_LIGHT).get(read)).json()
    assert own["merged_into"] is None
    assert (await dispatcher.http("desk").get(read)).json()["merged_into"] == FIRST


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


async def parted_by_correction(bench: Bench) -> UUID:
    """Two wait with the first; the second turns out to be a report that has not said whom it accuses,
    so it lies at the desk for itself (R-35).
    """
    order = await three(bench)
    await sign(bench, STREET_LIGHT, order)
    right = TicketCorrected(fields=("type",), reason="实为举报", type=TicketType.REPORT)
    await bench.hear(bench.fact(right, subject=SECOND))
    [waiting] = (await bench.http("desk").get("/v1/unassigned")).json()["items"]
    assert waiting["number"] == SECOND
    return order


async def test_who_got_work_of_his_own_is_heard_by_the_others_units_no_more(
    dispatcher: Bench,
) -> None:
    """R-35, R-36: what he says now may be about them, and they have nothing to ask him."""
    order = await parted_by_correction(dispatcher)
    said = TicketSupplemented(content="就是修灯的人收了钱")
    await dispatcher.hear(dispatcher.fact(said, subject=SECOND))
    heard = [fact.data.content for fact in await dispatcher.told("assignment.updated")]
    assert all("收了钱" not in content for content in heard)
    assert await duty(dispatcher, SECOND) is None
    assert await duty(dispatcher, THIRD) == str(order)
    unit = dispatcher.http("unit", STREET_LIGHT)
    seen = (await unit.get(f"/v1/tickets/{FIRST}/assignments")).json()
    assert (seen["merged"], seen["citizens"]) == ([THIRD], 2)


async def test_who_got_work_of_his_own_binds_nobody_elses(dispatcher: Bench) -> None:
    """The desk gives the others' work to whom it will, and his words do not go with it."""
    await parted_by_correction(dispatcher)
    right = TicketCorrected(fields=("reported",), reason="补充", reported=Reported(units=("ZJJ",)))
    await dispatcher.hear(dispatcher.fact(right, subject=SECOND))
    await post(
        dispatcher.http("desk"), f"/v1/tickets/{FIRST}/assign", {"lead": "ZJJ", "reason": "改派"}
    )
    order = (await dispatcher.told("assignment.dispatched"))[-1]
    assert (order.subject, order.unit) == (FIRST, "ZJJ")
    assert SECOND not in order.data.content
    assert THIRD in order.data.content


async def test_what_a_merged_citizen_says_after_the_answer_reaches_who_answered(
    dispatcher: Bench,
) -> None:
    await finish(dispatcher, STREET_LIGHT, await three(dispatcher))
    said = TicketSupplemented(content="灯又灭了")
    await dispatcher.hear(dispatcher.fact(said, subject=SECOND))
    told = (await dispatcher.told("assignment.updated"))[-1]
    assert (told.unit, told.data.number, told.data.content) == (STREET_LIGHT, SECOND, "灯又灭了")


async def test_who_stands_back_from_one_of_them_reads_in_its_feed_no_more_what_he_said(
    dispatcher: Bench,
) -> None:
    """R-35: it was told before anybody knew that it is accused; the work of the others stays with it."""
    await three(dispatcher)
    unit, path = dispatcher.http("unit", STREET_LIGHT), f"/v1/units/{STREET_LIGHT}/feed"
    await dispatcher.run("number_feed")
    assert f"{SECOND} 说路灯不亮" in (await unit.get(path)).text
    right = Reported(units=(STREET_LIGHT,))
    data = TicketCorrected(fields=("reported",), reason="补充", reported=right)
    await dispatcher.hear(dispatcher.fact(data, subject=SECOND))
    await dispatcher.run("number_feed")
    seen = (await unit.get(path)).text
    assert f"{SECOND} 说路灯不亮" not in seen
    assert all(f"{number} 说路灯不亮" in seen for number in (FIRST, THIRD))


async def urgencies(bench: Bench, number: str = FIRST) -> list[str]:
    """How urgent the open orders of a ticket are."""
    query = "SELECT urgency FROM assignments WHERE ticket = :number AND status <> 'cancelled'"
    return [row["urgency"] for row in await bench.rows(query, number=number)]


@pytest.mark.parametrize("signed", [True, False])
async def test_a_work_is_as_urgent_as_the_most_urgent_of_its_citizens(
    dispatcher: Bench, signed: bool
) -> None:
    """Whose danger is merged into another's ticket waits no longer for it."""
    order = await register(dispatcher, street_light(), FIRST)
    if signed:
        await sign(dispatcher, STREET_LIGHT, order[STREET_LIGHT])
    await register(dispatcher, street_light(urgency="critical"), SECOND)
    await dispatcher.hear(merged(dispatcher, SECOND))
    assert await urgencies(dispatcher) == ["critical"]
    assert await open_leads(dispatcher) == 1
    if signed:
        [hurried] = [
            fact.data for fact in await dispatcher.told("assignment.updated") if fact.data.limits
        ]
        assert hurried.urgency == "critical"


async def test_who_turns_out_to_be_in_danger_hurries_the_work_he_waits_for(
    dispatcher: Bench,
) -> None:
    await sign(dispatcher, STREET_LIGHT, await three(dispatcher))
    right = TicketCorrected(fields=("urgency",), reason="漏电", urgency=Urgency.CRITICAL)
    await dispatcher.hear(dispatcher.fact(right, subject=SECOND))
    assert await urgencies(dispatcher) == ["critical"]
    assert (await dispatcher.told("assignment.updated"))[-1].data.urgency == "critical"


async def test_at_the_desk_a_work_is_as_urgent_as_the_most_urgent(dispatcher: Bench) -> None:
    await register(dispatcher, street_light(topic="other"), FIRST)
    await register(dispatcher, street_light(urgency="critical"), SECOND)
    await dispatcher.hear(merged(dispatcher, SECOND))
    [waiting] = (await dispatcher.http("desk").get("/v1/unassigned")).json()["items"]
    assert (waiting["number"], waiting["urgency"]) == (FIRST, "critical")
