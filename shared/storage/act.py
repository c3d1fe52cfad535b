"""One service's database: its tables, its transactions, and the only commit there is.

A door (request, batch of facts, tick) opens one ``Store.act``; use cases work inside it and never
commit. Leaving the block writes the facts that were told to the outbox and commits both together.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Connection, MetaData, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from shared import clock
from shared.errors import BadCursor
from shared.events import Data, Fact
from shared.observability import traceparent

C = TypeVar("C")
T = TypeVar("T")
R = TypeVar("R")

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls by HTTP: the role of the token, its unit if it has one, and a name for the record."""

    role: str
    name: str
    unit: str | None = None

    @property
    def actor(self) -> str:
        """How facts name this caller: ``unit:HC:name`` or ``desk:name``."""
        return ":".join(part for part in (self.role, self.unit, self.name) if part)


@dataclass(frozen=True, slots=True)
class Asked:
    """The request an act answers: the caller's key for it, and what it was asked of."""

    target: str
    key: str | None


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

    ``held``: what it has loaded under a lock, by ticket number, None for what is not here; it is
    loaded once an act, so whoever adds a ticket puts it there too. ``ahead``: the facts received
    together in this act, so that what they need can be loaded together.
    """

    session: AsyncSession
    now: datetime
    actor: str
    config: C
    store: Store[C]
    caller: Caller | None = None
    asked: Asked | None = None
    told: list[Told] = field(default_factory=list)
    held: dict[str, Any] = field(default_factory=dict)
    ahead: Sequence[Fact] = ()

    def together(self, subject: str, about: str = "") -> list[str]:
        """The subjects to lock when one is needed, in the order of every replica's locks: at first
        those of all facts ahead whose names begin with ``about``, later just the one.
        """
        ahead, self.ahead = self.ahead, ()
        return sorted({subject, *(fact.subject for fact in ahead if fact.name.startswith(about))})

    def tell(
        self,
        data: Data,
        *,
        subject: str,
        time: datetime | None = None,
        round: int = 1,
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
                traceparent(),
            )
        )

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
    so that the relay need not wait for its next look. A store that nobody gave the one tells
    nothing, and one without a ``fingerprint`` keeps no caller's key.
    """

    def __init__(self, name: str, url: str, config: C, *, pool_size: int = 5) -> None:
        self.name = name
        self.config = config
        self.engine = open_engine(url, pool_size, PATIENCE)
        self.after_telling: Callable[[], None] = lambda: None
        self.before_commit: Callable[[Act[C]], Awaitable[None]] = _tells_nothing
        self.fingerprint: Callable[[bytes], str] = _keeps_no_key
        self.acts = 0  # begun and ended by this process: a look between two sees them all

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
            act = Act(session, now or clock.now(), actor, self.config, self, caller, asked)
            yield act
            await self.before_commit(act)
            await _commit(session)
            self.acts += 1
        if act.told:
            self.after_telling()

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
        if is_trouble(error) and not _sqlstate(error).startswith("40"):
            raise InDoubt from error
        raise


# What a peer that vanished without a word may hold up: a replica's locks (the relay's, a day's
# numbers) are given back after a minute, and a server that does not answer is trouble after half.
PATIENCE = 30.0  # seconds for one statement; migrations may take longer
SESSION = {
    "timezone": "UTC",
    "application_name": "jiesu",
    "idle_in_transaction_session_timeout": "60s",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}


def open_engine(url: str, pool_size: int = 5, patience: float | None = None) -> AsyncEngine:
    """An engine whose errors never carry values: they would reach logs and the retry table.

    ``patience`` is how many seconds a statement may take; None is for ever.
    """
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=15,
        pool_pre_ping=False,
        hide_parameters=True,
        connect_args={"server_settings": SESSION, "timeout": 10, "command_timeout": patience},
    )


async def migrate(url: str, folder: Path) -> None:
    """Bring a database to the newest schema of a service's migrations folder."""
    engine = open_engine(url, 1)
    if not await is_current(engine, folder):
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade, folder)
    await engine.dispose()


def _upgrade(connection: Connection, folder: Path) -> None:
    from alembic import command  # half a second that a start on a current schema need not pay
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(folder))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def run_migrations(metadata: MetaData) -> None:
    """What every service's migrations/env.py does: run on the connection migrate() opened."""
    from alembic import context

    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=metadata, compare_server_default=True)
    with context.begin_transaction():
        context.run_migrations()


async def is_current(engine: AsyncEngine, folder: Path) -> bool:
    """Whether the database has at least the schema of a service's migrations folder.

    A revision is the first word of its file's name (0001_initial.py). One we do not know is a
    newer release's: it only expanded the schema, and both releases run side by side.
    """
    revisions = sorted(path.stem.partition("_")[0] for path in folder.glob("versions/[0-9]*.py"))
    async with engine.connect() as connection:
        known = await connection.execute(text("SELECT to_regclass('alembic_version')"))
        if known.scalar() is None:
            return False
        version = (
            await connection.execute(text("SELECT version_num FROM alembic_version"))
        ).scalar()
    return version is not None and version not in revisions[:-1]


# 08 connection, 40 serialization and deadlock, 53 resources, 57 operator intervention.
TROUBLE = ("08", "40", "53", "57", "55P03")


def is_trouble(error: BaseException) -> bool:
    """Whether an error is the database's trouble and no failure of what was being done."""
    if isinstance(error, (PoolTimeout, ConnectionError, TimeoutError, OSError)):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if isinstance(error.orig and error.orig.__cause__, ValueError):
        return False  # the driver refused an argument: it would refuse it for ever
    state = _sqlstate(error)
    return error.connection_invalidated or not state or state.startswith(TROUBLE)


def _sqlstate(error: BaseException) -> str:
    """The database's own code for an error; empty when it gave none."""
    return str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")


class GroupCommit(Generic[T, R]):
    """Requests that arrive while a commit is under way share the next one.

    ``run`` serves a whole group in one transaction and answers one by one: a result or an error
    for each. When the group as a whole fails it is run again one by one, so that nobody pays for
    a neighbour; but not when it may have been committed, for then it would be done twice. While
    the database is away nobody waits for more than one further try.
    """

    def __init__(
        self, run: Callable[[Sequence[T]], Awaitable[Sequence[R | Exception]]], limit: int = 100
    ) -> None:
        self._run = run
        self._limit = limit
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._working: asyncio.Task[None] | None = None

    async def submit(self, item: T) -> R:
        """Wait for the commit that holds this item; raises what went wrong with it."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        future.add_done_callback(_heard)
        self._waiting.append((item, future))
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
            try:
                _answer(group, await self._run([item for item, _ in group]))
            except InDoubt as error:
                _answer(group, [error] * len(group))
            except Exception:
                await self._one_by_one(group)

    async def _one_by_one(self, group: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        for at, (item, future) in enumerate(group):
            try:
                _answer([(item, future)], await self._run([item]))
            except Exception as error:
                if is_trouble(error) and not _sqlstate(error).startswith("40"):
                    _answer(group[at:], [error] * (len(group) - at))
                    return
                _answer([(item, future)], [error])


def _heard(future: asyncio.Future[Any]) -> None:
    # A request that was cancelled asks no more; asyncio would log the error with its words.
    if not future.cancelled():
        future.exception()


def _answer(group: Sequence[tuple[T, asyncio.Future[R]]], answers: Sequence[R | Exception]) -> None:
    for (_, future), answer in zip(group, answers, strict=True):
        if future.done():
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
