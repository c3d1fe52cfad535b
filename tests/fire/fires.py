"""What is done to a town while it works: one fire after another, each put out before the next."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from random import Random

from services.registry import NAMES
from shared import clock
from tests.fire.proxy import Trap
from tests.fire.town import Town

# A fire says how it burned: what was meant for a commit may find none in time.
Fire = Callable[[Town, Random], Awaitable[str]]
FREEZE = 1.5  # seconds
SPRING_WITHIN = 10.0
WORK = (b"INSERT INTO inbox", b"INSERT INTO outbox")  # a relay's commit every half second is none
KILL, KILL_AT_COMMIT = "kill", "kill at commit"
CUT_AT_COMMIT, MISSED = "cut at commit", "no commit to cut at"


def kill(service: str) -> Fire:
    """SIGKILL a service in the midst of its work, and start it again."""

    async def fire(town: Town, _: Random) -> str:
        await town.kill(service)
        await town.start(service)
        return KILL

    return fire


async def restart_broker(town: Town, _: Random) -> str:
    """Kill the broker, and start it again on its data."""
    await town.servers.restart_rabbit()
    return "broker restarted"


async def freeze_broker(town: Town, _: Random) -> str:
    """Nothing passes between services and broker, and nobody is told; then it goes on."""
    for replica in town.replicas.values():
        replica.bus.freeze()
    await clock.pause(FREEZE)
    for replica in town.replicas.values():
        replica.bus.resume()
    return "broker frozen"


def cut_broker(service: str) -> Fire:
    """Cut a service off the broker, while its link is slow."""

    async def fire(town: Town, _: Random) -> str:
        bus = town[service].bus
        bus.delay = 0.05
        await clock.pause(0.3)
        bus.cut()
        bus.resume()
        return "broker cut"

    return fire


def restart_database(*, crash: bool) -> Fire:
    """Stop the database, or kill it with SIGKILL, and start it again."""

    async def fire(town: Town, _: Random) -> str:
        await town.restart_database(crash=crash)
        return "database restarted"

    return fire


def cut_commit(service: str, *, heard: bool) -> Fire:
    """Cut a service's connection as it commits work: before the database hears it, or after."""

    async def fire(town: Town, _: Random) -> str:
        line = town[service].database
        cut = await _springs(line.trap(b"COMMIT", "cut", heard=heard, within=WORK))
        line.resume()
        return CUT_AT_COMMIT if cut else MISSED

    return fire


def freeze_and_kill(service: str, *, heard: bool) -> Fire:
    """Freeze a service as it commits work and kill it there: nobody knows whether it stands."""

    async def fire(town: Town, _: Random) -> str:
        line = town[service].database
        frozen = await _springs(line.trap(b"COMMIT", "freeze", heard=heard, within=WORK))
        await town.kill(service)
        line.resume()
        await town.start(service)
        return KILL_AT_COMMIT if frozen else KILL

    return fire


async def _springs(trap: Trap) -> bool:
    """Whether a trap springs in time."""
    with suppress(TimeoutError):
        await asyncio.wait_for(trap.sprung.wait(), SPRING_WITHIN)
    return trap.sprung.is_set()


SHORT: Sequence[Fire] = (
    kill("intake"),
    cut_commit("intake", heard=True),
    freeze_and_kill("dispatcher", heard=True),
    freeze_broker,
    kill("tracker"),
    restart_broker,
    cut_commit("dispatcher", heard=False),
    kill("feedback"),
    restart_database(crash=True),
    cut_broker("tracker"),
)
KINDS = {
    KILL,
    KILL_AT_COMMIT,
    CUT_AT_COMMIT,
    "broker frozen",
    "broker restarted",
    "broker cut",
    "database restarted",
}


def long(kills: int, throw: Random) -> list[Fire]:
    """So many kills, each service in turn and at every kind of moment, with the rest between."""
    fires: list[Fire] = []
    for number in range(kills):
        service = NAMES[number % len(NAMES)]
        ways = (kill(service), freeze_and_kill(service, heard=bool(number % 2)))
        fires.append(ways[number // len(NAMES) % 2])
        if number % 3 == 0:
            fires.append(cut_commit(throw.choice(NAMES), heard=number % 2 == 0))
        if number % 5 == 0:
            fires.append(cut_broker(throw.choice(NAMES)))
        if number % 8 == 3:
            fires.append(freeze_broker)
        if number % 10 == 5:
            fires.append(restart_broker)
        if number % 10 == 8:
            fires.append(restart_database(crash=number % 20 == 8))
    return fires


class Arson:
    """Lights the fires in turn, one at every ``every``-th moment at which people act.

    ``burned``: those that are out, as they burned.
    """

    def __init__(self, town: Town, fires: Sequence[Fire], every: int, throw: Random) -> None:
        self.burned: Counter[str] = Counter()
        self._town, self._waiting, self._every, self._throw = town, list(fires), every, throw
        self._burning: asyncio.Task[None] | None = None
        self._moments = 0

    @property
    def left(self) -> int:
        """How many fires were not lit yet."""
        return len(self._waiting)

    async def moment(self) -> None:
        """People are about to act: perhaps light one, and let it burn while they do."""
        self._moments += 1
        if self._burning and self._burning.done():
            await self.out()
        if self._waiting and self._burning is None and self._moments % self._every == 0:
            self._burning = asyncio.create_task(self._light(self._waiting.pop(0)))

    async def _light(self, fire: Fire) -> None:
        await clock.pause(self._throw.uniform(0.0, 0.25))  # into the midst of what is under way
        self.burned[await fire(self._town, self._throw)] += 1

    async def out(self) -> None:
        """Wait until the last one is out."""
        burning, self._burning = self._burning, None
        if burning:
            await burning
