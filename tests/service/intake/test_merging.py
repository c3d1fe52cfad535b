"""并单 at intake: every citizen keeps a ticket, a code and a progress of their own (GB66-5)."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.events import (
    AssignmentCancelled,
    AssignmentDispatched,
    AssignmentSigned,
    Fact,
    TicketClosed,
    TicketReopened,
)
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import DISPATCHED, RESOLVED, post, registered

NEIGHBOUR = {"name": "李四", "phone": "13909150002", "address": None}


async def two(intake: Bench, **second: Any) -> tuple[str, str]:
    """Two citizens and one matter; the numbers of their tickets."""
    first = await registered(intake)
    other = await registered(intake, **{"caller": NEIGHBOUR, "content": "小区没水", **second})
    return first["number"], other["number"]


async def merge(
    intake: Bench, number: str, into: str, status: int = 200, role: str = "agent", **more: Any
) -> Any:
    """Merge one ticket into another at the desk."""
    body = {"into": into, "reason": "同一小区同一次停水"} | more
    answer = await post(intake, f"/v1/tickets/{number}/merge", body, role)
    assert answer.status_code == status, answer.text
    return answer.json()


async def unmerge(intake: Bench, number: str, status: int = 200) -> Any:
    """Part a ticket from the others."""
    answer = await post(intake, f"/v1/tickets/{number}/unmerge", {"reason": "不是一回事"}, "desk")
    assert answer.status_code == status, answer.text
    return answer.json()


def slug(problem: Any) -> str:
    """Which error it is."""
    return str(problem["type"]).rpartition("/")[2]


def given(intake: Bench, number: str, assignment: UUID, unit: str = "GSGS", round: int = 1) -> Fact:
    """A unit gets a ticket."""
    data = AssignmentDispatched(**DISPATCHED, registered_at=intake.now)
    return intake.fact(data, subject=number, assignment=assignment, unit=unit, round=round)


async def status_of(intake: Bench, number: str) -> tuple[str, list[str]]:
    """A ticket's status, and the units its citizen is told of."""
    shown = (await intake.http("desk").get(f"/v1/tickets/{number}")).json()
    rows = await intake.rows("SELECT status FROM ticket WHERE number = :number", number=number)
    assert rows[0]["status"] == shown["status"]
    return shown["status"], shown["merged"]


async def test_a_merged_ticket_names_the_other_and_says_so_once(intake: Bench) -> None:
    first, second = await two(intake)
    merged = await merge(intake, second, first)
    assert (merged["number"], merged["merged_into"], merged["merged"]) == (second, first, [])
    shown = (await intake.http("desk").get(f"/v1/tickets/{first}")).json()
    assert (shown["merged_into"], shown["merged"]) == (None, [second])
    [fact] = await intake.told("ticket.merged")
    assert (fact.subject, fact.data.into, fact.data.repeat) == (second, first, False)
    listed = await intake.http("desk").get("/v1/tickets", params={"merged_into": first})
    assert [each["number"] for each in listed.json()["items"]] == [second]


async def test_the_reason_names_neither_citizen(intake: Bench) -> None:
    first, second = await two(intake)
    await merge(intake, second, first, reason="王小明和李四(13909150002)说的是一件事")
    [fact] = await intake.told("ticket.merged")
    assert not {"王小明", "李四", "13909150002"} & set(fact.data.reason.split())
    assert all(word not in fact.data.reason for word in ("王小明", "李四", "13909150002"))


async def test_the_same_person_is_told_apart_from_another(intake: Bench) -> None:
    first = (await registered(intake))["number"]
    again = (await registered(intake, content="还是没水"))["number"]
    await merge(intake, again, first)
    [fact] = await intake.told("ticket.merged")
    assert fact.data.repeat


async def test_progress_and_status_are_those_of_the_units_at_work(intake: Bench) -> None:
    first, second = await two(intake)
    own, order = uuid4(), uuid4()
    await intake.hear(given(intake, first, order), given(intake, second, own, "CG"))
    await merge(intake, second, first)
    cancelled = AssignmentCancelled(reason="merged")
    await intake.hear(
        intake.fact(cancelled, subject=second, assignment=own, unit="CG"),
        intake.fact(AssignmentSigned(handler="李工"), subject=first, assignment=order, unit="GSGS"),
    )
    assert await status_of(intake, second) == ("in_hand", [])
    assert await status_of(intake, first) == ("in_hand", [second])


async def test_who_is_satisfied_is_closed_whoever_is_not(intake: Bench) -> None:
    first, second = await two(intake)
    await merge(intake, second, first)
    again = uuid4()
    await intake.hear(
        *(intake.fact(RESOLVED, subject=number) for number in (first, second)),
        intake.fact(TicketClosed(kind="satisfied"), subject=first),
        intake.fact(TicketReopened(reasons=("not_solved",)), subject=second, round=2),
        given(intake, second, again, round=2),
    )
    assert (await status_of(intake, first))[0] == "closed"
    assert (await status_of(intake, second))[0] == "assigned"


