"""The citizen's own word: before the callback, halfway through it, and after the end (R-23, R-27)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.fixtures.bench import Bench
from tests.fixtures.scenes.feedback import (
    FIRST_CALL,
    NUMBER,
    SATISFIED,
    UNSATISFIED,
    callback_of,
    dispatch,
    due,
    names,
    registration,
    report,
    resolution,
    resolved,
    status_of,
    withdrawal,
)

NOT_REPAIRED = {"solved": "no", "comment": "水管还在漏"}


async def say(
    bench: Bench, number: str = NUMBER, role: str = "agent", **body: Any
) -> httpx.Response:
    """The citizen rings and says this."""
    return await bench.http(role).post(f"/v1/tickets/{number}/verdict", json=body)


async def reopening(bench: Bench, by: str, number: str = NUMBER) -> httpx.Response:
    """Somebody wants it done again."""
    body = {"by": by, "reason": "又停水了"}
    return await bench.http("agent").post(f"/v1/tickets/{number}/reopening", json=body)


async def next_call(bench: Bench) -> None:
    """The next attempt falls due, if there is one."""
    if moment := await bench.service.next_due():
        bench.at(moment)
        await bench.run("ring")


async def given_up(bench: Bench) -> UUID:
    """A callback nobody answered, three times; the ticket is closed as unreachable."""
    callback = await due(bench)
    for attempt in (1, 2, 3):
        assert (await report(bench, callback, "unreachable", attempt)).status_code == 200
        await next_call(bench)
    return callback


# --- between answer and callback ---------------------------------------------------------------


@pytest.mark.parametrize("role", ["agent", "desk", "callback", "phone_system"])
async def test_not_repaired_before_the_callback_reopens_at_once(feedback: Bench, role: str) -> None:
    """R-27, R-44: whoever rings with an objection is heard, and waits for no callback."""
    await resolved(feedback)
    answer = await say(feedback, role=role, **NOT_REPAIRED)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["ending"], found["round"], found["current_round"]) == ("reopened", 1, 2)
    [reopened] = await feedback.told("ticket.reopened")
    assert (reopened.round, reopened.data.reasons) == (2, ("not_solved",))
    assert (reopened.data.comment, reopened.data.cause) == ("水管还在漏", "verdict")
    callback = await callback_of(feedback)
    assert await status_of(feedback, callback) == "answered"
    feedback.at(FIRST_CALL)
    assert await feedback.run("ring") == 0  # nobody is called who has spoken


async def test_all_three_answers_close_before_the_callback(feedback: Bench) -> None:
    """R-23: nobody is called who has said all three."""
    await resolved(feedback)
    found = (await say(feedback, **SATISFIED)).json()
    assert (found["ending"], found["missing"]) == ("satisfied", [])
    assert (await names(feedback))[-3:] == [
        "callback.answered",
        "ticket.closed",
        "citizen.told:closed",
    ]
    view = (await feedback.http("callback").get("/v1/callbacks")).json()["items"][0]
    assert [each["by_citizen"] for each in view["attempts"]] == [True]
    counts = (await feedback.http("supervisor").get("/v1/rates")).json()["counts"]
    assert (counts["called"], counts["valid"], counts["by_citizen"]) == (1, 1, 1)


async def test_who_rings_while_being_called_is_heard_once(feedback: Bench) -> None:
    callback = await due(feedback)
    assert (await say(feedback, **NOT_REPAIRED)).status_code == 200
    late = await report(feedback, callback, "answered", **SATISFIED)
    assert (late.status_code, late.json()["reported_outcome"]) == (409, "answered")
    assert len(await feedback.told("ticket.reopened")) == 1
    assert await feedback.told("ticket.closed") == []


async def test_content_so_far_is_kept_and_the_rest_is_asked(feedback: Bench) -> None:
    """What was said is never asked twice for nothing: the callback's answers are added to it."""
    await resolved(feedback)
    found = (await say(feedback, contacted="yes")).json()
    assert (found["ending"], found["missing"]) == (None, ["solved", "satisfied"])
    feedback.at(FIRST_CALL)
    await feedback.run("ring")
    callback = await callback_of(feedback)
    answer = await report(feedback, callback, "answered", solved="yes", satisfied="satisfied")
    assert answer.json()["ending"] == "satisfied"
    [answered] = await feedback.told("callback.answered")
    assert answered.data.contacted is True


