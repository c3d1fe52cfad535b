"""What is done to a town while it works: one fire after another, each put out before the next."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from random import Random

from services.registry import NAMES
from shared import clock
from tests.fire.town import Town

Fire = Callable[[Town, Random], Awaitable[None]]
FREEZE = 1.5  # seconds
SPRING_WITHIN = 5.0


def kill(service: str) -> Fire:
    """SIGKILL a service in the midst of its work, and start it again."""

    async def fire(town: Town, _: Random) -> None:
        await town.kill(service)
        await town.start(service)

    return fire


async def restart_broker(town: Town, _: Random) -> None:
    """Kill the broker, and start it again on its data."""
    await town.servers.restart_rabbit()


async def freeze_broker(town: Town, _: Random) -> None:
    """Nothing passes between services and broker, and nobody is told; then it goes on."""
    for replica in town.replicas.values():
        replica.bus.freeze()
    await clock.pause(FREEZE)
    for replica in town.replicas.values():
        replica.bus.resume()


def cut_broker(service: str) -> Fire:
    """Cut a service off the broker, while its link is slow."""

    async def fire(town: Town, _: Random) -> None:
        bus = town[service].bus
        bus.delay = 0.05
        await clock.pause(0.3)
        bus.cut()
        bus.resume()

    return fire


def restart_database(*, crash: bool) -> Fire:
    """Stop the database, or kill it with SIGKILL, and start it again."""

    async def fire(town: Town, _: Random) -> None:
        await town.restart_database(crash=crash)

    return fire


def cut_commit(service: str, *, heard: bool) -> Fire:
    """Cut a service's connection at its next COMMIT: before the database hears it, or after."""

    async def fire(town: Town, _: Random) -> None:
        trap = town[service].database.trap(b"COMMIT", "cut", heard=heard)
        try:
            await asyncio.wait_for(trap.sprung.wait(), SPRING_WITHIN)
        except TimeoutError:
            town[service].database.resume()

    return fire


def freeze_and_kill(service: str, *, heard: bool) -> Fire:
    """Freeze a service at its next COMMIT and kill it there: nobody knows whether it stands."""

    async def fire(town: Town, _: Random) -> None:
        line = town[service].database
        trap = line.trap(b"COMMIT", "freeze", heard=heard)
        try:
            await asyncio.wait_for(trap.sprung.wait(), SPRING_WITHIN)
        except TimeoutError:
            line.resume()
        await town.kill(service)
        line.resume()
        await town.start(service)

    return fire


SHORT: Sequence[tuple[str, Fire]] = (
    ("kill", kill("intake")),
    ("cut at commit", cut_commit("intake", heard=True)),
    ("kill", freeze_and_kill("dispatcher", heard=True)),
    ("broker frozen", freeze_broker),
    ("kill", kill("tracker")),
    ("broker restarted", restart_broker),
    ("cut at commit", cut_commit("dispatcher", heard=False)),
    ("kill", kill("feedback")),
    ("database restarted", restart_database(crash=True)),
    ("broker cut", cut_broker("tracker")),
)


def long(kills: int, throw: Random) -> list[tuple[str, Fire]]:
    """So many kills, each service in turn and at every kind of moment, with the rest between."""
    fires: list[tuple[str, Fire]] = []
    for number in range(kills):
        service = NAMES[number % len(NAMES)]
        ways = (kill(service), freeze_and_kill(service, heard=bool(number % 2)))
        fires.append(("kill", ways[number // len(NAMES) % 2]))
        if number % 3 == 0:
            fires.append(("cut at commit", cut_commit(throw.choice(NAMES), heard=number % 2 == 0)))
        if number % 5 == 0:
            fires.append(("broker cut", cut_broker(throw.choice(NAMES))))
        if number % 8 == 3:
            fires.append(("broker frozen", freeze_broker))
        if number % 10 == 5:
            fires.append(("broker restarted", restart_broker))
        if number % 10 == 8:
            fires.append(("database restarted", restart_database(crash=number % 20 == 8)))
    return fires


class Arson:
    """Lights the fires in turn, one at every ``every``-th moment at which people act."""

    def __init__(
        self, town: Town, fires: Sequence[tuple[str, Fire]], every: int, throw: Random
    ) -> None:
        self.lit: Counter[str] = Counter()
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
            self._burning = asyncio.create_task(self._light(*self._waiting.pop(0)))

    async def _light(self, name: str, fire: Fire) -> None:
        await clock.pause(self._throw.uniform(0.0, 0.25))  # into the midst of what is under way
        self.lit[name] += 1
        await fire(self._town, self._throw)

    async def out(self) -> None:
        """Wait until the last one is out."""
        burning, self._burning = self._burning, None
        if burning:
            await burning
