"""What the dispatcher says to a unit is in the unit's feed with the commit that says it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from shared import clock
from shared.events import AssignmentProgressed, AssignmentSigned, Fact
from shared.messaging.bus import BusTrouble, Message
from shared.messaging.inbox import EnvelopeOnly, Subscriptions
from shared.messaging.local_bus import LocalBus
from shared.messaging.outbox import Relay
from shared.messaging.own_facts import hear_own
from shared.service import Service
from shared.storage.act import Act
from tests.fixtures.bench import Bench
from tests.fixtures.patience import WITHIN
from tests.fixtures.scenes.dispatcher import (
    COMPANY,
    COMPANY_CO,
    NUMBER,
    STREET_LIGHT,
    act,
    banquet,
    company,
    finish,
    register,
    sign,
    warned,
)
from tests.fixtures.scenes.feed import delivered, page
from tests.fixtures.statements import asked

LIFE = ["dispatched", "signed", "contacted", "completed"]


class Away(LocalBus):
    """A broker nobody can reach."""

    async def publish(self, messages: Sequence[Message]) -> list[Exception | None]:
        raise BusTrouble("away")


@asynccontextmanager
async def running(service: Service) -> AsyncIterator[None]:
    """The service with its loops while the block lasts."""
    await service.start()
    try:
        yield
    finally:
        await service.stop()


async def read(bench: Bench, unit: str) -> list[tuple[int, str]]:
    """Positions and last words of the types in a unit's feed."""
    items = (await page(bench, unit))["items"]
    return [(item["position"], item["fact"]["type"].split(".")[-2]) for item in items]


async def feed(bench: Bench) -> list[dict[str, Any]]:
    """The feed of all units, as it is kept."""
    return await bench.rows("SELECT unit, fact, name, body, position FROM feed ORDER BY id")


async def test_a_unit_reads_while_nothing_comes_back_from_the_broker(dispatcher: Bench) -> None:
    service = dispatcher.service
    service.relay = Relay(service.store, Away())
    # The clock will not do it: the job runs because something was told.
    service.jobs = {"number_feed": replace(service.jobs["number_feed"], every=3600.0)}
    async with running(service), asyncio.timeout(WITHIN):
        given = (await register(dispatcher))[STREET_LIGHT]
        await finish(dispatcher, STREET_LIGHT, given)
        while len(seen := await read(dispatcher, STREET_LIGHT)) < len(LIFE):
            await clock.pause(0.02)
    assert seen == list(enumerate(LIFE, 1))
    assert await dispatcher.rows("SELECT 1 FROM outbox WHERE position IS NOT NULL") == []


async def test_the_feed_has_the_bytes_of_the_fact_log(dispatcher: Bench) -> None:
    given = (await register(dispatcher, company()))[COMPANY]
    await sign(dispatcher, COMPANY, given)
    log = await dispatcher.rows("SELECT fact, body FROM outbox WHERE key LIKE '%.%.%' ORDER BY id")
    assert [(row["fact"], row["body"]) for row in await feed(dispatcher)] == [
        (row["fact"], row["body"]) for row in log
    ]
    assert len(log) == len({COMPANY, *COMPANY_CO}) + 1


async def test_what_is_said_to_nobody_or_not_at_all_is_in_no_feed(dispatcher: Bench) -> None:
    await register(dispatcher, banquet())
    given = (await register(dispatcher, number="20260302-000002"))[STREET_LIGHT]
    await sign(dispatcher, STREET_LIGHT, given)
    await act(dispatcher, STREET_LIGHT, given, "sign", {"handler": "张三"}, 409)
    assert "ticket.unassigned" in {fact.name for fact in await dispatcher.told()}
    kept = [(row["unit"], row["name"]) for row in await feed(dispatcher)]
    assert kept == [(STREET_LIGHT, "assignment.dispatched"), (STREET_LIGHT, "assignment.signed")]


async def test_a_fact_that_comes_round_later_is_not_doubled(dispatcher: Bench) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    await sign(dispatcher, STREET_LIGHT, given)
    await dispatcher.run("number_feed")
    before = await feed(dispatcher)
    await delivered(dispatcher, warned(dispatcher, STREET_LIGHT))
    assert (await feed(dispatcher))[:-1] == before
    assert await read(dispatcher, STREET_LIGHT) == [(1, "dispatched"), (2, "signed"), (3, "warned")]


async def test_it_is_known_to_every_replica_when_it_comes_round(dispatcher: Bench) -> None:
    """One of the release before would put it into the feed once more, and fail at its index."""
    await register(dispatcher)
    [fact] = await dispatcher.told()
    [known] = await dispatcher.rows("SELECT consumer FROM inbox WHERE fact = :id", id=fact.id)
    assert known["consumer"] == "dispatcher"
    with asked(dispatcher.service.store.engine) as statements:
        await dispatcher.receive([Message(fact.key, str(fact.id), fact.encode())])
    assert len(statements) == 1


async def test_what_the_release_before_says_comes_by_the_round_trip(dispatcher: Bench) -> None:
    """It writes an outbox row and nothing else; we said something before and after it."""
    given = (await register(dispatcher))[STREET_LIGHT]
    await sign(dispatcher, STREET_LIGHT, given)
    [theirs] = await dispatcher.told("assignment.signed")
    for table in ("feed", "inbox"):
        await dispatcher.do(f"DELETE FROM {table} WHERE fact = :id", id=theirs.id)
    await act(dispatcher, STREET_LIGHT, given, "progress", {"note": "已到场"})
    await dispatcher.run("number_feed")
    assert await read(dispatcher, STREET_LIGHT) == [(1, "dispatched"), (2, "progressed")]
    await delivered(dispatcher)
    assert (await read(dispatcher, STREET_LIGHT))[2:] == [(3, "signed")]


async def test_what_another_handler_needs_comes_round_to_all(dispatcher: Bench) -> None:
    """It would be handled within the act that says it, or be known when it comes and be lost."""
    passed_on: list[Fact] = []

    async def pass_on(_act: Act[Any], fact: Fact, _body: bytes) -> None:
        passed_on.append(fact)

    async def handle(*_: Any) -> None: ...

    plain = dispatcher.fact(AssignmentProgressed(note="已到场"), unit=COMPANY)
    needed = dispatcher.fact(AssignmentSigned(handler="张三"), unit=COMPANY)
    subscriptions: Subscriptions = {
        "*.*.*": EnvelopeOnly(pass_on),
        "assignment.signed.*": handle,
    }
    async with dispatcher.service.store.act("service:dispatcher") as opened:
        told = [(fact, fact.encode()) for fact in (plain, needed)]
        await hear_own(subscriptions, opened, told)
    assert passed_on == [plain]
    received = await dispatcher.rows("SELECT fact FROM inbox")
    assert [row["fact"] for row in received] == [plain.id]


async def test_each_unit_counts_for_itself_whoever_speaks(dispatcher: Bench) -> None:
    given = await register(dispatcher, company())
    await delivered(dispatcher, *(warned(dispatcher, unit) for unit in ("HC", COMPANY)))
    await sign(dispatcher, COMPANY, given[COMPANY])
    await dispatcher.run("number_feed")
    for unit in COMPANY_CO:
        assert await read(dispatcher, unit) == [(1, "dispatched")]
    assert await read(dispatcher, COMPANY) == [(1, "dispatched"), (2, "warned"), (3, "signed")]
    assert await read(dispatcher, "HC") == [(1, "warned")]
    facts = [item["fact"] for item in (await page(dispatcher, COMPANY))["items"]]
    assert {(fact["unit"], fact["subject"]) for fact in facts} == {(COMPANY, NUMBER)}