async def test_the_work_goes_on_for_who_waits_when_the_other_withdraws(intake: Bench) -> None:
    first, second = await two(intake)
    await merge(intake, second, first)
    await post(intake, f"/v1/tickets/{first}/withdrawal", {"reason": "来水了"})
    await intake.hear(given(intake, second, uuid4()))
    assert (await status_of(intake, second))[0] == "assigned"


# --- refused -----------------------------------------------------------------------------------


async def test_what_cannot_be_merged_is_refused_by_name(intake: Bench) -> None:
    first, second = await two(intake)
    third = (await registered(intake, caller=None))["number"]
    assert slug(await merge(intake, first, first, 409)) == "merge-into-itself"
    await merge(intake, second, first)
    refused = await merge(intake, second, third, 409)
    assert (slug(refused), refused["merged_into"]) == ("already-merged", first)
    assert slug(await merge(intake, first, second, 409)) == "merge-cyclic"
    refused = await merge(intake, first, third, 409)
    assert (slug(refused), refused["merged"]) == ("others-merged", [second])
    assert slug(await merge(intake, third, "20260302-009999", 404)) == "not-found"


async def test_into_a_merged_ticket_means_into_its_work(intake: Bench) -> None:
    first, second = await two(intake)
    third = (await registered(intake, caller=None))["number"]
    await merge(intake, second, first)
    assert (await merge(intake, third, second))["merged_into"] == first


@pytest.mark.parametrize("end", ["withdrawn", "resolved", "closed"])
async def test_nothing_is_merged_into_what_nobody_works_on(intake: Bench, end: str) -> None:
    first, second = await two(intake)
    if end == "withdrawn":
        await post(intake, f"/v1/tickets/{first}/withdrawal", {"reason": "来水了"})
    else:
        await intake.hear(intake.fact(RESOLVED, subject=first))
    if end == "closed":
        await intake.hear(intake.fact(TicketClosed(kind="satisfied"), subject=first))
    refused = await merge(intake, second, first, 409)
    assert (slug(refused), refused["number"]) == ("merge-too-late", first)
    assert refused["current_status"] == end


async def test_a_confidential_ticket_is_merged_with_another_only_by_consent(intake: Bench) -> None:
    first, second = await two(intake, confidential=True)
    assert slug(await merge(intake, second, first, 409)) == "merge-needs-consent"
    await merge(intake, second, first, consent=True)
    [fact] = await intake.told("ticket.merged")
    assert fact.data.consent


async def test_nothing_is_merged_under_the_hands_of_whom_it_accuses(intake: Bench) -> None:
    first, second = await two(intake, reported_unit="GSGS")
    await intake.hear(given(intake, first, uuid4()))
    assert slug(await merge(intake, second, first, 409)) == "recused"


async def test_what_the_hotline_keeps_is_no_work_to_share(intake: Bench) -> None:
    """No other service has heard of it (R-02): who were merged into it would wait for nobody."""
    order = (await registered(intake))["number"]
    kept = (await registered(intake, caller=None, ending={"direct_answer": {}}))["number"]
    for number, into in ((kept, order), (order, kept)):
        answer = await merge(intake, number, into, 409)
        assert (slug(answer), answer["number"]) == ("merge-kept-here", kept)
    found = (await intake.http("agent").get(f"/v1/tickets/{order}/duplicates")).json()["items"]
    assert [(each["status"], each["mergeable"]) for each in found] == [("answering", False)]
    await post(intake, f"/v1/tickets/{kept}/dispatch", {"reason": "转承办单位"}, "agent")
    await merge(intake, kept, order)


async def test_only_what_is_merged_can_be_parted(intake: Bench) -> None:
    first, second = await two(intake)
    assert slug(await unmerge(intake, second, 409)) == "not-merged"
    await merge(intake, second, first)
    assert slug(await unmerge(intake, first, 409)) == "not-merged"
    assert (await unmerge(intake, second))["merged_into"] is None
    [fact] = await intake.told("ticket.unmerged")
    assert (fact.subject, fact.data.parted_from) == (second, first)
    await merge(intake, second, first)


@pytest.mark.parametrize("role", ["phone_system", "supervisor", "callback"])
async def test_only_the_desk_and_agents_merge(intake: Bench, role: str) -> None:
    first, second = await two(intake)
    await merge(intake, second, first, 403, role)


async def test_the_same_request_twice_merges_once(intake: Bench) -> None:
    first, second = await two(intake)
    client, body = intake.http("desk"), {"into": first, "reason": "同一件事"}
    path, headers = f"/v1/tickets/{second}/merge", {"Idempotency-Key": "merge-1"}
    answers = [(await client.post(path, json=body, headers=headers)).content for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(await intake.told("ticket.merged")) == 1


async def test_a_report_that_names_nobody_is_merged_under_nobodys_hands(intake: Bench) -> None:
    """R-35: the units at work could be just those it accuses."""
    first = (await registered(intake))["number"]
    report = {"type": "report", "confidential": False, "caller": NEIGHBOUR}
    second = (await registered(intake, **report))["number"]
    assert slug(await merge(intake, second, first, 409)) == "merge-needs-reported"
    said = {"reported": {"nobody": True}}
    third = (await registered(intake, **report, **said))["number"]
    assert (await merge(intake, third, first))["merged_into"] == first
