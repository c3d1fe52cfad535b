"""Figures of finding: a caller by number, tickets by words, among as many as a county has in some years."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from random import Random
from typing import Any
from urllib.parse import urlencode

from shared.clock import pause
from tests.load.calls import complaint, encoded
from tests.load.plan import LOOK, Figures, Plan, now
from tests.load.plant import Plant
from tests.load.storms import TICKETS
from tests.load.tally import quantile

LOOKUP = "/v1/callers/lookup"
BATCH = 500
SHARE = 0.95
FILTERS: tuple[dict[str, str], ...] = (
    {},
    {"type": "help"},
    {"status": "closed"},
    {"area": "610924100", "urgency": "normal"},
    {"flags": "enterprise"},
)
# Those that were registered, again and again under other numbers and with other callers; the words
# of each lose some of theirs, so that not every copy is found by what its first is found by.
COPIES = (
    """
    INSERT INTO ticket SELECT (json_populate_record(t, json_build_object(
        'number', format('%s-%s', 20270101 + c, right(replace(t.number, '-', ''), 12)),
        'id', gen_random_uuid(),
        'status', CASE WHEN random() < 0.9 THEN 'closed' ELSE t.status END))).*
    FROM ticket t, generate_series(1, $1::int) c""",
    """
    INSERT INTO vault SELECT
        format('%s-%s', 20270101 + c, right(replace(v.number, '-', ''), 12)), v.sealed
    FROM vault v, generate_series(1, $1::int) c""",
    """
    INSERT INTO caller_digest SELECT decode(md5(d.number || c % 30), 'hex'),
        format('%s-%s', 20270101 + c, right(replace(d.number, '-', ''), 12))
    FROM caller_digest d, generate_series(1, $1::int) c ON CONFLICT DO NOTHING""",
    """
    INSERT INTO ticket_text SELECT
        format('%s-%s', 20270101 + c, right(replace(w.number, '-', ''), 12)), w.words, w.grams
    FROM ticket_text w, generate_series(1, $1::int) c""",
    "VACUUM ANALYZE ticket",
    "VACUUM ANALYZE ticket_text",
    "VACUUM ANALYZE caller_digest",
)


async def finding(plant: Plant, plan: Plan) -> Figures:
    """How long a lookup of a caller and a search by words take, one at a time, 95 of 100 at most."""
    await plant.run("intake")
    throw = Random(7)
    bodies = [complaint(throw) for _ in range(plan.known)]
    await _fill(plant, plan, bodies)
    phones = [body["caller"]["phone"] for body in bodies if body["type"] != "report"]
    lookups = [await _lookup(plant, throw.choice(phones)) for _ in range(plan.looks)]
    searches = [taken async for taken in _searches(plant, plan, bodies, throw)]
    held = await plant.value("intake", "SELECT count(*) FROM ticket")
    details = {
        "tickets": held,
        "looks": plan.looks,
        "lookup_p50_ms": quantile(sorted(lookups), 0.5),
        "search_p50_ms": quantile(sorted(searches), 0.5),
        "search_max_ms": max(searches),
    }
    return {
        "search_p95_ms": quantile(sorted(searches), SHARE),
        "lookup_p95_ms": quantile(sorted(lookups), SHARE),
        "details": details,
    }


async def _fill(plant: Plant, plan: Plan, bodies: list[Any]) -> None:
    token, wire = plant.token("phone_system"), plant.wire("intake")
    for start in range(0, len(bodies), BATCH):
        some = encoded({"tickets": bodies[start : start + BATCH]})
        await wire.send(wire.encode("POST", f"{TICKETS}/batch", some, token))
    while await plant.value("intake", "SELECT count(*) FROM ticket_text") < len(bodies):
        await pause(LOOK)
    async with plant.connection("intake") as connection:
        for statement in COPIES:
            copies = (plan.kept // len(bodies) - 1,) if "$1" in statement else ()
            await connection.execute(statement, *copies, timeout=600)


async def _lookup(plant: Plant, phone: str) -> float:
    wire, token = plant.wire("intake"), plant.token("agent")
    taken, answer = await timed(wire, "POST", LOOKUP, token, encoded({"phone": phone}))
    assert answer["items"], "a caller is not found"
    return taken


async def _searches(plant: Plant, plan: Plan, bodies: list[Any], throw: Random) -> Any:
    """Words of two to six characters as they stand in texts, with each filter, and the next page."""
    wire, token = plant.wire("intake"), plant.token("desk")
    for at, words in zip(range(plan.looks), _words(bodies, throw), strict=False):
        asked = {"text": words} | FILTERS[at % len(FILTERS)]
        taken, page = await timed(wire, "GET", f"{TICKETS}?{urlencode(asked)}", token)
        yield taken
        if page["next"]:
            path = f"{TICKETS}?{urlencode(asked | {'after': page['next']})}"
            yield (await timed(wire, "GET", path, token))[0]


def _words(bodies: list[Any], throw: Random) -> Iterator[str]:
    while True:
        content, length = throw.choice(bodies)["content"], throw.randint(2, 6)
        at = throw.randrange(max(1, len(content) - length))
        words = content[at : at + length]
        if any(a.isalnum() and b.isalnum() for a, b in pairwise(words)):
            yield words


async def timed(
    wire: Any, method: str, path: str, token: dict[str, str], body: bytes = b""
) -> tuple[float, Any]:
    """How many milliseconds an answer took, and the answer."""
    request, began = wire.encode(method, path, body, token), now()
    status, answer = await wire.send(request)
    assert status == 200, answer
    return (now() - began) * 1000, json.loads(answer)
