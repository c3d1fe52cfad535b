"""The relay's crash points, in a process that is killed exactly there."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator

import aio_pika
import pytest

from examples.phone_system import PhoneSystem
from examples.stories import ROAD
from shared.messaging.rabbit_bus import EXCHANGE
from tests.fixtures.fire.ledger import drained
from tests.fixtures.fire.servers import Servers
from tests.fixtures.fire.town import Town, town, until

PROBE = "fire.probe"
MARK = b"UPDATE outbox o SET position"


@pytest.fixture(scope="module")
async def lonely(burning: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """A town in which only intake runs, and a queue that hears everything."""
    async with town(burning, tmp_path_factory.mktemp("lonely")) as one:
        async with await aio_pika.connect(one.vhost) as connection:
            queue = await (await connection.channel()).declare_queue(PROBE, durable=True)
            await queue.bind(EXCHANGE, "#")
        await one.start("intake")
        yield one


def phone(one: Town) -> PhoneSystem:
    """A phone system that only registers."""
    return PhoneSystem(
        one.http, one.urls, one.token("phone_system"), one.webhook_secret, lambda _: {}
    )


async def settled(one: Town) -> Counter[str]:
    """When every fact has its place: how often each stands on the broker."""

    async def relayed() -> bool:
        rows = await one.rows("intake", "SELECT count(*) FROM outbox WHERE position IS NULL")
        return bool(rows[0][0] == 0)

    await until(relayed)
    rows = await one.rows("intake", "SELECT position FROM outbox ORDER BY position")
    assert [row.position for row in rows] == list(range(1, len(rows) + 1))
    copies = Counter(map(str, await drained(one, PROBE)))
    said = {str(row.fact) for row in await one.rows("intake", "SELECT fact FROM outbox")}
    assert set(copies) <= said  # nothing is on the broker that was not said
    return copies


async def test_killed_between_select_and_publish_says_it_once(lonely: Town) -> None:
    await settled(lonely)
    intake = lonely["intake"]
    trap = intake.bus.trap(b"ticket.registered", "freeze", heard=False)
    await phone(lonely).register(ROAD, "before-publish")
    await trap.sprung.wait()
    await lonely.kill("intake")
    intake.bus.resume()
    assert await drained(lonely, PROBE) == []
    await lonely.start("intake")
    assert list((await settled(lonely)).values()) == [1]


async def test_killed_between_confirm_and_commit_says_it_twice_under_one_id(lonely: Town) -> None:
    """The inbox of each listener knows the second by its id (test_kill_run counts them)."""
    await settled(lonely)
    intake = lonely["intake"]
    trap = intake.bus.trap(b"ticket.registered", "freeze", heard=True)
    await phone(lonely).register(ROAD, "between-confirm-and-commit")
    await trap.sprung.wait()  # the broker has confirmed, and the relay has not heard it
    await lonely.kill("intake")
    intake.bus.resume()
    await lonely.start("intake")
    assert list((await settled(lonely)).values()) == [2]


async def test_killed_before_its_commit_is_heard_says_it_twice(lonely: Town) -> None:
    await settled(lonely)
    intake = lonely["intake"]
    trap = intake.database.trap(b"COMMIT", "freeze", heard=False, within=[MARK])
    await phone(lonely).register(ROAD, "at-the-mark")
    await trap.sprung.wait()
    await lonely.kill("intake")
    intake.database.resume()
    await lonely.start("intake")
    assert list((await settled(lonely)).values()) == [2]


async def test_killed_after_its_commit_says_it_once(lonely: Town) -> None:
    await settled(lonely)
    await phone(lonely).register(ROAD, "after-commit")

    async def marked() -> bool:
        rows = await lonely.rows("intake", "SELECT 1 FROM outbox WHERE position IS NULL")
        return not rows

    await until(marked)
    await lonely.kill("intake")
    await lonely.start("intake")
    assert list((await settled(lonely)).values()) == [1]
