"""步进时钟 Drives the stepped clock over HTTP: time passes when nobody has anything left to do.

Every process says by ``GET /clock`` whether it is idle and when there is next something to do;
``POST /clock`` steps it. Services that share a process share a clock and answer for one another,
others have one each: all are stepped alike. Only a system started with ``JIESU_CLOCK=simulated``
lets itself be stepped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import httpx

from examples.connection import Connection, Json, rest

PATIENCE = 180.0  # seconds: longer than any retry of a fact that came too early
BETWEEN_LOOKS = 0.005  # seconds


class Face(NamedTuple):
    """How one service's clock looked."""

    now: datetime
    idle: bool
    next_due: datetime | None


class NotIdle(Exception):
    """A service found no rest; the message says which."""


# What people do at an instant; True when somebody did something.
People = Callable[[datetime], Awaitable[bool]]
# When somebody next means to do something.
Agenda = Callable[[], datetime | None]


async def nobody(_: datetime) -> bool:
    """Nobody does anything."""
    return False


class Stepper:
    """All clocks of a system, stepped together with a token of role ``ops``.

    ``pause``: seconds between two looks. Over a real broker a fact may be on its way between them.
    """

    def __init__(
        self, http: httpx.AsyncClient, urls: Mapping[str, str], token: str, pause: float = 0.0
    ) -> None:
        self._services = {name: Connection(http, url, token) for name, url in urls.items()}
        self._pause = pause
        self._known: dict[str, Face] = {}
        self.now = datetime.min.replace(tzinfo=UTC)
        self.steps = 0

    async def settle(self) -> None:
        """Wait until all are idle, twice in a row and alike. Raises NotIdle."""
        self._known = {}
        while not await self._is_at_rest():
            pass

    async def _is_at_rest(self) -> bool:
        """Look until all were idle once; True when all were so, and alike, at the look before: a
        fact on its way between two services shows at one of the two. Raises NotIdle.
        """
        known, self._known = self._known, await self._look()
        if known == self._known and _all_idle(known):
            return True
        try:
            async with asyncio.timeout(PATIENCE):
                await self._until_idle(self._known)
        except TimeoutError:
            busy = [name for name, face in self._known.items() if not face.idle]
            raise NotIdle(", ".join(busy)) from None
        self.now = max(face.now for face in self._known.values())
        return False

    async def _until_idle(self, faces: dict[str, Face]) -> None:
        """Look again at those that are busy until they are not, and not too often: it is work for
        them too.
        """
        for name in faces:
            while not faces[name].idle:
                await rest(BETWEEN_LOOKS)
                faces[name] = _face(await self._services[name].get("/clock"))
        await rest(self._pause)

    async def step(self, to: datetime) -> None:
        """Move every clock forward to an instant; to be told so twice does a clock no harm."""
        self.now, body = to, {"now": to.isoformat()}
        answers = await asyncio.gather(
            *(one.post("/clock", body, key=body["now"]) for one in self._services.values())
        )
        # What they answer is a first look at how they are now.
        self._known = dict(zip(self._services, map(_face, answers), strict=True))
        self.steps += 1

    async def run(
        self, until: datetime | None = None, people: People = nobody, agenda: Agenda = lambda: None
    ) -> None:
        """Let time pass: to an instant, or until nobody has anything to do any more.

        At each instant all services come to rest first, then people act, until they are done too.
        """
        content = False  # whether nobody had anything to do after the look before
        while True:
            at_rest = await self._is_at_rest()
            if not (at_rest and content):
                content = not await people(self.now)
                if not content:
                    self._known = {}  # what they did has to come to rest anew
                if not (at_rest and content):
                    continue
            due = earliest(face.next_due for face in self._known.values())
            wanted = earliest((due, agenda(), until))
            if wanted is None or (until is not None and self.now >= until):
                return
            await self.step(wanted)
            content = False

    async def _look(self) -> dict[str, Face]:
        answers = await asyncio.gather(*(one.get("/clock") for one in self._services.values()))
        return dict(zip(self._services, map(_face, answers), strict=True))


def _face(answer: Json) -> Face:
    due = answer["next_due"]
    return Face(
        datetime.fromisoformat(answer["now"]),
        answer["idle"],
        due and datetime.fromisoformat(due),
    )


def _all_idle(faces: Mapping[str, Face]) -> bool:
    return all(face.idle for face in faces.values())


def earliest(moments: Iterable[datetime | None]) -> datetime | None:
    """The first of some instants."""
    return min((moment for moment in moments if moment is not None), default=None)
