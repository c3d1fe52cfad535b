"""Whether the read log is whole: its chain, and its heads as intake told them and the tracker kept them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from services.intake import readlog
from services.intake.readlog import Anchor, Verified
from shared.storage.act import Store

KEEPER = "tracker"  # another service, in another database, that only it may write to
HELD = text("SELECT count, hash FROM read_anchors ORDER BY told_at")


async def held(keeper: Store[Any]) -> list[Anchor]:
    """The heads that were heard and kept, the oldest first."""
    async with keeper.act("ops") as act:
        found = await (await act.session.connection()).execute(HELD)
        return [Anchor(count, last) for count, last in found]


async def verify(intake: Store[Any], keeper: Store[Any] | None) -> tuple[Verified, int]:
    """Check the log; how many of the heads it was compared with are kept by the ``keeper``."""
    kept = await held(keeper) if keeper else []
    async with intake.act("ops") as act:
        return await readlog.verify(act, kept), len(kept)
