"""Reading who must be contacted: who may at this moment, and what stays on record of it (R-36)."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from services.intake import readlog
from tests.fixtures.bench import Bench
from tests.fixtures.neighbours import call_due, neighbours_of, off_duty, on_duty
from tests.fixtures.scenes.intake import (
    CALLED,
    CALLER,
    life,
    read,
    read_on_duty,
    read_to_call,
    registered,
    rows,
)

OWN = {"instance", "trace"}  # of a problem: where and when it was met


def plain(answer: Any) -> Any:
    """A problem without what is its own."""
    return {field: value for field, value in answer.json().items() if field not in OWN}


async def deeds(intake: Bench) -> list[tuple[str, str, str | None]]:
    """The read log: who did what, and why not."""
    return [(row["actor"], row["deed"], row["why"]) for row in await rows(intake, "contact_read")]


async def test_a_unit_reads_the_contact_only_while_it_handles_the_ticket(intake: Bench) -> None:
    """Asked where it is known: what intake has heard lets nobody read, and keeps nobody out."""
    number = (await registered(intake))["number"]
    await intake.hear(*life(intake, number, uuid4())[:2])
    assert (await read(intake, number, "unit", "GSGS")).status_code == 404
    on_duty(intake, number, "HC")
    assert (await read(intake, number, "unit", "HC")).json() == CALLER
    off_duty(intake, number, "HC")
    assert (await read(intake, number, "unit", "HC")).status_code == 404
    assert await deeds(intake) == [
        ("unit:GSGS:x", "refused", "not-on-duty"),
        ("unit:HC:x", "read", None),
        ("unit:HC:x", "refused", "not-on-duty"),
    ]


async def test_that_a_unit_read_it_is_told_and_nothing_of_what(intake: Bench) -> None:
    """R-36, gain 6: under which order, to nobody; a refusal and the matter's numbers are none of it."""
    number = (await registered(intake))["number"]
    assert (await read(intake, number, "unit", "HC")).status_code == 404
    on_duty(intake, number, "HC")
    assert (await read(intake, number, "unit", "HC")).json() == CALLER
    [told] = await intake.told("contact.read")
    assert (told.subject, told.unit, told.data.model_dump()) == (number, None, {})
    assert told.assignment is not None
    assert told.actor == "unit:HC:x"


async def test_what_cannot_be_checked_is_asked_again_and_is_on_record(intake: Bench) -> None:
    """Fail closed, and tell nobody by it whether there is such a ticket."""
    number = (await registered(intake))["number"]
    on_duty(intake, number, "GSGS")
    neighbours_of(intake).away = True
    answers = [await read(intake, asked, "unit", "GSGS") for asked in (number, "20260302-999999")]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert plain(answers[0]) == plain(answers[1])
    assert answers[0].json()["type"].endswith("/duty-unknown")
    assert answers[0].headers["retry-after"] == "2"
    assert await deeds(intake) == [("unit:GSGS:x", "refused", "duty-unknown")]
    neighbours_of(intake).away = False
    assert (await read(intake, number, "unit", "GSGS")).json() == CALLER


async def test_the_same_refusal_is_written_down_once_an_hour(intake: Bench) -> None:
    """Or a system that asks every second fills the log."""
    number = (await registered(intake))["number"]
    for _ in range(3):
        await read(intake, number, "unit", "GSGS")
    await read(intake, number, "unit", "GSGS", name="other")
    intake.at("2026-03-02T10:01+08:00")
    await read(intake, number, "unit", "GSGS")
    assert len(await deeds(intake)) == 3


async def test_the_reported_unit_never_reads_the_contact(intake: Bench) -> None:
    """R-35 保密回避; gain 5."""
    number = (await registered(intake, type="report", reported_unit="GSGS"))["number"]
    assert (await read_on_duty(intake, number)).status_code == 404


