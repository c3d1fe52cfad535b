"""办件流, the unit feed: every fact addressed to a unit, in one order, as pages or as a stream.

Deliveries get their positions after the commit (the job number_feed): ids are handed out before
it, and a reader who went by id would miss rows. Positions are each unit's own: from them no unit
learns what was sent to another (docs/how-it-flows.md#the-unit-feed).

A fact leaves as it came, also one of a type we do not know. Only how some letters are written is
changed: whoever splits text into lines, however it does, finds a fact on one line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlmodel import col, func, select

from services.dispatcher.models import Assignments, Deliveries, Tickets
from services.dispatcher.records import (
    ABOUT_SOMEBODY,
    ServiceAct,
    TicketRecord,
    recused_caller,
    secret,
)
from services.dispatcher.rules.assignment import GONE
from shared import clock
from shared.errors import BadCursor
from shared.http.rate_limits import TooMany
from shared.service import Service
from shared.storage.rows import one_of

FEED_LOCK = 0x66656564  # "feed": one numbering at a time, so positions are given in one order
CURSOR = re.compile(r"[0-9]{1,18}")
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ENDS = ("assignment.cancelled", "assignment.returned")  # by these a unit knows it has it no more
WORD = re.compile(r"[\w.:-]{1,200}", re.ASCII)
STREAMED = 100  # facts read at once for a stream
HEARTBEAT = b": ping\n\n"

# A unit's position follows on its last one. Those of the release before counted over all units:
# the first of ours lies behind the last of theirs, and so either release reads the other's.
NUMBER_FEED = text("""
    UPDATE feed SET position = given.position
    FROM (SELECT id, row_number() OVER (PARTITION BY unit ORDER BY id)
              + coalesce((SELECT max(position) FROM feed own WHERE own.unit = waiting.unit), 0)
              AS position
          FROM (SELECT id, unit FROM feed WHERE position IS NULL ORDER BY id LIMIT :limit) AS waiting
         ) AS given
    WHERE feed.id = given.id""")

# JSON allows these letters as they are, but somebody takes them for the end of a line (U+0085,
# U+2028, U+2029), drops them (U+FEFF) or turns the text around them (bidirectional marks). They
# stand only within strings, where \uXXXX means the same; a line break stands only between tokens.
ESCAPED = str.maketrans(
    {"\n": " ", "\r": " "}
    | {
        chr(code): f"\\u{code:04x}"
        for code in chain(
            range(0x7F, 0xA0),
            (0x061C, 0x200E, 0x200F, 0x2028, 0x2029, 0xFEFF),
            range(0x202A, 0x202F),
            range(0x2066, 0x206A),
        )
    }
)


# --- numbering ---------------------------------------------------------------------------------


async def number_feed(act: ServiceAct, limit: int) -> int:
    """Give the waiting deliveries their positions, in order; returns how many."""
    connection = await act.session.connection()
    await connection.execute(text(f"SELECT pg_advisory_xact_lock({FEED_LOCK})"))
    return (await connection.execute(NUMBER_FEED, {"limit": limit})).rowcount


async def oldest_delivery(act: ServiceAct) -> datetime | None:
    """Since when the oldest delivery waits for its place."""
    waiting = select(func.min(Deliveries.received_at)).where(col(Deliveries.position).is_(None))
    return (await act.session.exec(waiting)).one()


# --- reading -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """A fact at its place in a unit's feed: its JSON on one line, and its type if it has a name."""

    position: int
    event: str | None
    line: str


@dataclass(frozen=True, slots=True)
class Page:
    """What was found behind a position; ``next`` is where to ask again, ``more``: at once."""

    items: Sequence[Place]
    next: int
    more: bool

    def encode(self) -> bytes:
        """The page as schemas.FeedPage describes it, every fact as it was received."""
        items = (f'{{"position":{each.position},"fact":{each.line}}}' for each in self.items)
        more = "true" if self.more else "false"
        return f'{{"items":[{",".join(items)}],"next":{self.next},"more":{more}}}'.encode()


async def position(act: ServiceAct, unit: str, cursor: str) -> int:
    """The position a reader's cursor names. Raises BadCursor for one this unit was never given."""
    if not CURSOR.fullmatch(cursor):
        raise BadCursor
    newest = select(func.max(Deliveries.position)).where(Deliveries.unit == unit)
    if int(cursor) > ((await act.session.exec(newest)).one() or 0):
        raise BadCursor
    return int(cursor)


