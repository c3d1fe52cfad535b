"""Reading who must be contacted: who may, while what lasts, and the log of reads (R-36)."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from sqlalchemy import text

from services.intake import vault
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import CALLER, life, read, registered, rows


async def test_a_unit_reads_the_contact_only_while_it_holds_the_ticket(intake: Bench) -> None:
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
    number = (await registered(intake, type="report", reported_unit="GSGS"))["number"]
    await intake.hear(*life(intake, number, uuid4())[:2])
    assert (await read(intake, number, "unit", "GSGS")).status_code == 404


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
