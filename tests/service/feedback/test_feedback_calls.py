"""Feedback's third door: calls fall due, the phone system is asked, silence expires."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import time_machine
from standardwebhooks import Webhook

from services.feedback import calls, usecases
from services.feedback.phone import Call
from services.feedback.schemas import OutcomeIn
from shared import clock
from shared.settings import DEVELOPMENT_KEY
from tests.fixtures.bench import Bench, bench
from tests.fixtures.scenes.feedback import (
    CITIZEN,
    FIRST_CALL,
    NUMBER,
    SATISFIED,
    Outside,
    callback_of,
    due,
    phone_settings,
    report,
    resolved,
    status_of,
    withdrawal,
)


async def attempt_of(bench: Bench, number: int = 1) -> dict[str, Any]:
    [row] = await bench.rows("SELECT * FROM attempts WHERE attempt = :number", number=number)
    return row


# --- asking ------------------------------------------------------------------------------------


async def test_a_call_that_fell_due_is_asked_for_once(calling: Bench, outside: Outside) -> None:
    callback = await due(calling)
    [asked] = outside.asks
    assert asked.get_json() == {
        "type": "callback.ask",
        "callback": str(callback),
        "number": NUMBER,
        "round": 1,
        "attempt": 1,
        "person": False,
        "matter": None,
        "about": "answer",
        "promised_date": None,
        "questions": asked.get_json()["questions"],
        "contact": {"name": CITIZEN["name"], "phone": CITIZEN["phone"]},
    }
    questions = {question["id"]: question for question in asked.get_json()["questions"]}
    assert [answer["code"] for answer in questions["solved"]["answers"]] == ["yes", "partly", "no"]
    assert await calling.run("ring") == 0
    assert len(outside.asks) == 1
    assert await status_of(calling, callback) == "due"
    assert (await attempt_of(calling))["asked_at"] == calling.now


async def test_the_request_is_signed(calling: Bench, outside: Outside) -> None:
    callback = await due(calling)
    [asked] = outside.asks
    Webhook(DEVELOPMENT_KEY).verify(asked.get_data(), dict(asked.headers))
    assert asked.headers["webhook-id"] == f"{callback}.1"


async def test_the_contact_is_read_with_a_reason_and_feedbacks_own_token(
    calling: Bench, outside: Outside
) -> None:
    callback = await due(calling)
    [read] = outside.reads
    assert str(callback) in read.get_json()["reason"]
    caller = calling.service.tokens.admit(read.headers["Authorization"].removeprefix("Bearer "))
    assert (caller.role, caller.name) == ("service", "feedback")


async def test_no_name_number_or_home_is_left_behind(
    calling: Bench, outside: Outside, capsys: pytest.CaptureFixture[str]
) -> None:
    callback = await due(calling)
    outside.phone_status = 500
    await report(calling, callback, "no_answer")
    calling.at("2026-03-03T14:30+08:00")
    await calling.run("ring")
    assert len(outside.asks) == 2
    tables = await calling.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    contents = [await calling.rows(f"SELECT * FROM {row['tablename']}") for row in tables]
    printed = capsys.readouterr()
    assert "call not asked" in printed.out
    for secret in CITIZEN.values():
        assert secret not in f"{contents}{printed.out}{printed.err}"


async def test_a_report_is_called_by_a_person(calling: Bench, outside: Outside) -> None:
    await due(calling, type="report")
    assert outside.asks[0].get_json()["person"] is True


async def test_without_a_phone_system_a_call_waits_for_staff(feedback: Bench) -> None:
    callback = await due(feedback)
    assert await status_of(feedback, callback) == "due"
    feedback.at("2026-03-13T15:00+08:00")
    assert await feedback.run("ring") == await feedback.run("expire") == 0
    assert await feedback.service.next_due() is None
    answer = await report(feedback, callback, "answered", **SATISFIED)
    assert answer.json()["ending"] == "satisfied"


async def test_two_at_once_ask_once(calling: Bench, outside: Outside) -> None:
    await resolved(calling)
    calling.at(FIRST_CALL)
    async with calling.service.store.act("service:feedback") as act:
        assert (await calls.claim_calls(act, 10, clock.real()))[0] == 1
        assert await calling.run("ring") == 0
    assert outside.asks == []


async def test_a_call_whose_outcome_is_being_reported_does_not_expire(calling: Bench) -> None:
    callback = await due(calling)
    calling.at("2026-03-03T13:00+08:00")
    async with calling.service.store.act("phone_system:test") as act:
        body = OutcomeIn(attempt=1, outcome="refused")
        await usecases.report_outcome(act, callback, body)
        assert await calling.run("expire") == 0
    assert await calling.run("expire") == 0
    assert (await attempt_of(calling))["outcome"] == "refused"


# --- windows and the clock ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param("2026-03-03T08:59+08:00", id="before the window"),
        pytest.param("2026-03-03T12:00+08:00", id="slept through the window"),
        pytest.param("2026-03-03T22:00+08:00", id="at night"),
        pytest.param("2026-03-07T10:00+08:00", id="on a Saturday"),
    ],
)
async def test_nobody_is_rung_up_outside_the_windows(
    calling: Bench, outside: Outside, moment: str
) -> None:
    await resolved(calling)
    calling.at(moment)
    assert await calling.run("ring") == 0
    opens = await calling.service.next_due()
    assert opens is not None
    assert opens > calling.now
    calling.at(opens)
    assert await calling.run("ring") == 1
    assert len(outside.asks) == 1


async def test_the_clock_knows_the_next_step(calling: Bench) -> None:
    assert await calling.service.next_due() is None
    await resolved(calling)
    assert await calling.service.next_due() == datetime.fromisoformat(FIRST_CALL)
    calling.at(FIRST_CALL)
    await calling.run("ring")
    assert await calling.service.next_due() == calling.now + timedelta(hours=4)
    await report(calling, await callback_of(calling), "answered", **SATISFIED)
    assert await calling.service.next_due() is None


# --- trouble -----------------------------------------------------------------------------------


def phone_refuses(outside: Outside) -> None:
    outside.phone_status = 503


def intake_refuses(outside: Outside) -> None:
    outside.intake_status = 503


def intake_knows_no_number(outside: Outside) -> None:
    outside.contact = {"name": CITIZEN["name"], "phone": None, "address": None}


@pytest.mark.parametrize("trouble", [phone_refuses, intake_refuses, intake_knows_no_number])
async def test_a_call_that_could_not_be_asked_for_is_asked_for_again(
    calling: Bench, outside: Outside, trouble: Callable[[Outside], None]
) -> None:
    trouble(outside)
    callback = await due(calling)
    assert await status_of(calling, callback) == "due"
    waits = []
    for _ in range(4):
        again = await calling.service.next_due()
        assert again is not None
        waits.append((again - calling.now) / timedelta(minutes=1))
        assert await calling.run("ring") == 0
        calling.at(again)
        assert await calling.run("ring") == 1
    assert waits == [1, 2, 4, 8]
    outside.intake_status, outside.phone_status, outside.contact = 200, 202, CITIZEN
    calling.at(calling.now + timedelta(minutes=16))
    await calling.run("ring")
    assert (await attempt_of(calling))["asked_at"] == calling.now
    assert {ask.headers["webhook-id"] for ask in outside.asks} == {f"{callback}.1"}


async def test_the_next_attempt_starts_with_fresh_patience(
    calling: Bench, outside: Outside
) -> None:
    phone_refuses(outside)
    callback = await due(calling)
    calling.at(calling.now + timedelta(minutes=1))
    await calling.run("ring")
    await report(calling, callback, "no_answer")  # staff called by hand
    calling.at("2026-03-03T14:30+08:00")
    await calling.run("ring")
    assert await calling.service.next_due() == calling.now + timedelta(minutes=1)


async def test_a_phone_system_that_is_not_there_is_tried_again(
    url: str, keys: Path, outside: Outside
) -> None:
    gone = phone_settings(outside, keys) | {"phone_system_url": "http://127.0.0.1:9/ask"}
    async with bench("feedback", url, keys, **gone) as alone:
        view = f"/v1/callbacks/{await due(alone)}"
        assert (await alone.http("callback").get(view)).json()["failed_asks"] == 1
        assert await alone.service.next_due() == alone.now + timedelta(minutes=1)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9/ask",
        "http://10.20.30.40/ask",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/ask",
        "http://[::ffff:192.168.1.10]/ask",
        "http://localhost/ask",
        "http://224.0.0.1/ask",
    ],
)
async def test_a_private_address_is_refused_before_any_contact_is_read(
    url: str,
    keys: Path,
    outside: Outside,
    capsys: pytest.CaptureFixture[str],
    address: str,
) -> None:
    public_only = {"phone_system_url": address, "allow_private_webhooks": False}
    settings = phone_settings(outside, keys) | public_only
    async with bench("feedback", url, keys, **settings) as fenced:
        await due(fenced)
        assert outside.reads == outside.asks == []
        assert "private network" in capsys.readouterr().out
        [row] = await fenced.rows("SELECT failed_asks FROM callbacks")
        assert row == {"failed_asks": 1}


async def test_a_claim_whose_owner_died_is_taken_over(calling: Bench, outside: Outside) -> None:
    await resolved(calling)
    calling.at(FIRST_CALL)
    async with calling.service.store.act("service:feedback") as act:
        await calls.claim_calls(act, 10, clock.real())
    assert await calling.run("ring") == 0
    assert await calling.service.next_due() == calling.now
    with time_machine.travel(clock.real() + calls.LEASE, tick=True):
        assert await calling.run("ring") == 1
    assert len(outside.asks) == 1


async def test_an_outcome_that_is_faster_than_our_note_stands(calling: Bench) -> None:
    await resolved(calling)
    calling.at(FIRST_CALL)
    callback = await callback_of(calling)
    async with calling.service.store.act("service:feedback") as act:
        await calls.claim_calls(act, 10, clock.real())
    await report(calling, callback, "no_answer")
    async with calling.service.store.act("service:feedback") as act:
        await calls.record_asks(act, {Call(callback, NUMBER, 1, 1, person=False): None})
    assert await status_of(calling, callback) == "no_answer"
    assert (await attempt_of(calling))["asked_at"] == calling.now
    assert await calling.service.next_due() == datetime.fromisoformat("2026-03-03T14:30+08:00")


async def test_a_withdrawal_stops_what_waits(calling: Bench) -> None:
    callback = await due(calling)
    await calling.hear(withdrawal(calling))
    calling.at("2026-03-03T14:30+08:00")
    assert await calling.run("expire") == await calling.run("ring") == 0
    assert await status_of(calling, callback) == "cancelled"


# --- silence -----------------------------------------------------------------------------------


async def silent(calling: Bench) -> UUID:
    """A callback whose first attempt expired: nobody said what came of it."""
    callback = await due(calling)
    calling.at("2026-03-03T12:59+08:00")
    assert await calling.run("expire") == 0
    calling.at("2026-03-03T13:00+08:00")
    assert await calling.run("expire") == 1
    return callback


async def test_silence_counts_as_no_answer(calling: Bench, outside: Outside) -> None:
    callback = await silent(calling)
    assert await status_of(calling, callback) == "no_answer"
    assert (await attempt_of(calling))["outcome"] == "expired"
    calling.at("2026-03-03T14:30+08:00")
    await calling.run("ring")
    assert [ask.get_json()["attempt"] for ask in outside.asks] == [1, 2]


@pytest.mark.parametrize("again_under_way", [False, True])
async def test_a_late_answer_is_heard(calling: Bench, again_under_way: bool) -> None:
    callback = await silent(calling)
    if again_under_way:
        calling.at("2026-03-03T14:30+08:00")
        await calling.run("ring")
    answer = await report(calling, callback, "answered", attempt=1, **SATISFIED)
    assert answer.json()["ending"] == "satisfied"
    assert answer.json()["attempts"][0]["outcome"] == "answered"
    other = await report(calling, callback, "no_answer", attempt=2)
    assert other.status_code == 409
    assert await calling.service.next_due() is None


async def test_a_late_miss_only_sets_the_record_right(calling: Bench) -> None:
    callback = await silent(calling)
    planned = await calling.service.next_due()
    answer = await report(calling, callback, "number_off", attempt=1)
    assert (answer.status_code, answer.json()["status"]) == (200, "no_answer")
    assert (await attempt_of(calling))["outcome"] == "number_off"
    assert await calling.service.next_due() == planned
    assert len(await calling.told("callback.planned")) == 2


async def test_silence_three_times_is_unreachable_and_then_it_is_too_late(calling: Bench) -> None:
    callback = await silent(calling)
    while (moment := await calling.service.next_due()) is not None:
        calling.at(moment)
        await calling.run("ring")
        await calling.run("expire")
    view = (await calling.http("callback").get(f"/v1/callbacks/{callback}")).json()
    assert (view["status"], view["ending"]) == ("given_up", "unreachable")
    assert [attempt["outcome"] for attempt in view["attempts"]] == ["expired"] * 3
    late = await report(calling, callback, "answered", attempt=3, **SATISFIED)
    assert late.status_code == 409
    assert len(await calling.told("ticket.closed")) == 1
