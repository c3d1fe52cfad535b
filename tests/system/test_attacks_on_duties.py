"""What somebody tried at the units', the supervisors' and the callers' doors: to read what is
another's, to leave a duty open for ever, to be answered with a 500.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import jwt
import pytest

from shared import clock
from shared.events import AssignmentCompleted, CompletionKind, Role
from shared.messaging.bus import Message
from shared.security.tokens import AUDIENCE, ROLES
from tests.fixtures.bench import Bench
from tests.fixtures.scenes import feedback as calls
from tests.fixtures.scenes.dispatcher import (
    DONE,
    NUMBER,
    ask_back,
    assignments,
    banquet,
    finish,
    finish_all,
    let_lead,
    post,
    reach,
    register,
    reopened,
    rule,
    sign,
    statuses,
    street_light,
)
from tests.fixtures.scenes.tracker import HC, TICKET, Story

BY_HAND = {"lead": "HC", "co_handlers": ["GT"], "reason": "领导批示"}
ASSIGN = f"/v1/tickets/{NUMBER}/assign"


async def seen_by(dispatcher: Bench, unit: str) -> list[tuple[str, int]]:
    """(unit, round) of what a unit sees of the ticket."""
    answer = await dispatcher.http("unit", unit).get(f"/v1/tickets/{NUMBER}/assignments")
    assert answer.status_code == 200, answer.text
    return [(one["unit"], one["round"]) for one in answer.json()["assignments"]]


# --- what is another's -------------------------------------------------------------------------


async def test_a_lead_that_returned_the_ticket_learns_nothing_of_who_has_it_now(
    dispatcher: Bench,
) -> None:
    [(unit, returned)] = (await register(dispatcher)).items()
    await ask_back(dispatcher, unit, returned)
    await rule(dispatcher, returned, granted=True)
    await let_lead(dispatcher, "HC")
    await post(dispatcher.http("desk"), ASSIGN, BY_HAND)
    assert await seen_by(dispatcher, unit) == [(unit, 1)]
    assert await seen_by(dispatcher, "HC") == [(unit, 1), ("HC", 1), ("GT", 1)]


async def test_a_lead_whose_ticket_went_elsewhere_learns_nothing_of_that(dispatcher: Bench) -> None:
    [unit] = await register(dispatcher)
    await let_lead(dispatcher, "HC")
    await post(dispatcher.http("desk"), ASSIGN, BY_HAND)
    assert await seen_by(dispatcher, unit) == [(unit, 1)]


async def test_who_led_a_round_sees_that_round(dispatcher: Bench) -> None:
    [unit] = await register(dispatcher)
    await finish_all(dispatcher, unit)
    await dispatcher.hear(reopened(dispatcher, 2))
    await let_lead(dispatcher, "HC")
    await post(dispatcher.http("desk"), ASSIGN, BY_HAND)
    assert await seen_by(dispatcher, unit) == [(unit, 1), (unit, 2)]
    assert await seen_by(dispatcher, "HC") == [(unit, 2), ("HC", 2), ("GT", 2)]


@pytest.mark.parametrize("role", ROLES)
async def test_a_token_is_a_units_when_it_names_one_and_only_then(
    dispatcher: Bench, keys: Path, role: str
) -> None:
    """A signed token nobody should have issued must not be every unit's."""
    await register(dispatcher)
    until = clock.real() + timedelta(hours=1)
    claims = {"aud": AUDIENCE, "jti": "1", "sub": "test", "role": role, "exp": until}
    if role != "unit":
        claims["unit"] = "HC"
    key = (keys / "test.key.pem").read_bytes()
    token = jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": "test"})
    answer = await dispatcher.http(None).get(
        f"/v1/tickets/{NUMBER}/assignments", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 401


# --- a 500 -------------------------------------------------------------------------------------


async def test_a_cursor_is_good_for_its_own_list_only(dispatcher: Bench) -> None:
    desk = dispatcher.http("desk")
    for number in (NUMBER, "20260302-000002"):
        await register(dispatcher, banquet(), number)
    after = (await desk.get("/v1/unassigned", params={"limit": 1})).json()["next"]
    for path, status in {"/v1/unassigned": 200, "/v1/units/HC/assignments": 400}.items():
        answer = await desk.get(path, params={"after": after})
        assert answer.status_code == status, answer.text


DAYS = ["0001-01-01", "0001-12-31", "9999-01-01", "9999-12-31"]


@pytest.mark.parametrize("field", ["from", "to"])
@pytest.mark.parametrize("day", DAYS)
async def test_a_day_at_the_end_of_time_is_malformed_to_the_tracker(
    tracker: Bench, day: str, field: str
) -> None:
    answer = await tracker.http("supervisor").get("/v1/rates", params={field: day})
    assert (answer.status_code, answer.json()["field"]) == (422, field)


@pytest.mark.parametrize("field", ["from", "to"])
@pytest.mark.parametrize("day", DAYS)
async def test_a_day_at_the_end_of_time_is_malformed_to_feedback(
    feedback: Bench, day: str, field: str
) -> None:
    answer = await feedback.http("supervisor").get("/v1/rates", params={field: day})
    assert (answer.status_code, answer.json()["field"]) == (422, field)


@pytest.mark.parametrize("service", ["tracker", "feedback"])
async def test_the_longest_period_there_is_has_figures(
    tracker: Bench, feedback: Bench, service: str
) -> None:
    one = {"tracker": tracker, "feedback": feedback}[service]
    period = {"from": "0002-01-01", "to": "9998-12-31"}
    answer = await one.http("supervisor").get("/v1/rates", params=period)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("attempt", "status"),
    [(2, 409), (10, 409), (11, 422), (2**31, 422), (2**63, 422), (10**30, 422)],
)
async def test_an_attempt_of_any_number_has_no_outcome(
    feedback: Bench, attempt: int, status: int
) -> None:
    callback = await calls.due(feedback)
    answer = await calls.report(feedback, callback, "no_answer", attempt)
    assert (answer.status_code, answer.json()["field"]) == (status, "attempt")
    assert await calls.status_of(feedback, callback) == "due"


