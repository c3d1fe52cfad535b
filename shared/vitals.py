"""What a scrape of the metrics finds out, within a second and whatever is away.

Each look is waited for a moment only. What could not be looked at is NaN and never an old number:
a graph then has a gap, and an alarm on ``jiesu_database_up`` or ``jiesu_broker_up`` says why.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from shared import clock
from shared.attempt import Attempt
from shared.messaging.outbox import backlog
from shared.observability import Metrics
from shared.storage.act import Act, Store
from shared.stuck import Question

SECONDS = 0.7
ASKED_AGAIN = timedelta(minutes=1)  # the morning page's questions cost more than a scrape should

RETRIES = text("SELECT state, count(*) AS n FROM retry GROUP BY state")

Due = Callable[[Act[Any]], Awaitable[datetime | None]]


class Vitals:
    """The gauges of one service that somebody must look after before they are read.

    ``beat`` and ``waiting`` look at database and broker and raise what is wrong with them; ``due``
    says by job when it next has something to do.
    """

    def __init__(
        self,
        store: Store[Any],
        metrics: Metrics,
        beat: Callable[[], Awaitable[None]],
        waiting: Callable[[], Awaitable[int]],
        due: dict[str, Due],
        questions: Sequence[Question],
    ) -> None:
        self._store, self._metrics, self._beat = store, metrics, beat
        self._due, self._questions = due, questions
        self._asked_at: datetime | None = None
        self._broker = Attempt(waiting, SECONDS)
        self._work = Attempt(self._look_at_work, SECONDS)
        self._stuck = Attempt(self._ask, SECONDS)

    async def measure(self) -> None:
        """Bring the gauges up to date, as far as that can be done in time."""
        up, heard, looked, asked = await asyncio.gather(
            self._beat(), self._broker(), self._work(), self._stuck(), return_exceptions=True
        )
        self._metrics.database.set(not isinstance(up, BaseException))
        self._metrics.broker.set(not isinstance(heard, BaseException))
        self._metrics.queued.set(math.nan if isinstance(heard, BaseException) else heard)
        if isinstance(looked, BaseException):
            self._forget_work()
        if isinstance(asked, BaseException):
            self._asked_at = None
            for question in self._questions:
                self._metrics.stuck.labels(question.slug).set(math.nan)

    async def _look_at_work(self) -> None:
        """What waits to be said, what waits to be heard again, and which job is late."""
        count, oldest = await backlog(self._store)
        async with self._store.act("ops") as act:
            connection = await act.session.connection()
            counts = {row.state: row.n for row in await connection.execute(RETRIES)}
            late = {name: _seconds(await due(act), act.now) for name, due in self._due.items()}
        self._metrics.unsent.set(count)
        self._metrics.oldest.set(_seconds(oldest, clock.real()))
        self._metrics.dead.set(counts.pop("dead", 0))
        self._metrics.newer.set(counts.pop("newer", 0))
        self._metrics.waiting.set(sum(counts.values()))
        for name, seconds in late.items():
            self._metrics.late.labels(name).set(seconds)

    def _forget_work(self) -> None:
        metrics = self._metrics
        for gauge in (metrics.unsent, metrics.oldest, metrics.dead, metrics.newer, metrics.waiting):
            gauge.set(math.nan)
        for name in self._due:
            metrics.late.labels(name).set(math.nan)

    async def _ask(self) -> None:
        """The questions of the morning page, once a minute."""
        real = clock.real()
        if self._asked_at is not None and real < self._asked_at + ASKED_AGAIN:
            return
        async with self._store.act("ops") as act:
            found = {each.slug: len(await each.find(act, real)) for each in self._questions}
        for slug, count in found.items():
            self._metrics.stuck.labels(slug).set(count)
        self._asked_at = real

    def give_up(self) -> None:
        """Nobody asks any more."""
        for attempt in (self._broker, self._work, self._stuck):
            attempt.give_up()


def _seconds(since: datetime | None, now: datetime) -> float:
    """How long ago that was; nothing for what is still to come."""
    return max((now - since).total_seconds(), 0.0) if since else 0.0
