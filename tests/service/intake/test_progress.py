"""Where a ticket stands: the status the facts of others add up to, and how it is read."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from shared.events import (
    AssignmentWaitEnded,
    AssignmentWaitGranted,
    ClockKind,
    DeadlineLengthened,
    ExtensionGranted,
    Role,
    TicketClosed,
)
from shared.messaging.bus import Message
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import life, registered

# --- of a newer release ------------------------------------------------------------------------


async def test_a_new_word_of_a_unit_holds_up_no_citizens_progress(intake: Bench) -> None:
    """How far a unit is stands in the envelope; whoever needs the word waits, intake does not."""
    number = (await registered(intake))["number"]
    heard = [fact for fact in life(intake, number, uuid4()) if fact.name.startswith("assignment.")]
    completed = next(fact for fact in heard if fact.name == "assignment.completed")
    for fact in heard[: heard.index(completed)]:
        await intake.hear(fact)
    said = json.loads(completed.encode())
    said["data"]["kind"] = "solved_at_once"
    await intake.receive([Message(completed.key, "", json.dumps(said).encode())])
    [row] = await intake.rows("SELECT status FROM assignment")
    assert (row["status"], await intake.parked()) == ("completed", [])


async def test_a_fact_nobody_here_knows_proves_nothing_of_an_assignment(intake: Bench) -> None:
    """It is kept for whoever will know it; until then it proves nothing of an assignment."""
    number = (await registered(intake))["number"]
    dispatched = life(intake, number, uuid4())[0]
    said = json.loads(dispatched.encode()) | {"type": "cn.jiesu.assignment.offered.v1"}
    key = f"assignment.offered.{dispatched.unit}"
    await intake.receive([Message(key, "", json.dumps(said).encode())])
    assert await intake.rows("SELECT status FROM assignment") == []
    assert [row["state"] for row in await intake.parked()] == ["newer"]


# --- read --------------------------------------------------------------------------------------


async def test_the_citizen_sees_progress_with_number_and_code(intake: Bench) -> None:
    """R-44 查询进度."""
    ticket = await registered(intake)
    path = f"/v1/tickets/{ticket['number']}/progress"
    client = intake.http(None)
    answer = await client.get(path, headers={"X-Ticket-Code": ticket["code"]})
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["unit_names"]) == ("received", [])
    wrong = await client.get(path, headers={"X-Ticket-Code": "AAAA2222"})
    unknown = await client.get(
        "/v1/tickets/20260302-000999/progress", headers={"X-Ticket-Code": ticket["code"]}
    )
    assert wrong.status_code == unknown.status_code == 404
    assert wrong.json() == unknown.json()


async def test_lists_are_filtered_and_paged_by_cursor(intake: Bench) -> None:
    for n in range(5):
        await registered(intake, type="complaint" if n % 2 else "help")
    client = intake.http("supervisor")
    first = (await client.get("/v1/tickets", params={"limit": 3})).json()
    rest = (await client.get("/v1/tickets", params={"limit": 3, "after": first["next"]})).json()
    numbers = [item["number"] for item in first["items"] + rest["items"]]
    assert numbers == [f"20260302-{n:06d}" for n in range(1, 6)]
    assert rest["next"] is None
    narrowed = (await client.get("/v1/tickets", params={"type": "complaint"})).json()["items"]
    assert [item["type"] for item in narrowed] == ["complaint", "complaint"]


@pytest.mark.parametrize("cursor", ["20260302-000001", "20260302-000003.0000", "x", "." * 50])
async def test_a_tampered_cursor_is_400(intake: Bench, cursor: str) -> None:
    answer = await intake.http("desk").get("/v1/tickets", params={"after": cursor})
    assert answer.status_code == 400
    assert answer.json()["type"].endswith("bad-cursor")


# --- what the other services say ---------------------------------------------------------------


async def test_the_status_follows_the_facts(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    statuses = []
    for fact in life(intake, number, uuid4()):
        await intake.hear(fact)
        [row] = await intake.rows("SELECT status FROM ticket")
        statuses.append(row["status"])
    assert statuses == [
        "assigned", "in_hand", "in_hand", "resolved", "reopened",
        "assigned", "in_hand", "in_hand", "resolved", "closed",
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
async def test_shuffled_and_doubled_facts_end_in_the_same_rows(intake: Bench, seed: int) -> None:
    number = (await registered(intake))["number"]
    facts = life(intake, number, uuid4())
    for round, reason in ((1, "等配件"), (2, "等天晴")):
        granted = ExtensionGranted(extension=uuid4(), days=3, due=intake.now, reason=reason)
        facts.append(intake.fact(granted, subject=number, unit="GSGS", round=round))
    order = [*facts, *facts]
    random.Random(seed).shuffle(order)
    for fact in order:
        await intake.hear(fact)
    columns = "status, resolved_round, closed_round, answer, extended_reason"
    [ticket] = await intake.rows(f"SELECT {columns} FROM ticket")
    assert ticket == {
        "status": "closed",
        "resolved_round": 2,
        "closed_round": 2,
        "answer": "已彻底恢复",
        "extended_reason": "等天晴",
    }
    assignments = await intake.rows("SELECT round, status FROM assignment ORDER BY round")
    assert assignments == [{"round": n, "status": "completed"} for n in (1, 2)]


async def test_facts_of_an_unknown_ticket_are_early(intake: Bench) -> None:
    await intake.hear(intake.fact(TicketClosed(kind="satisfied"), subject="20260101-000001"))
    assert [row["state"] for row in await intake.parked()] == ["early"]


async def test_the_citizen_reads_the_answer_and_the_extension(intake: Bench) -> None:
    """R-44 查询进度."""
    ticket = await registered(intake)
    dispatched, signed, completed, resolved, *_ = life(intake, ticket["number"], uuid4())
    granted = ExtensionGranted(
        extension=uuid4(), days=3, due=intake.now + timedelta(days=5), reason="等待配件到货"
    )
    extended = intake.fact(granted, subject=ticket["number"], assignment=uuid4(), unit="GSGS")
    path = f"/v1/tickets/{ticket['number']}/progress"
    code = {"X-Ticket-Code": ticket["code"]}
    await intake.hear(dispatched, signed, extended)
    seen = (await intake.http(None).get(path, headers=code)).json()
    assert (seen["answer"], seen["extended"]["reason"]) == (None, "等待配件到货")
    await intake.hear(completed, resolved)
    assert (await intake.http(None).get(path, headers=code)).json()["answer"] == "已恢复"


async def test_the_citizen_reads_that_the_unit_waits_for_them(intake: Bench) -> None:
    """等待诉求人, as long as it does; whatever is heard first."""
    ticket = await registered(intake)
    order = uuid4()
    dispatched, signed, *_ = life(intake, ticket["number"], order)
    grant = AssignmentWaitGranted(
        wait=uuid4(), awaited="documents", asked_at=intake.now, until=intake.now, ruling="属实"
    )
    of = {"subject": ticket["number"], "assignment": order, "unit": "GSGS"}
    granted = intake.fact(grant, **of)
    ended = intake.fact(AssignmentWaitEnded(wait=grant.wait, why="come"), **of)
    path, code = f"/v1/tickets/{ticket['number']}/progress", {"X-Ticket-Code": ticket["code"]}

    async def waits() -> bool:
        seen = (await intake.http(None).get(path, headers=code)).json()
        return "等待您配合" in seen["sentence"]["zh"]

    await intake.hear(dispatched, signed)
    assert not await waits()
    await intake.hear(granted)
    assert await waits()
    await intake.hear(ended)
    assert not await waits()


async def test_an_end_heard_first_stands(intake: Bench) -> None:
    ticket = await registered(intake)
    order = uuid4()
    grant = AssignmentWaitGranted(
        wait=uuid4(), awaited="documents", asked_at=intake.now, until=intake.now, ruling="属实"
    )
    of = {"subject": ticket["number"], "assignment": order, "unit": "GSGS"}
    granted = intake.fact(grant, **of)
    ended = intake.fact(AssignmentWaitEnded(wait=grant.wait, why="come"), **of)
    await intake.hear(ended, granted)
    [row] = await intake.rows("SELECT awaits FROM assignment")
    assert row["awaits"] is False


async def test_a_co_handlers_extension_is_not_the_citizens(intake: Bench) -> None:
    ticket = await registered(intake)
    granted = ExtensionGranted(
        extension=uuid4(), days=3, due=intake.now, reason="协办", role=Role.CO
    )
    await intake.hear(intake.fact(granted, subject=ticket["number"], unit="HC"))
    code = {"X-Ticket-Code": ticket["code"]}
    path = f"/v1/tickets/{ticket['number']}/progress"
    assert (await intake.http(None).get(path, headers=code)).json()["extended"] is None


async def test_t4_no_date_is_read_once_the_round_is_over(intake: Bench) -> None:
    ticket = await registered(intake)
    number = ticket["number"]
    dispatched, signed, completed, resolved, *_ = life(intake, number, uuid4())
    granted = ExtensionGranted(
        extension=uuid4(), days=3, due=intake.now, reason="情况属实", unit_reason="等待配件到货"
    )
    late = granted.model_copy(update={"while_open": False, "unit_reason": "补批"})
    path, code = f"/v1/tickets/{number}/progress", {"X-Ticket-Code": ticket["code"]}

    async def extended() -> Any:
        return (await intake.http(None).get(path, headers=code)).json()["extended"]

    await intake.hear(dispatched, signed, intake.fact(granted, subject=number, unit="GSGS"))
    assert (await extended())["reason"] == "等待配件到货"
    await intake.hear(intake.fact(late, subject=number, unit="GSGS"))
    assert (await extended())["reason"] == "等待配件到货"
    await intake.hear(completed, resolved)
    assert await extended() is None


async def test_t7_the_citizen_reads_the_longer_limit(intake: Bench) -> None:
    ticket = await registered(intake)
    longer = DeadlineLengthened(
        clock=ClockKind.CITIZEN,
        before=intake.now,
        due=intake.now + timedelta(days=14),
        limit="15wd",
        reason="情况复杂",
    )
    await intake.hear(intake.fact(longer, subject=ticket["number"]))
    path, code = f"/v1/tickets/{ticket['number']}/progress", {"X-Ticket-Code": ticket["code"]}
    seen = (await intake.http(None).get(path, headers=code)).json()["extended"]
    assert seen["reason"] == "情况复杂"
