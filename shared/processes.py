"""Which processes of a service run, on which code and under which rules: each says so by the clock.

They go by the real time. What was killed says nothing any more, and counts as running a little longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text

from shared import clock
from shared.storage.act import Act, Store

BEAT = 10.0  # seconds
ALIVE = timedelta(seconds=30)
FORGOTTEN = timedelta(hours=1)

SAY = text("""
    INSERT INTO processes (id, release, configuration, started_at, seen_at)
    VALUES (:id, :release, :configuration, :started_at, :seen_at)
    ON CONFLICT (id) DO UPDATE SET configuration = excluded.configuration, seen_at = excluded.seen_at""")
FORGET = text("DELETE FROM processes WHERE id = :id OR seen_at < :before")
RUNNING = text("""
    SELECT release, configuration, started_at, seen_at FROM processes
    WHERE seen_at >= :since ORDER BY started_at, id""")


@dataclass(frozen=True, slots=True)
class Process:
    """One process of one service, from its start to its end."""

    id: UUID
    release: str
    started_at: datetime


class Running(NamedTuple):
    """A process that was heard of lately."""

    release: str
    configuration: str
    started_at: datetime
    seen_at: datetime


async def beat(store: Store[Any], process: Process) -> None:
    """Say that a process runs, and under which rules."""
    row = {
        "id": process.id,
        "release": process.release,
        "configuration": store.configuration or "",
        "started_at": process.started_at,
        "seen_at": clock.real(),
    }
    async with store.engine.connect() as connection:
        await connection.execute(SAY, row)
        await store.finish(connection)


async def leave(store: Store[Any], process: Process) -> None:
    """Say that a process ends; who ended long ago without a word is forgotten."""
    async with store.engine.connect() as connection:
        before = clock.real() - FORGOTTEN
        await connection.execute(FORGET, {"id": process.id, "before": before})
        await store.finish(connection)


async def running(act: Act[Any], real: datetime) -> Sequence[Running]:
    """The processes of a service that were heard of lately, the oldest first."""
    connection = await act.session.connection()
    found = await connection.execute(RUNNING, {"since": real - ALIVE})
    return [Running(*row) for row in found]
