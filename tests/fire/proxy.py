"""A TCP proxy that misbehaves when told to: it cuts, freezes, delays, refuses, and lets pass again.

One stands between a service and its database, one between a service and the broker. A trap waits
for a word of the client (``COMMIT``) and then cuts or freezes, before the server hears the word or
after it has answered: so a connection dies exactly there. It reads prepared statements by name.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from shared import clock

Target = Path | tuple[str, int]  # a Unix socket, or host and port
CHUNK = 65_536
PREPARED = re.compile(rb"P.{4}(__asyncpg_\w+)\0([^\0]*)\0", re.DOTALL)  # PostgreSQL's Parse


@dataclass(slots=True)
class Trap:
    """What springs when the client says ``word``: ``heard`` is whether the server still hears it.

    ``within``: only in a transaction in which the client has said one of these; empty: anywhere.
    """

    word: bytes
    then: Literal["cut", "freeze"]
    heard: bool
    within: Sequence[bytes] = ()
    sprung: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True, eq=False)
class Link:
    """One connection that passes through; ``caught``: its next answer springs the trap.

    ``armed``: its transaction is one the trap waits for. ``prepared``: statements by name.
    """

    pumps: list[asyncio.Task[None]] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    prepared: dict[bytes, bytes] = field(default_factory=dict)
    armed: Trap | None = None
    caught: Trap | None = None

    def cut(self) -> None:
        """Both ends see a broken connection; what was under way is gone."""
        for writer in self.writers:
            writer.transport.abort()
        for pump in self.pumps:
            pump.cancel()

    def words(self, piece: bytes) -> bytes:
        """What the client says, with the statements it prepared before and calls by name."""
        self.prepared.update(PREPARED.findall(piece))
        called = [said for name, said in self.prepared.items() if b"\0%b\0" % name in piece]
        return b"\n".join([piece, *called])


class Proxy:
    """Listens on ``port`` of loopback while its block lasts; ``target`` may move meanwhile."""

    def __init__(self, target: Target, port: int) -> None:
        self.target, self.port = target, port
        self.delay = 0.0  # seconds before each piece is passed on
        self.refuses = False
        self.taken = 0  # connections that came, also those refused
        self.answered = 0  # pieces that were passed back
        self._flows = asyncio.Event()
        self._flows.set()
        self._resumed = asyncio.Event()
        self._links: set[Link] = set()
        self._trap: Trap | None = None

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[Proxy]:
        """Let connections pass while the block lasts."""
        server = await asyncio.start_server(self._take, "127.0.0.1", self.port)
        try:
            yield self
        finally:
            server.close()
            self.cut()

    # --- misbehaving ---------------------------------------------------------------------------

    def cut(self) -> None:
        """Break every connection that stands."""
        for link in list(self._links):
            link.cut()

    def refuse(self) -> None:
        """Break every connection, and take none."""
        self.refuses = True
        self.cut()

    def freeze(self) -> None:
        """Pass nothing on, and tell nobody."""
        self._flows.clear()

    def resume(self) -> None:
        """Be a good proxy again; what was frozen goes on."""
        self.refuses, self.delay, self._trap = False, 0.0, None
        self._flows.set()
        self._resumed.set()
        self._resumed = asyncio.Event()

    def trap(
        self,
        word: bytes,
        then: Literal["cut", "freeze"],
        *,
        heard: bool,
        within: Sequence[bytes] = (),
    ) -> Trap:
        """Cut a connection when its client next says a word, or freeze the word, or the answer."""
        self._trap = Trap(word, then, heard, within)
        return self._trap

    # --- passing on ----------------------------------------------------------------------------

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(writers=[writer])
        self.taken += 1
        if self.refuses:
            link.cut()
            return
        try:
            there, back = await self._connect()
        except OSError:  # the server is away: so are we
            link.cut()
            return
        link.writers.append(back)
        link.pumps = [
            asyncio.create_task(self._pump(link, reader, back, says=True)),
            asyncio.create_task(self._pump(link, there, writer, says=False)),
        ]
        self._links.add(link)
        await asyncio.wait(link.pumps, return_when=asyncio.FIRST_COMPLETED)
        link.cut()
        await asyncio.gather(*link.pumps, return_exceptions=True)
        self._links.discard(link)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.target, Path):
            return await asyncio.open_unix_connection(str(self.target))
        return await asyncio.open_connection(*self.target)

    async def _pump(
        self, link: Link, source: asyncio.StreamReader, to: asyncio.StreamWriter, *, says: bool
    ) -> None:
        """Pass pieces on; ``says``: they are the client's words."""
        with contextlib.suppress(ConnectionError):
            while piece := await source.read(CHUNK):
                if self.delay:
                    await clock.pause(self.delay)
                if trap := self._watch(link, piece) if says else self._answer(link):
                    await self._spring(link, trap)
                await self._flows.wait()
                to.write(piece)
                await to.drain()
                self.answered += not says

    def _watch(self, link: Link, piece: bytes) -> Trap | None:
        """The trap that springs at what the client says."""
        words, trap = link.words(piece), self._trap
        if trap is None:
            return None
        if b"ROLLBACK" in words:
            link.armed = None
        elif any(word in words for word in trap.within):
            link.armed = trap
        if trap.word not in words or (trap.within and link.armed is not trap):
            return None
        self._trap = None
        if not trap.heard:
            return trap
        link.caught = trap
        return None

    def _answer(self, link: Link) -> Trap | None:
        """The trap that springs at an answer."""
        trap, link.caught = link.caught, None
        return trap

    async def _spring(self, link: Link, trap: Trap) -> None:
        """Cut the link; or keep what follows in this direction until somebody resumes."""
        trap.sprung.set()
        if trap.then == "cut":
            link.cut()
        await self._resumed.wait()
