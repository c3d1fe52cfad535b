"""Reports of outcomes that are not taken: each says its true fault, in the words of the interface."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.fixtures.bench import Bench
from tests.fixtures.scenes.feedback import (
    FIRST_CALL,
    SATISFIED,
    UNSATISFIED,
    Outside,
    callback_of,
    due,
    names,
    report,
    resolved,
    status_of,
    withdrawal,
)

BILINGUAL = re.compile(r"^[^A-Za-z]*[\u4e00-\u9fff].*[A-Za-z]{3}")
MISSES = ("no_answer", "wrong_number", "number_off")
ANSWERS = ["contacted", "solved", "satisfied"]


def problem(answer: httpx.Response, slug: str) -> dict[str, Any]:
    """The problem a report was refused with, in Chinese and English."""
    assert answer.status_code == 409, answer.text
    found: dict[str, Any] = answer.json()
    assert found["type"].endswith(f"/{slug}")
    assert BILINGUAL.match(found["title"])
    assert BILINGUAL.match(found["detail"])
    return found


def problem_of_fields(answer: httpx.Response) -> dict[str, Any]:
    """The problem of a malformed report."""
    assert answer.status_code == 422, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def missed(bench: Bench, times: int, outcome: str = "no_answer") -> UUID:
    """A callback whose first attempts were missed; the next one, if there is one, is due."""
    callback = await due(bench)
    for attempt in range(1, times + 1):
        answer = await report(bench, callback, outcome, attempt)
        assert answer.status_code == 200, answer.text
        if moment := await bench.service.next_due():
            bench.at(moment)
            await bench.run("ring")
    return callback


# --- another attempt ---------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["no_answer", "refused"])
async def test_an_attempt_too_high_is_told_the_expected_one(feedback: Bench, outcome: str) -> None:
    callback = await due(feedback)
    found = problem(await report(feedback, callback, outcome, attempt=2), "wrong-attempt")
    assert (found["field"], found["attempt"], found["expected_attempt"]) == ("attempt", 2, 1)
    assert (found["current_status"], found["allowed"]) == ("due", ["report_outcome"])
    assert "第 2 次" in found["detail"]
    assert "the callback is at attempt 1" in found["detail"]
    assert await status_of(feedback, callback) == "due"


async def test_an_attempt_too_low_is_told_the_expected_one_and_what_came_of_it(
    feedback: Bench,
) -> None:
    callback = await missed(feedback, 1)
    answer = await report(feedback, callback, "answered", attempt=1, **SATISFIED)
    found = problem(answer, "wrong-attempt")
    assert (found["field"], found["attempt"], found["expected_attempt"]) == ("attempt", 1, 2)
    assert "no_answer" in found["detail"]
    assert await status_of(feedback, callback) == "due"


async def test_the_expected_attempt_is_taken_after_a_wrong_one(feedback: Bench) -> None:
    callback = await missed(feedback, 1)
    wrong = await report(feedback, callback, "answered", attempt=3, **SATISFIED)
    expected = problem(wrong, "wrong-attempt")["expected_attempt"]
    answer = await report(feedback, callback, "answered", expected, **SATISFIED)
    assert answer.json()["ending"] == "satisfied"


async def test_what_is_allowed_is_an_operation_of_this_service(feedback: Bench) -> None:
    found = problem(await report(feedback, await due(feedback), "refused", 2), "wrong-attempt")
    operations = (await feedback.http(None).get("/openapi.json")).json()["paths"].values()
    known = {operation["operationId"] for path in operations for operation in path.values()}
    assert found["allowed"]
    for name in found["allowed"]:
        assert any(operation.startswith(name) for operation in known)


# --- before its time ---------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", [*MISSES, "refused", "answered"])
async def test_before_the_first_call_nothing_can_have_come_of_it(
    feedback: Bench, outcome: str
) -> None:
    await resolved(feedback)
    answers = SATISFIED if outcome == "answered" else {}
    answer = await report(feedback, await callback_of(feedback), outcome, **answers)
    found = problem(answer, "call-not-due")
    assert (found["attempt"], found["current_status"], found["allowed"]) == (1, "planned", [])
    assert "answered" not in found["detail"]


async def test_a_report_before_the_first_call_is_told_when_it_is_due(feedback: Bench) -> None:
    await resolved(feedback)
    answer = await report(feedback, await callback_of(feedback), "no_answer")
    found = problem(answer, "call-not-due")
    assert found["due"].startswith("2026-03-03T01:00")
    feedback.at(FIRST_CALL)
    await feedback.run("ring")
    assert (await report(feedback, await callback_of(feedback), "no_answer")).status_code == 200


@pytest.mark.parametrize("outcome", [*MISSES, "refused"])
async def test_between_two_calls_only_who_rings_back_is_heard(
    feedback: Bench, outcome: str
) -> None:
    callback = await due(feedback)
    await report(feedback, callback, "no_answer")
    found = problem(await report(feedback, callback, outcome, attempt=2), "call-not-due")
    assert (found["attempt"], found["current_status"]) == (2, "no_answer")
    assert found["allowed"] == ["report_outcome"]
    assert "answered" in found["detail"]


# --- too late ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "answers"),
    [
        ("answered", UNSATISFIED),
        ("answered", SATISFIED | {"comment": "又及"}),
        ("no_answer", {}),
        ("refused", {}),
    ],
)
async def test_who_answered_once_is_not_reported_again(
    feedback: Bench, outcome: str, answers: dict[str, Any]
) -> None:
    callback = await due(feedback)
    await report(feedback, callback, "answered", **SATISFIED)
    told = await names(feedback)
    found = problem(await report(feedback, callback, outcome, **answers), "already-reported")
    assert (found["attempt"], found["reported_outcome"]) == (1, "answered")
    assert (found["current_status"], found["allowed"]) == ("answered", [])
    assert await names(feedback) == told


async def test_an_attempt_after_the_answer_is_one_too_many(feedback: Bench) -> None:
    callback = await due(feedback)
    await report(feedback, callback, "answered", **SATISFIED)
    answer = await report(feedback, callback, "answered", attempt=2, **SATISFIED)
    found = problem(answer, "callback-over")
    assert (found["attempt"], found["current_status"], found["allowed"]) == (2, "answered", [])


@pytest.mark.parametrize(
    ("attempt", "slug"), [(1, "already-reported"), (3, "already-reported"), (4, "callback-over")]
)
async def test_a_callback_that_was_given_up_takes_no_answer(
    feedback: Bench, attempt: int, slug: str
) -> None:
    callback = await missed(feedback, 3, "number_off")
    answer = await report(feedback, callback, "answered", attempt, **SATISFIED)
    found = problem(answer, slug)
    assert (found["current_status"], found["allowed"]) == ("given_up", [])
    assert found.get("reported_outcome") == ("number_off" if attempt < 4 else None)
    assert len(await feedback.told("ticket.closed")) == 1


async def test_a_callback_that_was_given_up_unasked_takes_no_answer(calling: Bench) -> None:
    await resolved(calling)
    while moment := await calling.service.next_due():
        calling.at(moment)
        await calling.run("ring")
        await calling.run("expire")
    callback = await callback_of(calling)
    found = problem(await report(calling, callback, "refused", attempt=3), "callback-over")
    assert found["current_status"] == "given_up"


async def test_a_callback_of_a_withdrawn_ticket_takes_no_outcome(feedback: Bench) -> None:
    callback = await due(feedback)
    await feedback.hear(withdrawal(feedback))
    answer = await report(feedback, callback, "answered", **SATISFIED)
    found = problem(answer, "callback-over")
    assert found["current_status"] == "cancelled"
    assert "诉求已撤回" in found["detail"]


# --- answers -----------------------------------------------------------------------------------


async def test_who_answered_answered_something(feedback: Bench) -> None:
    callback = await due(feedback)
    found = problem_of_fields(await report(feedback, callback, "answered"))
    assert [row["field"] for row in found["errors"]] == ["satisfied"]
    assert all(BILINGUAL.match(row["message"]) for row in found["errors"])
    assert await status_of(feedback, callback) == "due"


@pytest.mark.parametrize("outcome", [*MISSES, "refused"])
@pytest.mark.parametrize("given", [ANSWERS, ["contacted"], ["solved"], ["satisfied"]])
async def test_a_superfluous_answer_is_named(
    feedback: Bench, outcome: str, given: list[str]
) -> None:
    callback = await due(feedback)
    answers = {name: SATISFIED[name] for name in given}
    found = problem_of_fields(await report(feedback, callback, outcome, **answers))
    assert [row["field"] for row in found["errors"]] == given
    assert await status_of(feedback, callback) == "due"


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("contacted", "maybe", ["yes", "no"]),
        ("contacted", True, ["yes", "no"]),
        ("solved", "perhaps", ["yes", "partly", "no"]),
        ("satisfied", "happy", ["satisfied", "basically_satisfied", "unsatisfied", "unrated"]),
        ("satisfied", "满意", ["satisfied", "basically_satisfied", "unsatisfied", "unrated"]),
        (
            "outcome",
            "busy",
            ["answered", "refused", "unreachable", "wrong_number", "number_off", "no_answer"],
        ),
    ],
)
async def test_an_unknown_value_is_told_the_known_ones(
    feedback: Bench, field: str, value: Any, allowed: list[str]
) -> None:
    callback = await due(feedback)
    body = {"attempt": 1, "outcome": "answered"} | SATISFIED | {field: value}
    path = f"/v1/callbacks/{callback}/outcome"
    found = problem_of_fields(await feedback.http("callback").post(path, json=body))
    assert (found["field"], found["allowed"]) == (field, allowed)
    assert [row["field"] for row in found["errors"]] == [field]


async def test_the_answers_are_shown_as_they_were_reported(feedback: Bench) -> None:
    callback = await due(feedback)
    answers = SATISFIED | {"contacted": "no"}
    [attempt] = (await report(feedback, callback, "answered", **answers)).json()["attempts"]
    assert {name: attempt[name] for name in ANSWERS} == answers
    [answered] = await feedback.told("callback.answered")
    assert answered.data.contacted is False


async def test_the_request_to_call_offers_what_the_outcome_takes(
    calling: Bench, outside: Outside
) -> None:
    """Who posts the codes of the chosen answers under the questions' ids is understood."""
    callback = await due(calling)
    [asked] = outside.asks
    questions = asked.get_json()["questions"]
    chosen = {q["id"]: q["answers"][0]["code"] for q in questions if q["answers"]}
    answer = await report(calling, callback, "answered", asked.get_json()["attempt"], **chosen)
    assert (answer.status_code, answer.json()["ending"]) == (200, "satisfied")
