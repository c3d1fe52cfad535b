"""Door 3, time: only the unit feed needs it, for positions are given after the commit."""

from __future__ import annotations

from services.dispatcher import feed
from services.dispatcher.settings import Config
from shared import clock
from shared.service import Job
from shared.storage.act import Store


async def number_feed(store: Store[Config], limit: int) -> int:
    """Give what was delivered its place in the feed, a moment later: one run serves many."""
    await clock.pause(store.config.feed.gather)
    async with store.act("service:dispatcher") as act:
        return await feed.number_feed(act, limit)


JOBS: dict[str, Job] = {
    "number_feed": Job(
        run=number_feed, due=feed.oldest_delivery, every=1.0, limit=1_000, on_receipt=True
    )
}
