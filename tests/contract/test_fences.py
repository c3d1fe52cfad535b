"""What the broker lets whom do, under the users `broker-definitions` makes: one writer per fact."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import ChannelClosed, ProbableAuthenticationError
from aiormq.exceptions import ChannelAccessRefused
from typer.testing import CliRunner

from operations import broker
from operations.commands.table import cli
from operations.contracts.facts import UNIT, keys
from operations.runtime.registry import NAMES, part, topology
from shared.events import FACTS
from shared.messaging.bus import BusTrouble, Refused, matches
from shared.messaging.rabbit_bus import EXCHANGE, UNROUTED, RabbitBus
from tests.fixtures.fences import ZIYANG, Fenced, fences
from tests.fixtures.listener import Listener, consuming, message
from tests.fixtures.patience import WITHIN
from tests.fixtures.rabbitmq import Broker

SAID = {
    name: [key.replace(UNIT, "HC") for kind in FACTS.values() if kind.speaker == name for key in keys(kind)]
    for name in NAMES
}  # fmt: skip
QUEUES = [UNROUTED, *topology(ZIYANG)]


@pytest.fixture(scope="module")
def fenced(rabbitmq: Broker) -> Iterator[Fenced]:
    """A broker laid out and fenced by its definitions alone: nothing is declared by AMQP."""
    with fences(rabbitmq) as behind:
        yield behind


@asynccontextmanager
async def channel(fenced: Fenced, user: str) -> AsyncIterator[AbstractChannel]:
    """A channel of a user, with confirms."""
    async with await aio_pika.connect(fenced.url(user), timeout=WITHIN) as connection:
        yield await connection.channel(on_return_raises=True)


Act = Callable[[AbstractChannel], Awaitable[object]]


async def is_refused(connection: AbstractConnection, act: Act) -> bool:
    """Whether the broker refuses something, and says it is a matter of rights."""
    opened = await connection.channel(on_return_raises=True)
    try:
        await asyncio.wait_for(act(opened), WITHIN)
    except ChannelAccessRefused:
        return True
    await opened.close()
    return False


def publish(exchange: str, key: str) -> Act:
    async def act(opened: AbstractChannel) -> object:
        to = await opened.get_exchange(exchange, ensure=False)
        return await to.publish(aio_pika.Message(b"{}"), key, mandatory=False, timeout=WITHIN)

    return act


def get(queue: str) -> Act:
    async def act(opened: AbstractChannel) -> object:
        return await (await opened.get_queue(queue, ensure=False)).get(fail=False)

    return act


async def _take(_: object) -> None:
    return


def consume(queue: str) -> Act:
    async def act(opened: AbstractChannel) -> object:
        return await (await opened.get_queue(queue, ensure=False)).consume(_take)

    return act


def purge(queue: str) -> Act:
    async def act(opened: AbstractChannel) -> object:
        return await (await opened.get_queue(queue, ensure=False)).purge()

    return act


def delete(queue: str) -> Act:
    async def act(opened: AbstractChannel) -> object:
        standing = await opened.get_queue(queue, ensure=False)
        return await standing.delete(if_unused=False, if_empty=False)

    return act


def bind(queue: str, key: str) -> Act:
    async def act(opened: AbstractChannel) -> object:
        return await (await opened.get_queue(queue, ensure=False)).bind(EXCHANGE, key)

    return act


def unbind(queue: str, key: str) -> Act:
    async def act(opened: AbstractChannel) -> object:
        return await (await opened.get_queue(queue, ensure=False)).unbind(EXCHANGE, key)

    return act


def make(queue: str | None) -> Act:
    async def act(opened: AbstractChannel) -> object:
        return await opened.declare_queue(queue, exclusive=queue is None)

    return act


def make_exchange(name: str) -> Act:
    async def act(opened: AbstractChannel) -> object:
        return await opened.declare_exchange(name, "topic", durable=True)

    return act


def drop_exchange(name: str) -> Act:
    async def act(opened: AbstractChannel) -> object:
        return await opened.exchange_delete(name)

    return act


async def refusals(fenced: Fenced, user: str, acts: dict[str, Act]) -> set[str]:
    """The names of those acts a user is refused."""
    async with await aio_pika.connect(fenced.url(user), timeout=WITHIN) as connection:
        return {name for name, act in acts.items() if await is_refused(connection, act)}


# --- a unit ------------------------------------------------------------------------------------


async def test_a_unit_reads_its_own_queue(fenced: Fenced) -> None:
    bus = RabbitBus(fenced.url("dispatcher"))
    assert await bus.publish([message("assignment.dispatched.GAJ")]) == [None]
    await bus.close()
    async with channel(fenced, "unit.GAJ") as opened:
        queue = await opened.get_queue("unit.GAJ", ensure=False)
        async with queue.iterator(timeout=WITHIN) as arriving:
            arrived = await anext(arriving)
            await arrived.ack()
    assert arrived.routing_key == "assignment.dispatched.GAJ"


async def test_a_unit_reads_no_other_queue(fenced: Fenced) -> None:
    others = [queue for queue in QUEUES if queue != "unit.HC"]
    acts = {f"get {queue}": get(queue) for queue in others}
    acts |= {f"consume {queue}": consume(queue) for queue in others[:6]}
    assert await refusals(fenced, "unit.HC", acts) == set(acts)


async def test_a_unit_says_nothing(fenced: Fenced) -> None:
    """Not a fact, and not past the exchange: the nameless one leads to any queue by its name."""
    acts = {
        f"{exchange or 'default'} {key}": publish(exchange, key)
        for exchange, key in [
            (EXCHANGE, "assignment.signed.HC"),
            (EXCHANGE, ""),
            ("", "unit.HC"),
            ("", "svc.dispatcher"),
            (UNROUTED, ""),
            ("amq.topic", "x"),
        ]
    }
    assert await refusals(fenced, "unit.HC", acts) == set(acts)


async def test_a_unit_lays_out_and_drops_nothing(fenced: Fenced) -> None:
    acts = {
        "make": make("mine"),
        "make without a name": make(None),
        "make its own": make("unit.HC"),
        "make an exchange": make_exchange("mine"),
        "bind": bind("unit.HC", "#"),
        "unbind": unbind("unit.HC", "*.*.HC"),
        "bind another's": bind("unit.ZJJ", "#"),
        "delete": delete("unit.HC"),
        "delete another's": delete("unit.ZJJ"),
        "purge another's": purge("unit.ZJJ"),
        "purge a service's": purge("svc.intake"),
        "drop the exchange": drop_exchange(EXCHANGE),
    }
    assert await refusals(fenced, "unit.HC", acts) == set(acts)


async def test_nobody_connects_with_another_password(fenced: Fenced) -> None:
    stranger = fenced.url("unit.HC").replace("unit.HC-", "unit.ZJJ-")
    with pytest.raises(ProbableAuthenticationError):
        await aio_pika.connect(stranger, timeout=WITHIN)


# --- a service ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
async def test_a_service_publishes_every_fact_it_owns(fenced: Fenced, name: str) -> None:
    bus = RabbitBus(fenced.url(name))
    assert await bus.publish([message(key) for key in SAID[name]]) == [None] * len(SAID[name])
    await bus.close()


@pytest.mark.parametrize("name", NAMES)
async def test_a_service_publishes_no_fact_of_another(fenced: Fenced, name: str) -> None:
    others = {key for other in NAMES if other != name for key in SAID[other]}
    near = {
        "",
        "anything",
        *(word.format(key) for key in SAID[name][:1] for word in ("{}.x", "x.{}")),
    }
    acts = {key: publish(EXCHANGE, key) for key in others | near}
    acts |= {f"to {queue}": publish("", queue) for queue in QUEUES}
    assert await refusals(fenced, name, acts) == set(acts)


@pytest.mark.parametrize("name", NAMES)
async def test_a_service_touches_no_queue_but_its_own(fenced: Fenced, name: str) -> None:
    others = [queue for queue in QUEUES if queue != f"svc.{name}"]
    acts = {f"get {queue}": get(queue) for queue in others}
    acts |= {"purge": purge(others[1]), "delete": delete(others[1]), "bind": bind(others[1], "#")}
    acts |= {"more": make("svc.more"), "listen to more": bind(f"svc.{name}", "#")}
    acts |= {f"drop {exchange}": drop_exchange(exchange) for exchange in (EXCHANGE, UNROUTED)}
    assert await refusals(fenced, name, acts) == set(acts)


@pytest.mark.parametrize("name", [name for name in NAMES if part(name).subscriptions])
async def test_a_service_lays_out_its_own_queue_anew(fenced: Fenced, name: str) -> None:
    """As it does whenever it connects; a broker that lost the queue is given it again."""
    queue, bus = f"svc.{name}", RabbitBus(fenced.url(name))
    patterns = topology(ZIYANG)[queue]
    await bus.declare({queue: patterns})
    async with channel(fenced, name) as opened:
        await delete(queue)(opened)
    listener = Listener()
    await bus.declare({queue: patterns})
    heard = next(key for said in SAID.values() for key in said if _hears(patterns, key))
    speaker = RabbitBus(fenced.url(next(one for one in NAMES if heard in SAID[one])))
    async with consuming(bus, queue, listener):
        assert await speaker.publish([message(heard)]) == [None]
        await listener.until(lambda: heard in listener.keys)
    await bus.close()
    await speaker.close()


def _hears(patterns: Sequence[str], key: str) -> bool:
    return any(matches(pattern, key) for pattern in patterns)


async def test_a_refused_fact_holds_up_no_other(fenced: Fenced) -> None:
    """The relay puts off what the broker refused: it waits until its right is there."""
    bus, queue = RabbitBus(fenced.url("intake")), "svc.dispatcher"
    async with channel(fenced, "admin") as opened:
        await purge(queue)(opened)
    keys = ["ticket.urged", "ticket.closed", "ticket.urged", "ticket.closed", "ticket.withdrawn"]
    outcomes = await bus.publish([message(key) for key in keys])
    allowed = [outcome is None for outcome in outcomes]
    assert allowed == [True, False, True, False, True]
    assert not any(isinstance(outcome, BusTrouble) for outcome in outcomes)
    [alone] = await bus.publish([message("ticket.closed")])
    assert isinstance(alone, Refused)
    assert str(alone).startswith("403 ACCESS_REFUSED")
    assert await bus.waiting(queue) >= 3  # what was in flight when the channel closed may be twice
    assert await bus.publish([message("ticket.urged")]) == [None]
    await bus.close()


# --- who lays out ------------------------------------------------------------------------------


async def test_migrate_lays_everything_out(fenced: Fenced) -> None:
    bus = RabbitBus(fenced.url("migrate"))
    await bus.declare(topology(ZIYANG) | {"unit.NEW": ["*.*.NEW"]})
    assert await bus.waiting("unit.NEW") == 0
    await bus.close()


async def test_migrate_lays_out_an_empty_broker(rabbitmq: Broker) -> None:
    with fences(rabbitmq) as empty:
        async with channel(empty, "admin") as opened:
            for name in (EXCHANGE, UNROUTED):
                await opened.exchange_delete(name)
            for queue in QUEUES:
                await delete(queue)(opened)
        bus = RabbitBus(empty.url("migrate"))
        await bus.declare(topology(ZIYANG))
        assert await bus.waiting(UNROUTED) == 0
        await bus.close()


async def test_migrate_reads_nobodys_queue_and_says_no_fact(fenced: Fenced) -> None:
    acts = {queue: get(queue) for queue in QUEUES if queue != UNROUTED}
    acts |= {key: publish(EXCHANGE, key) for said in SAID.values() for key in said[:2]}
    acts |= {"default": publish("", "unit.HC")}
    assert await refusals(fenced, "migrate", acts) == set(acts)


async def test_what_the_definitions_lay_out_is_what_the_code_declares(fenced: Fenced) -> None:
    """Another argument would break the channel; the alternate exchange keeps what nobody hears."""
    async with channel(fenced, "admin") as opened:
        with pytest.raises(ChannelClosed):
            await opened.declare_queue("svc.intake", durable=True)
    bus = RabbitBus(fenced.url("admin"))
    await bus.declare(topology(ZIYANG))
    before = await bus.waiting(UNROUTED)
    assert await bus.publish([message("nobody.hears")]) == [None]
    assert await bus.waiting(UNROUTED) == before + 1
    await bus.close()


# --- the command -------------------------------------------------------------------------------


def printed(file: Path) -> str:
    """What the command prints."""
    arguments = ["broker-definitions", "--passwords", str(file), "--config", str(ZIYANG)]
    done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_passwords_are_made_once_kept_private_and_never_printed(tmp_path: Path) -> None:
    file = tmp_path / "broker.env"
    file.write_text("OTHER='kept'\nINTAKE_BROKER_PASSWORD=of-intake")
    file.chmod(0o600)
    first = printed(file)
    assert printed(file) == first
    lines = dict(line.split("=", 1) for line in file.read_text().splitlines())
    assert lines["OTHER"] == "'kept'"
    assert lines["INTAKE_BROKER_PASSWORD"] == "of-intake"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    words = [value for name, value in lines.items() if name.endswith("_BROKER_PASSWORD")]
    assert len(set(words)) == len(broker.users(ZIYANG))
    assert [word for word in words if word in first] == []


def test_a_blank_password_is_none_and_is_made_once(tmp_path: Path) -> None:
    file = tmp_path / "broker.env"
    file.write_text("UNIT_HC_BROKER_PASSWORD=\nADMIN_BROKER_PASSWORD=''\nOTHER=\n")
    made = broker.passwords(file, ["admin", "unit.HC"])
    assert broker.passwords(file, ["admin", "unit.HC"]) == made
    assert len(set(made.values()) - {""}) == 2
    assert file.read_text().splitlines() == [
        "OTHER=",
        f"ADMIN_BROKER_PASSWORD={made['admin']}",
        f"UNIT_HC_BROKER_PASSWORD={made['unit.HC']}",
    ]


def test_a_new_file_of_passwords_is_private(tmp_path: Path) -> None:
    printed(tmp_path / "new.env")
    assert stat.S_IMODE((tmp_path / "new.env").stat().st_mode) == 0o600


def test_there_is_a_user_for_each_who_connects_and_for_nobody_else(tmp_path: Path) -> None:
    users = {user["name"]: user["tags"] for user in json.loads(printed(tmp_path / "x"))["users"]}
    units = {queue for queue in QUEUES if queue.startswith("unit.")}
    assert set(users) == {"admin", "migrate", *NAMES, *units}
    assert [name for name, tags in users.items() if tags] == ["admin"]