@pytest.mark.parametrize(
    ("reported", "reads"),
    [("SLJ", False), ("GSGS", False), ("ZFB", True), ("RQGS", True), (None, True)],
)
async def test_nor_does_its_kin(intake: Bench, reported: str | None, reads: bool) -> None:
    """The water company answers to the water bureau; two steps up and beside it is no kin."""
    number = (await registered(intake, type="complaint", reported_unit=reported))["number"]
    answer = await read_on_duty(intake, number)
    assert answer.status_code == (200 if reads else 404)
    [(_, deed, why)] = await deeds(intake)
    assert (deed, why) == (("read", None) if reads else ("refused", "recused"))


async def test_nor_does_whom_it_answers_to(intake: Bench) -> None:
    number = (await registered(intake, type="report", reported_unit="GSGS"))["number"]
    assert (await read_on_duty(intake, number, "SLJ")).status_code == 404


async def test_a_refusal_does_not_say_whether_there_is_such_a_ticket(intake: Bench) -> None:
    """By no answer does a unit learn that somebody complained of it."""
    number = (await registered(intake, type="report", reported_unit="GSGS"))["number"]
    other = (await registered(intake))["number"]
    on_duty(intake, number, "GSGS")
    answers = [
        await read(intake, asked, "unit", unit)
        for asked, unit in (
            (number, "GSGS"),  # recused, though it holds the ticket
            (number, "SLJ"),  # kin
            (other, "HC"),  # another's
            ("20260302-999999", "GSGS"),  # nobody's
        )
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert [plain(answer) for answer in answers] == [plain(answers[0])] * 4


async def test_feedback_reads_whom_it_calls_and_no_other_service(intake: Bench) -> None:
    """Name and number: who calls needs to know nobody's home. And only once a call is due."""
    number = (await registered(intake))["number"]
    assert (await read(intake, number, "service", None, "feedback")).status_code == 404
    assert (await read_to_call(intake, number)).json() == CALLED
    assert (await read(intake, number, "service", None, "tracker")).status_code == 404


async def test_callback_staff_read_whom_they_call_when_it_is_due(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    await intake.hear(*life(intake, number, uuid4())[:4])
    assert (await read(intake, number, "callback", None)).status_code == 404
    call_due(intake, number)
    assert (await read(intake, number, "callback", None)).json() == CALLED


@pytest.mark.parametrize("staff", [True, False])
async def test_of_a_confidential_matter_staff_read_only_what_no_system_calls(
    intake: Bench, staff: bool
) -> None:
    number = (await registered(intake, type="report"))["number"]
    call_due(intake, number, staff=staff)
    status = (await read(intake, number, "callback", None)).status_code
    assert status == (200 if staff else 404)


@pytest.mark.parametrize("reason", [".", "  ", "11111", "ok"])
async def test_a_reason_says_something(intake: Bench, reason: str) -> None:
    number = (await registered(intake))["number"]
    call_due(intake, number)
    path = f"/v1/tickets/{number}/contact-reads"
    answer = await intake.http("callback").post(path, json={"reason": reason})
    assert (answer.status_code, answer.json()["field"]) == (422, "reason")


async def test_the_log_names_the_person_behind_a_machine(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    on_duty(intake, number, "GSGS")
    body = {"reason": "先行联系", "on_behalf_of": "李工"}
    await intake.http("unit", "GSGS").post(f"/v1/tickets/{number}/contact-reads", json=body)
    [row] = await rows(intake, "contact_read")
    assert (row["actor"], row["person"]) == ("unit:GSGS:test", "李工")
    async with intake.service.store.act("ops") as act:
        assert (await readlog.verify(act)).broken is None


async def test_readers_at_once_are_one_chain(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    answers = await asyncio.gather(*(read_on_duty(intake, number) for _ in range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len(await rows(intake, "contact_read")) == 8
    async with intake.service.store.act("ops") as act:
        assert (await readlog.verify(act)).broken is None
