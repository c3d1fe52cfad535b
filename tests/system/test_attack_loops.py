"""What somebody tried in order to stop us: what freezes, dies or stays away is outlived."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from shared.messaging.bus import BusTrouble, Message
from shared.messaging.local_bus import LocalBus
from shared.messaging.outbox import Relay
from shared.service import Job, Service
from shared.storage.act import Act
from tests.fixtures.bench import Bench, bench
from tests.fixtures.benches import Template
from tests.fixtures.patience import WITHIN
from tests.fixtures.postgres import Postgres
from tests.fixtures.scenes.intake import registered


class Frozen(LocalBus):
    """A bus whose link is frozen: nothing is ever answered, not even its closing."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def publish(self, messages: Sequence[Message]) -> list[Exception | None]:
        self.asked += 1
        await asyncio.Event().wait()
        return []

    async def close(self) -> None:
        await asyncio.Event().wait()


class Away(LocalBus):
    """A bus nobody can reach; it counts who tried."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def publish(self, messages: Sequence[Message]) -> list[Exception | None]:
        self.asked += 1
        raise BusTrouble("away")


@pytest.fixture
async def hurried(postgres: Postgres, template: Template, keys: Path) -> AsyncIterator[Bench]:
    """Intake with two seconds to stop in."""
    async with (
        postgres.fresh_database(await template("intake")) as url,
        bench("intake", url, keys, stop_seconds=2.0) as one,
    ):
        yield one


async def never(*_: Any) -> Any:
    await asyncio.Event().wait()


async def nothing_due(_: Act[Any]) -> datetime | None:
    return None


@asynccontextmanager
async def running(service: Service) -> AsyncIterator[None]:
    """The service with its loops while the block lasts."""
    await service.start()
    try:
        yield
    finally:
        await service.stop()


async def test_stopping_keeps_its_budget_whatever_is_stuck(hurried: Bench) -> None:
    service, frozen = hurried.service, Frozen()
    service.bus, service.relay = frozen, Relay(service.store, frozen)
    service.jobs = {"stuck": Job(run=never, due=nothing_due)}
    await frozen.declare({service.queue: list(service.subscriptions)})
    await service.start()
    await registered(hurried)
    async with asyncio.timeout(WITHIN):  # it would stop never
        await service.stop()
    assert frozen.asked >= 1
    assert [fact.name for fact in await hurried.told()] == ["ticket.registered"]


async def test_a_loop_that_was_cancelled_from_inside_is_a_death(
    intake: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cancelled(*_: Any) -> int:
        raise asyncio.CancelledError

    died = asyncio.Event()
    monkeypatch.setattr(intake.service, "on_death", died.set)
    intake.service.jobs = {"frozen": Job(run=cancelled, due=nothing_due)}
    async with running(intake.service), asyncio.timeout(WITHIN):
        await died.wait()
        assert (intake.service.died, intake.service.ready) == ("intake.frozen", False)
        answer = await intake.http(None).get("/readyz")
        assert (answer.status_code, "intake.frozen" in answer.text) == (503, True)


async def test_commits_do_not_hurry_a_relay_whose_broker_is_away(intake: Bench) -> None:
    away = Away()
    intake.service.relay = Relay(intake.service.store, away)
    async with running(intake.service):
        for _ in range(20):
            await registered(intake)
        assert away.asked < 10  # twice, or a few times more where twenty take long
    assert len(await intake.told("ticket.registered")) == 20


async def test_a_vanished_replica_gives_its_locks_back(intake: Bench) -> None:
    [limit] = await intake.rows("SELECT setting FROM pg_settings WHERE name LIKE 'idle_in_tra%'")
    assert limit["setting"] == "60000"


class Heap:
    """Work for a job; it knows how many take of it at once. The third time there is trouble."""

    def __init__(self, left: int) -> None:
        self.left, self.taken = left, asyncio.Event()
        self.busy, self.together, self.tried = 0, list[int](), 0

    async def take(self, _: Any, limit: int) -> int:
        self.busy, self.tried = self.busy + 1, self.tried + 1
        trouble = self.tried == 3
        await asyncio.sleep(0)
        self.together.append(self.busy)
        self.busy -= 1
        if trouble:
            raise ConnectionError("the database is away")
        moved = min(self.left, limit)
        self.left -= moved
        if not self.left:
            self.taken.set()
        return moved


async def test_runs_of_a_job_go_together_while_there_is_more_than_one_takes(intake: Bench) -> None:
    """One that finds trouble takes nothing from what the other did; both are tried again."""
    heap = Heap(left=55)
    intake.service.jobs = {
        "take": Job(run=heap.take, due=nothing_due, every=0.01, limit=10, together=2)
    }
    async with running(intake.service), asyncio.timeout(WITHIN):
        await heap.taken.wait()
    assert heap.together[0] == 1
    assert heap.together[1:3] == [2, 1]  # the other has gone when the last one ends
    assert heap.left == 0
