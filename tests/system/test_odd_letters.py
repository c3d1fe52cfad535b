"""Letters that are no letters: half a surrogate pair is refused wherever it stands, an odd blank is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import complaint

HALF = "\ud800"
JSON = {"Content-Type": "application/json"}
FIELDS = (
    "type",
    "urgency",
    "topic",
    "title",
    "content",
    "area",
    "channel",
    "source_number",
    "flags",
)
BODIES: dict[str, Any] = {
    **{field: complaint(**{field: HALF}) for field in FIELDS},
    "in a list": complaint(flags=[HALF]),
    "below": complaint(caller={"name": HALF}),
    "a name": complaint(**{HALF: "x"}),
    "a name below": complaint(caller={HALF: "x"}),
    "instead of all": HALF,
    "confidential": complaint(confidential=HALF),
    "location": complaint(location={"longitude": HALF, "latitude": 1, HALF: 1}),
}


@pytest.mark.parametrize("place", BODIES)
async def test_half_a_letter_is_malformed_and_no_error_of_ours(intake: Bench, place: str) -> None:
    client, said = intake.http("phone_system"), BODIES[place]
    answer = await client.post("/v1/tickets", content=json.dumps(said).encode(), headers=JSON)
    assert (answer.status_code, answer.json()["type"]) == (422, "/errors/malformed")
    batch = {"tickets": [said, complaint()]}
    answer = await client.post("/v1/tickets/batch", content=json.dumps(batch), headers=JSON)
    assert [each["status"] for each in answer.json()["answers"]] == [422, 201]


async def test_an_odd_blank_refuses_no_complaint(intake: Bench) -> None:
    odd = "停\x0b水\x0c三\x85天\u2028没\u2029人\ufeff管\u202e，\u200f急"
    answer = await intake.http("phone_system").post(
        "/v1/tickets", json=complaint(title=odd, content=odd)
    )
    assert answer.status_code == 201
    [told] = await intake.told("ticket.registered")
    assert told.data.title == "停 水 三 天 没 人管，急"
    assert told.data.content == "停\n水\n三\n天\n没\n人管，急"


@pytest.mark.parametrize("text", ["\u200b\ufeff", "\u2028", "\u202e\u202c", "\u3164"])
async def test_an_invisible_complaint_is_empty(intake: Bench, text: str) -> None:
    answer = await intake.http("phone_system").post("/v1/tickets", json=complaint(content=text))
    assert answer.status_code == 422
    assert answer.json()["detail"] == "content: 不能为空 must not be empty"
