"""Upstream numbers: whatever they look like, whose they are, and that a repeat takes no number."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.intake.claims import Receipt, Registration
from services.intake.registration import register_many
from services.intake.schemas import NewTicket
from services.intake.vault import erase
from shared.caller import Caller
from shared.security.masking import mask_patterns
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import CALLER, complaint, post, registered, rows, tables

IDS = [
    *("1795732602.26014", "1795732602.9014", "08682116-6861-47f6-915f-0a4072b1a2f5"),
    *("2126082569798191695", "2603020900001234", "13912345678", "a84b4c76e66710@pc33.atlanta.com"),
    *("2026030209000013909150001", "CTI-13909150001-7", CALLER["phone"], "王小明-1", "AK-7"),
    "5b9f2e1c-3d4a-4b5c-8d7e-9f0a1b2c3d4e-000000000000017@192.168.100.200:5060",
]

# No check digit and no form of a person's number: told as they came.
NOBODYS = {
    *("1795732602.26014", "1795732602.9014", "2126082569798191695", "2603020900001234", "AK-7"),
}

# --- how they look -----------------------------------------------------------------------------


@pytest.mark.parametrize("source", IDS)
async def test_an_upstream_number_is_taken_whatever_it_looks_like(
    intake: Bench, source: str
) -> None:
    first = await post(intake, "/v1/tickets", complaint(source_number=source))
    again = await post(intake, "/v1/tickets", complaint(source_number=source))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["number"] == first.json()["number"]
    assert first.json()["source_number"] == again.json()["source_number"] == source


@pytest.mark.parametrize("source", IDS)
async def test_nobody_is_named_by_it_outside_the_vault(intake: Bench, source: str) -> None:
    await registered(intake, source_number=source)
    told = (await intake.told())[0].data.source_number
    assert mask_patterns(told) == told
    assert (told == source) == (source in NOBODYS)
    known = "".join([str(await rows(intake, table)) for table in await tables(intake)])
    for secret in (CALLER["phone"], CALLER["name"]):
        assert secret not in known


async def test_a_json_number_and_a_blank_one(intake: Bench) -> None:
    first = await registered(intake, source_number=2126082569798191695)
    again = await post(intake, "/v1/tickets", complaint(source_number="2126082569798191695"))
    assert (again.status_code, again.json()["number"]) == (200, first["number"])
    blank = [await registered(intake, source_number="") for _ in range(2)]
    assert len({ticket["number"] for ticket in blank}) == 2


async def test_one_kept_as_it_was_sent_is_found_by_whoever_would_hide_it(intake: Bench) -> None:
    """As rows of older releases have them, and complaints whose caller was not named."""
    first = await registered(intake, source_number="王小明-1", caller=None)
    again = await post(intake, "/v1/tickets", complaint(source_number="王小明-1"))
    assert (again.status_code, again.json()["number"]) == (200, first["number"])


# --- whose they are ----------------------------------------------------------------------------


async def test_another_caller_gets_nobodys_number(intake: Bench) -> None:
    """R-10 不重复办理."""
    first = await registered(intake, channel="city", source_number="AK-17")
    leak = complaint(channel="city", source_number="AK-17", content="燃气泄漏，有人昏迷")
    for body in (leak, complaint(channel="city", source_number="AK-17")):
        answer = await intake.http("phone_system", name="city").post("/v1/tickets", json=body)
        problem = answer.json()
        assert answer.status_code == 409
        assert problem["type"].endswith("source-number-taken")
        assert problem["field"] == "source_number"
        assert "未登记" in problem["detail"]
        assert "NOT registered" in problem["detail"]
        for secret in (first["number"], first["code"], first["id"]):
            assert secret not in answer.text
    assert len(await intake.told()) == 1


@pytest.mark.parametrize("changed", [{"content": "燃气泄漏"}, {"title": "燃气泄漏"}])
async def test_other_words_are_no_repeat(intake: Bench, changed: dict[str, str]) -> None:
    first = await registered(intake, source_number="AK-17")
    answer = await post(intake, "/v1/tickets", complaint(source_number="AK-17", **changed))
    assert answer.status_code == 409
    assert answer.json()["number"] == first["number"]
    assert first["code"] not in answer.text
    assert len(await intake.told()) == 1


async def test_a_key_that_was_refused_is_free(intake: Bench) -> None:
    await registered(intake, source_number="AK-17")
    client, key = intake.http("phone_system"), {"Idempotency-Key": "call-2"}
    other = complaint(source_number="AK-17", content="燃气泄漏")
    twice = await asyncio.gather(
        *(client.post("/v1/tickets", json=other, headers=key) for _ in range(2))
    )
    assert [answer.status_code for answer in twice] == [409, 409]
    mended = await client.post("/v1/tickets", json=other | {"source_number": None}, headers=key)
    assert mended.status_code == 201


async def test_in_a_batch_each_is_held_against_the_first(intake: Bench) -> None:
    one, other = complaint(source_number="A1"), complaint(source_number="A1", content="燃气泄漏")
    answer = await post(intake, "/v1/tickets/batch", {"tickets": [one, other, one]})
    first, refused, repeat = answer.json()["answers"]
    assert [first["status"], refused["status"], repeat["status"]] == [201, 409, 200]
    assert first["ticket"] == repeat["ticket"]
    assert refused["problem"]["number"] == first["ticket"]["number"]


async def test_words_nobody_can_compare_any_more_are_others(intake: Bench) -> None:
    first = await registered(intake, source_number="AK-17")
    async with intake.service.store.act("ops") as act:
        await erase(act, first["number"], "本人申请", forced=True)
    answer = await post(intake, "/v1/tickets", complaint(source_number="AK-17"))
    assert answer.status_code == 409


# --- what they cost ----------------------------------------------------------------------------


async def test_repeats_take_no_number_of_the_day(intake: Bench) -> None:
    """R-09 重复诉求."""
    await registered(intake, source_number="AK-17")
    for body in (complaint(), complaint(content="另一件")):
        repeats = {"tickets": [body | {"source_number": "AK-17"}] * 50}
        await post(intake, "/v1/tickets/batch", repeats)
    assert (await registered(intake))["number"] == "20260302-000002"


async def test_two_replicas_at_once_are_one_ticket(intake: Bench) -> None:
    store = intake.service.store
    body = NewTicket.model_validate(complaint(source_number="1795732602.26014"))
    item = Registration.of(body, Caller("phone_system", "test"), None, store.config)

    async def register() -> Any:
        async with store.act("service:intake") as act:
            return (await register_many(act, [item]))[0]

    async with store.act("service:intake") as act:
        first = (await register_many(act, [item]))[0]
        other = asyncio.create_task(register())
        await asyncio.wait({other}, timeout=0.3)  # it has looked, and waits for a number
        assert not other.done()
    second = await other
    assert isinstance(first, Receipt)
    assert (second.number, second.created) == (first.number, False)
    assert len(await intake.told()) == 1
    assert len(await rows(intake, "vault")) == 1
