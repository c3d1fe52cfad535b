"""Bodies that cost much and say little, and words that would write lines of their own into a log."""

from __future__ import annotations

import gc
import json
import logging
import tracemalloc
from typing import Any

import pytest
import structlog

from shared.http.rate_limits import LARGEST_BODY
from shared.observability import log
from tests.fixtures.bench import Bench
from tests.fixtures.logs import printed
from tests.fixtures.scenes.intake import complaint, registered

JSON = {"Content-Type": "application/json"}
MEGABYTE = 1024 * 1024

# --- JSON bombs --------------------------------------------------------------------------------


def filled(element: bytes, size: int) -> bytes:
    """An array of as many elements as fit."""
    return b"[" + element * (size // len(element)) + b"0]"


BOMBS = {
    "lists": filled(b"[],", LARGEST_BODY - 9),
    "objects": filled(b"{},", LARGEST_BODY - 9),
    "numbers": filled(b"1,", LARGEST_BODY - 9),
    "big numbers": filled(b"9" * 4_000 + b",", LARGEST_BODY - 9),
    "floats": filled(b"1e-300,", LARGEST_BODY - 9),
    "keys": b"{" + b",".join(b'"%d":0' % n for n in range(20_000)) + b"}",
    "one key": b"{" + filled(b'"a":0,', LARGEST_BODY - 99)[1:-2] + b'"a":0}',
    "depth": b"[" * (LARGEST_BODY // 2) + b"]" * (LARGEST_BODY // 2 - 9),
    "objects in objects": b'{"a":' * 40_000 + b"1" + b"}" * 40_000,
    "escapes": b'"' + b"\\u0041" * 40_000 + b'"',
    "digits": b"9" * (LARGEST_BODY - 9),
}


@pytest.mark.parametrize("kind", BOMBS)
async def test_a_bomb_is_refused_and_costs_little(intake: Bench, kind: str) -> None:
    for body in (BOMBS[kind], b'{"tickets":' + BOMBS[kind][:-16] + b"}"):
        answer, peak = await cost_of(intake, body)
        assert answer.status_code in (400, 413, 422), answer.text[:200]
        assert len(answer.content) < 5_000
        assert peak < 40 * MEGABYTE


async def cost_of(intake: Bench, body: bytes) -> tuple[Any, int]:
    """What a registration with this body is answered, and the bytes it took meanwhile."""
    gc.collect()
    tracemalloc.start()
    try:
        answer = await intake.http("phone_system").post("/v1/tickets", content=body, headers=JSON)
        return answer, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def test_a_stranger_cannot_even_light_one(intake: Bench) -> None:
    """A body is parsed before anybody is asked who he is: so it is small."""
    for path in ("/v1/tickets", "/v1/tickets/batch", "/healthz", "/nothing"):
        body = filled(b"[],", LARGEST_BODY + 9)
        answer = await intake.http(None).post(path, content=body, headers=JSON)
        assert answer.status_code == 413, path


async def test_of_a_key_said_twice_the_last_counts_everywhere(intake: Bench) -> None:
    """As JSON libraries do; what is stored, told and compared by key is one and the same."""
    body = json.dumps(complaint(title="前")).encode()[:-1] + ', "title": "后"}'.encode()
    headers = JSON | {"Idempotency-Key": "twice"}
    client = intake.http("phone_system")
    first = await client.post("/v1/tickets", content=body, headers=headers)
    again = await client.post("/v1/tickets", json=complaint(title="后"), headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    [told] = await intake.told()
    assert told.data.title == "后"


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "multipart/form-data", "application/json; charset=x"]
)
async def test_a_body_of_another_kind_is_refused_or_read_as_json(intake: Bench, kind: str) -> None:
    body = json.dumps(complaint()).encode()
    headers = {"Content-Type": kind}
    answer = await intake.http("phone_system").post("/v1/tickets", content=body, headers=headers)
    assert answer.status_code in (201, 400, 415, 422)


async def test_a_compressed_bomb_stays_compressed(intake: Bench) -> None:
    headers = JSON | {"Content-Encoding": "gzip"}
    body = b"\x1f\x8b\x08\x00\x00\x00\x00\x00"
    answer = await intake.http("phone_system").post("/v1/tickets", content=body, headers=headers)
    assert answer.status_code == 400


# --- logs --------------------------------------------------------------------------------------

INJECTION = 'x\r\n{"event":"forged","level":"critical"}\x1b[2J\x9b2J\x85\u2028\u2029\u202e\x7f'


def lines_of(printed_: str) -> list[dict[str, Any]]:
    """The lines of a log, each of which must be one JSON object; by every reckoning of a line."""
    rows = printed_.splitlines()  # also at U+0085 and U+2028
    assert [row for row in rows if not row.startswith("{")] == []
    assert not set(printed_) & set("\x1b\x9b\x7f\x85\u2028\u2029\u202e\r")
    found = [json.loads(row) for row in rows]
    assert "forged" not in {row["event"] for row in found}
    return found


async def test_no_word_of_a_request_writes_a_line(intake: Bench) -> None:
    client = intake.http("phone_system")
    number = (await registered(intake))["number"]
    with printed() as out:
        for field in ("title", "content", "topic", "source_number", "flags", "channel"):
            await client.post("/v1/tickets", json=complaint(**{field: INJECTION}))
            await client.post("/v1/tickets", json=complaint(**{INJECTION: field}))
        await client.post(f"/v1/tickets/{number}/urges", json={"note": INJECTION})
        await client.get(f"/v1/tickets/{number}%0d%0a%7bforged%7d")
        await client.get("/v1/tickets", params={"topic": INJECTION, "after": INJECTION})
        await client.get(f"/%0d%0a%1b[2J%c2%9b/{'%e2%80%a8' * 9}")
        for name in ("traceparent", "Idempotency-Key", "User-Agent", "Authorization", "Host"):
            await client.get("/clock", headers=[(name.encode(), INJECTION.encode())])
        await client.request("FORGED\x9b", "/clock")
    assert len(lines_of(out.getvalue())) >= 20


async def test_what_a_library_or_a_colleague_logs_stays_one_line(intake: Bench) -> None:
    with printed() as out:
        log.warning("seen", words=INJECTION, **{"forged\u2028": {"deep": [INJECTION]}})
        structlog.get_logger().info("lone", half="\ud800")
        logging.getLogger("uvicorn.error").error("Invalid %s", INJECTION)
    [seen, lone, _] = lines_of(out.getvalue())
    assert seen["words"] == INJECTION
    assert lone["half"] == "\ud800"


async def test_odd_methods_are_one_series_of_the_metrics(intake: Bench) -> None:
    for n in range(20):
        answer = await intake.http("ops").request(f"BREW{n}", "/healthz")
        assert answer.status_code == 405
    text = (await intake.http("ops").get("/metrics")).text
    assert "BREW" not in text
    assert 'method="other"' in text