async def test_the_same_word_again_changes_nothing(feedback: Bench) -> None:
    await resolved(feedback)
    first = await say(feedback, **SATISFIED)
    told = await names(feedback)
    again = await say(feedback, **SATISFIED)
    assert (again.status_code, again.json()) == (200, first.json())
    assert await names(feedback) == told


@pytest.mark.parametrize("body", [{}, {"comment": "没修好"}, {"solved": "perhaps"}])
async def test_a_verdict_answers_something(feedback: Bench, body: dict[str, Any]) -> None:
    await resolved(feedback)
    answer = await say(feedback, **body)
    assert answer.status_code == 422
    assert await feedback.told("ticket.reopened") == []


@pytest.mark.parametrize("role", ["unit", "supervisor", "service", None])
async def test_only_the_front_hears_verdicts(feedback: Bench, role: str | None) -> None:
    await resolved(feedback)
    body = {"solved": "no"}
    client = feedback.http(role, "CG" if role == "unit" else None)
    answer = await client.post(f"/v1/tickets/{NUMBER}/verdict", json=body)
    assert answer.status_code == (403 if role else 401)


# --- nothing to judge --------------------------------------------------------------------------


async def test_before_the_answer_there_is_nothing_to_judge(feedback: Bench) -> None:
    await feedback.hear(registration(feedback))
    answer = await say(feedback, **NOT_REPAIRED)
    assert (answer.status_code, answer.json()["type"]) == (409, "/errors/nothing-to-judge")
    assert answer.json()["allowed"] == ["supplement_ticket", "urge_ticket"]
    assert (await say(feedback, "20260302-999999", **NOT_REPAIRED)).status_code == 404


async def test_a_round_that_was_reopened_waits_for_its_answer(feedback: Bench) -> None:
    await resolved(feedback)
    await say(feedback, **NOT_REPAIRED)
    assert (await say(feedback, solved="no")).json()["type"] == "/errors/nothing-to-judge"
    await feedback.hear(dispatch(feedback, round=2), resolution(feedback, round=2))
    assert (await say(feedback, solved="no")).json()["current_round"] == 3


async def test_a_withdrawn_ticket_is_followed_by_a_new_one(feedback: Bench) -> None:
    await resolved(feedback)
    await feedback.hear(withdrawal(feedback))
    answer = await say(feedback, **NOT_REPAIRED)
    assert (answer.status_code, answer.json()["type"]) == (409, "/errors/not-reopened")
    assert answer.json()["follows"] == NUMBER


# --- a hang-up halfway -------------------------------------------------------------------------


async def test_who_hangs_up_after_the_first_answer_is_asked_again(feedback: Bench) -> None:
    callback = await due(feedback)
    answer = await report(feedback, callback, "answered", contacted="yes")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["status"], found["ending"], found["attempt"]) == ("no_answer", None, 2)
    assert found["said"] == {"contacted": "yes", "solved": None, "satisfied": None}
    assert found["attempts"][0]["outcome"] == "answered"
    feedback.at("2026-03-03T14:30+08:00")
    await feedback.run("ring")
    answer = await report(feedback, callback, "answered", 2, solved="yes", satisfied="satisfied")
    assert answer.json()["ending"] == "satisfied"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"contacted": "no"}, "not_contacted"),
        ({"solved": "no"}, "not_solved"),
        ({"satisfied": "unsatisfied"}, "not_satisfied"),
    ],
)
async def test_one_objection_is_enough_to_reopen(
    feedback: Bench, said: dict[str, Any], reason: str
) -> None:
    """R-27 asks for one of them, and whoever said it need not be called again to say more."""
    callback = await due(feedback)
    answer = await report(feedback, callback, "answered", **said)
    assert (answer.json()["status"], answer.json()["ending"]) == ("answered", "reopened")
    [reopened] = await feedback.told("ticket.reopened")
    assert reopened.data.reasons == (reason,)
    counts = (await feedback.http("supervisor").get("/v1/rates")).json()["counts"]
    assert (counts["valid"], counts["partial"]) == (1, 1)


