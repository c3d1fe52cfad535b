"""Odd requests get a named refusal, and nobody is named where no name belongs."""

from __future__ import annotations

import asyncio
import json
import logging
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator

import pytest

from tests.fixtures.bench import Bench
from tests.fixtures.logs import printed
from tests.fixtures.neighbours import on_duty
from tests.fixtures.scenes.intake import complaint, registered

JSON = {"Content-Type": "application/json"}


# --- odd requests ------------------------------------------------------------------------------


def with_raw(field: str, raw: str) -> bytes:
    """A complaint in which a field is what no JSON library would write."""
    return json.dumps(complaint(**{field: "@"})).replace('"@"', raw).encode()


ODD = (
    *('"\\ud800"', "NaN", "Infinity", "1e999", "[]", "{}", '"\\u0000"', "9" * 4000, "9" * 5000),
    *('{"\\ud800": 1}', '{"\\u0000": 1}', '["\\ud800"]', "[" * 900 + "]" * 900, "[" * 100_000),
)
FIELDS = ("type", "title", "area", "flags", "location", "caller", "confidential", "surprise")


@pytest.mark.parametrize("field", FIELDS)
async def test_no_json_is_too_odd_for_a_named_refusal(intake: Bench, field: str) -> None:
    client = intake.http("phone_system")
    for raw in ODD:
        body = with_raw(field, raw)
        for path, content in (
            ("/v1/tickets", body),
            ("/v1/tickets/batch", b'{"tickets": [' + body + b"]}"),
        ):
            answer = await client.post(path, content=content, headers=JSON)
            assert answer.status_code < 500, (raw[:20], answer.text[:200])
            assert "internal-error" not in answer.text
            assert len(answer.content) < 2_000


async def test_a_refusal_does_not_grow_with_the_names_of_unknown_fields(intake: Bench) -> None:
    body = complaint(**{"k" * 200_000: 1})
    answer = await intake.http("phone_system").post("/v1/tickets", json=body)
    assert answer.status_code == 422
    assert len(answer.content) < 2_000


async def test_a_body_that_grows_past_the_limit_as_it_comes_is_refused(intake: Bench) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield b"x" * 1_000_000

    answer = await intake.http("phone_system").post("/v1/tickets", content=chunks(), headers=JSON)
    assert answer.status_code == 413
    assert answer.json()["type"].endswith("too-large")


@pytest.mark.parametrize("length", ["abc", "-1", "0x10", "\xb2", "9" * 5000])
async def test_a_content_length_that_is_no_length_is_no_500(intake: Bench, length: str) -> None:
    headers = [
        (b"Content-Length", length.encode("latin-1")),
        (b"Content-Type", b"application/json"),
    ]
    answer = await intake.http(None).post("/v1/tickets", content=b"{}", headers=headers)
    assert answer.status_code in (401, 413)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_moments_off_the_calendar_are_refused(intake: Bench, moment: str) -> None:
    answer = await intake.http("desk").get("/v1/tickets", params={"since": moment})
    assert (answer.status_code, answer.json()["field"]) == (422, "since")
    answer = await intake.http("ops").post("/clock", json={"now": moment})
    assert (answer.status_code, answer.json()["field"]) == (422, "now")


@pytest.mark.parametrize(
    "header",
    [
        b"[" * 40_000,
        b'{"kid":5}',
        b'{"alg":"none","kid":"test"}',
        b'{"alg":[],"kid":"test"}',
        b"9" * 5000,
    ],
)
async def test_no_token_is_too_odd_for_a_401(intake: Bench, header: bytes) -> None:
    token = f"{urlsafe_b64encode(header).decode().rstrip('=')}.e30.AA"
    answer = await intake.http(None).get(
        "/v1/tickets", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 401


async def test_nobody_is_sent_to_a_host_the_request_names(intake: Bench) -> None:
    headers = {"Host": "elsewhere.example"}
    answer = await intake.http("phone_system").post("/v1/tickets/", json={}, headers=headers)
    assert answer.status_code == 404


# --- names in places they do not belong --------------------------------------------------------


async def test_a_path_is_logged_only_when_it_is_a_ticket(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    client = intake.http("phone_system")
    with printed() as lines:
        for wrong in ("13909150001", "王小明"):
            await client.get(f"/v1/tickets/{wrong}")
            await client.delete(f"/v1/tickets/{wrong}")
            await intake.http(None).get(f"/v1/tickets/{wrong}/progress")
        await client.get(f"/v1/tickets/{number}")
    assert number in lines.getvalue()
    assert "13909150001" not in lines.getvalue()
    assert "王小明" not in lines.getvalue()


async def test_a_librarys_error_is_logged_without_its_words() -> None:
    error = ValueError("王小明 13909150001")
    lost = {"message": "Task exception was never retrieved", "exception": error, "task": error}
    with printed() as lines:
        logging.getLogger("uvicorn.error").error("Exception in the application", exc_info=error)
        asyncio.get_running_loop().call_exception_handler(lost)
    assert lines.getvalue().count("ValueError") == 2
    assert "王小明" not in lines.getvalue()


async def test_the_reason_of_a_reading_names_nobody(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    on_duty(intake, number, "GSGS")
    client, path = intake.http("unit", "GSGS"), f"/v1/tickets/{number}/contact-reads"
    answer = await client.post(path, json={"reason": "回电王小明 139-0915-0001 约上门"})
    assert answer.status_code == 200
    [row] = await intake.rows("SELECT reason FROM contact_read")
    assert "约上门" in row["reason"]
    assert "王小明" not in row["reason"]
    assert "139-0915-0001" not in row["reason"]


async def test_an_error_of_the_database_names_nobody(intake: Bench) -> None:
    await intake.do("ALTER TABLE ticket ADD CHECK (content NOT LIKE '%停水%')")
    with printed() as lines:
        answer = await intake.http("phone_system").post("/v1/tickets", json=complaint(caller=None))
    assert answer.status_code == 500
    assert "停水" not in answer.text
    assert "unexpected error" in lines.getvalue()
    assert "停水" not in lines.getvalue()