# --- left open, or done twice ------------------------------------------------------------------


async def test_praise_is_done_for_each_unit_that_signed_it(dispatcher: Bench) -> None:
    await register(dispatcher, street_light(type="commendation"))
    await let_lead(dispatcher, "HC")
    await post(dispatcher.http("desk"), ASSIGN, BY_HAND)
    given = await assignments(dispatcher)
    await sign(dispatcher, "GT", given["GT"])
    assert await dispatcher.told("ticket.resolved") == []
    await sign(dispatcher, "HC", given["HC"])
    mine = [one for one in await statuses(dispatcher) if one[0] in given and one[2] != "cancelled"]
    assert mine == [("HC", 1, "completed"), ("GT", 1, "completed")]
    [resolved] = await dispatcher.told("ticket.resolved")
    assert resolved.data.units == ("HC", "GT")
    assert [fact.data.role for fact in await dispatcher.told("assignment.completed")] == [
        Role.CO,
        Role.LEAD,
    ]


async def test_ruling_completing_and_assigning_at_once_leave_one_lead(dispatcher: Bench) -> None:
    [(unit, own)] = (await register(dispatcher)).items()
    await sign(dispatcher, unit, own)
    await reach(dispatcher, unit, own)
    await ask_back(dispatcher, unit, own)
    mine, desk, path = dispatcher.http("unit", unit), dispatcher.http("desk"), "/v1/assignments"
    answers = await asyncio.gather(
        *(
            desk.post(f"{path}/{own}/ruling", json={"granted": granted, "ruling": "裁定"})
            for granted in (False, True)
        ),
        *(mine.post(f"{path}/{own}/completion", json=DONE) for _ in range(2)),
        *(desk.post(ASSIGN, json={"lead": lead, "reason": "改派"}) for lead in ("CG", "HP")),
    )
    assert {answer.status_code for answer in answers} <= {200, 409}
    ends = [status for _, _, status in await statuses(dispatcher)]
    leads = [
        status for status in ends if status in ("dispatched", "signed", "contacted", "completed")
    ]
    waits = await dispatcher.rows("SELECT number FROM tickets WHERE unassigned_at IS NOT NULL")
    assert len(leads) + len(waits) == 1
    assert len(await dispatcher.told("ticket.resolved")) == ends.count("completed")


async def test_outcomes_that_contradict_each_other_at_once_end_the_round_once(
    feedback: Bench,
) -> None:
    callback = await calls.due(feedback)
    answers = await asyncio.gather(
        calls.report(feedback, callback, "answered", **calls.SATISFIED),
        calls.report(feedback, callback, "answered", **calls.UNSATISFIED),
        calls.report(feedback, callback, "refused"),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    said = await calls.names(feedback)
    assert len([name for name in said if name in ("ticket.closed", "ticket.reopened")]) == 1


async def test_two_replicas_and_two_sweeps_beside_a_late_completion_leave_no_breach(
    tracker: Bench, story: Story
) -> None:
    begun = tracker.now
    await tracker.hear(story.registered(), story.dispatched())
    tracker.at("2026-03-20T10:00+08:00")
    done = AssignmentCompleted(
        role=Role.LEAD,
        kind=CompletionKind.SOLVED,
        contacted=True,
        solved=True,
        result="已办",
        public_answer="已办",
        signed_off_by="王局长",
    )
    in_time = begun + timedelta(hours=2)
    fact = tracker.fact(done, subject=TICKET, assignment=HC, unit="HC", time=in_time)
    message = Message(fact.key, str(fact.id), fact.encode())
    await asyncio.gather(
        *(tracker.run("sweep") for _ in range(2)), *(tracker.receive([message]) for _ in range(2))
    )
    await tracker.run("sweep")
    clocks = await tracker.rows("SELECT * FROM clocks WHERE assignment IS NOT NULL")
    assert {(row["status"], row["breached_at"], row["next_at"]) for row in clocks} == {
        ("met", None, None)
    }
    counted = {name: len(await tracker.told(f"deadline.{name}")) for name in ("met", "annulled")}
    breached = [fact for fact in await tracker.told("deadline.breached") if fact.assignment]
    assert counted == {"met": 1 + len(clocks), "annulled": len(breached)}
    assert await tracker.rows("SELECT 1 FROM supervisions") == []
    assert await tracker.parked() == []


async def test_a_unit_that_answered_before_and_helps_again_is_waited_for(dispatcher: Bench) -> None:
    await register(dispatcher)
    await let_lead(dispatcher, "HC")
    await post(dispatcher.http("desk"), ASSIGN, BY_HAND)
    await finish(dispatcher, "GT", (await assignments(dispatcher))["GT"])
    again = {"unit": "GT", "reason": "还有一处未办"}
    await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/co-handlers", again)
    given = await assignments(dispatcher)
    await sign(dispatcher, "HC", given["HC"])
    await reach(dispatcher, "HC", given["HC"])
    path = f"/v1/assignments/{given['HC']}/completion"
    refused = await post(dispatcher.http("unit", "HC"), path, DONE, 409)
    assert refused["units"] == ["GT"]
