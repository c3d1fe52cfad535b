"""A running service: its loops, how it starts, how it stops, and how it is."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from fastapi import FastAPI
from sqlalchemy import text

from shared import clock, succession
from shared.errors import ConfigError
from shared.messaging import outbox
from shared.messaging.bus import BusTrouble, Message
from shared.messaging.connect import connect
from shared.messaging.inbox import Inbox, Subscriptions
from shared.messaging.outbox import Relay
from shared.messaging.own_facts import hear_own
from shared.observability import Metrics, log, place, trace
from shared.processes import BEAT, Process, beat, leave
from shared.security.digests import Digester
from shared.security.tokens import TokenVerifier
from shared.settings import ServiceSettings, key_bytes
from shared.storage.act import Act, Store
from shared.storage.engine import is_trouble
from shared.storage.migrations import is_current
from shared.storage.partitions import EVERY, keep_ahead
from shared.storage.pulse import Pulse
from shared.storage.trouble import said
from shared.stuck import Question
from shared.vitals import Vitals

BACKOFF_CAP = 5.0
MIGRATED_WITHIN = 60.0
WAITS = text("""
    SELECT EXISTS (SELECT 1 FROM outbox WHERE position IS NULL)
        OR EXISTS (SELECT 1 FROM retry r WHERE state NOT IN ('dead', 'newer') AND NOT EXISTS
            (SELECT 1 FROM retry n WHERE n.subject = r.subject AND n.state = 'newer'))""")
DEAD = 70  # EX_SOFTWARE: a loop died
GIVING_UP = 2.0  # seconds a cancelled statement takes at most to give its connection up


@dataclass(frozen=True, slots=True)
class Job:
    """Something that runs by the clock.

    ``run(store, limit)`` is one bounded tick and returns how many things it moved; it is run again
    at once while it moves a whole batch, then so many ``together``: while one waits for the database
    another works. ``due(act)`` says when there is next something to do. ``on_facts`` also wakes it whenever
    facts were received or told.
    """

    run: Callable[[Store[Any], int], Awaitable[int]]
    due: Callable[[Act[Any]], Awaitable[datetime | None]]
    every: float = 1.0
    limit: int = 100
    together: int = 1
    on_facts: bool = False


Check = Callable[[Act[Any]], Awaitable[None]]


class Service:
    """A running service: its store and bus, its loops, and whether it is well."""

    def __init__(
        self,
        name: str,
        settings: ServiceSettings,
        subscriptions: Subscriptions,
        jobs: Mapping[str, Job],
        migrations: Path,
        questions: Sequence[Question] = (),
        check: Check | None = None,
    ) -> None:
        self.name, self.settings, self.jobs = name, settings, jobs
        self.subscriptions, self._migrations, self._check = subscriptions, migrations, check
        folder = settings.folder()
        self.store: Store[Any] = Store(
            name,
            settings.database_url,
            settings.load(folder),
            pool_size=settings.pool_size,
            before_commit=partial(outbox.write, on_told=partial(hear_own, subscriptions)),
            after_telling=lambda: self._wake("relay", *self._on_facts()),
            fingerprint=Digester(key_bytes(settings.index_key)).fingerprint,
            configuration=folder.configuration,
        )
        self.process = Process(uuid4(), settings.release, clock.real())
        self.metrics = Metrics()
        self.metrics.runs(settings.release, folder.configuration)
        self.tokens = TokenVerifier(settings.token_keys)
        self.bus = connect(settings.bus_url, settings.publish_timeout, settings.receive_gather)
        self.pulse = Pulse(settings.database_url)
        self.vitals = self._vitals(questions)
        self.inbox = Inbox(self.store, subscriptions)
        self.relay = Relay(self.store, self.bus)
        self.stopping = asyncio.Event()
        self._stopped_from: datetime | None = None
        self.ready = False
        self.died: str | None = None
        self._rest: tuple[tuple[int, datetime], datetime | None] | None = None
        self._loops: dict[str, asyncio.Task[None]] = {}
        self._wakers: dict[str, asyncio.Event] = {}

    def _vitals(self, questions: Sequence[Question]) -> Vitals:
        return Vitals(
            self.store,
            self.metrics,
            beat=self.pulse.beat,
            waiting=lambda: self.bus.waiting(self.queue),
            due={name: job.due for name, job in self.jobs.items()},
            questions=questions,
        )

    @property
    def queue(self) -> str:
        """The queue this service listens to."""
        return f"svc.{self.name}"

    # --- start and stop ------------------------------------------------------------------------

    async def start(self) -> None:
        """Wait for the schema, check, then run every loop. Raises ConfigError for an older schema, or
        when settings and data do not belong together.
        """
        await self._wait_for_schema()
        await self.check(self.store.config)
        await self._expect_newer()
        await succession.take_up(self.store)
        self._run("consumer", self._consume())
        self._run("relay", self._tick("relay", self._relay, 0.5))
        self._run("retry", self._tick("retry", self._retry, 1.0))
        self._run("heartbeat", self._tick("heartbeat", self._beat, BEAT))
        self._run("months", self._tick("months", self._months, EVERY))
        for name, job in self.jobs.items():
            self._run(name, self._tick(name, self._job(name, job), job.every))
        self.ready = True
        log.info("started", service=self.name)

    def begin_stop(self) -> None:
        """Take no more work: not ready, loops and streams end what they have in hand."""
        self.ready = False
        self._stopped_from = self._stopped_from or clock.real()
        self.stopping.set()
        self.wake()

    async def stop(self) -> None:
        """Stop within the budget: every loop ends its step, then a last relay pass."""
        self.begin_stop()
        left = self._seconds_left()
        if self._loops:
            await self._end_loops(left)
            await self._within(left * 0.12, "the last relay pass", self.relay.run_once())
            await self._within(left * 0.04, "the last heartbeat", leave(self.store, self.process))
        await self._within(left * 0.04, "closing the bus", self.bus.close())
        await self._within(left * 0.04, "closing the database", self.close_database())
        log.info("stopped", service=self.name)

    async def close_database(self) -> None:
        """Give every connection to it back, and look at it no more."""
        self.vitals.give_up()
        await self.pulse.close()
        await self.store.close()

    def _seconds_left(self) -> float:
        """What requests have left of the budget, and time for what is cut off to let go."""
        waited = clock.real() - (self._stopped_from or clock.real())
        return max(self.settings.stop_seconds - waited.total_seconds() - GIVING_UP, 0.5)

    async def _end_loops(self, seconds: float) -> None:
        _, late = await asyncio.wait(self._loops.values(), timeout=seconds * 0.6)
        for task in late:
            log.warning("did not stop in time", loop=task.get_name())
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=seconds * 0.04)

    async def _within(self, seconds: float, what: str, step: Awaitable[Any]) -> None:
        """One step of stopping in its share of the budget; what it leaves undone is safe.

        Nobody waits for what was cut off: a frozen connection lets go of it only later.
        """
        task = asyncio.ensure_future(step)
        await asyncio.wait({task}, timeout=seconds)
        error = task.exception() if task.done() and not task.cancelled() else None
        if error or not task.done():
            task.cancel()
            log.warning("left undone at stop", what=what, why=place(error or TimeoutError()))

    async def _wait_for_schema(self) -> None:
        why = "库结构不是本版本的 the database has not the schema of this version: run migrate"
        for _ in range(int(MIGRATED_WITHIN)):
            try:
                if await is_current(self.store.engine, self._migrations):
                    return
            except Exception as error:
                if not is_trouble(error):
                    raise
                log.warning("the database is away", why=(why := said(error)))
            log.info("waits for its migrate step", service=self.name)
            await clock.pause(1.0, self.stopping)
        raise ConfigError(f"{self.name}: {why}")

    async def _expect_newer(self) -> None:
        """What waits for a newer release may be waiting for this one; at the latest in an hour."""
        try:
            await self.inbox.expect_newer()
        except Exception as error:
            if not is_trouble(error):
                raise
            log.warning("the database is away", why=place(error))

    # --- loops ---------------------------------------------------------------------------------

    def wake(self) -> None:
        """Let every loop look at once: we stop."""
        for waker in self._wakers.values():
            waker.set()

    def stepped(self) -> None:
        """Let the jobs look at once: the trade's time has moved."""
        self._wake(*self.jobs)

    def _wake(self, *names: str) -> None:
        for name in names:
            if name in self._wakers:
                self._wakers[name].set()

    async def _receive(self, messages: Sequence[Message]) -> None:
        await self.inbox.receive(messages)
        self.metrics.received.inc(len(messages))
        self._wake(*self._on_facts())

    def _on_facts(self) -> list[str]:
        return [name for name, job in self.jobs.items() if job.on_facts]

    def _run(self, name: str, loop: Awaitable[None]) -> None:
        async def run() -> None:
            await loop

        task = asyncio.create_task(run(), name=f"{self.name}.{name}")
        task.add_done_callback(self._ended)
        self._loops[name] = task

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A loop that dies takes the process with it, by name."""
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if self.stopping.is_set():
            return
        self.ready, self.died = False, task.get_name()
        log.critical("a loop died", loop=self.died, why=place(error) if error else "it returned")
        self.on_death()

    def on_death(self) -> None:
        """End the process; an embedded runner or a test may do otherwise."""
        os.kill(os.getpid(), signal.SIGTERM)

    async def _consume(self) -> None:
        await self._until_reachable()
        await self.bus.consume(self.queue, self._receive, self.stopping)

    async def _until_reachable(self) -> None:
        delay = 0.2
        while not self.stopping.is_set():
            try:
                await self.bus.declare({self.queue: list(self.subscriptions)})
                return
            except BusTrouble as error:
                log.warning("the broker is away", why=str(error), seconds=delay)
                await clock.pause(delay, self.stopping)
                delay = min(delay * 2, BACKOFF_CAP)

    async def _tick(self, name: str, run_once: Callable[[], Awaitable[bool]], every: float) -> None:
        """A ticker around one bounded step; True means there is more to do at once."""
        waker = self._wakers.setdefault(name, asyncio.Event())
        delay = every
        while not self.stopping.is_set():
            waker.clear()
            try:
                more, delay, until = await run_once(), every, waker
            except Exception as error:
                if not (is_trouble(error) or isinstance(error, BusTrouble)):
                    raise
                # Not the waker: every commit would try again what is away.
                more, delay, until = False, min(max(delay, 0.5) * 2, BACKOFF_CAP), self.stopping
                log.warning("trouble", loop=name, why=_said(error), seconds=delay)
            if not more:
                await clock.pause(delay, until)

    async def _relay(self) -> bool:
        if self.settings.relay_gather:
            await clock.pause(self.settings.relay_gather, self.stopping)
        sent = await self.relay.run_once()
        self.metrics.relayed.inc(sent)
        return sent >= outbox.IN_FLIGHT

    async def _beat(self) -> bool:
        await beat(self.store, self.process)
        await succession.take_up(self.store)
        return False

    async def _months(self) -> bool:
        await keep_ahead(self.store, clock.real())
        return False

    async def _retry(self) -> bool:
        return await self.inbox.retry_once() > 0

    def _job(self, name: str, job: Job) -> Callable[[], Awaitable[bool]]:
        more = False

        async def run_once() -> bool:
            nonlocal more
            with trace(None, service=self.name, job=name):
                runs = [job.run(self.store, job.limit) for _ in range(job.together if more else 1)]
                ran = await asyncio.gather(*runs, return_exceptions=True)
            moved = sum(one for one in ran if isinstance(one, int))
            self.metrics.ran.labels(name).inc(moved)
            for trouble in ran:
                if isinstance(trouble, BaseException):
                    raise trouble
            more = moved >= job.limit * len(ran)
            return more

        return run_once

    # --- its rules -----------------------------------------------------------------------------

    async def check(self, config: Any) -> None:
        """Raises ConfigError when some rules and what is in the database do not belong together."""
        if self._check:
            async with self.store.act(f"service:{self.name}") as act:
                await self._check(replace(act, config=config))

    def take_up(self, config: Any, configuration: str) -> None:
        """Go by other rules from the next act on; what looks at them by the clock looks at once."""
        log.info("rules taken up", service=self.name, configuration=configuration)
        self.store.take_up(config, configuration)
        self.metrics.runs(self.settings.release, configuration)
        self._wake("heartbeat", *self.jobs)

    def keep_rules(self, faults: str) -> None:
        """Go on under the rules in force: those that were offered have faults."""
        self.metrics.refused.inc()
        for fault in faults.splitlines():
            log.error("rules refused", service=self.name, fault=fault)

    # --- how it is -----------------------------------------------------------------------------

    async def next_due(self) -> datetime | None:
        """When a job next has something to do."""
        async with self.store.act(f"service:{self.name}") as act:
            return await self._next_due(act)

    async def _next_due(self, act: Act[Any]) -> datetime | None:
        moments = [await job.due(act) for job in self.jobs.values()]
        return min((moment for moment in moments if moment is not None), default=None)

    async def look(self) -> tuple[bool, datetime | None]:
        """Whether something waits that is no matter of time (queue, outbox, retries), and if
        nothing does, when a job next has something to do: who is busy may still make it due.
        """
        try:
            if await self.bus.waiting(self.queue) > 0:
                return True, None
        except BusTrouble:
            return True, None  # what cannot be seen may wait
        if self._rest and self._rest[0] == (self.store.acts, clock.now()):
            return False, self._rest[1]  # nothing was done here since the last look
        async with self.store.act(f"service:{self.name}") as act:
            begun = self.store.acts
            if (await (await act.session.connection()).execute(WAITS)).scalar():
                return True, None
            due = await self._next_due(act)
        self._rest = (begun + 1, act.now), due  # the one more is the end of this act
        return False, due


def _said(error: Exception) -> str:
    """What is wrong with the broker, which says so itself, or with the database."""
    return str(error) if isinstance(error, BusTrouble) else said(error)


@dataclass(slots=True)
class AppState:
    """What an app carries: its service, and all services that share its process and its clock."""

    service: Service
    on_this_clock: list[Service]


def state_of(app: FastAPI) -> AppState:
    """The state build_app gave an app."""
    state: AppState = app.state.jiesu
    return state


def service_of(app: FastAPI) -> Service:
    """The service behind an app."""
    return state_of(app).service