async def test_some_answers_at_the_last_attempt_are_unrated(feedback: Bench) -> None:
    """R-25: 无法评价 is not unreachable; the citizen was reached and had no objection."""
    callback = await due(feedback)
    for attempt in (1, 2):
        await report(feedback, callback, "unreachable", attempt)
        await next_call(feedback)
    answer = await report(feedback, callback, "answered", 3, solved="yes")
    assert (answer.json()["status"], answer.json()["ending"]) == ("answered", "unrated")


# --- a wrong number ----------------------------------------------------------------------------


@pytest.mark.parametrize("before", [0, 2])
async def test_a_wrong_number_is_not_called_again(feedback: Bench, before: int) -> None:
    callback = await due(feedback)
    for attempt in range(1, before + 1):
        await report(feedback, callback, "no_answer", attempt)
        await next_call(feedback)
    answer = await report(feedback, callback, "wrong_number", before + 1)
    assert (answer.json()["status"], answer.json()["awaits_number"]) == ("no_answer", True)
    assert "号码有误" in answer.json()["sentence"]["zh"]
    client = feedback.http("callback")
    [listed] = (await client.get("/v1/callbacks?awaits_number=true")).json()["items"]
    assert listed["id"] == str(callback)
    assert (await client.get("/v1/callbacks?awaits_number=false")).json()["items"] == []


async def test_a_number_nobody_corrects_is_given_up_when_the_round_should_end(
    feedback: Bench,
) -> None:
    callback = await due(feedback)
    await report(feedback, callback, "wrong_number")
    feedback.at("2026-03-09T17:59+08:00")
    assert (await feedback.run("ring"), await feedback.run("expire")) == (0, 0)
    feedback.at("2026-03-09T18:00+08:00")
    assert await feedback.run("expire") == 1
    assert await status_of(feedback, callback) == "given_up"
    [closed] = await feedback.told("ticket.closed")
    assert closed.data.kind == "unreachable"


async def test_who_rings_from_the_right_number_is_heard(feedback: Bench) -> None:
    callback = await due(feedback)
    await report(feedback, callback, "wrong_number")
    assert (await say(feedback, **SATISFIED)).json()["ending"] == "satisfied"
    assert await status_of(feedback, callback) == "answered"


# --- after the end -----------------------------------------------------------------------------


async def test_who_rings_back_five_minutes_after_we_gave_up_is_heard(feedback: Bench) -> None:
    await given_up(feedback)
    found = await say(feedback, **NOT_REPAIRED)
    assert found.status_code == 200, found.text
    assert (found.json()["ending"], found.json()["current_round"]) == ("reopened", 2)
    [reopened] = await feedback.told("ticket.reopened")
    assert (reopened.data.cause, reopened.data.reasons) == ("repeat_call", ("not_solved",))
    counts = (await feedback.http("supervisor").get("/v1/rates")).json()["counts"]
    assert (counts["valid"], counts["unreachable"]) == (1, 0)


async def test_content_after_we_gave_up_counts(feedback: Bench) -> None:
    callback = await given_up(feedback)
    found = (await say(feedback, **SATISFIED)).json()
    assert (found["ending"], found["current_round"]) == ("satisfied", 1)
    assert await status_of(feedback, callback) == "answered"
    assert [fact.data.kind for fact in await feedback.told("ticket.closed")] == [
        "unreachable",
        "satisfied",
    ]


async def test_after_we_gave_up_some_answers_do_not_end_it(feedback: Bench) -> None:
    await given_up(feedback)
    answer = await say(feedback, solved="yes")
    assert (answer.status_code, answer.json()["missing"]) == (409, ["contacted", "satisfied"])


async def test_content_once_and_broken_again_reopens_and_both_stand(feedback: Bench) -> None:
    """The verdict of the first round stays what it was; the repeat call opens the second (R-27)."""
    callback = await due(feedback)
    await report(feedback, callback, "answered", **SATISFIED)
    assert (await say(feedback, **SATISFIED)).json()["type"] == "/errors/already-judged"
    assert (await reopening(feedback, "citizen")).json()["current_round"] == 2
    [reopened] = await feedback.told("ticket.reopened")
    assert (reopened.round, reopened.data.cause) == (2, "repeat_call")
    assert reopened.data.comment == "又停水了"
    counts = (await feedback.http("supervisor").get("/v1/rates")).json()["counts"]
    assert (counts["satisfied"], counts["unsatisfied"]) == (1, 0)


