"""Supplements past a size are referred to and not carried; who holds the assignment reads them all."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from services.dispatcher.rules.work_order import CARRIED
from shared.events import TicketSupplemented
from shared.messaging.outbox import LARGEST_FACT
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import (
    NUMBER,
    STREET_LIGHT,
    ask_back,
    assignments,
    finish_all,
    post,
    register,
    reopened,
    rule,
    street_light,
)

LONG = 5_000


async def supplemented(bench: Bench, count: int, size: int = LONG) -> None:
    """So many supplements of the largest size, each with its number in front."""
    said = [TicketSupplemented(content=f"第{n}条".ljust(size, "𠮷")) for n in range(1, count + 1)]
    await bench.hear(*(bench.fact(data, subject=NUMBER) for data in said))


async def read(bench: Bench, assignment: UUID, unit: str = STREET_LIGHT, **query: Any) -> Any:
    path = f"/v1/assignments/{assignment}/supplements"
    answer = await bench.http("unit", unit).get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def redispatched(bench: Bench) -> Any:
    """The order of the desk that sends it to another unit."""
    body = {"lead": "RSJ", "reason": "再派"}
    await post(bench.http("desk"), f"/v1/tickets/{NUMBER}/assign", body)
    return (await bench.told("assignment.dispatched"))[-1].data


async def test_what_the_release_before_stored_without_a_bound_still_goes_out(
    dispatcher: Bench,
) -> None:
    """860 supplements of 5,000 letters were one fact of 17 MB."""
    await register(dispatcher)
    await supplemented(dispatcher, 860)
    order = await redispatched(dispatcher)
    assert order.supplements_left == 857
    assert [n for n in (857, 858, 860) if f"第{n}条" in order.content] == [858, 860]
    sizes = await dispatcher.rows("SELECT max(octet_length(body)) AS size FROM outbox")
    assert sizes[0]["size"] < LARGEST_FACT / 2


async def test_a_redo_carries_them_by_the_same_bound(dispatcher: Bench) -> None:
    await register(dispatcher)
    await supplemented(dispatcher, 5)
    await finish_all(dispatcher, STREET_LIGHT)
    await dispatcher.hear(reopened(dispatcher, 2))
    order = (await dispatcher.told("assignment.dispatched"))[-1].data
    assert (order.redo, order.supplements_left) == (True, 5 - CARRIED // LONG)


async def test_few_are_carried_whole(dispatcher: Bench) -> None:
    await register(dispatcher)
    await supplemented(dispatcher, CARRIED // LONG)
    order = await redispatched(dispatcher)
    assert order.supplements_left == 0
    assert "未附" not in order.content
    assert order.content.index("第1条") < order.content.index("第2条")


async def test_the_holder_reads_every_one_page_by_page(dispatcher: Bench) -> None:
    given = await register(dispatcher)
    await supplemented(dispatcher, 5, size=10)
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = await read(dispatcher, given[STREET_LIGHT], limit=2, **after)
        seen += [item["content"][:3] for item in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert seen == [f"第{n}条" for n in range(1, 6)]


async def refused(bench: Bench, assignment: UUID, unit: str = STREET_LIGHT) -> bool:
    path = f"/v1/assignments/{assignment}/supplements"
    return (await bench.http("unit", unit).get(path)).status_code == 404


async def test_nobody_else_does(dispatcher: Bench) -> None:
    given = await register(dispatcher)
    await supplemented(dispatcher, 1)
    assert await refused(dispatcher, given[STREET_LIGHT], "RSJ")
    assert await refused(dispatcher, uuid4())
    assert (await read(dispatcher, given[STREET_LIGHT]))["next"] is None


@pytest.mark.parametrize("how", ["returned", "redispatched"])
async def test_who_lost_the_assignment_reads_no_more(dispatcher: Bench, how: str) -> None:
    assignment = (await register(dispatcher))[STREET_LIGHT]
    if how == "returned":
        await ask_back(dispatcher, STREET_LIGHT, assignment)
        await rule(dispatcher, assignment, granted=True)
    else:
        body = {"lead": "RSJ", "reason": "改派"}
        await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", body)
        assert await read(dispatcher, (await assignments(dispatcher))["RSJ"], "RSJ")
    assert await refused(dispatcher, assignment)


async def test_the_unit_complained_of_reads_nothing(dispatcher: Bench) -> None:
    """However it came by the order."""
    given = await register(dispatcher, street_light())
    await dispatcher.do(
        f"""UPDATE tickets SET matter = matter || '{{"reported_unit": "{STREET_LIGHT}"}}'"""
    )
    assert await refused(dispatcher, given[STREET_LIGHT])


async def test_a_cursor_of_another_list_is_refused(dispatcher: Bench) -> None:
    given = await register(dispatcher)
    path = f"/v1/assignments/{given[STREET_LIGHT]}/supplements"
    answer = await dispatcher.http("desk").get(path, params={"after": "3~0123456789abcdef"})
    assert (answer.status_code, answer.json()["type"]) == (400, "/errors/bad-cursor")
