"""Facts are received once.

A batch of facts is one transaction: their ids, what the handlers changed and what they told. If it
fails it is taken one by one, and the fact that fails alone is parked in ``retry``, so one poison
fact holds up only its own subject. Trouble of the database is no failure of a fact: it is raised,
nothing counts as received and the bus hands the same batch over again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import clock
from shared.errors import ContractError, JiesuError, OtherVersion, TooEarly
from shared.events import Fact
from shared.messaging.bus import Message, matches
from shared.observability import log, place, trace
from shared.storage.act import Act, Store
from shared.storage.engine import is_trouble

Handler = Callable[[Act[Any], Fact], Awaitable[None]]
Subscriptions = Mapping[str, Handler]

MAX_ATTEMPTS = 12  # the last wait is 17 minutes, all of them together 34
EARLY_FOR = timedelta(days=1)
EARLY_AGAIN = timedelta(seconds=1)

# Which facts of a batch are new, and which subjects are blocked: while a fact of a subject waits for
# another try, later ones wait behind it. A fact that is merely early blocks nobody: what it waits
# for may be right behind it.
RECEIVE = text("""
    WITH fresh AS (
        INSERT INTO inbox (consumer, fact, received)
        SELECT :consumer, f, :now FROM unnest(CAST(:facts AS uuid[])) AS f
        ON CONFLICT DO NOTHING RETURNING fact)
    SELECT fact, CAST(NULL AS text) AS blocked FROM fresh UNION ALL
    SELECT DISTINCT CAST(NULL AS uuid), subject FROM retry
    WHERE consumer = :consumer AND state = 'failed' AND subject = ANY(CAST(:subjects AS text[]))""")

PARK = text("""
    INSERT INTO retry
        (consumer, fact, subject, seq, key, body, state, due, attempts, reason, since) VALUES
        (:consumer, :fact, :subject, :seq, :key, :body, :state, :due, :attempts, :reason, :now)""")

# The longest due first: by subject, a hundred that stay early would be all that is ever tried.
DUE = text("""
    SELECT r.* FROM retry r WHERE consumer = :consumer AND state <> 'dead' AND due <= :now
        AND NOT (state = 'behind' AND EXISTS (SELECT 1 FROM retry f WHERE f.consumer = r.consumer
            AND f.subject = r.subject AND f.state = 'failed'))
    ORDER BY due, seq, id LIMIT 1 FOR UPDATE SKIP LOCKED""")

AGAIN = text("""
    UPDATE retry SET state = :state, due = :due, attempts = :attempts, reason = :reason
    WHERE id = :id""")

DONE = text("DELETE FROM retry WHERE id = :id")


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message with the fact in it, or with why there is none."""

    message: Message
    id: UUID
    fact: Fact | None
    reason: str = ""
    other_version: bool = False

    @property
    def subject(self) -> str:
        """What the fact is about; empty when it cannot be read."""
        return self.fact.subject if self.fact else ""


