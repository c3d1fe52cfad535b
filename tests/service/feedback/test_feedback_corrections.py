"""更正 at feedback: who wants no call gets none, and who has the right number is called again."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

import pytest

from shared.events import Fact, TicketCorrected
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.feedback import (
    FIRST_CALL,
    NUMBER,
    SATISFIED,
    callback_of,
    due,
    names,
    registration,
    report,
    resolution,
    resolved,
    status_of,
)


def corrected(bench: Bench, seq: int | None = None, **right: Any) -> Fact:
    """What intake says of a correction."""
    fields = right.pop("fields", tuple(right))
    data = TicketCorrected(fields=fields, reason="听错了", **right)
    return bench.fact(data, subject=NUMBER, seq=seq)


def new_number(bench: Bench) -> Fact:
    """The phone was put right."""
    return corrected(bench, fields=("phone",), has_contact=True)


async def test_do_not_call_me_is_obeyed_from_that_moment(feedback: Bench) -> None:
    await resolved(feedback)
    await feedback.hear(corrected(feedback, reply_declined=True))
    assert await status_of(feedback, await callback_of(feedback)) == "cancelled"
    [closed] = await feedback.told("ticket.closed")
    assert closed.data.kind == "reply_declined"
    feedback.at(FIRST_CALL)
    assert await feedback.run("ring") == 0
    assert (await names(feedback))[-1] == "ticket.closed"  # and no message about it either


async def test_do_not_call_me_is_obeyed_while_a_call_is_due(feedback: Bench) -> None:
    callback = await due(feedback)
    await feedback.hear(corrected(feedback, reply_declined=True))
    answer = await report(feedback, callback, "answered", **SATISFIED)
    assert (answer.status_code, answer.json()["current_status"]) == (409, "cancelled")


async def test_said_before_the_answer_it_counts_too(feedback: Bench) -> None:
    await feedback.hear(registration(feedback), corrected(feedback, reply_declined=True))
    await feedback.hear(resolution(feedback))
    assert await feedback.told("callback.planned") == []
    [closed] = await feedback.told("ticket.closed")
    assert closed.data.kind == "reply_declined"


async def test_who_wants_a_reply_after_all_is_called(feedback: Bench) -> None:
    await feedback.hear(registration(feedback, reply_declined=True))
    await feedback.hear(corrected(feedback, reply_declined=False), resolution(feedback))
    assert len(await feedback.told("callback.planned")) == 1


async def test_praise_that_was_taken_for_help_is_not_called_about(feedback: Bench) -> None:
    await resolved(feedback)
    await feedback.hear(corrected(feedback, type="commendation"))
    [closed] = await feedback.told("ticket.closed")
    assert closed.data.kind == "commendation"


async def test_a_number_taken_away_ends_the_calls(feedback: Bench) -> None:
    await resolved(feedback)
    await feedback.hear(corrected(feedback, fields=("phone",), has_contact=False))
    [closed] = await feedback.told("ticket.closed")
    assert closed.data.kind == "no_contact"


async def test_a_wrong_number_put_right_is_called_again(feedback: Bench) -> None:
    callback = await due(feedback)
    await report(feedback, callback, "wrong_number")
    await feedback.hear(new_number(feedback))
    planned = (await feedback.told("callback.planned"))[-1].data
    assert (planned.attempt, planned.due) == (
        2,
        datetime.fromisoformat("2026-03-03T09:00+08:00"),
    )
    await feedback.run("ring")
    assert await status_of(feedback, callback) == "due"
    answer = await report(feedback, callback, "answered", 2, **SATISFIED)
    assert answer.json()["ending"] == "satisfied"


async def test_a_number_put_right_before_it_was_reported_wrong_is_called(feedback: Bench) -> None:
    callback = await due(feedback)
    feedback.at("2026-03-03T09:10+08:00")
    await feedback.hear(new_number(feedback))
    answer = await report(feedback, callback, "wrong_number")
    assert (answer.json()["attempt"], answer.json()["awaits_number"]) == (2, False)


async def test_a_wrong_number_costs_no_attempt(feedback: Bench) -> None:
    """Three tries of the right number, whatever was tried before (R-24)."""
    callback = await due(feedback)
    await report(feedback, callback, "wrong_number")
    await feedback.hear(new_number(feedback))
    for attempt in (2, 3, 4):
        moment = await feedback.service.next_due()
        assert moment is not None
        feedback.at(moment)
        await feedback.run("ring")
        assert await status_of(feedback, callback) == "due"
        await report(feedback, callback, "unreachable", attempt)
    assert await status_of(feedback, callback) == "given_up"


async def test_the_later_said_counts_whichever_is_heard_first(feedback: Bench) -> None:
    await feedback.hear(registration(feedback))
    late = corrected(feedback, seq=9, reply_declined=False)
    await feedback.hear(late, corrected(feedback, seq=8, reply_declined=True), late)
    await feedback.hear(resolution(feedback))
    assert len(await feedback.told("callback.planned")) == 1


async def test_a_correction_before_the_registration_waits_for_it(feedback: Bench) -> None:
    await feedback.hear(corrected(feedback, reply_declined=True))
    assert [row["state"] for row in await feedback.parked()] == ["early"]


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_happens_each_round_ends_once_and_nobody_is_called_in_vain(
    feedback: Bench, seed: int
) -> None:
    """Completed, called, rung up, corrected and closed in any order: one verdict a round, no call to who
    has spoken or wants none, and no callback that nobody and no clock can move.
    """
    dice, round = random.Random(seed), 1
    await resolved(feedback)
    for _ in range(10):
        callback = await callback_of(feedback, round=round)
        match dice.choice(["say", "report", "wrong", "number", "decline", "time"]):
            case "say":
                said = dice.choice([{"solved": "no"}, {"contacted": "yes"}, SATISFIED])
                await feedback.http("agent").post(f"/v1/tickets/{NUMBER}/verdict", json=said)
            case "report" | "wrong" as what:
                view = (await feedback.http("callback").get(f"/v1/callbacks/{callback}")).json()
                outcome = "wrong_number" if what == "wrong" else "unreachable"
                await report(feedback, callback, outcome, view["attempt"])
            case "number":
                await feedback.hear(new_number(feedback))
            case "decline":
                await feedback.hear(corrected(feedback, reply_declined=dice.random() < 0.5))
            case "time":
                if moment := await feedback.service.next_due():
                    feedback.at(max(moment, feedback.now))
                    await feedback.run("ring")
                    await feedback.run("expire")
        reopened = await feedback.told("ticket.reopened")
        if reopened and reopened[-1].round > round:
            round = reopened[-1].round
            await feedback.hear(resolution(feedback, round=round))
    rows = await feedback.rows("SELECT status, next_step FROM callbacks")
    assert all(row["next_step"] or row["status"] != "planned" for row in rows)
    assert all(row["next_step"] or row["status"] != "no_answer" for row in rows)
    assert [fact.round for fact in await feedback.told("ticket.reopened")] == list(
        range(2, round + 1)
    )
    ended = [fact for fact in rows if fact["status"] in ("answered", "given_up", "cancelled")]
    assert all(row["next_step"] is None for row in ended)
