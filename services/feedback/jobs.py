"""Door 3, time: calls that fell due are asked for, asked calls without an outcome expire."""

from __future__ import annotations

from services.feedback import calls, phone
from services.feedback.settings import Config
from shared import clock
from shared.jobs import Job
from shared.storage.act import Store

ACTOR = "service:feedback"


async def ring(store: Store[Config], limit: int) -> int:
    """Claim the calls that are due, ask for them outside any transaction, note what came of it."""
    async with store.act(ACTOR) as act:
        moved, claimed = await calls.claim_calls(act, limit, clock.real())
    if claimed:
        asked = await phone.ask_all(store.config, claimed)
        async with store.act(ACTOR) as act:
            await calls.record_asks(act, asked)
    return moved


async def expire(store: Store[Config], limit: int) -> int:
    """Count calls without an outcome as not answered."""
    async with store.act(ACTOR) as act:
        return await calls.expire_calls(act, limit, clock.real())


JOBS: dict[str, Job] = {
    "ring": Job(run=ring, due=calls.next_call, every=1.0, limit=20),
    "expire": Job(run=expire, due=calls.next_expiry, every=10.0),
}
