"""Publishes facts again that were sent: for a broker that lost its queues, as after a restore.

What lay in a queue stands nowhere else but in its speaker's fact log. Every inbox takes what it
missed and knows the rest by id; units know facts by id too.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import text

from shared.messaging.bus import Bus, Message, Refused
from shared.messaging.outbox import IN_FLIGHT
from shared.observability import log
from shared.storage.act import Store

SENT_SINCE = text("""
    SELECT position, fact, key, body FROM fact_log
    WHERE position > :after AND (CAST(:since AS timestamptz) IS NULL OR recorded >= :since)
        AND (CAST(:ticket AS text) IS NULL OR subject = :ticket)
    ORDER BY position LIMIT :limit""")


async def resend(
    store: Store[Any], bus: Bus, since: datetime | None = None, ticket: str | None = None
) -> int:
    """Publish again what was recorded since a moment, or of one ticket; returns how many facts.

    Positions stay as they are. What the broker refuses is logged and passed over. Raises BusTrouble;
    to begin anew does no harm.
    """
    count, after = 0, 0
    async with store.engine.connect() as connection:
        values = {"since": since, "ticket": ticket, "limit": IN_FLIGHT}
        while rows := (await connection.execute(SENT_SINCE, values | {"after": after})).all():
            messages = [Message(row.key, str(row.fact), row.body.encode()) for row in rows]
            for row, error in zip(rows, await bus.publish(messages), strict=True):
                if isinstance(error, Refused):
                    log.error("the broker refuses a fact", key=row.key, why=str(error))
                elif error is not None:
                    raise error
                else:
                    count += 1
            after = rows[-1].position
    return count
