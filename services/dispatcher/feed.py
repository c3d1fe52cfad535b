"""办件流, the unit feed: every fact addressed to a unit, in one order, as pages or as a stream.

Deliveries get their positions after the commit (the job number_feed): ids are handed out before
it, and a reader who went by id would miss rows. Positions count over all units, so a unit's have
gaps; a reader only ever asks for what lies behind the last one it saw.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import orjson
from sqlalchemy import text
from sqlmodel import col, func, select

from services.dispatcher.models import Delivery
from services.dispatcher.records import ServiceAct
from services.dispatcher.schemas import Delivered, FeedPage
from shared import clock
from shared.errors import BadCursor
from shared.http.rate_limits import TooMany
from shared.service import Service

FEED_LOCK = 0x66656564  # "feed": one numbering at a time, so positions are given in one order
CURSOR = re.compile(r"[0-9]{1,18}")
STREAMED = 100  # facts read at once for a stream
HEARTBEAT = b": ping\n\n"

NUMBER_FEED = text("""
    UPDATE feed SET position = given.position
    FROM (SELECT id, (SELECT coalesce(max(position), 0) FROM feed) + row_number() OVER (ORDER BY id)
              AS position
          FROM (SELECT id FROM feed WHERE position IS NULL ORDER BY id LIMIT :limit) AS waiting
         ) AS given
    WHERE feed.id = given.id""")


# --- numbering ---------------------------------------------------------------------------------


async def number_feed(act: ServiceAct, limit: int) -> int:
    """Give the waiting deliveries their positions, in order; returns how many."""
    connection = await act.session.connection()
    await connection.execute(text(f"SELECT pg_advisory_xact_lock({FEED_LOCK})"))
    return (await connection.execute(NUMBER_FEED, {"limit": limit})).rowcount


async def oldest_delivery(act: ServiceAct) -> datetime | None:
    """Since when the oldest delivery waits for its place."""
    waiting = select(func.min(Delivery.received_at)).where(col(Delivery.position).is_(None))
    return (await act.session.exec(waiting)).one()


# --- reading -----------------------------------------------------------------------------------


async def position(act: ServiceAct, cursor: str) -> int:
    """The position a reader's cursor names. Raises BadCursor for one that was never given."""
    if not CURSOR.fullmatch(cursor):
        raise BadCursor
    last = (await act.session.exec(select(func.max(Delivery.position)))).one() or 0
    if int(cursor) > last:
        raise BadCursor
    return int(cursor)


async def page(act: ServiceAct, unit: str, after: int, limit: int) -> FeedPage:
    """What was delivered to a unit after a position."""
    query = select(Delivery).where(Delivery.unit == unit, col(Delivery.position) > after)
    rows = (await act.session.exec(query.order_by(col(Delivery.position)).limit(limit + 1))).all()
    items = [Delivered(position=row.position, fact=orjson.loads(row.body)) for row in rows[:limit]]
    last = items[-1].position if items else after
    return FeedPage(items=items, next=last, more=len(rows) > limit)


async def stream(
    service: Service, opened: ServiceAct, unit: str, after: int
) -> AsyncIterator[bytes]:
    """Look into the feed again and again, each time in an act of its own: server-sent events.

    It ends when the service stops, or at the end of its life (FeedPace).
    """
    pace, actor = opened.config.feed, opened.actor
    ends = clock.real() + timedelta(seconds=pace.life)
    quiet = 0.0
    while clock.real() < ends and not service.stopping.is_set():
        async with service.store.act(actor) as act:
            found = await page(act, unit, after, STREAMED)
        for item in found.items:
            yield _sent(item)
        after, quiet = found.next, 0.0 if found.items else quiet + pace.look
        if quiet >= pace.heartbeat:
            yield HEARTBEAT
            quiet = 0.0
        if not found.more:
            await clock.pause(pace.look, service.stopping)


def _sent(item: Delivered) -> bytes:
    """The id first: a client that reads line by line then has it with its data."""
    data = json.dumps(item.fact, ensure_ascii=False)
    return f"id: {item.position}\nevent: {item.fact['type']}\ndata: {data}\n\n".encode()


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
