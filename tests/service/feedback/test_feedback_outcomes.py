"""Feedback's first door: outcomes of callbacks, and the verdicts that follow."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from services.feedback.rules.comments import WITHHELD
from shared.events import SupervisionRaised
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
    report,
    resolution,
    resolved,
    status_of,
)

# --- outcomes and verdicts ---------------------------------------------------------------------


async def test_a_satisfied_citizen_closes_the_ticket(feedback: Bench) -> None:
    callback = await due(feedback)
    answer = await report(feedback, callback, "answered", **SATISFIED, comment="很快，谢谢")
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["ending"]) == ("answered", "satisfied")
    assert (await names(feedback))[-3:] == [
        "callback.answered",
        "ticket.closed",
        "citizen.told:closed",
    ]
    [answered] = await feedback.told("callback.answered")
    assert answered.data.comment == "很快，谢谢"
    assert answered.actor == "phone_system:test"
    [closed] = await feedback.told("ticket.closed")
    assert (closed.data.kind, closed.round) == ("satisfied", 1)


async def test_an_unsatisfied_citizen_opens_the_next_round(feedback: Bench) -> None:
    """R-27 重办."""
    callback = await due(feedback)
    answer = await report(feedback, callback, "answered", **UNSATISFIED, comment="还是没水")
    assert (answer.json()["status"], answer.json()["ending"]) == ("answered", "reopened")
    [reopened] = await feedback.told("ticket.reopened")
    assert reopened.round == 2
    assert reopened.data.reasons == ("not_solved", "not_satisfied")
    assert reopened.data.comment == "还是没水"
    assert (await names(feedback))[-1] == "citizen.told:reopened"
    assert await feedback.told("ticket.closed") == []


async def test_the_second_round_has_a_callback_of_its_own(feedback: Bench) -> None:
    first = await due(feedback)
    await report(feedback, first, "answered", **UNSATISFIED)
    await feedback.hear(dispatch(feedback, round=2), resolution(feedback, round=2))
    feedback.at("2026-03-04T09:00+08:00")
    await feedback.run("ring")
    second = await callback_of(feedback, round=2)
    answer = await report(feedback, second, "answered", **SATISFIED)
    assert answer.json()["person"] is True
    [closed] = await feedback.told("ticket.closed")
    assert closed.round == 2
    told = [(f.round, f.data.occasion) for f in await feedback.told("citizen.told")]
    assert told[-4:] == [(2, "reopened"), (2, "dispatched"), (2, "completed"), (2, "closed")]


async def test_each_reopening_opens_the_round_after_its_own(feedback: Bench) -> None:
    await report(feedback, await due(feedback), "answered", **UNSATISFIED)
    await feedback.hear(dispatch(feedback, round=2), resolution(feedback, round=2))
    feedback.at("2026-03-04T09:00+08:00")
    await feedback.run("ring")
    second = await callback_of(feedback, round=2)
    await report(feedback, second, "answered", **UNSATISFIED)
    assert [fact.round for fact in await feedback.told("ticket.reopened")] == [2, 3]


async def test_a_refused_callback_closes_the_ticket_as_that(feedback: Bench) -> None:
    callback = await due(feedback)
    answer = await report(feedback, callback, "refused")
    assert (answer.json()["status"], answer.json()["ending"]) == ("given_up", "refused_callback")
    [given_up] = await feedback.told("callback.given_up")
    assert (given_up.data.outcome, given_up.data.attempts) == ("refused", 1)


async def test_three_misses_close_the_ticket_as_unreachable(feedback: Bench) -> None:
    """R-24 回访时段."""
    callback = await due(feedback)
    await report(feedback, callback, "no_answer")
    assert await status_of(feedback, callback) == "no_answer"
    feedback.at("2026-03-03T14:30+08:00")
    await feedback.run("ring")
    await report(feedback, callback, "number_off", attempt=2)
    feedback.at("2026-03-04T18:30+08:00")
    await feedback.run("ring")
    answer = await report(feedback, callback, "wrong_number", attempt=3)
    assert (answer.json()["status"], answer.json()["ending"]) == ("given_up", "unreachable")
    planned = [fact.data.due for fact in await feedback.told("callback.planned")]
    assert planned == [
        datetime.fromisoformat(moment)
        for moment in (FIRST_CALL, "2026-03-03T14:30+08:00", "2026-03-04T18:30+08:00")
    ]
    [given_up] = await feedback.told("callback.given_up")
    assert (given_up.data.outcome, given_up.data.attempts) == ("unreachable", 3)


async def test_the_same_outcome_again_answers_the_same_and_says_nothing(feedback: Bench) -> None:
    callback = await due(feedback)
    first = await report(feedback, callback, "answered", **SATISFIED, comment="谢谢")
    told = await names(feedback)
    again = await report(feedback, callback, "answered", **SATISFIED, comment="谢谢")
    assert (again.status_code, again.json()) == (200, first.json())
    assert await names(feedback) == told


async def test_an_idempotency_key_answers_as_the_first_time(feedback: Bench) -> None:
    callback = await due(feedback)
    client = feedback.http("phone_system")
    body = {"attempt": 1, "outcome": "no_answer"}
    url, headers = f"/v1/callbacks/{callback}/outcome", {"Idempotency-Key": "call-1"}
    first = await client.post(url, json=body, headers=headers)
    again = await client.post(url, json=body, headers=headers)
    assert again.json() == first.json()
    other = await client.post(url, json=body | {"outcome": "refused"}, headers=headers)
    assert other.status_code == 422


async def test_who_rings_back_between_two_attempts_is_heard(feedback: Bench) -> None:
    callback = await due(feedback)
    await report(feedback, callback, "no_answer")
    answer = await report(feedback, callback, "answered", attempt=2, **SATISFIED)
    assert answer.json()["ending"] == "satisfied"


async def test_nobody_refuses_a_call_that_is_not_due_yet(feedback: Bench) -> None:
    callback = await due(feedback)
    await report(feedback, callback, "no_answer")
    assert (await report(feedback, callback, "refused", attempt=2)).status_code == 409
    assert (await report(feedback, callback, "answered", attempt=2, **SATISFIED)).status_code == 200


async def test_the_comment_is_masked(feedback: Bench) -> None:
    callback = await due(feedback)
    comment = "请再打 13909150001 找我"
    answer = await report(feedback, callback, "answered", **SATISFIED, comment=comment)
    assert "13909150001" not in answer.text
    assert answer.json()["attempts"][0]["comment"] == "请再打 [电话] 找我"
    again = await report(feedback, callback, "answered", **SATISFIED, comment=comment)
    assert again.status_code == 200


async def test_a_supervised_matter_is_called_by_a_person(feedback: Bench) -> None:
    await resolved(feedback)
    callback = await callback_of(feedback)
    raised = SupervisionRaised(
        supervision=uuid4(), rung=2, title="督办单", by="hand", reason="超期"
    )
    before = (await feedback.http("callback").get(f"/v1/callbacks/{callback}")).json()
    await feedback.hear(feedback.fact(raised, subject=NUMBER, unit="CG"))
    after = (await feedback.http("callback").get(f"/v1/callbacks/{callback}")).json()
    assert (before["person"], after["person"]) == (False, True)


# --- bad input and fences ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {"outcome": "answered", "attempt": 1},
        {"outcome": "answered", "attempt": 1, "contacted": "yes", "solved": "yes"},
        {"outcome": "no_answer", "attempt": 1, **SATISFIED},
        {"outcome": "expired", "attempt": 1},
        {"outcome": "answered", "attempt": 0, **SATISFIED},
        {"outcome": "answered", **SATISFIED},
        {"outcome": "answered", "attempt": 1, **SATISFIED, "solved": "perhaps"},
        {"outcome": "answered", "attempt": 1, **SATISFIED, "comment": "a\x00b"},
        {"outcome": "answered", "attempt": 1, **SATISFIED, "comment": "长" * 1001},
        {"outcome": "answered", "attempt": 1, **SATISFIED, "phone": "13909150001"},
    ],
)
async def test_a_malformed_outcome_is_refused_and_changes_nothing(
    feedback: Bench, body: dict[str, Any]
) -> None:
    callback = await due(feedback)
    answer = await feedback.http("phone_system").post(
        f"/v1/callbacks/{callback}/outcome", json=body
    )
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert "13909150001" not in answer.text
    assert await status_of(feedback, callback) == "due"


async def test_a_callback_nobody_knows_is_not_found(feedback: Bench) -> None:
    assert (await report(feedback, uuid4(), "no_answer")).status_code == 404
    answer = await feedback.http("callback").get(f"/v1/callbacks/{uuid4()}")
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("role", "unit", "expected"),
    [
        (None, None, 401),
        ("unit", "CG", 403),
        ("desk", None, 403),
        ("supervisor", None, 403),
        ("service", None, 403),
        ("callback", None, 200),
        ("phone_system", None, 200),
    ],
)
async def test_only_the_hotline_reports_outcomes(
    feedback: Bench, role: str | None, unit: str | None, expected: int
) -> None:
    callback = await due(feedback)
    answer = await feedback.http(role, unit).post(
        f"/v1/callbacks/{callback}/outcome", json={"attempt": 1, "outcome": "no_answer"}
    )
    assert answer.status_code == expected


async def test_the_list_is_paged_and_narrowed_by_status(feedback: Bench) -> None:
    numbers = [f"20260302-00000{at}" for at in range(1, 6)]
    for number in numbers:
        await resolved(feedback, number)
    feedback.at(FIRST_CALL)
    await feedback.run("ring")
    await report(feedback, await callback_of(feedback, numbers[1]), "refused")
    client = feedback.http("callback")
    first = (await client.get("/v1/callbacks?status=due&limit=3")).json()
    rest = (await client.get(f"/v1/callbacks?status=due&limit=3&after={first['next']}")).json()
    found = [item["number"] for item in first["items"] + rest["items"]]
    assert found == [numbers[0], *numbers[2:]]
    assert rest["next"] is None
    assert (await client.get("/v1/callbacks?status=over")).status_code == 422
    assert (await client.get("/v1/callbacks?limit=0")).status_code == 422
    assert (await feedback.http("unit", "CG").get("/v1/callbacks")).status_code == 403


@pytest.mark.parametrize("cursor", ["nonsense", "0", "01890000-0000-7000-8000-000000000000"])
async def test_a_cursor_that_was_never_given_is_refused(feedback: Bench, cursor: str) -> None:
    answer = await feedback.http("callback").get("/v1/callbacks", params={"after": cursor})
    assert answer.status_code == 400
    assert answer.json()["field"] == "after"


OVERHEARD = "李秋月说她被村主任威胁，住环城路8号2单元301，电话13800001111"


@pytest.mark.parametrize(
    ("confidential", "said"),
    [
        (False, "[姓名]说她被村主任威胁，[住址]，电话[电话]"),
        (True, WITHHELD),
        (None, WITHHELD),
    ],
)
async def test_a_comment_travels_without_persons_or_not_at_all(
    feedback: Bench, confidential: bool | None, said: str
) -> None:
    """R-35, R-36. None: a ticket that a replica of the release before took down."""
    callback = await due(feedback, confidential=bool(confidential))
    async with feedback.service.store.act("ops") as act:
        connection = await act.session.connection()
        value = {True: "true", False: "false", None: "NULL"}[confidential]
        await connection.exec_driver_sql(f"UPDATE tickets SET confidential = {value}")
    answer = await report(feedback, callback, "answered", **UNSATISFIED, comment=OVERHEARD)
    assert answer.json()["attempts"][0]["comment"].startswith("李秋月说她被村主任威胁")
    for name in ("callback.answered", "ticket.reopened"):
        assert (await feedback.told(name))[0].data.comment == said
    again = await report(feedback, callback, "answered", **UNSATISFIED, comment=OVERHEARD)
    assert again.status_code == 200
