"""Intake's third door, time: what callers and words are found by, calls that nobody took, and with the
end of a day the head of the read log.
"""

from __future__ import annotations

from datetime import datetime

from services.intake import callers, readlog, search, vault
from services.intake.calls import usecases as calls
from services.intake.settings import Config
from shared import policies
from shared.jobs import Job
from shared.storage.act import Act, Store

ACTOR = "service:intake"


async def check(act: Act[Config]) -> None:
    """What must be true of keys and policies before a process goes by them. Raises ConfigError."""
    await vault.check_keys(act)
    await policies.take_up(act)


async def index_callers(store: Store[Config], limit: int) -> int:
    """Key callers' numbers anew that a release before this one indexed."""
    async with store.act(ACTOR) as act:
        return await callers.key_anew(act, limit)


async def index_texts(store: Store[Config], limit: int) -> int:
    """Bring the search up to what was said. Less than a whole batch is answered always: the next one
    waits for its turn, so that a storm of registrations, or a log of years, is followed at leisure.
    """
    async with store.act(ACTOR) as act:
        return min(await search.follow(act, limit), limit - 1)


async def miss_calls(store: Store[Config], limit: int) -> int:
    """Put calls on the list that nobody answered."""
    async with store.act(ACTOR) as act:
        return await calls.miss_unanswered(act, limit)


async def forget_calls(store: Store[Config], limit: int) -> int:
    """Erase calls that were kept long enough."""
    async with store.act(ACTOR) as act:
        return await calls.forget(act, limit)


async def anchor_reads(store: Store[Config], _: int) -> int:
    """Tell the head of the read log where no writer of this database reaches it."""
    async with store.act(ACTOR) as act:
        return await readlog.anchor(act)


async def at_leisure(_: Act[Config]) -> datetime | None:
    """No moment of the trade's time: nobody has to wait for it."""
    return None


JOBS: dict[str, Job] = {
    "follow_policies": Job(run=policies.follow, due=policies.never, every=10.0),
    "index_callers": Job(run=index_callers, due=callers.outdated_since, every=10.0),
    "index_texts": Job(run=index_texts, due=at_leisure, every=2.0, limit=500),
    "miss_calls": Job(run=miss_calls, due=calls.next_unanswered, every=5.0),
    "forget_calls": Job(run=forget_calls, due=at_leisure, every=600.0),
    "anchor_reads": Job(run=anchor_reads, due=readlog.next_anchor, every=60.0),
}
