"""Facts that were received and not handled: the ``retry`` table, and when each is tried again.

States: ``failed`` waits longer each time; ``early`` waits for another fact; ``behind`` waits for one
of its subject that failed; ``newer`` waits for a release that can read it; ``dead`` waits for a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text

from shared import clock
from shared.errors import ContractError, JiesuError, NewerFact, TooEarly
from shared.events import vocabulary
from shared.observability import place
from shared.storage.act import Act

MAX_ATTEMPTS = 12  # the last wait is 17 minutes, all of them together 34
EARLY_FOR = timedelta(days=1)
EARLY_AGAIN = timedelta(seconds=1)
NEWER_AGAIN = timedelta(hours=1)
WHILE_NEWER_WAITS = timedelta(minutes=1)  # what is early may wait for a fact that nobody here reads

# What this release invented is due never, and again at a moment of its own: the replicas of the
# release before go by ``due`` alone, and would make it dead.
PARK = text("""
    INSERT INTO retry (consumer, fact, subject, seq, key, body, state, due, again, attempts, reason,
        since, holds, tried) VALUES
        (:consumer, :fact, :subject, :seq, :key, :body, :state,
        coalesce(CAST(:due AS timestamptz), 'infinity'), :again, :attempts, :reason, :now, :holds,
        :tried)""")

# The longest due first: by subject, a hundred that stay early would be all that is ever tried. A
# newer fact that nobody of our vocabulary has tried is due at once: another release parked it.
IS_DUE = """
    FROM retry r CROSS JOIN LATERAL (SELECT CASE
            WHEN state = 'newer' AND NOT coalesce(CAST(:vocabulary AS text) = ANY(tried), false)
            THEN since ELSE least(due, again) END AS moment) AS w
    WHERE consumer = :consumer AND state <> 'dead' AND moment <= :now
        AND NOT (state IN ('behind', 'newer') AND EXISTS (SELECT 1 FROM retry f
            WHERE f.consumer = r.consumer AND f.subject = r.subject AND f.id < r.id
                AND (f.state IN ('failed', 'behind') OR f.holds)))"""

# Looked for by the page: after an upgrade thousands may be due, and every look reads them all.
DUE = text(f"SELECT r.id {IS_DUE} ORDER BY moment, seq, id LIMIT :limit")

# Another replica may have tried it since, or tries it now.
TAKE = text(f"SELECT r.* {IS_DUE} AND r.id = :id FOR UPDATE OF r SKIP LOCKED")

AGAIN = text("""
    UPDATE retry SET state = :state, due = coalesce(CAST(:due AS timestamptz), 'infinity'),
        again = :again, attempts = :attempts, reason = :reason, since = :since, holds = :holds,
        tried = :tried
    WHERE id = :id""")

DONE = text("DELETE FROM retry WHERE id = :id")

EXPECT = text("UPDATE retry SET again = :now WHERE consumer = :consumer AND state = 'newer'")

AWAITS = text("""
    SELECT EXISTS (SELECT 1 FROM retry
        WHERE consumer = :consumer AND subject = :subject AND state = 'newer')""")


def next_try(row: Row[Any], error: Exception, now: datetime, newer_waits: bool) -> dict[str, Any]:
    """How a row goes on that was tried and not handled. Pure.

    ``newer_waits``: a newer fact of its subject waits here. What is early may wait for just that
    one, so the day after which it is dead has not begun; nor has it for one that stood behind it.
    """
    state, attempts, since, due, again = state_of(error), row.attempts + 1, row.since, None, None
    tried = row.tried
    match state:
        case "newer":
            again, tried = now + NEWER_AGAIN, [*(row.tried or ()), vocabulary()]
        case "early":
            attempts = row.attempts
            since = now if newer_waits or row.again is not None else row.since
            due = now + (WHILE_NEWER_WAITS if newer_waits else EARLY_AGAIN)
            state = "early" if now - since < EARLY_FOR else "dead"
        case _:
            due = now + timedelta(seconds=2 ** (attempts - 1))
            state = state if attempts < MAX_ATTEMPTS else "dead"
    return {
        "state": state,
        "due": due,
        "again": again,
        "attempts": attempts,
        "since": since,
        "holds": False,
        "tried": tried,
    }


def printable(words: str) -> str:
    """Text PostgreSQL can hold, whatever somebody put on the bus."""
    return words.encode(errors="replace").decode().replace("\x00", "\ufffd")


def state_of(error: Exception) -> str:
    """What a failure makes of a fact: early, newer, dead at once, or failed and tried again."""
    if isinstance(error, TooEarly):
        return "early"
    if isinstance(error, NewerFact):
        return "newer"
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
