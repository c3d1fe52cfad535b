"""The sweep's crash points: ten thousand clocks whose marks are passed by a tracker that dies at every step.

Fifty times under `make prove`, once at each step in `make test`.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from datetime import datetime
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

import pytest

from examples.phone_system import PhoneSystem
from examples.stories import ROAD
from tests.fixtures.fire.servers import Servers
from tests.fixtures.fire.town import Town, town, until
from tests.fixtures.many_clocks import arm, newest
from tests.fixtures.patience import WITHIN
from tests.fixtures.scenes.handle_clock import local
from tests.load.sides import connected

MANY, MANY_LONG = 3_000, 10_000
KILLS_LONG = 50
AFTERWARDS = "2026-03-20T10:00+08:00"
MARKS = [  # of an order of Monday the second at half past eight, when duty begins
    ("deadline.warned", "03-04 18:00"),
    ("deadline.warned", "03-06 18:00"),
    ("deadline.breached", "03-09 18:00"),
    ("supervision.raised", "03-09 18:00"),
    ("supervision.raised", "03-10 18:00"),
    ("supervision.raised", "03-12 18:00"),
    ("supervision.raised", "03-16 18:00"),
]
SAID = """
    SELECT subject, key, body::json->>'time' AS at FROM outbox
    WHERE subject LIKE '%-%-%-%' AND key NOT LIKE 'staff.told%'
        AND coalesce(body::json->'data'->>'by', '') <> 'trigger'"""  # what follows is others' work
WAITS = """
    SELECT EXISTS (SELECT 1 FROM clocks WHERE next_at <= '2026-03-20T10:00+08:00')
        OR EXISTS (SELECT 1 FROM outbox WHERE position IS NULL)"""


class Point(NamedTuple):
    """A statement of a tick at which the tracker dies: before PostgreSQL hears it, or when it has."""

    word: bytes
    heard: bool
    within: tuple[bytes, ...] = ()


POINTS = (
    Point(b"next_at <=", heard=False),
    Point(b"next_at <=", heard=True),
    Point(b"UPDATE clocks", heard=False),
    Point(b"INSERT INTO supervisions", heard=True),
    Point(b"INSERT INTO seq", heard=False),
    Point(b"INSERT INTO outbox", heard=True),
    Point(b"COMMIT", heard=False, within=(b"INSERT INTO outbox",)),
    Point(b"COMMIT", heard=True, within=(b"INSERT INTO outbox",)),
)


@pytest.fixture
async def watched(burning: Servers, tmp_path: Path) -> AsyncIterator[Town]:
    """A town in which a unit has an order, and nobody runs any more."""
    async with town(burning, tmp_path) as one:
        await one.start("intake", "dispatcher", "tracker")
        phone = PhoneSystem(
            one.http, one.urls, one.token("phone_system"), one.webhook_secret, lambda _: {}
        )
        await phone.register(ROAD, "call-1")
        await until(lambda: one.rows("tracker", "SELECT 1 FROM clocks WHERE kind = 'handle'"))
        for name in ("intake", "dispatcher", "tracker"):
            await one.kill(name)
        yield one


async def put_in_the_past(one: Town, many: int) -> None:
    """So many clocks like that of the order run, and all their marks have fallen due."""
    url = one.servers.database.postgres.url(f"{one.prefix}_tracker")
    async with connected(url) as connection:
        like = await newest(connection)
        await arm(connection, like["id"], many, like["next_at"])
    instant = datetime.fromisoformat(AFTERWARDS)
    one.now = lambda: instant


async def die_at(one: Town, point: Point) -> None:
    """The tracker lives until it comes to a statement, and dies there."""
    tracker = one["tracker"]
    trap = tracker.database.trap(point.word, "freeze", heard=point.heard, within=point.within)
    await tracker.start(one.now())
    await asyncio.wait_for(trap.sprung.wait(), WITHIN)
    await tracker.kill()
    tracker.database.resume()


async def marks(one: Town) -> dict[str, Counter[tuple[str, str]]]:
    """What was said of each clock, and how often."""
    found: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for row in await one.rows("tracker", SAID):
        name = ".".join(row.key.split(".")[:2])
        found[row.subject][name, local(datetime.fromisoformat(row.at))] += 1
    return found


async def test_killed_at_every_step_each_mark_is_passed_once_with_its_true_time(
    watched: Town, long: bool
) -> None:
    many, kills = (MANY_LONG, KILLS_LONG) if long else (MANY, len(POINTS))
    await put_in_the_past(watched, many)
    for point in islice(cycle(POINTS), kills):
        await die_at(watched, point)
    said = await marks(watched)
    assert 0 < len(said) < many, "it died in the middle"
    await watched.start("tracker")

    async def rests() -> bool:
        return not (await watched.rows("tracker", WAITS))[0][0]

    await until(rests, WITHIN * many / MANY)
    said = await marks(watched)
    assert len(said) == many
    assert [each for each in said.items() if each[1] != Counter(MARKS)] == []
    query = "SELECT clock, rung FROM supervisions WHERE clock IS NOT NULL"
    raised = await watched.rows("tracker", query)
    assert len(raised) == len(set(raised))
    assert watched["tracker"].starts == kills + 2
