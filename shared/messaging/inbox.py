"""Facts are received once.

A batch of facts is one transaction: their ids, what the handlers changed and what they told. The
facts of a subject of which one fails are taken one by one, the rest together (or one by one, if that
fails too). A fact that fails when it is taken alone is parked in ``retry``, so one poison fact holds
up only its own subject. Trouble of the database is no failure of a fact: it is raised, nothing counts
as received and the bus hands the same batch over again.

A fact of a newer release is parked as ``newer`` and waits for it (docs/how-it-flows.md#between-releases).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import clock
from shared.errors import NewerFact
from shared.events import Fact, speaker_of, vocabulary
from shared.messaging.arrival import Arrived, decode, read
from shared.messaging.bus import Message, matches
from shared.messaging.lanes import overtakes
from shared.messaging.retries import (
    AGAIN,
    AWAITS,
    DONE,
    DUE,
    EARLY_AGAIN,
    EXPECT,
    NEWER_AGAIN,
    PARK,
    TAKE,
    next_try,
    printable,
    reason_of,
    state_of,
)
from shared.observability import log, trace
from shared.storage.act import Act, Store
from shared.storage.engine import is_trouble

Handler = Callable[[Act[Any], Fact], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class EnvelopeOnly:
    """A handler that goes by the envelope, or passes facts on: it reads nothing of their data.

    It is given the bytes as they were received, at once: also of a newer fact, and of one whose
    subject is held up (but of one that fails in another handler when that is tried again); and what
    its own service says (shared/messaging/own_facts.py). A fact that is tried again is given to it
    again, so the second time it must do nothing.
    """

    pass_on: Callable[[Act[Any], Fact, bytes], Awaitable[None]]


Subscriptions = Mapping[str, Handler | EnvelopeOnly]

# Which facts of a batch are new, and which subjects are blocked: while a fact of a subject waits for
# another try, later ones wait behind it, and still later ones behind those. A fact that is merely
# early blocks nobody: what it waits for may be right behind it.
RECEIVE = text("""
    WITH fresh AS (
        INSERT INTO inbox (consumer, fact, received)
        SELECT :consumer, f, :now FROM unnest(CAST(:facts AS uuid[])) AS f
        ON CONFLICT DO NOTHING RETURNING fact)
    SELECT fact, CAST(NULL AS text) AS blocked, false AS newer FROM fresh UNION ALL
    SELECT CAST(NULL AS uuid), subject, bool_or(again IS NOT NULL) FROM retry
    WHERE consumer = :consumer AND subject = ANY(CAST(:subjects AS text[]))
        AND (state IN ('failed', 'behind') OR holds)
    GROUP BY subject""")


class _Undone(Exception):
    """A batch is rolled back, and taken again without what fails."""


class Inbox:
    """Receives facts for one service."""

    def __init__(self, store: Store[Any], subscriptions: Subscriptions) -> None:
        self._store = store
        self._subscriptions = subscriptions
        self._actor = f"service:{store.name}"

    async def receive(self, messages: Sequence[Message]) -> None:
        """Receive a batch: every fact is handled or parked when this returns.

        Raises what is_trouble() calls trouble; then none of the batch counts as received.
        """
        batch = sorted(map(read, messages), key=lambda arrived: arrived.subject)
        failing = await self._receive_together(batch)
        if not failing:
            return
        rest = [arrived for arrived in batch if arrived.subject not in failing]
        alone = batch
        if rest and not await self._receive_together(rest):
            alone = [arrived for arrived in batch if arrived.subject in failing]
        for arrived in alone:
            await self._receive_alone(arrived)

    async def _receive_together(self, batch: Sequence[Arrived]) -> set[str]:
        """Receive a batch in one transaction. Returns the subjects that stand in its way, all when it
        cannot be said which: then nothing of it is received.
        """
        failing: set[str] = set()
        try:
            async with self._store.act(self._actor) as act:
                await self._handle_fresh(act, batch, failing)
                if failing:
                    raise _Undone
        except _Undone:
            return failing
        except Exception as error:
            if is_trouble(error):
                raise
            return {arrived.subject for arrived in batch}
        return failing

    async def _handle_fresh(
        self, act: Act[Any], batch: Sequence[Arrived], failing: set[str] | None = None
    ) -> None:
        """Handle what is new of a batch. ``failing``: takes the subject of a fact that fails, so that
        all that do are found at once; without it the failure is raised.
        """
        connection = await act.session.connection()
        act.urgent.update(arrived.subject for arrived in batch if arrived.message.urgent)
        fresh, blocked = await self._fresh(connection, batch)
        act.batch = [
            arrived.fact
            for arrived in fresh
            if arrived.fact and not arrived.newer and arrived.subject not in blocked
        ]
        for arrived in fresh:
            if arrived.fact is None:
                await self._park(connection, arrived, "dead", arrived.reason)
                continue
            await self._pass_on(act, arrived.message, arrived.fact)
            if arrived.newer:
                await self._keep_newer(connection, arrived, blocked)
            elif arrived.subject not in blocked:
                try:
                    await self._handle(act, arrived.message.key, arrived.fact)
                except Exception as error:
                    if failing is None or is_trouble(error) or isinstance(error, SQLAlchemyError):
                        raise  # the database goes no further in this transaction
                    # It is lost; what is still handled in it shows who else fails.
                    failing.add(arrived.subject)
            elif self._handlers(arrived.message.key):
                await self._park_behind(connection, arrived, newer=blocked[arrived.subject])

    async def _fresh(
        self, connection: AsyncConnection, batch: Sequence[Arrived]
    ) -> tuple[Sequence[Arrived], dict[str, bool]]:
        """What was not received before, and the subjects that are blocked, with whether by a newer
        fact.

        The same fact twice in one batch counts once.
        """
        by_id = {arrived.id: arrived for arrived in batch}
        values = {
            "consumer": self._store.name,
            "now": clock.real(),
            "facts": sorted(by_id),
            "subjects": sorted({arrived.subject for arrived in batch}),
        }
        rows = (await connection.execute(RECEIVE, values)).all()
        new = {row.fact for row in rows}
        blocked = {row.blocked: row.newer for row in rows if row.blocked}
        for id in by_id.keys() - new:
            if not self._is_own(by_id[id].fact):
                log.info("ignored: received before", fact_id=str(id))
        return [arrived for id, arrived in by_id.items() if id in new], blocked

    def _is_own(self, fact: Fact | None) -> bool:
        """Whether the service said it itself: then it was heard when it was said."""
        return fact is not None and fact.source == self._store.name

    def _handlers(self, key: str) -> list[Handler]:
        """Who needs the data of what comes under a key."""
        return [
            handler
            for pattern, handler in self._subscriptions.items()
            if not isinstance(handler, EnvelopeOnly) and matches(pattern, key)
        ]

    async def _handle(self, act: Act[Any], key: str, fact: Fact) -> None:
        if handlers := self._handlers(key):
            with trace(fact.traceparent, ticket=fact.subject, fact=fact.name):
                for handler in handlers:
                    await handler(act, fact)

    async def _pass_on(self, act: Act[Any], message: Message, fact: Fact) -> None:
        takers = [
            handler
            for pattern, handler in self._subscriptions.items()
            if isinstance(handler, EnvelopeOnly) and matches(pattern, message.key)
        ]
        if takers:
            with trace(fact.traceparent, ticket=fact.subject, fact=fact.name):
                for taker in takers:
                    await taker.pass_on(act, fact, message.body)

    async def _receive_alone(self, arrived: Arrived) -> None:
        try:
            async with self._store.act(self._actor) as act:
                await self._handle_fresh(act, [arrived])
        except Exception as error:
            if is_trouble(error):
                raise
            async with self._store.act(self._actor) as act:
                connection = await act.session.connection()
                if (await self._fresh(connection, [arrived]))[0]:
                    await self._park(connection, arrived, state_of(error), reason_of(error))

    # --- set aside -----------------------------------------------------------------------------

    async def _keep_newer(
        self, connection: AsyncConnection, arrived: Arrived, blocked: dict[str, bool]
    ) -> None:
        """Keep a newer fact for whoever can read it, unless nobody of this name's is needed here.

        What follows a fact of a name we know builds on it, and waits. Nothing we handle can build
        on a name we do not know.
        """
        handled = bool(self._handlers(arrived.message.key))
        if arrived.known and not handled:
            return
        if arrived.known:
            blocked[arrived.subject] = True
        await self._park(connection, arrived, "newer", arrived.newer, NEWER_AGAIN)

    async def _park_behind(
        self, connection: AsyncConnection, arrived: Arrived, *, newer: bool
    ) -> None:
        reason = "behind a fact of a newer release" if newer else "behind a fact that failed"
        again = EARLY_AGAIN if newer else None
        await self._park(connection, arrived, "behind", reason, again)

    async def _park(
        self,
        connection: AsyncConnection,
        arrived: Arrived,
        state: str,
        reason: str,
        again: timedelta | None = None,
    ) -> None:
        """``again``: when it is tried, of what the release before must leave alone."""
        now = clock.real()
        log.warning("parked", state=state, why=reason, key=arrived.message.key)
        values = {
            "consumer": self._store.name,
            "fact": arrived.id,
            "subject": arrived.subject,
            "seq": arrived.fact.seq if arrived.fact else 0,
            "key": printable(arrived.message.key),
            "body": printable(arrived.message.body.decode(errors="replace")),
            "state": state,
            "due": None if again else now + EARLY_AGAIN,
            "again": now + again if again else None,
            "attempts": int(state == "failed"),
            "reason": reason,
            "now": now,
            "holds": state == "newer" and arrived.known,
            "tried": [vocabulary()] if state == "newer" else None,
        }
        await connection.execute(PARK, values)

    # --- another try ---------------------------------------------------------------------------

    async def retry_once(self, limit: int = 100, now: datetime | None = None) -> int:
        """Try what is due again, each in a transaction of its own; returns how many succeeded."""
        handled, left = 0, limit
        while left and (page := await self._due(left, now or clock.real())):
            for id in page:
                handled += await self._retry(id, now or clock.real())
            left -= len(page)
        return handled

    async def expect_newer(self) -> None:
        """Try what waits for a newer release once more: a release has started."""
        async with self._store.act(self._actor) as act:
            values = {"consumer": self._store.name, "now": clock.real()}
            await (await act.session.connection()).execute(EXPECT, values)

    async def _due(self, limit: int, now: datetime) -> Sequence[int]:
        async with self._store.act(self._actor) as act:
            found = await (await act.session.connection()).execute(
                DUE, self._whose(now) | {"limit": limit}
            )
            return found.scalars().all()

    def _whose(self, now: datetime) -> dict[str, Any]:
        return {"consumer": self._store.name, "now": now, "vocabulary": vocabulary()}

    async def _retry(self, id: int, now: datetime) -> int:
        """Try one, unless it is no longer due; 1 when it succeeded."""
        row: Row[Any] | None = None
        try:
            async with self._store.act(self._actor) as act:
                connection = await act.session.connection()
                row = (await connection.execute(TAKE, self._whose(now) | {"id": id})).first()
                if row is None:
                    return 0
                await self._handle_again(act, row)
                await connection.execute(DONE, {"id": row.id})
            log.info("handled at another try", attempts=row.attempts, ticket=row.subject)
            return 1
        except Exception as error:
            if is_trouble(error) or row is None:
                raise
            await self._try_later(row, error, now)
            return 0

    async def _handle_again(self, act: Act[Any], row: Row[Any]) -> None:
        body = row.body.encode()
        fact, newer = decode(body)
        if overtakes(fact.data):
            act.urgent.add(fact.subject)
        await self._pass_on(act, Message(row.key, str(fact.id), body), fact)
        if not newer:
            await self._handle(act, row.key, fact)
        elif self._handlers(row.key) or speaker_of(fact.name) is None:
            raise NewerFact(newer, fact)

    async def _try_later(self, row: Row[Any], error: Exception, now: datetime) -> None:
        async with self._store.act(self._actor) as act:
            connection = await act.session.connection()
            awaits = {"consumer": self._store.name, "subject": row.subject}
            newer_waits = bool((await connection.execute(AWAITS, awaits)).scalar())
            later = next_try(row, error, now, newer_waits)
            if isinstance(error, NewerFact):
                later["holds"] = bool(speaker_of(error.envelope.name) and self._handlers(row.key))
            await connection.execute(AGAIN, {"id": row.id, "reason": reason_of(error), **later})
