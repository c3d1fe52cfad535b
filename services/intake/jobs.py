"""Intake's third door, time: with the end of a day the head of the read log is told."""

from __future__ import annotations

from services.intake import readlog
from services.intake.settings import Config
from shared.service import Job
from shared.storage.act import Store


async def anchor_reads(store: Store[Config], _: int) -> int:
    """Tell the head of the read log where no writer of this database reaches it."""
    async with store.act("service:intake") as act:
        return await readlog.anchor(act)


JOBS: dict[str, Job] = {"anchor_reads": Job(run=anchor_reads, due=readlog.next_anchor, every=60.0)}
