"""查询码 after a restore, and beside tickets of the release before."""

from __future__ import annotations

from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import complaint, registered

FORGET = ("DELETE FROM vault", "DELETE FROM ticket", "DELETE FROM day_number")


async def opens(intake: Bench, number: str, code: str) -> bool:
    """Whether a code opens the progress of a ticket."""
    headers = {"X-Ticket-Code": code}
    answer = await intake.http(None).get(f"/v1/tickets/{number}/progress", headers=headers)
    assert answer.status_code in (200, 404)
    return answer.status_code == 200


async def test_a_number_given_again_opens_to_its_own_code_only(intake: Bench) -> None:
    lost = await registered(intake)
    await intake.do(*FORGET)  # a backup of before it was registered
    again = await registered(intake)
    assert again["number"] == lost["number"]
    assert await opens(intake, again["number"], again["code"])
    assert not await opens(intake, again["number"], lost["code"])


async def test_a_day_that_began_under_the_release_before_keeps_its_codes(intake: Bench) -> None:
    first = await registered(intake)
    await intake.do(
        "UPDATE day_number SET code_nonces = NULL", "UPDATE ticket SET code_nonce = NULL"
    )
    said = complaint(source_number="AK-7")
    told = [
        (await intake.http("phone_system").post("/v1/tickets", json=said)).json() for _ in range(2)
    ]
    assert told[0]["code"] == told[1]["code"]
    [row] = await intake.rows(f"SELECT code_nonce FROM ticket WHERE number = '{told[0]['number']}'")
    assert row["code_nonce"] is None
    of_the_number = intake.service.store.config.digester.ticket_code(first["number"], None)
    assert await opens(intake, first["number"], of_the_number)
    assert not await opens(intake, first["number"], first["code"])


async def test_a_repeat_gets_the_first_code(intake: Bench) -> None:
    client, headers = intake.http("phone_system"), {"Idempotency-Key": "call-7"}
    answers = [
        (await client.post("/v1/tickets", json=complaint(), headers=headers)).json()
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert await opens(intake, answers[0]["number"], answers[0]["code"])
