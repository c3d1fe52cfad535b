"""Never lost: what an act tells is written with the state it describes, and relayed afterwards.

The outbox is also the fact log. A row gets its ``position`` when the broker has confirmed it; only
one relay at a time works on a database, so positions are given in one order and a reader who goes
by position misses nothing. Row ids are handed out before commit: nobody may read by them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import uuid6
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import clock
from shared.events import Fact
from shared.messaging.bus import Bus, BusTrouble, Message, Refused
from shared.messaging.lanes import overtakes
from shared.observability import log, place
from shared.storage.act import Act, Store, Told

LOCK = 0x6A696573  # "jies": the advisory lock one relay per database holds
RETRY_CAP = timedelta(minutes=1)
IN_FLIGHT = 200  # facts published at once
REFUSED_IN_FLIGHT = 20  # of those the broker refused before: however many there are, others pass
LARGEST_BATCH = 32 * 1024 * 1024  # octets of facts published at once; one goes whatever its size
# Octets of one fact, the envelope included: a quarter of the least a broker may be set to take.
# No request that fits its contract comes near it (tests/system/test_largest_facts.py).
LARGEST_FACT = 256 * 1024
# What is urgent is relayed first. A ticket keeps its lane, so that its facts keep their order; one
# that becomes urgent overtakes from then on what was said of it before (docs/adr/0035-lanes.md).
URGENT, ORDINARY = 0, 1


# --- telling -----------------------------------------------------------------------------------

OnTold = Callable[[Act[Any], Sequence[tuple[Fact, bytes]]], Awaitable[None]]

NUMBER = text("""
    INSERT INTO seq AS s (subject, last, lane)
    SELECT * FROM unnest(
        CAST(:subjects AS text[]), CAST(:counts AS int[]), CAST(:lanes AS smallint[]))
    ON CONFLICT (subject) DO UPDATE SET last = s.last + EXCLUDED.last,
        lane = least(s.lane, EXCLUDED.lane)
    RETURNING subject, last, lane""")

WRITE = text("""
    INSERT INTO outbox (fact, subject, key, body, lane, recorded)
    SELECT f, s, k, b, l, :recorded FROM unnest(CAST(:facts AS uuid[]), CAST(:subjects AS text[]),
        CAST(:keys AS text[]), CAST(:bodies AS text[]), CAST(:lanes AS smallint[]))
        AS told (f, s, k, b, l)""")


async def write(act: Act[Any], on_told: OnTold | None = None) -> None:
    """Number and write what an act told, last thing in its transaction.

    Subjects are numbered in one sorted statement: it locks their rows in the same order as every
    other replica does. ``on_told`` is given the facts, each as it will be published, to do more with
    them in the same transaction.
    """
    if not act.told:
        return
    connection = await act.session.connection()
    counts = sorted(Counter(told.subject for told in act.told).items())
    hurrying = act.urgent | {told.subject for told in act.told if overtakes(told.data)}
    numbered = await connection.execute(
        NUMBER,
        {
            "subjects": [subject for subject, _ in counts],
            "counts": [count for _, count in counts],
            "lanes": [URGENT if subject in hurrying else ORDINARY for subject, _ in counts],
        },
    )
    subjects = {row.subject: row for row in numbered}
    facts = _facts(act, {subject: row.last for subject, row in subjects.items()}, dict(counts))
    bodies = [_bounded(fact) for fact in facts]
    await connection.execute(
        WRITE,
        {
            "facts": [fact.id for fact in facts],
            "subjects": [fact.subject for fact in facts],
            "keys": [fact.key for fact in facts],
            "bodies": [body.decode() for body in bodies],
            "lanes": [subjects[fact.subject].lane for fact in facts],
            "recorded": clock.real(),
        },
    )
    if on_told:
        await on_told(act, list(zip(facts, bodies, strict=True)))


def _facts(act: Act[Any], last: dict[str, int], counts: dict[str, int]) -> list[Fact]:
    """Give each told fact its seq, id and envelope, in the order it was told."""
    following = {subject: last[subject] - counts[subject] for subject in counts}
    facts = []
    for told in act.told:
        following[told.subject] += 1
        facts.append(_envelop(act, told, following[told.subject]))
    return facts


def _envelop(act: Act[Any], told: Told, seq: int) -> Fact:
    if told.data.speaker != act.store.name:
        raise AssertionError(f"{act.store.name} may not say {told.data.name}: one writer per fact")
    return Fact(
        id=UUID(bytes=uuid6.uuid7().bytes),
        type=told.data.full_name(),
        source=act.store.name,
        subject=told.subject,
        time=told.time,
        recorded=act.now,
        seq=seq,
        round=told.round,
        assignment=told.assignment,
        unit=told.unit,
        actor=told.actor,
        traceparent=told.traceparent,
        data=told.data,
    )


def _bounded(fact: Fact) -> bytes:
    body = fact.encode()
    if len(body) > LARGEST_FACT:
        raise AssertionError(f"{fact.name} of {len(body)} octets: what it is made of has no bound")
    return body


# --- relaying ----------------------------------------------------------------------------------

# Sizes are read without the texts themselves; the first goes also when it is the largest.
UNSENT = text("""
    WITH due AS (
        (SELECT id, fact, key, lane, body FROM outbox WHERE position IS NULL AND try_at IS NULL
         ORDER BY lane, id LIMIT :limit)
        UNION ALL
        (SELECT id, fact, key, lane, body FROM outbox WHERE position IS NULL AND try_at <= :now
         ORDER BY try_at LIMIT :refused)),
    measured AS (SELECT *, sum(octet_length(body)) OVER (ORDER BY lane, id) - octet_length(body)
        AS before FROM due)
    SELECT fact, key, body, lane FROM measured WHERE before < :largest ORDER BY lane, id""")

# Rows are marked by their facts: these say in which months they lie, which ids of rows do not.
SENT = text("""
    UPDATE outbox o SET position = s.place + (SELECT coalesce(max(position), 0) FROM outbox)
    FROM unnest(CAST(:facts AS uuid[])) WITH ORDINALITY AS s (fact, place)
    WHERE o.fact = s.fact AND o.fact BETWEEN :least AND :greatest""")

PUT_OFF = text("""
    UPDATE outbox o SET attempts = attempts + 1, reason = r.reason,
        try_at = CAST(:now AS timestamptz) + least(:cap, interval '1 second' * power(2, least(attempts, 10)))
    FROM unnest(CAST(:facts AS uuid[]), CAST(:reasons AS text[])) AS r (fact, reason)
    WHERE o.fact = r.fact AND o.fact BETWEEN :least AND :greatest""")


class Relay:
    """Publishes what a service told, up to ``limit`` in flight, and marks what was confirmed."""

    def __init__(self, store: Store[Any], bus: Bus) -> None:
        self._store = store
        self._bus = bus

    async def run_once(self, limit: int = IN_FLIGHT) -> int:
        """Relay one batch; returns how many were confirmed. Raises BusTrouble when none could be.
        Trouble of the bus is no failure of a fact; only a fact the broker refuses is put off.

        The publish happens inside the transaction that holds the lock: a relay that dies between
        confirm and commit publishes again, and every inbox knows the fact by its id.
        """
        async with self._store.engine.connect() as connection:
            if not await self._lock(connection):
                return 0
            values = {"now": clock.real(), "limit": limit, "largest": LARGEST_BATCH}
            rows = (await connection.execute(UNSENT, values | {"refused": REFUSED_IN_FLIGHT})).all()
            outcomes = await self._bus.publish(
                [
                    Message(row.key, str(row.fact), row.body.encode(), row.lane == URGENT)
                    for row in rows
                ]
            )
            sent, refused = [], dict[UUID, str]()
            for row, error in zip(rows, outcomes, strict=True):
                if error is None:
                    sent.append(row.fact)
                elif not isinstance(error, BusTrouble):
                    why = refused[row.fact] = (
                        str(error) if isinstance(error, Refused) else place(error)
                    )
                    log.error("the broker refuses a fact", key=row.key, fact=str(row.fact), why=why)
            await self._mark(connection, sent, refused)
            await self._store.finish(connection)
        return len(sent)

    async def _lock(self, connection: AsyncConnection) -> bool:
        answer = await connection.execute(text(f"SELECT pg_try_advisory_xact_lock({LOCK})"))
        return bool(answer.scalar())

    async def _mark(
        self, connection: AsyncConnection, sent: Sequence[UUID], refused: Mapping[UUID, str]
    ) -> None:
        if sent:
            await connection.execute(SENT, _within(sent))
        if refused:
            values = {"reasons": list(refused.values()), "now": clock.real(), "cap": RETRY_CAP}
            await connection.execute(PUT_OFF, _within([*refused]) | values)


def _within(facts: Sequence[UUID]) -> dict[str, Any]:
    return {"facts": list(facts), "least": min(facts), "greatest": max(facts)}


async def backlog(store: Store[Any]) -> tuple[int, datetime | None]:
    """How many facts wait to be relayed, and since when the oldest does."""
    query = text("SELECT count(*), min(recorded) FROM outbox WHERE position IS NULL")
    async with store.engine.connect() as connection:
        count, oldest = (await connection.execute(query)).one()
    return count, oldest


LOG = text("""
    SELECT position, body FROM fact_log WHERE position > :after
        AND (CAST(:subject AS text) IS NULL OR subject = :subject)
    ORDER BY position LIMIT :limit""")


async def facts_after(act: Act[Any], after: int, limit: int, subject: str | None) -> Sequence[Any]:
    """The fact log by position: rows of (position, body)."""
    connection = await act.session.connection()
    values = {"after": after, "limit": limit, "subject": subject}
    return (await connection.execute(LOG, values)).all()
