"""Two of each service on one database: every fact once, every mark once, whoever serves."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import aio_pika
import pytest

from examples.county import Access, County
from examples.phone_system import Receipt
from examples.stepper import Stepper
from examples.stories import ROAD
from operations.runtime.registry import NAMES
from shared.events import Fact
from shared.messaging.rabbit_bus import EXCHANGE
from tests.fixtures.fire.ledger import drained
from tests.fixtures.fire.servers import Servers
from tests.fixtures.fire.town import Town, town

TICKETS = 20
PROBE = "fire.probe"
NEXT_WEEK = "2026-03-10T09:00+08:00"


@dataclass(slots=True)
class Week:
    """Two of each after a week in which nobody signed: what was said, and how often on the broker."""

    town: Town
    said: list[Fact]
    copies: Counter[UUID]


@pytest.fixture(scope="module")
async def week(burning: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Week]:
    """Two replicas of each service, and a week of theirs."""
    async with town(burning, tmp_path_factory.mktemp("twins"), replicas=2) as one:
        async with await aio_pika.connect(one.vhost) as connection:
            queue = await (await connection.channel()).declare_queue(PROBE, durable=True)
            await queue.bind(EXCHANGE, "#")
        await one.start()
        await register(one)
        stepper = Stepper(one.http, one.urls, one.token("ops"), pause=0.05)
        await stepper.settle()
        await one.step(NEXT_WEEK)
        await stepper.settle()
        said = [fact for name in NAMES for fact in await one.facts(name)]
        yield Week(one, said, Counter(await drained(one, PROBE)))


@pytest.fixture
def twins(week: Week) -> Town:
    """The two replicas of each service."""
    return week.town


async def register(one: Town) -> Sequence[Receipt]:
    """Both intakes take the same calls at the same moment: the phone system sent each twice."""
    receipts = []
    for name in ("intake", "intake-2"):
        urls = one.urls | {"intake": one[name].url}
        access = Access(urls, one.token, one.webhook_secret)
        phone = County(one.http, access, lambda _: {}).phone
        receipts += [phone.register(ROAD, f"call-{number}") for number in range(TICKETS)]
    return await asyncio.gather(*receipts)


async def test_a_call_that_came_to_both_is_one_ticket(twins: Town) -> None:
    receipts = await register(twins)  # once more, and a week later
    assert len(set(receipts)) == TICKETS
    query = "SELECT number FROM ticket WHERE number = ANY(:numbers)"
    numbers = [receipt.number for receipt in receipts]
    assert len(await twins.rows("intake", query, numbers=numbers)) == TICKETS


async def test_two_relays_say_every_fact_once_in_one_order(week: Week) -> None:
    assert len(week.said) > 10 * TICKETS
    assert week.copies == Counter(fact.id for fact in week.said)
    for name in NAMES:
        rows = await week.town.rows(name, "SELECT position FROM outbox ORDER BY position")
        assert [row.position for row in rows] == list(range(1, len(rows) + 1))


async def test_two_consumers_dispatch_every_ticket_once(twins: Town) -> None:
    rows = await twins.rows(
        "dispatcher", "SELECT ticket, count(*) AS n FROM assignments GROUP BY 1"
    )
    assert {row.n for row in rows} == {1}
    assert len(rows) >= TICKETS


async def test_two_sweepers_pass_every_mark_once_with_its_true_time(week: Week) -> None:
    breaches = [fact for fact in week.said if fact.name == "deadline.breached"]
    marks = Counter((fact.subject, fact.assignment, fact.data.clock) for fact in breaches)
    assert set(marks.values()) == {1}
    assert len({fact.subject for fact in breaches if fact.data.clock == "sign"}) == TICKETS
    due = await week.town.rows("tracker", "SELECT ticket, assignment, kind, due FROM clocks")
    moments = {(row.ticket, row.assignment, row.kind): row.due for row in due}
    for fact in breaches:
        assert fact.time == moments[fact.subject, fact.assignment, fact.data.clock]
    rungs = Counter(
        (fact.assignment, fact.data.rung) for fact in week.said if fact.name == "supervision.raised"
    )
    assert rungs
    assert set(rungs.values()) == {1}


async def test_one_of_two_is_killed_and_the_other_goes_on(twins: Town) -> None:
    for name in NAMES:
        await twins.kill(name)
    left = {name: twins[f"{name}-2"].url for name in NAMES}
    access = Access(left, twins.token, twins.webhook_secret)
    receipt = await County(twins.http, access, lambda _: {}).phone.register(ROAD, "call-last")
    await Stepper(twins.http, left, twins.token("ops"), pause=0.05).settle()
    query = "SELECT unit FROM assignments WHERE ticket = :ticket"
    assert len(await twins.rows("dispatcher", query, ticket=receipt.number)) == 1
    await twins.start(*NAMES)
