"""Door 3, time: marks that fall due, and a calendar that became known."""

from __future__ import annotations

from services.tracker import claims, usecases
from services.tracker.settings import Config
from shared.service import Job
from shared.storage.act import Store

ACTOR = "service:tracker"


async def sweep(store: Store[Config], limit: int) -> int:
    """Pass the marks that are due."""
    async with store.act(ACTOR) as act:
        return await usecases.pass_marks(act, limit)


async def recompute(store: Store[Config], limit: int) -> int:
    """Let open clocks follow a calendar that changed."""
    async with store.act(ACTOR) as act:
        return await usecases.lay_out_anew(act, limit)


JOBS: dict[str, Job] = {
    # More at once cost no less each, and hold their locks longer. A look that finds nothing takes a
    # millisecond, and no mark waits for it longer than a quarter of a second.
    "sweep": Job(run=sweep, due=claims.next_mark, every=0.25, limit=250),
    # A calendar is read at the start: who brought a new one finds this work, or whoever looks next.
    "recompute": Job(run=recompute, due=usecases.laid_out_before, every=60.0, limit=250),
}