@pytest.mark.parametrize("changes", [{"reply_declined": True}, {"has_contact": False}])
async def test_who_was_not_to_be_called_can_call(feedback: Bench, changes: dict[str, Any]) -> None:
    await resolved(feedback, **changes)
    assert (await say(feedback, **UNSATISFIED)).json()["current_round"] == 2
    [reopened] = await feedback.told("ticket.reopened")
    assert reopened.data.reasons == ("not_solved", "not_satisfied")


async def test_later_it_is_a_new_ticket_that_follows(feedback: Bench) -> None:
    """callbacks.yaml ``reopen_within``: ten working days after Tuesday 3 March end with the 17th."""
    callback = await due(feedback)
    await report(feedback, callback, "answered", **SATISFIED)
    feedback.at("2026-03-17T18:01+08:00")
    answer = await say(feedback, **NOT_REPAIRED)
    found = answer.json()
    assert (answer.status_code, found["type"]) == (409, "/errors/not-reopened")
    assert (found["follows"], found["allowed"]) == (NUMBER, ["register_ticket"])
    assert NUMBER in found["detail"]
    assert "2026-03-17 18:00" in found["detail"]
    assert (await reopening(feedback, "upstream")).status_code == 409
    feedback.at("2026-03-17T18:00+08:00")
    assert (await say(feedback, **NOT_REPAIRED)).status_code == 200


# --- upstream ----------------------------------------------------------------------------------


async def test_upstream_returns_what_was_answered(feedback: Bench) -> None:
    """退回重办: whether or not the citizen was called."""
    callback = await due(feedback)
    answer = await reopening(feedback, "upstream")
    assert (answer.json()["ending"], answer.json()["current_round"]) == ("reopened", 2)
    assert await status_of(feedback, callback) == "cancelled"
    [reopened] = await feedback.told("ticket.reopened")
    assert (reopened.data.cause, reopened.data.comment) == ("upstream", "又停水了")


async def test_upstream_returns_what_was_closed(feedback: Bench) -> None:
    callback = await due(feedback)
    await report(feedback, callback, "answered", **SATISFIED)
    assert (await reopening(feedback, "upstream")).json()["current_round"] == 2
    assert await status_of(feedback, callback) == "answered"


async def test_unreachable_and_its_older_word_are_one(feedback: Bench) -> None:
    """The policy's word is taken; what is answered stays in the words of the release before."""
    callback = await due(feedback)
    first = await report(feedback, callback, "unreachable")
    again = await report(feedback, callback, "no_answer")
    assert (again.status_code, again.json()) == (200, first.json())
    assert first.json()["attempts"][0]["outcome"] == "no_answer"


@pytest.mark.parametrize(
    "way", ["before the call", "after a verdict", "upstream", "by the citizen"]
)
async def test_of_a_confidential_ticket_no_words_travel(feedback: Bench, way: str) -> None:
    """R-35, R-36: whoever is asked why it is done again hears the reason and no comment."""
    words = "李秋月说她被村主任威胁"
    if way == "before the call":
        await resolved(feedback, confidential=True)
        answer = await say(feedback, solved="no", comment=words)
    else:
        callback = await due(feedback, confidential=True)
        assert (await report(feedback, callback, "answered", **SATISFIED)).is_success
        body = {"by": "upstream" if way == "upstream" else "citizen", "reason": words}
        answer = (
            await say(feedback, solved="no", comment=words)
            if way == "after a verdict"
            else await feedback.http("agent").post(f"/v1/tickets/{NUMBER}/reopening", json=body)
        )
    assert answer.is_success, answer.text
    [reopened] = await feedback.told("ticket.reopened")
    assert reopened.data.comment
    assert not any(part in reopened.data.comment for part in ("李秋月", "村主任", "威胁"))
