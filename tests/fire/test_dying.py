"""How a process ends: in its time whatever is stuck, and by the name of what died in it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from examples.phone_system import PhoneSystem
from examples.stories import ROAD
from shared import clock
from shared.service import DEAD
from tests.fixtures.fire.servers import Servers
from tests.fixtures.fire.town import Town, town, until
from tests.fixtures.patience import WITHIN

BUDGET = 8.0  # seconds
SLACK = 30.0  # a busy machine: Python takes its time to end; who is stuck would never


@pytest.fixture
async def hurried(burning: Servers, tmp_path: Path) -> AsyncIterator[Town]:
    """A town whose services have eight seconds to stop in; nobody runs yet."""
    async with town(burning, tmp_path, JIESU_STOP_SECONDS=str(BUDGET)) as one:
        yield one


def phone(one: Town) -> PhoneSystem:
    return PhoneSystem(
        one.http, one.urls, one.token("phone_system"), one.webhook_secret, lambda _: {}
    )


async def test_a_stuck_handler_and_a_stuck_request_hold_nobody_up(hurried: Town) -> None:
    await hurried.start("intake", "dispatcher")
    dispatcher = hurried["dispatcher"]
    line = dispatcher.database
    handling = line.trap(b"COMMIT", "freeze", heard=False, within=[b"INSERT INTO inbox"])
    receipt = await phone(hurried).register(ROAD, "call-1")
    await asyncio.wait_for(handling.sprung.wait(), WITHIN)
    headers = {"Authorization": f"Bearer {hurried.token('desk')}"}
    serving = line.trap(b"tickets.unassigned_at IS NOT NULL", "freeze", heard=False)
    asking = asyncio.create_task(
        hurried.http.get(f"{dispatcher.url}/v1/unassigned", headers=headers)
    )
    await asyncio.wait_for(serving.sprung.wait(), WITHIN)  # both are inside, and stuck
    line.freeze()  # and nobody else's connection ends well
    began = clock.real()
    code = await dispatcher.end()
    took = (clock.real() - began).total_seconds()
    assert (code, took < BUDGET + SLACK) == (0, True), took
    assert "did not stop in time" in dispatcher.log()
    answer = await asking
    assert (answer.status_code, answer.json()["type"][-9:]) == (503, "/stopping")
    line.resume()
    await hurried.start("dispatcher")  # the fact was not acknowledged: it comes again
    query = "SELECT ticket FROM assignments WHERE ticket = :ticket"
    await until(lambda: hurried.rows("dispatcher", query, ticket=receipt.number))
    assert len(await hurried.rows("dispatcher", query, ticket=receipt.number)) == 1


async def test_a_loop_that_dies_takes_its_process_along_by_name(hurried: Town) -> None:
    """What it goes by is gone: that is no trouble that passes, and nobody may believe it sweeps. Whichever
    job asks for it first is named.
    """
    await hurried.start("tracker")
    tracker = hurried["tracker"]
    await hurried.do("tracker", "ALTER TABLE clocks RENAME COLUMN next_at TO gone")
    assert await tracker.gone() == DEAD
    deaths = [json.loads(line) for line in tracker.log().splitlines() if '"a loop died"' in line]
    named = {death["loop"] for death in deaths}
    assert named
    assert named <= {"tracker.sweep", "tracker.recompute"}
    assert "ProgrammingError" in deaths[0]["why"]
