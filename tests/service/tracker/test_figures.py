"""The tracker's figures: on-time rates of a period, and the breaches that stand."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from shared.events import Role
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import Story
from tests.fixtures.scenes.tracker_doors import GRANT, ask, rule, slug

# --- rates -------------------------------------------------------------------------------------


@pytest.fixture
async def month(tracker: Bench) -> Bench:
    """HC leads four: in time, extended, a breach taken back, late; and helps with a fifth, late."""
    ids = [UUID(int=100 + n) for n in range(5)]
    stories = [Story(tracker, f"20260302-10000{n}") for n in range(5)]
    for story, id in zip(stories, ids, strict=True):
        role = Role.CO if id == ids[4] else Role.LEAD
        await tracker.hear(story.registered(), story.dispatched(id=id, role=role))
        if id != ids[3]:
            await tracker.hear(story.signed("03-02 11:00", id=id))
    asked = (await ask(tracker, id=ids[1])).json()
    await rule(tracker, asked["id"], GRANT)
    tracker.at("2026-03-20T10:00+08:00")
    await tracker.run("sweep")
    await tracker.hear(
        stories[0].completed("03-05 10:00", id=ids[0]),
        stories[1].completed("03-11 10:00", id=ids[1]),
        stories[2].completed("03-09 10:00", id=ids[2]),
        stories[3].completed("03-11 10:00", id=ids[3]),
        stories[4].completed("03-19 10:00", id=ids[4]),
    )
    return tracker


async def rates(tracker: Bench, first: str, last: str, role: str = "supervisor") -> Any:
    """The figures of a period."""
    client = tracker.http(role, "GT" if role == "unit" else None)
    return (await client.get(f"/v1/rates?from=2026-{first}&to=2026-{last}&by=unit")).json()


async def test_on_time_rates_count_standing_breaches_only(month: Bench) -> None:
    """R-42 公开通报."""
    found = await rates(month, "03-01", "03-31")
    assert found["handle"] == {"due": 4, "on_time": 3, "extended": 1, "rate": 0.75}
    assert found["sign"] == {"due": 5, "on_time": 4, "extended": 0, "rate": 0.8}
    assert [unit["unit"] for unit in found["units"]] == ["HC"]


async def test_a_clock_counts_in_the_period_it_was_judged_in(month: Bench) -> None:
    """R-48 统计周期."""
    by_day = {
        day: (await rates(month, f"03-{day}", f"03-{day}"))["handle"]["due"]
        for day in ("05", "09", "10", "11")
    }
    assert by_day == {"05": 1, "09": 2, "10": 0, "11": 1}
    nothing = (await rates(month, "04-01", "04-30"))["handle"]
    assert nothing == {"due": 0, "on_time": 0, "extended": 0, "rate": None}


async def test_a_period_is_this_month_so_far_unless_told_otherwise(month: Bench) -> None:
    found = (await month.http("desk").get("/v1/rates")).json()
    assert (found["start"], found["end"]) == ("2026-03-01", "2026-03-20")
    assert found["handle"]["due"] == 4


async def test_a_unit_sees_its_own_figures(month: Bench) -> None:
    found = await rates(month, "03-01", "03-31", "unit")
    assert (found["units"], found["handle"]["due"]) == ([], 0)


async def test_a_period_that_is_none_is_malformed(tracker: Bench) -> None:
    client = tracker.http("supervisor")
    for query in ("from=2026-03-03&to=2026-03-01", "from=x", "by=topic"):
        assert (await client.get(f"/v1/rates?{query}")).status_code == 422


# --- breaches ----------------------------------------------------------------------------------


async def test_standing_breaches_are_paged(month: Bench) -> None:
    client, seen, after = month.http("supervisor"), [], ""
    while True:
        page = (await client.get(f"/v1/breaches?limit=2{after}")).json()
        seen += page["items"]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    standing = await month.rows("SELECT id FROM clocks WHERE breached_at IS NOT NULL")
    assert {clock["id"] for clock in seen} == {str(row["id"]) for row in standing}
    assert len(seen) == len(standing)
    assert [clock["breached_at"] for clock in seen] == sorted(
        clock["breached_at"] for clock in seen
    )
    of_unit = (await client.get("/v1/breaches?unit=HC")).json()["items"]
    assert {clock["unit"] for clock in of_unit} == {"HC"}


@pytest.mark.parametrize("cursor", ["x", "\x00", "20260309T100000.000000~", "~00"])
async def test_a_tampered_cursor_is_refused(tracker: Bench, cursor: str) -> None:
    answer = await tracker.http("desk").get("/v1/breaches", params={"after": cursor})
    assert (answer.status_code, slug(answer)) == (400, "bad-cursor")
