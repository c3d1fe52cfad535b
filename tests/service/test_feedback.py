"""Feedback's doors: facts heard, outcomes reported, verdicts told."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from shared.events import Fact, Role, SupervisionRaised
from tests.bench import Bench
from tests.service.feedback_stories import (
    FIRST_CALL,
    NUMBER,
    SATISFIED,
    UNSATISFIED,
    callback_of,
    dispatch,
    due,
    extension,
    names,
    registration,
    report,
    resolution,
    resolved,
    state_of,
    withdrawal,
)

# --- messages ----------------------------------------------------------------------------------


async def test_the_citizen_is_told_at_each_turn(feedback: Bench) -> None:
    await feedback.hear(registration(feedback), dispatch(feedback))
    await feedback.hear(extension(feedback, "2026-03-16T18:00+08:00"), resolution(feedback))
    told = await feedback.told("citizen.told")
    assert [fact.data.event for fact in told] == ["accepted", "dispatched", "extended", "completed"]
    assert {fact.data.channel for fact in told} == {"sms"}
    assert all(NUMBER in fact.data.zh and NUMBER in fact.data.en for fact in told)
    assert "城关镇" in told[1].data.zh
    assert "2026-03-16" in told[2].data.zh
    assert all("停水" not in fact.data.zh for fact in told)


async def test_a_unit_nobody_lists_is_told_by_its_code(feedback: Bench) -> None:
    await feedback.hear(registration(feedback), dispatch(feedback, lead="XXX"))
    told = await feedback.told("citizen.told")
    assert "XXX" in told[-1].data.zh


async def test_the_citizen_hears_of_the_lead_once_a_round_and_of_no_co_handler(
    feedback: Bench,
) -> None:
    await feedback.hear(
        registration(feedback),
        dispatch(feedback, "CG", Role.CO),
        dispatch(feedback, "HC"),
        dispatch(feedback, "HP"),
    )
    assert await names(feedback) == ["citizen.told:accepted", "citizen.told:dispatched"]


async def test_each_extension_is_told(feedback: Bench) -> None:
    await feedback.hear(
        registration(feedback),
        extension(feedback, "2026-03-16T18:00+08:00"),
        extension(feedback, "2026-03-20T18:00+08:00"),
    )
    told = await feedback.told("citizen.told")
    assert [fact.data.event for fact in told] == ["accepted", "extended", "extended"]


async def test_who_declined_a_reply_hears_only_that_it_was_accepted(feedback: Bench) -> None:
    await feedback.hear(
        registration(feedback, reply_declined=True), dispatch(feedback), resolution(feedback)
    )
    assert await names(feedback) == ["citizen.told:accepted", "ticket.closed"]


async def test_without_a_contact_nobody_is_told(feedback: Bench) -> None:
    await feedback.hear(
        registration(feedback, has_contact=False), dispatch(feedback), resolution(feedback)
    )
    assert await names(feedback) == ["ticket.closed"]


# --- planning ----------------------------------------------------------------------------------


async def test_a_completion_plans_the_first_call_of_the_next_day(feedback: Bench) -> None:
    await resolved(feedback)
    [planned] = await feedback.told("callback.planned")
    assert planned.data.attempt == 1
    assert planned.data.due == datetime.fromisoformat(FIRST_CALL)
    assert planned.round == 1
    view = (await feedback.http("callback").get("/v1/callbacks")).json()["items"][0]
    assert (view["state"], view["lead"], view["ticket"]) == ("planned", "CG", NUMBER)
    assert view["sentence_zh"]
    assert view["sentence_en"]
    assert datetime.fromisoformat(view["finish_by"]) == datetime.fromisoformat(
        "2026-03-09T18:00+08:00"
    )


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"ticket_type": "commendation"}, "commendation"),
        ({"reply_declined": True}, "reply_declined"),
        ({"has_contact": False}, "no_contact"),
    ],
)
async def test_who_gets_no_call_is_closed_at_once(
    feedback: Bench, changes: dict[str, Any], kind: str
) -> None:
    await resolved(feedback, **changes)
    [closed] = await feedback.told("ticket.closed")
    assert (closed.data.kind, closed.round) == (kind, 1)
    assert await feedback.rows("SELECT * FROM callbacks") == []
    assert await feedback.told("callback.planned") == []


async def test_the_later_of_two_completions_of_a_round_counts(feedback: Bench) -> None:
    later = resolution(feedback, at="2026-03-04T11:00+08:00", lead="HC", seq=9)
    earlier = resolution(feedback, at="2026-03-02T11:00+08:00", lead="CG", seq=5)
    await feedback.hear(registration(feedback))
    for facts in ([earlier, later], [later, earlier]):
        await feedback.hear(*facts)
        [row] = await feedback.rows("SELECT lead, seq FROM resolutions")
        assert row == {"lead": "HC", "seq": 9}
        [attempt] = await feedback.rows("SELECT due FROM attempts")
        assert attempt["due"] == datetime.fromisoformat("2026-03-05T09:00+08:00")


async def test_a_completion_of_an_older_round_changes_nothing(feedback: Bench) -> None:
    callback = await due(feedback)
    await report(feedback, callback, "answered", **UNSATISFIED)
    before = await everything(feedback)
    await feedback.hear(resolution(feedback, round=1))
    assert await everything(feedback) == before


async def test_a_completion_of_a_round_nobody_opened_waits(feedback: Bench) -> None:
    await feedback.hear(registration(feedback), resolution(feedback, round=2))
    [parked] = await feedback.parked()
    assert parked["state"] == "early"
    assert await feedback.rows("SELECT * FROM resolutions") == []


# --- withdrawal --------------------------------------------------------------------------------


async def test_a_withdrawn_ticket_is_not_called(feedback: Bench) -> None:
    await resolved(feedback)
    await feedback.hear(withdrawal(feedback))
    callback = await callback_of(feedback)
    assert await state_of(feedback, callback) == "cancelled"
    feedback.at(FIRST_CALL)
    assert await feedback.run("ring") == 0
    answer = await report(feedback, callback, "answered", **SATISFIED)
    assert answer.status_code == 409
    assert answer.json()["state"] == "cancelled"


async def test_a_call_under_way_is_cancelled_too(feedback: Bench) -> None:
    callback = await due(feedback)
    await feedback.hear(withdrawal(feedback))
    assert await state_of(feedback, callback) == "cancelled"
    assert await feedback.told("ticket.closed") == []


async def test_a_ticket_withdrawn_before_it_was_completed_is_not_closed_again(
    feedback: Bench,
) -> None:
    await feedback.hear(
        registration(feedback, ticket_type="commendation"),
        withdrawal(feedback, at="2026-03-02T09:00+08:00"),
        resolution(feedback, at="2026-03-02T10:00+08:00"),
    )
    assert await feedback.told("ticket.closed") == []


# --- order and doubling ------------------------------------------------------------------------

ROWS = {
    "tickets": "SELECT * FROM tickets WHERE number = :number",
    "resolutions": "SELECT * FROM resolutions WHERE number = :number ORDER BY round",
    "callbacks": "SELECT * FROM callbacks WHERE number = :number ORDER BY round",
    "attempts": "SELECT a.* FROM attempts a JOIN callbacks c ON c.id = a.callback"
    " WHERE c.number = :number ORDER BY c.round, a.attempt",
    "messages": "SELECT * FROM messages WHERE number = :number ORDER BY round, occasion",
}
GIVEN = {"number", "id", "callback"}


async def everything(bench: Bench, number: str = NUMBER) -> dict[str, list[dict[str, Any]]]:
    """All rows about a ticket, without its number and the ids feedback gave."""
    return {
        table: [
            {name: value for name, value in row.items() if name not in GIVEN}
            for row in await bench.rows(query, number=number)
        ]
        for table, query in ROWS.items()
    }


def a_withdrawn_ticket(bench: Bench) -> list[Fact]:
    return [
        registration(bench),
        dispatch(bench, "HC"),
        dispatch(bench, "CG", Role.CO),
        extension(bench, "2026-03-16T18:00+08:00"),
        resolution(bench, at="2026-03-02T16:00+08:00"),
        withdrawal(bench, at="2026-03-02T17:00+08:00"),
    ]


def a_ticket_completed_twice(bench: Bench) -> list[Fact]:
    return [
        registration(bench),
        dispatch(bench, "HC"),
        resolution(bench, at="2026-03-02T16:00+08:00"),
        resolution(bench, at="2026-03-03T16:00+08:00", lead="HC"),
        extension(bench, "2026-03-16T18:00+08:00"),
        bench.fact(
            SupervisionRaised(
                supervision=uuid4(), rung=1, title="催办", by="ladder", reason="红牌"
            ),
            subject=NUMBER,
            unit="HC",
        ),
    ]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("story", [a_withdrawn_ticket, a_ticket_completed_twice])
async def test_shuffled_and_doubled_facts_give_the_same_rows(
    feedback: Bench, story: Callable[[Bench], list[Fact]], seed: int
) -> None:
    in_order, other = story(feedback), "20260302-000002"
    shuffled = [fact.model_copy(update={"subject": other, "id": uuid4()}) for fact in in_order] * 2
    random.Random(seed).shuffle(shuffled)
    for fact in in_order:
        await feedback.hear(fact)
    expected = await everything(feedback)
    cut = seed * 3 + 1
    await feedback.hear(*shuffled[:cut])
    await feedback.hear(*shuffled[cut:])
    assert await feedback.parked() == []
    assert await everything(feedback, other) == await everything(feedback, NUMBER) == expected
    told = await feedback.told("citizen.told")
    assert sorted(f.data.zh.replace(other, NUMBER) for f in told if f.subject == other) == sorted(
        f.data.zh for f in told if f.subject == NUMBER
    )


# --- outcomes and verdicts ---------------------------------------------------------------------


async def test_a_satisfied_citizen_closes_the_ticket(feedback: Bench) -> None:
    callback = await due(feedback)
    answer = await report(feedback, callback, "answered", **SATISFIED, comment="很快，谢谢")
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["ending"]) == ("answered", "satisfied")
    assert (await names(feedback))[-3:] == [
        "callback.answered",
        "ticket.closed",
        "citizen.told:closed",
    ]
    [said] = await feedback.told("callback.answered")
    assert said.data.comment == "很快，谢谢"
    assert said.actor == "phone_system:test"
    [closed] = await feedback.told("ticket.closed")
    assert (closed.data.kind, closed.round) == ("satisfied", 1)


async def test_an_unsatisfied_citizen_opens_the_next_round(feedback: Bench) -> None:
    callback = await due(feedback)
    answer = await report(feedback, callback, "answered", **UNSATISFIED, comment="还是没水")
    assert (answer.json()["state"], answer.json()["ending"]) == ("answered", "reopened")
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
    told = [(f.round, f.data.event) for f in await feedback.told("citizen.told")]
    assert told[-4:] == [(2, "reopened"), (2, "dispatched"), (2, "completed"), (2, "closed")]


async def test_a_refused_callback_closes_the_ticket_as_that(feedback: Bench) -> None:
    callback = await due(feedback)
    answer = await report(feedback, callback, "refused")
    assert (answer.json()["state"], answer.json()["ending"]) == ("given_up", "refused_callback")
    [given_up] = await feedback.told("callback.given_up")
    assert (given_up.data.outcome, given_up.data.attempts) == ("refused", 1)


async def test_three_misses_close_the_ticket_as_unreachable(feedback: Bench) -> None:
    callback = await due(feedback)
    await report(feedback, callback, "no_answer")
    assert await state_of(feedback, callback) == "no_answer"
    feedback.at("2026-03-03T14:30+08:00")
    await feedback.run("ring")
    await report(feedback, callback, "number_off", attempt=2)
    feedback.at("2026-03-04T18:30+08:00")
    await feedback.run("ring")
    answer = await report(feedback, callback, "wrong_number", attempt=3)
    assert (answer.json()["state"], answer.json()["ending"]) == ("given_up", "unreachable")
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


@pytest.mark.parametrize(
    ("outcome", "answers"),
    [("answered", UNSATISFIED), ("answered", SATISFIED | {"comment": "又及"}), ("refused", {})],
)
async def test_another_outcome_afterwards_is_refused(
    feedback: Bench, outcome: str, answers: dict[str, Any]
) -> None:
    callback = await due(feedback)
    await report(feedback, callback, "answered", **SATISFIED)
    answer = await report(feedback, callback, outcome, **answers)
    assert answer.status_code == 409
    assert (answer.json()["state"], answer.json()["allowed"]) == ("answered", [])


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


async def test_a_call_that_is_not_due_yet_has_no_outcome(feedback: Bench) -> None:
    await resolved(feedback)
    answer = await report(feedback, await callback_of(feedback), "no_answer")
    assert answer.status_code == 409
    assert answer.json()["state"] == "planned"
    assert answer.json()["allowed"] == ["plan", "fall_due", "cancel"]


async def test_an_attempt_nobody_planned_has_no_outcome(feedback: Bench) -> None:
    callback = await due(feedback)
    assert (await report(feedback, callback, "no_answer", attempt=2)).status_code == 409


async def test_who_rings_back_between_two_attempts_is_heard(feedback: Bench) -> None:
    callback = await due(feedback)
    await report(feedback, callback, "no_answer")
    answer = await report(feedback, callback, "answered", attempt=2, **SATISFIED)
    assert answer.json()["ending"] == "satisfied"


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
        {"outcome": "answered", "attempt": 1, "contacted": True, "solved": "yes"},
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
    assert await state_of(feedback, callback) == "due"


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


async def test_the_list_is_paged_and_narrowed_by_state(feedback: Bench) -> None:
    numbers = [f"20260302-00000{at}" for at in range(1, 6)]
    for number in numbers:
        await resolved(feedback, number)
    feedback.at(FIRST_CALL)
    await feedback.run("ring")
    await report(feedback, await callback_of(feedback, numbers[1]), "refused")
    client = feedback.http("callback")
    first = (await client.get("/v1/callbacks?state=due&limit=3")).json()
    rest = (await client.get(f"/v1/callbacks?state=due&limit=3&after={first['next']}")).json()
    found = [item["ticket"] for item in first["items"] + rest["items"]]
    assert found == [numbers[0], *numbers[2:]]
    assert rest["next"] is None
    assert (await client.get("/v1/callbacks?state=over")).status_code == 422
    assert (await client.get("/v1/callbacks?limit=0")).status_code == 422
    assert (await feedback.http("unit", "CG").get("/v1/callbacks")).status_code == 403
