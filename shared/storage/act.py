"""A transaction as use cases see it, and the only commit there is.

A door (requests that meet, a batch of facts, a tick) opens one ``Store.act``; use cases work inside
it and never commit. Leaving the block saves the rows, writes the facts that were told to the outbox
and commits them together.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from shared import clock
from shared.caller import Caller
from shared.errors import BadCursor
from shared.events import Data, Fact
from shared.jurisdiction.succession import Dissolved
from shared.observability import new_traceparent, traceparent
from shared.storage.engine import PATIENCE, is_trouble, open_engine
from shared.storage.rows import Rows
from shared.storage.trouble import sqlstate

C = TypeVar("C")
L = TypeVar("L", str, UUID)


@dataclass(frozen=True, slots=True)
class Asked:
    """The request an act answers: the caller's key for it, what it was asked of, and the status of
    its answer when it succeeds.
    """

    target: str
    key: str | None
    status: int = 200


@dataclass(frozen=True, slots=True)
class Told:
    """A fact that waits for its number and its envelope until the act ends."""

    data: Data
    subject: str
    time: datetime
    round: int
    assignment: UUID | None
    unit: str | None
    actor: str
    traceparent: str | None


@dataclass(slots=True)
class Act(Generic[C]):
    """One transaction as a use case sees it: where to load and save, what time it is, who acts,
    the rules in force, and what is told when it ends.

    ``rows``: what is loaded to be changed, and what is added; ``session``: for what is only read.
    ``locked``: what it has loaded under a lock, by ticket number or by the id it was asked for, None
    for what is not here; it is loaded once an act, so whoever adds a ticket puts it there too.
    ``batch``: the facts received together in this act, ``targets``: what its requests are asked of;
    what they need can be loaded together. ``configuration``: which rules these are.
    ``urgent``: the tickets of which urgent facts were received, or that are urgent by their words.
    """

    session: AsyncSession
    rows: Rows
    now: datetime
    actor: str
    config: C
    store: Store[C]
    caller: Caller | None = None
    asked: Asked | None = None
    told: list[Told] = field(default_factory=list)
    locked: dict[Any, Any] = field(default_factory=dict)
    batch: Sequence[Fact] = ()
    targets: list[Any] = field(default_factory=list)
    configuration: str | None = None
    traces: dict[str, dict[str, str]] = field(default_factory=dict)
    urgent: set[str] = field(default_factory=set)

    def lock_order(self, subject: L, about: str = "") -> list[L]:
        """What to lock when one thing is needed, in the order of every replica's locks. The first call
        takes what all requests, and all facts whose names begin with ``about``, are about, and uses
        that up; later ones just the one.
        """
        together: set[Any] = {
            target for target in self.targets if isinstance(target, type(subject))
        }
        together.update(fact.subject for fact in self.batch if fact.name.startswith(about))
        self.batch = ()
        self.targets.clear()
        return sorted({subject, *together})

    def tell(
        self,
        data: Data,
        *,
        subject: str,
        round: int,
        time: datetime | None = None,
        assignment: UUID | None = None,
        unit: str | None = None,
        actor: str | None = None,
    ) -> None:
        """Say a fact; it becomes true with this transaction or not at all.

        ``time`` is when it became true (now), ``unit`` whom it is addressed to (nobody), ``actor``
        who made it true (who acts here).
        """
        self.told.append(
            Told(
                data,
                subject,
                time or self.now,
                round,
                assignment,
                unit,
                actor or self.actor,
                self._trace_of(subject),
            )
        )

    def _trace_of(self, subject: str) -> str | None:
        """The current trace for the first ticket that speaks under it, and one of its own for each
        other: who reads two facts must not learn that one request or one tick led to both.
        """
        current = traceparent()
        if current is None:
            return None
        begun = self.traces.setdefault(current, {})
        if subject not in begun:
            begun[subject] = new_traceparent() if begun else current
        return begun[subject]

    def cursor(self, place: str) -> str:
        """A place in a list as a caller may carry it: only we can have written it, for this list."""
        listed = f"{self.asked.target if self.asked else ''}\n{place}"
        return f"{place}~{self.store.fingerprint(listed.encode(errors='replace'))[:16]}"

    def place(self, cursor: str) -> str:
        """The place a cursor names. Raises BadCursor."""
        place = cursor.rpartition("~")[0]
        if cursor != self.cursor(place):
            raise BadCursor(field="after")
        return place


class Store(Generic[C]):
    """The database of one service with the rules its acts work under.

    ``before_commit`` writes what an act told; ``after_telling`` is called when that is committed,
    so that the relay need not wait for its next look; ``fingerprint`` is a keyed digest. A store
    that has not the first tells nothing, and one without the last keeps no caller's key.
    """

    def __init__(
        self,
        name: str,
        url: str,
        config: C,
        *,
        pool_size: int = 5,
        before_commit: Callable[[Act[C]], Awaitable[None]] | None = None,
        after_telling: Callable[[], None] = lambda: None,
        fingerprint: Callable[[bytes], str] | None = None,
        configuration: str | None = None,
    ) -> None:
        self.name = name
        self.config, self.configuration = config, configuration
        self.engine = open_engine(url, pool_size, PATIENCE)
        self.fingerprint = fingerprint or _keeps_no_key
        self.dissolved: Mapping[
            str, Dissolved
        ] = {}  # units that are no more (shared/succession.py)
        self.acts = 0  # begun and ended by this process: a look between two sees them all
        self._before_commit = before_commit or _tells_nothing
        self._after_telling = after_telling

    @asynccontextmanager
    async def act(
        self,
        actor: str,
        now: datetime | None = None,
        caller: Caller | None = None,
        asked: Asked | None = None,
    ) -> AsyncIterator[Act[C]]:
        """One transaction. Doors only: a use case gets its act as an argument."""
        self.acts += 1
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            moment, rows = now or clock.now(), Rows(session)
            act = Act(session, rows, moment, actor, self.config, self, caller, asked)
            act.configuration = self.configuration
            yield act
            if session.new or session.dirty or session.deleted:
                await session.flush()
            await rows.save()
            await self._before_commit(act)
            await _commit(session)
            self.acts += 1
        if act.told:
            self._after_telling()

    def take_up(self, config: C, configuration: str) -> None:
        """Other rules from the next act on; an act that has begun keeps those it began under."""
        self.config, self.configuration = config, configuration

    async def finish(self, connection: AsyncConnection) -> None:
        """Commit work done on a bare connection: the relay's marks, which tell nothing."""
        await connection.commit()

    async def close(self) -> None:
        """Give every connection back."""
        await self.engine.dispose()


async def _tells_nothing(act: Act[Any]) -> None:
    if act.told:
        raise AssertionError(f"what {act.store.name} told here would be lost")


def _keeps_no_key(_: bytes) -> str:
    raise AssertionError("a digest that anybody can reverse")


class InDoubt(ConnectionError):
    """The connection was lost at the commit: what was done may stand. To do it again needs a key."""


async def _commit(session: AsyncSession) -> None:
    try:
        await session.commit()
    except Exception as error:
        if is_trouble(error) and not sqlstate(error).startswith("40"):
            raise InDoubt from error
        raise
