"""Intake's third door, time: what other releases left to be done."""

from __future__ import annotations

from services.intake import callers
from services.intake.settings import Config
from shared.service import Job
from shared.storage.act import Store

ACTOR = "service:intake"


async def index_callers(store: Store[Config], limit: int) -> int:
    """Key callers' numbers anew that a release before this one indexed."""
    async with store.act(ACTOR) as act:
        return await callers.key_anew(act, limit)


JOBS: dict[str, Job] = {
    "index_callers": Job(run=index_callers, due=callers.outdated_since, every=10.0),
}