def read(message: Message) -> Arrived:
    """Read a message; one that fits no contract keeps its reason, and an id of its body."""
    try:
        fact = Fact.decode(message.body)
        return Arrived(message, fact.id, fact)
    except ContractError as error:
        id = uuid5(NAMESPACE_OID, message.body.hex())
        return Arrived(message, id, None, str(error), isinstance(error, OtherVersion))


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
        try:
            async with self._store.act(self._actor) as act:
                await self._handle_fresh(act, batch)
        except Exception as error:
            if is_trouble(error):
                raise
            for arrived in batch:
                await self._receive_alone(arrived)

    async def _handle_fresh(self, act: Act[Any], batch: Sequence[Arrived]) -> None:
        connection = await act.session.connection()
        fresh, blocked = await self._fresh(connection, batch)
        act.batch = [
            arrived.fact for arrived in fresh if arrived.fact and arrived.subject not in blocked
        ]
        for arrived in fresh:
            if arrived.other_version:
                log.info("ignored: another version", key=arrived.message.key, why=arrived.reason)
            elif arrived.fact is None:
                await self._park(connection, arrived, "dead", arrived.reason)
            elif arrived.subject in blocked:
                await self._park(connection, arrived, "behind", "behind a fact that failed")
            else:
                await self._handle(act, arrived.message.key, arrived.fact)

    async def _fresh(
        self, connection: AsyncConnection, batch: Sequence[Arrived]
    ) -> tuple[Sequence[Arrived], set[str]]:
        """What was not received before, and the subjects that are blocked.

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
        blocked = {row.blocked for row in rows if row.blocked}
        for id in by_id.keys() - new:
            log.info("ignored: received before", fact_id=str(id))
        return [arrived for id, arrived in by_id.items() if id in new], blocked

    async def _handle(self, act: Act[Any], key: str, fact: Fact) -> None:
        with trace(fact.traceparent, ticket=fact.subject, fact=fact.name):
            for pattern, handler in self._subscriptions.items():
                if matches(pattern, key):
                    await handler(act, fact)

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

    async def _park(
        self, connection: AsyncConnection, arrived: Arrived, state: str, reason: str
    ) -> None:
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
            "due": now + EARLY_AGAIN,
            "attempts": int(state == "failed"),
            "reason": reason,
            "now": now,
        }
        await connection.execute(PARK, values)

    # --- another try ---------------------------------------------------------------------------

    async def retry_once(self, limit: int = 100, now: datetime | None = None) -> int:
        """Try what is due again, each in a transaction of its own; returns how many succeeded."""
        handled = 0
        for _ in range(limit):
            outcome = await self._retry_next(now or clock.real())
            if outcome is None:
                break
            handled += outcome
        return handled

    async def _retry_next(self, now: datetime) -> int | None:
        """Try one; None when nothing is due, 1 when it succeeded."""
        row: Row[Any] | None = None
        try:
            async with self._store.act(self._actor) as act:
                connection = await act.session.connection()
                values = {"consumer": self._store.name, "now": now}
                row = (await connection.execute(DUE, values)).first()
                if row is None:
                    return None
                await self._handle(act, row.key, Fact.decode(row.body))
                await connection.execute(DONE, {"id": row.id})
            log.info("handled at another try", attempts=row.attempts, ticket=row.subject)
            return 1
        except Exception as error:
            if is_trouble(error) or row is None:
                raise
            await self._try_later(row, error, now)
            return 0

    async def _try_later(self, row: Row[Any], error: Exception, now: datetime) -> None:
        state, attempts = state_of(error), row.attempts
        if state == "early":
            due, alive = now + EARLY_AGAIN, now - row.since < EARLY_FOR
        else:
            attempts += 1
            due = now + timedelta(seconds=2 ** (attempts - 1))
            alive = attempts < MAX_ATTEMPTS and state != "dead"
        async with self._store.act(self._actor) as act:
            values = {
                "id": row.id,
                "state": state if alive else "dead",
                "due": due,
                "attempts": attempts,
                "reason": reason_of(error),
            }
            await (await act.session.connection()).execute(AGAIN, values)


def printable(words: str) -> str:
    """Text PostgreSQL can hold, whatever somebody put on the bus."""
    return words.encode(errors="replace").decode().replace("\x00", "\ufffd")


def state_of(error: Exception) -> str:
    """What a failure makes of a fact: early, dead at once, or failed and tried again."""
    if isinstance(error, TooEarly):
        return "early"
    return "dead" if isinstance(error, ContractError) else "failed"


def reason_of(error: Exception) -> str:
    """Why and where; only our own errors' words, for others' may hold a citizen's data."""
    own = isinstance(error, (TooEarly, ContractError, JiesuError))
    return f"{error} ({place(error)})" if own else place(error)


DEAD = text("SELECT * FROM retry WHERE state = 'dead' ORDER BY id")

REPLAY = text("""
    UPDATE retry SET state = 'failed', attempts = 0, due = :now, since = :now
    WHERE state = 'dead' AND (CAST(:id AS bigint) IS NULL OR id = :id)""")


async def dead(act: Act[Any]) -> Sequence[Row[Any]]:
    """The facts of a service that need a person."""
    return (await (await act.session.connection()).execute(DEAD)).all()


async def replay(act: Act[Any], number: int | None) -> int:
    """Give one dead fact, or all of them, another life; returns how many."""
    values = {"id": number, "now": clock.real()}
    return (await (await act.session.connection()).execute(REPLAY, values)).rowcount