async def page(act: ServiceAct, unit: str, after: int, limit: int) -> Page:
    """What was delivered to a unit after a position.

    A unit that reads does not see what is about tickets it has to stand back from: it may be
    recused since it was told of them (R-35, JN-32). Nor does it see again the words of a report, or of a
    confidential matter, that it lost: only that it did. In the feed of whom it follows that is no more it
    sees nothing of what it may not be given either.
    """
    query = select(Deliveries).where(Deliveries.unit == unit, col(Deliveries.position) > after)
    found = (
        await act.session.exec(query.order_by(col(Deliveries.position)).limit(limit + 1))
    ).all()
    rows, envelopes = found[:limit], [_envelope(row.body) for row in found[:limit]]
    tickets = [_tickets(envelope) for envelope in envelopes]
    hidden = await _hidden(act, unit, set().union(*tickets))
    lost = await _lost(act, {_word(envelope, "assignment") for envelope in envelopes} - {None})
    items = [
        Place(row.position or 0, _word(envelope, "type"), row.body.translate(ESCAPED))
        for row, envelope, about in zip(rows, envelopes, tickets, strict=True)
        if about.isdisjoint(hidden)
        and (_word(envelope, "assignment") not in lost or row.name in ENDS)
    ]
    last = rows[-1].position if rows else None
    return Page(items, next=last or after, more=len(found) > limit)


def _envelope(body: str) -> Mapping[str, Any]:
    """What a stored fact says of itself; nothing is taken on trust, for we may not know its type."""
    with suppress(orjson.JSONDecodeError):
        found = orjson.loads(body)
        if isinstance(found, dict):
            return found
    return {}


def _tickets(envelope: Mapping[str, Any]) -> set[str]:
    """Whose words a fact carries: its ticket's, or those of another that is worked on with it (并单)."""
    data = envelope.get("data")
    said = data if isinstance(data, dict) else {}
    return set(filter(None, (_word(envelope, "subject"), _word(said, "number"))))


def _word(envelope: Mapping[str, Any], name: str) -> str | None:
    """A word of the envelope; None for what is none and could break the line it stands on."""
    found = envelope.get(name)
    return found if isinstance(found, str) and WORD.fullmatch(found) else None


async def _hidden(act: ServiceAct, unit: str, subjects: set[str]) -> set[str]:
    """Those of these tickets that the unit which reads the feed of one must know nothing of."""
    reader = act.caller.unit if act.caller else None
    if reader is None or not subjects:
        return set()
    among = select(Tickets).where(col(Tickets.number).in_(subjects))
    rows = (await act.session.exec(among if reader != unit else among.where(ABOUT_SOMEBODY))).all()
    records = [TicketRecord(row, []) for row in rows]
    barred = act.config.dispatching.barred
    return {
        each.ticket.number
        for each in records
        if recused_caller(act, each) or (reader != unit and reader in barred(each.matter))
    }


async def _lost(act: ServiceAct, ids: set[str | None]) -> set[str]:
    """Those of these orders that the unit which reads has no more, and may read no words of."""
    if act.caller is None or act.caller.unit is None or not ids:
        return set()
    named = [UUID(id) for id in ids if id and ID.fullmatch(id)]
    query = (
        select(Assignments.id, Tickets)
        .join(Tickets, col(Tickets.number) == col(Assignments.ticket))
        .where(one_of(Assignments.id, named), col(Assignments.status).in_(GONE))
    )
    found = (await act.session.exec(query)).all()
    return {str(id) for id, ticket in found if secret(TicketRecord(ticket, []).matter)}


async def stream(
    service: Service, opened: ServiceAct, unit: str, after: int
) -> AsyncIterator[bytes]:
    """Look into the feed again and again, each time in an act of its own: server-sent events.

    It ends when the service stops, or at the end of its life (FeedPace).
    """
    pace, actor, caller = opened.config.feed, opened.actor, opened.caller
    ends = clock.real() + timedelta(seconds=pace.life)
    quiet = 0.0
    while clock.real() < ends and not service.stopping.is_set():
        async with service.store.act(actor, caller=caller) as act:
            found = await page(act, unit, after, STREAMED)
        for item in found.items:
            yield _sent(item)
        after, quiet = found.next, 0.0 if found.items else quiet + pace.look
        if quiet >= pace.heartbeat:
            yield HEARTBEAT
            quiet = 0.0
        if not found.more:
            await clock.pause(pace.look, service.stopping)


def _sent(item: Place) -> bytes:
    """The id first: a client that reads line by line then has it with its data."""
    event = f"event: {item.event}\n" if item.event else ""
    return f"id: {item.position}\n{event}data: {item.line}\n\n".encode()


class Streams:
    """How many streams each caller has open: no one may take every connection there is."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[str] = Counter()

    def counted(self, caller: str, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """A stream that counts while it is read. Raises TooMany."""
        if self._open[caller] >= self._most:
            raise TooMany(60)
        return self._counting(caller, stream)

    async def _counting(self, caller: str, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        self._open[caller] += 1
        try:
            async for piece in stream:
                yield piece
        finally:
            self._open[caller] -= 1
