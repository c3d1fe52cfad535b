"""Door 3, time: marks that fall due, a calendar that became known, one that was wrong, and habits."""

from __future__ import annotations

from services.tracker import claims, triggers, usecases
from services.tracker.discrepancies import usecases as discrepancies
from services.tracker.policies import versions
from services.tracker.revisions import usecases as revisions
from services.tracker.settings import Config
from shared import policies
from shared.jobs import Job
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


async def revise(store: Store[Config], limit: int) -> int:
    """Carry out a revision that two persons decided."""
    async with store.act(ACTOR) as act:
        return await revisions.carry_out(act, limit)


async def press(store: Store[Config], limit: int) -> int:
    """Raise higher what nobody answered."""
    async with store.act(ACTOR) as act:
        return await triggers.press_unanswered(act, limit)


async def look_again(store: Store[Config], limit: int) -> int:
    """Raise discrepancies that have waited, and count what makes a habit of a unit."""
    async with store.act(ACTOR) as act:
        return await discrepancies.look_again(act, limit)


JOBS: dict[str, Job] = {
    "follow_policies": Job(run=versions.follow, due=policies.never, every=10.0),
    # More at once cost no less each, and hold their locks longer. A look that finds nothing takes a
    # millisecond, and no mark waits for it longer than a quarter of a second.
    "sweep": Job(run=sweep, due=claims.next_mark, every=0.25, limit=500, together=3),
    "press": Job(run=press, due=triggers.next_unanswered, every=60.0, limit=100),
    "discrepancies": Job(run=look_again, due=discrepancies.next_look, every=5.0, limit=250),
    # A calendar is read at the start: who brought a new one finds this work, or whoever looks next.
    "recompute": Job(run=recompute, due=usecases.laid_out_before, every=60.0, limit=250),
    "revise": Job(run=revise, due=revisions.waits, every=1.0, limit=100),
}
