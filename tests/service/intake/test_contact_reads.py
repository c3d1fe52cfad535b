"""Reading who must be contacted: who may, while what lasts, and the log of reads (R-36)."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import text

from services.intake import vault
from shared.events import AssignmentDispatched
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import CALLER, DISPATCHED, life, read, registered, rows

OWN = {"instance", "trace"}  # of a problem: where and when it was met


async def test_a_unit_reads_the_contact_only_while_it_holds_the_ticket(intake: Bench) -> None:
    """R-36 身份遮蔽."""
    number, assignment = (await registered(intake))["number"], uuid4()
    dispatched, signed, completed, *_ = life(intake, number, assignment)
    assert (await read(intake, number, "unit", "GSGS")).status_code == 404
    await intake.hear(dispatched, signed)
    answer = await read(intake, number, "unit", "GSGS")
    assert answer.json() == CALLER
    assert (await read(intake, number, "unit", "HC")).status_code == 404
    await intake.hear(completed)
    assert (await read(intake, number, "unit", "GSGS")).status_code == 404
    log = await rows(intake, "contact_read")
    assert [(row["actor"], row["reason"]) for row in log] == [("unit:GSGS:x", "先行联系")]


async def test_the_reported_unit_never_reads_the_contact(intake: Bench) -> None:
    """R-35 保密回避."""
    number = (await registered(intake, type="report", reported_unit="GSGS"))["number"]
    await intake.hear(*life(intake, number, uuid4())[:2])
    assert (await read(intake, number, "unit", "GSGS")).status_code == 404


@pytest.mark.parametrize(
    ("reported", "reads"),
    [("SLJ", False), ("GSGS", False), ("ZFB", True), ("RQGS", True), (None, True)],
)
@pytest.mark.parametrize("type", ["report", "complaint"])
async def test_nor_does_its_kin(
    intake: Bench, reported: str | None, reads: bool, type: str
) -> None:
    """The water company answers to the water bureau; two steps up and beside it is no kin."""
    number = (await registered(intake, type=type, reported_unit=reported))["number"]
    await intake.hear(*life(intake, number, uuid4())[:2])
    answer = await read(intake, number, "unit", "GSGS")
    assert answer.status_code == (200 if reads else 404)
    assert len(await rows(intake, "contact_read")) == reads


async def test_nor_does_whom_it_answers_to(intake: Bench) -> None:
    number = (await registered(intake, type="report", reported_unit="GSGS"))["number"]
    given = {"lead": "SLJ", "registered_at": intake.now}
    order = AssignmentDispatched.model_validate(DISPATCHED | given)
    await intake.hear(intake.fact(order, subject=number, unit="SLJ", assignment=uuid4()))
    assert (await read(intake, number, "unit", "SLJ")).status_code == 404


async def test_a_refusal_does_not_say_whether_there_is_such_a_ticket(intake: Bench) -> None:
    """By no answer does a unit learn that somebody complained of it."""
    number = (await registered(intake, type="report", reported_unit="GSGS"))["number"]
    other = (await registered(intake))["number"]
    await intake.hear(*life(intake, number, uuid4())[:2])
    answers = [
        await read(intake, asked, "unit", unit)
        for asked, unit in (
            (number, "GSGS"),  # recused, though it holds the ticket
            (number, "SLJ"),  # kin
            (other, "HC"),  # another's
            ("20260302-999999", "GSGS"),  # nobody's
        )
    ]
    plain = [
        {field: value for field, value in answer.json().items() if field not in OWN}
        for answer in answers
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert plain == [plain[0]] * 4


async def test_feedback_reads_the_contact_and_no_other_service(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    assert (await read(intake, number, "service", None, "feedback")).json() == CALLER
    assert (await read(intake, number, "service", None, "tracker")).status_code == 404


async def test_callback_staff_read_while_the_verdict_is_awaited(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    assert (await read(intake, number, "callback", None)).status_code == 404
    await intake.hear(*life(intake, number, uuid4())[:4])
    assert (await read(intake, number, "callback", None)).json() == CALLER


async def test_readers_at_once_are_one_chain(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    answers = await asyncio.gather(
        *(read(intake, number, "service", None, "feedback") for _ in range(8))
    )
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len(await rows(intake, "contact_read")) == 8
    async with intake.service.store.act("ops") as act:
        assert await vault.chain_breaks_at(act) is None


async def test_the_read_log_shows_every_tampering(intake: Bench) -> None:
    """R-34 追责可证."""
    number = (await registered(intake))["number"]
    for _ in range(4):
        await read(intake, number, "service", None, "feedback")
    store = intake.service.store
    async with store.act("ops") as act:
        assert await vault.chain_breaks_at(act) is None
    async with store.engine.begin() as connection:
        await connection.execute(text("UPDATE contact_read SET reason = '别的' WHERE id = 2"))
    async with store.act("ops") as act:
        assert await vault.chain_breaks_at(act) == 2
