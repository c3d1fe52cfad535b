"""Who wants a name: what a citizen says at a callback travels to units without who said it (R-35, R-36)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.fixtures.scenes.courier import County

NAMED = "都讲了找王小明拿钥匙，河堤路8号3单元201还是没水，打13909150001"
CALL = "2026-03-03T09:30+08:00"
UNHAPPY = {"contacted": "yes", "solved": "no", "satisfied": "unsatisfied"}
WORDS = ("王小明", "河堤路8号", "13909150001")


async def due(county: County) -> tuple[str, str]:
    """A ticket whose citizen is to be called now, and the callback."""
    number = await county.resolved()
    county.at(CALL)
    await county.sweep()
    items = (await county.feedback.http("callback").get("/v1/callbacks/due")).json()["items"]
    return number, items[0]["id"]


async def said(county: County, door: str, number: str, callback: str) -> httpx.Response:
    """The citizen's words, at one of the three doors they come in by."""
    bodies: dict[str, tuple[str, dict[str, Any]]] = {
        "outcome": (
            f"/v1/callbacks/{callback}/outcome",
            {"attempt": 1, "outcome": "answered", "comment": NAMED} | UNHAPPY,
        ),
        "verdict": (f"/v1/tickets/{number}/verdict", {"comment": NAMED, "solved": "no"}),
        "reopening": (f"/v1/tickets/{number}/reopening", {"by": "citizen", "reason": NAMED}),
    }
    path, body = bodies[door]
    answer = await county.feedback.http("phone_system").post(path, json=body)
    await county.carry()
    return answer


@pytest.mark.parametrize("door", ["outcome", "verdict", "reopening"])
async def test_no_unit_hears_a_name_by_what_was_said_at_a_callback(
    county: County, door: str
) -> None:
    number, callback = await due(county)
    assert (await said(county, door, number, callback)).is_success
    [again] = [f for f in await county.dispatcher.told("assignment.dispatched") if f.round == 2]
    assert "[姓名]" in again.data.reason
    for bench in county.benches.values():
        facts = await bench.rows("SELECT body FROM outbox")
        assert not [row for row in facts if any(word in row["body"] for word in WORDS)], bench.name
    kept = await county.feedback.rows("SELECT comment FROM attempts WHERE comment <> ''")
    assert kept
    assert not [row for row in kept if any(word in row["comment"] for word in WORDS)]


@pytest.mark.parametrize("door", ["outcome", "verdict", "reopening"])
async def test_words_wait_for_who_knows_names_and_answers_without_words_do_not(
    county: County, door: str
) -> None:
    number, callback = await due(county)
    county.wires.away.add("intake")
    refused = await said(county, door, number, callback)
    assert (refused.status_code, refused.json()["type"]) == (503, "/errors/names-unknown")
    assert await county.feedback.told("ticket.reopened") == []
    county.wires.away.clear()
    assert (await said(county, door, number, callback)).is_success
    assert len(await county.feedback.told("ticket.reopened")) == 1


async def test_an_answer_without_words_is_heard_whoever_is_away(county: County) -> None:
    _, callback = await due(county)
    county.wires.away.add("intake")
    body = {"attempt": 1, "outcome": "answered"} | UNHAPPY
    path = f"/v1/callbacks/{callback}/outcome"
    assert (await county.feedback.http("phone_system").post(path, json=body)).is_success


async def test_nobody_else_has_words_cleared(county: County) -> None:
    """Else whoever has a token of a service could try names until one is taken out."""
    number = await county.ticket()
    path, body = f"/v1/tickets/{number}/cleared-words", {"text": "王小明"}
    for role, name in (("service", "tracker"), ("desk", "feedback")):
        answer = await county.intake.http(role, None, name).post(path, json=body)
        assert answer.status_code == 403
    answer = await county.intake.http("service", None, "feedback").post(path, json=body)
    assert answer.json() == {"text": "[姓名]"}
