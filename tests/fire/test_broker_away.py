"""The broker is away for ten minutes, and then across a due moment; nothing is late in truth."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from examples.county import County
from examples.stepper import Stepper
from examples.stories import ROAD
from operations.runtime.registry import NAMES
from tests.fixtures.fire.ledger import reckon
from tests.fixtures.fire.servers import Servers
from tests.fixtures.fire.town import START, Town, town, until

AFTER_IT_WAS_DUE = "2026-03-03T09:00+08:00"


@pytest.fixture
async def cut_off(burning: Servers, tmp_path: Path) -> AsyncIterator[Town]:
    """A running town."""
    async with town(burning, tmp_path) as one:
        await one.start()
        yield one


def away(one: Town) -> None:
    """Nobody reaches the broker any more."""
    for replica in one.replicas.values():
        replica.bus.refuse()


def back(one: Town) -> None:
    """Everybody does again."""
    for replica in one.replicas.values():
        replica.bus.resume()


async def test_complaints_are_taken_and_a_breach_has_its_true_time(cut_off: Town) -> None:
    phone = County(cut_off.http, cut_off.access, lambda _: {}).phone
    stepper = Stepper(cut_off.http, cut_off.urls, cut_off.token("ops"), pause=0.05)
    first = await phone.register(ROAD, "call-before")
    await stepper.settle()
    due = await sign_due(cut_off, first.number)

    away(cut_off)
    taken = {}
    for minute in range(10):
        moment = START + timedelta(minutes=minute + 1)
        await cut_off.step(moment.isoformat())
        receipt = await phone.register(ROAD, f"call-{minute}")
        taken[receipt.number] = moment
    await cut_off.step(AFTER_IT_WAS_DUE)
    breach = await until(lambda: breaches(cut_off, first.number))
    assert breach == [due]
    assert await cut_off.rows("intake", "SELECT 1 FROM outbox WHERE position IS NULL")

    back(cut_off)
    await stepper.settle()
    assert await breaches(cut_off, first.number) == [due]
    dispatched = {f.subject for f in await cut_off.facts("dispatcher", "assignment.dispatched")}
    assert dispatched == {first.number, *taken}
    assert await started(cut_off) == taken
    ledger = await reckon(cut_off, ended=False)
    assert (ledger.lost, ledger.doubled, ledger.open) == ([], [], [])
    assert all(cut_off[name].log().count('"started"') == 1 for name in NAMES)  # nobody died of it


async def sign_due(one: Town, number: str) -> datetime:
    """When a ticket's lead must have signed."""
    query = "SELECT due FROM clocks WHERE ticket = :number AND kind = 'sign'"
    [row] = await one.rows("tracker", query, number=number)
    due: datetime = row.due
    assert due < datetime.fromisoformat(AFTER_IT_WAS_DUE)
    return due


async def breaches(one: Town, number: str) -> list[datetime]:
    """When the sign clock of a ticket was breached, as the tracker says."""
    facts = await one.facts("tracker", "deadline.breached")
    return [f.time for f in facts if f.subject == number and f.data.clock == "sign"]


async def started(one: Town) -> dict[str, datetime]:
    """When the dispatch clocks of the tickets taken meanwhile started: when people called."""
    rows = await one.rows(
        "tracker",
        "SELECT ticket, started_at FROM clocks WHERE kind = 'dispatch' AND started_at > :start",
        start=START.astimezone(UTC),
    )
    return {row.ticket: row.started_at for row in rows}
