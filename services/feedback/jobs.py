"""Door 3, time: calls that fell due are asked for, asked calls without an outcome expire."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

import httpx

from services.feedback import phone, queries, usecases
from services.feedback.phone import AskFailed, Call
from services.feedback.rules import planning
from services.feedback.settings import Config
from shared import clock
from shared.app import Job
from shared.db import Store

ACTOR = "service:feedback"


async def ring(store: Store[Config], limit: int) -> int:
    """Claim the calls that are due, ask for them outside any transaction, note what came of it."""
    async with store.act(ACTOR) as act:
        moved, calls = await usecases.claim_calls(act, limit, clock.real())
    if calls:
        asked = await _ask_all(store.config, calls)
        async with store.act(ACTOR) as act:
            await usecases.record_asks(act, asked)
    return moved


async def _ask_all(config: Config, calls: Sequence[Call]) -> dict[Call, str | None]:
    async with phone.open_client() as client:
        failures = await asyncio.gather(*(_try(client, config, call) for call in calls))
    return dict(zip(calls, failures, strict=True))


async def _try(client: httpx.AsyncClient, config: Config, call: Call) -> str | None:
    """Why the call could not be asked for, or None."""
    try:
        await phone.ask(client, config, call)
    except AskFailed as failed:
        return str(failed)
    return None


async def next_ring(store: Store[Config]) -> datetime | None:
    """When there is next a call to make, inside the calling windows."""
    async with store.act(ACTOR) as act:
        moment = await queries.next_moment(act, ("fall_due", "ask"))
        if moment is None:
            return None
        return planning.opening(max(moment, act.now), act.config.times)


async def expire(store: Store[Config], limit: int) -> int:
    """Count calls without an outcome as not answered."""
    async with store.act(ACTOR) as act:
        return await usecases.expire_calls(act, limit, clock.real())


async def next_expiry(store: Store[Config]) -> datetime | None:
    """When the next asked call expires."""
    async with store.act(ACTOR) as act:
        return await queries.next_moment(act, ("expire",))


JOBS: dict[str, Job] = {
    "ring": Job(run=ring, due=next_ring, every=1.0, limit=20),
    "expire": Job(run=expire, due=next_expiry, every=10.0),
}
