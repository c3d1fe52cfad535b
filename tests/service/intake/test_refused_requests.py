"""What intake refuses at the door: bad input with its field named, and callers who may not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jwt
import pytest

from shared.security.tokens import issue, make_key
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import complaint, post, rows

# --- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"type": "rumour"}, "type", "help"),
        ({"area": "610924999"}, "area", "nearest"),
        ({"topic": "water.suply"}, "topic", "water.supply"),
        ({"channel": "pigeon"}, "channel", "phone"),
        ({"flags": ["tourist"]}, "flags", "tourism"),
        ({"reported_unit": "SCJ"}, "reported_unit", "SCJG"),
        ({"content": ""}, "content", "must not be empty"),
        ({"content": "水" * 33_334}, "content", "at most 5000"),
        ({"title": "停\u0000水"}, "title", "control characters"),
        ({"caller": {"phone": ["13909150001"]}}, "caller.phone", "string"),
        ({"caller": {"phone": "1390915\u00000001"}}, "caller.phone", "control characters"),
        ({"location": {"longitude": 200, "latitude": 1}}, "location.longitude", "180"),
        ({"source_number": {"id": 7}}, "source_number", "string"),
        ({"surprise": 1}, "surprise", "unknown field"),
        ({"urgency": None}, "urgency", ""),
    ],
)
async def test_bad_input_names_the_field_and_stores_nothing(
    intake: Bench, changes: dict[str, Any], field: str, says: str
) -> None:
    answer = await post(intake, "/v1/tickets", complaint(**changes))
    problem = answer.json()
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "field"} <= problem.keys()
    assert problem["field"] == field
    assert says in answer.text
    assert "王小明" not in answer.text
    assert await rows(intake, "ticket") == []
    assert await intake.told() == []


@pytest.mark.parametrize("body", [b"{", b"", b"\xff", b"[1", b"nope"])
async def test_what_is_no_json_is_a_400_or_422(intake: Bench, body: bytes) -> None:
    answer = await intake.http("phone_system").post(
        "/v1/tickets", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == (422 if body == b"" else 400)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_body_larger_than_any_request_is_refused(intake: Bench) -> None:
    answer = await post(intake, "/v1/tickets", complaint(content="x" * 9_000_000))
    assert answer.status_code == 413


# --- who may -----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["unit", "supervisor", "callback", "ops"])
async def test_only_phone_system_and_desk_register(intake: Bench, role: str) -> None:
    """R-45 坐席与办理分开."""
    client = intake.http(role, "HC" if role == "unit" else None)
    answer = await client.post("/v1/tickets", json=complaint())
    assert answer.status_code == 403
    assert answer.json()["type"].endswith("forbidden")


@pytest.mark.parametrize("token", [None, "nonsense", "a.b.c"])
async def test_no_token_or_a_false_one_is_401(intake: Bench, token: str | None) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = await intake.http(None).post("/v1/tickets", json=complaint(), headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_expired_and_revoked_tokens_are_401(intake: Bench, keys: Path) -> None:
    client = intake.http(None)
    expired = issue(keys, "phone_system", "old", days=-1)
    answer = await client.get("/v1/tickets", headers={"Authorization": f"Bearer {expired}"})
    assert (answer.status_code, "expired" in answer.text) == (401, True)
    revoked = issue(keys, "phone_system", "lost")
    jti = jwt.decode(revoked, options={"verify_signature": False})["jti"]
    (keys / "revoked.txt").write_text(f"{jti}\n")
    answer = await client.get("/v1/tickets", headers={"Authorization": f"Bearer {revoked}"})
    assert (answer.status_code, "revoked" in answer.text) == (401, True)


async def test_a_token_signed_by_another_key_is_401(intake: Bench, tmp_path: Path) -> None:
    make_key(tmp_path, "test")  # the same key id, another key
    forged = issue(tmp_path, "ops", "mallory")
    answer = await intake.http(None).get("/v1/facts", headers={"Authorization": f"Bearer {forged}"})
    assert answer.status_code == 401
