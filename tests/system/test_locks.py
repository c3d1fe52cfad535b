"""Nobody decides on a ticket that somebody else is changing, and one at a time numbers the feed.

Two at once show a missing lock only when they happen to meet; here one of the two stands still.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text

from services.dispatcher.feed import FEED_LOCK
from shared import clock
from tests.fixtures.bench import Bench
from tests.fixtures.patience import WITHIN
from tests.fixtures.scenes import dispatcher as dispatching
from tests.fixtures.scenes import feedback as calling
from tests.fixtures.scenes.dispatcher import STREET_LIGHT, let_lead, warned
from tests.fixtures.scenes.intake import post, registered
from tests.fixtures.scenes.tracker import TICKET, Story

HELD = "SELECT 1 FROM tickets WHERE number = :number FOR NO KEY UPDATE"
WAITS = """
    SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'"""


@asynccontextmanager
async def meanwhile(bench: Bench, statement: str, **values: Any) -> AsyncIterator[None]:
    """Somebody else's transaction, open while the block lasts."""
    async with bench.service.store.engine.begin() as connection:
        await connection.execute(text(statement), values)
        yield


async def waits(bench: Bench, deed: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """Begin a deed, and see that it waits for a lock."""
    task = asyncio.create_task(deed)
    async with asyncio.timeout(WITHIN):
        while not await bench.rows(WAITS):
            assert not task.done()
            await clock.pause(0.01)
    return task


async def test_a_unit_waits_for_who_holds_its_ticket(dispatcher: Bench) -> None:
    given = (await dispatching.register(dispatcher))[STREET_LIGHT]
    async with meanwhile(dispatcher, HELD, number=dispatching.NUMBER):
        signing = await waits(dispatcher, dispatching.sign(dispatcher, STREET_LIGHT, given))
    assert (await signing)["status"] == "signed"


async def test_the_desk_waits_for_who_holds_a_ticket(dispatcher: Bench) -> None:
    await dispatching.register(dispatcher)
    path = f"/v1/tickets/{dispatching.NUMBER}/assign"
    body = {"lead": "HC", "co_handlers": [], "reason": "改派"}
    await let_lead(dispatcher, "HC")
    async with meanwhile(dispatcher, HELD, number=dispatching.NUMBER):
        assigning = await waits(dispatcher, dispatching.post(dispatcher.http("desk"), path, body))
    await assigning


async def test_one_at_a_time_numbers_the_feed(dispatcher: Bench) -> None:
    await dispatcher.hear(warned(dispatcher, "HC"))
    lock = f"SELECT pg_advisory_xact_lock({FEED_LOCK})"
    async with meanwhile(dispatcher, lock):
        numbering = await waits(dispatcher, dispatcher.run("number_feed"))
    assert await numbering == 1


async def test_an_outcome_waits_for_who_holds_its_ticket(feedback: Bench) -> None:
    callback = await calling.due(feedback)
    satisfied = calling.SATISFIED
    async with meanwhile(feedback, HELD, number=calling.NUMBER):
        reporting = await waits(
            feedback, calling.report(feedback, callback, "answered", **satisfied)
        )
    assert (await reporting).json()["status"] == "answered"


async def test_a_completion_waits_for_who_holds_its_ticket(feedback: Bench) -> None:
    await feedback.hear(calling.registration(feedback))
    async with meanwhile(feedback, HELD, number=calling.NUMBER):
        hearing = await waits(feedback, feedback.hear(calling.resolution(feedback)))
    await hearing
    assert len(await feedback.told("callback.planned")) == 1


async def test_a_signature_waits_for_who_holds_its_clocks(tracker: Bench) -> None:
    story = Story(tracker)
    await tracker.hear(story.registered(), story.dispatched())
    async with meanwhile(tracker, HELD, number=TICKET):
        hearing = await waits(tracker, tracker.hear(story.signed("03-02 11:00")))
    await hearing
    assert len(await tracker.told("deadline.met")) == 2


async def test_an_urge_counts_from_what_is_so_behind_the_lock(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    async with meanwhile(intake, "UPDATE ticket SET urged = 5 WHERE number = :n", n=number):
        urging = await waits(intake, post(intake, f"/v1/tickets/{number}/urges", {"note": "急"}))
    await urging
    [said] = await intake.told("ticket.urged")
    assert said.data.times == 6
