"""A bench for one service: its three doors and its outbox, on a real database of its own.

No loop runs here. A test says what arrives, asks by HTTP, runs a job, and looks at what was told.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI
from sqlalchemy import text

from services.registry import part
from shared import clock
from shared.app import Service
from shared.auth import issue
from shared.bus import Message
from shared.events import Data, Fact
from shared.local_bus import LocalBus

ROOT = Path(__file__).parent.parent
MONDAY_NINE = "2026-03-02T09:00+08:00"


class Bench:
    """One service under test, on a stepped clock that starts on Monday 2026-03-02 at nine."""

    def __init__(self, name: str, app: FastAPI, keys: Path, clients: AsyncExitStack) -> None:
        self.name = name
        self.app = app
        self.service: Service = app.state.service
        self._keys = keys
        self._clients = clients
        self._http: dict[tuple[str, str | None, str], httpx.AsyncClient] = {}
        self._seq: Counter[tuple[str, str]] = Counter()
        self._later = clock.real()

    # --- time ----------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """The trade's time."""
        return clock.now()

    def at(self, moment: str | datetime) -> datetime:
        """Set the stepped clock, also back: a test may tell its story in any order."""
        instant = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        clock.simulate(instant)
        return clock.now()

    # --- HTTP ----------------------------------------------------------------------------------

    def http(
        self, role: str | None, unit: str | None = None, name: str = "test"
    ) -> httpx.AsyncClient:
        """A client with a role's token; without a role it has none."""
        slot = (role or "", unit, name)
        if slot not in self._http:
            headers = {}
            if role:
                headers["Authorization"] = f"Bearer {issue(self._keys, role, name, unit, days=1)}"
            self._http[slot] = httpx.AsyncClient(
                transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
                base_url=f"http://{self.name}",
                headers=headers,
            )
            self._clients.push_async_callback(self._http[slot].aclose)
        return self._http[slot]

    # --- facts ---------------------------------------------------------------------------------

    def fact(
        self,
        data: Data,
        *,
        subject: str = "20260302-000001",
        assignment: UUID | None = None,
        unit: str | None = None,
        round: int = 1,
        time: datetime | None = None,
        seq: int | None = None,
    ) -> Fact:
        """A fact as its speaker would say it now; seq counts per subject and source."""
        self._seq[subject, data.speaker] += 1
        return Fact(
            id=uuid4(),
            type=data.type(),
            source=data.speaker,
            subject=subject,
            time=time or clock.now(),
            recorded=clock.now(),
            seq=seq or self._seq[subject, data.speaker],
            round=round,
            assignment=assignment,
            unit=unit,
            actor=f"service:{data.speaker}",
            data=data,
        )

    async def hear(self, *facts: Fact) -> None:
        """Receive facts as one batch off the bus, then try what was parked until it rests."""
        await self.receive([Message(fact.key, str(fact.id), fact.encode()) for fact in facts])
        moved = 1
        while moved:  # each look is later than every due moment an earlier one set
            self._later += timedelta(hours=2)
            moved = await self.service.inbox.retry_once(now=self._later)

    async def receive(self, messages: Sequence[Message]) -> None:
        """Receive raw messages as one batch, nothing more."""
        await self.service.inbox.receive(messages)

    async def told(self, name: str | None = None) -> list[Fact]:
        """The facts in the outbox in the order told, or those of one name."""
        rows = await self.rows("SELECT body FROM outbox ORDER BY id")
        facts = [Fact.decode(row["body"]) for row in rows]
        return [fact for fact in facts if name is None or fact.name == name]

    # --- jobs and rows -------------------------------------------------------------------------

    async def run(self, job: str, limit: int = 100) -> int:
        """Run a job until it moves nothing; returns how many it moved."""
        moved = 0
        while count := await self.service.jobs[job].run(self.service.store, limit):
            moved += count
        return moved

    async def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """Rows of a plain query."""
        async with self.service.store.engine.connect() as connection:
            found = await connection.execute(text(query), values)
            return [dict(row) for row in found.mappings()]

    async def parked(self) -> list[dict[str, Any]]:
        """What stands in the retry table."""
        return await self.rows(
            "SELECT subject, key, state, attempts, reason FROM retry ORDER BY id"
        )


@asynccontextmanager
async def bench(name: str, url: str, keys: Path, **settings: Any) -> AsyncIterator[Bench]:
    """A bench for a service on a migrated database."""
    bus = f"bench-{secrets.token_hex(4)}"
    app = part(name).app(
        part(name).settings(
            embedded=True,
            database_url=url,
            bus_url=f"local://{bus}",
            token_keys=keys,
            config_dir=ROOT / "config" / "ziyang",
            clock="simulated",
            **settings,
        )
    )
    clock.simulate(datetime.fromisoformat(MONDAY_NINE))
    service: Service = app.state.service
    await service.bus.declare({service.queue: list(service.subscriptions)})
    try:
        async with AsyncExitStack() as clients:
            yield Bench(name, app, keys, clients)
    finally:
        await service.store.close()
        LocalBus.forget(bus)
        clock.simulate(None)
