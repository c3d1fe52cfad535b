"""The operators' door to intake's vault: each of these is a run of bounded acts."""

from __future__ import annotations

from datetime import datetime

from services.intake import vault
from services.intake.rules.identity import KeepFor
from services.intake.settings import Config
from shared.errors import ConfigError
from shared.storage.act import Store

BATCH = 100
COUNTED = 1_000_000


async def erase(
    store: Store[Config], by: str, number: str, reason: str, *, forced: bool = False
) -> bool:
    """Erase one identity; False when it was erased before. Raises NotFound, TicketOpen."""
    async with store.act(f"ops:{by}") as act:
        return await vault.erase(act, number, reason, forced=forced)


def kept_since(store: Store[Config], period: str | None, now: datetime) -> datetime:
    """Before which moment a ticket must have ended to be outdated. Raises ConfigError."""
    try:
        kept = (
            KeepFor.parse(period) if period else store.config.policy.confidentiality.keep_identity
        )
    except ValueError as error:
        raise ConfigError(str(error)) from None
    return kept.before(now)


async def outdated(store: Store[Config], by: str, before: datetime) -> int:
    """How many identities retain() would erase; nothing is changed."""
    async with store.act(f"ops:{by}") as act:
        return await vault.count_outdated(act, before, COUNTED)


async def retain(store: Store[Config], by: str, before: datetime) -> int:
    """Erase what is outdated, batch by batch; a run that is cut is simply begun again."""
    stamped = erased = BATCH
    while stamped == BATCH:
        async with store.act(f"ops:{by}") as act:
            stamped = await vault.stamp_ends(act, BATCH)
    total, reason = 0, f"保存期满 ended before {before:%F}"
    while erased == BATCH:
        async with store.act(f"ops:{by}") as act:
            erased = len(await vault.erase_outdated(act, before, reason, BATCH))
        total += erased
    return total


async def reseal(store: Store[Config], batch: int = BATCH) -> vault.Resealed:
    """Seal everything anew under the current key and open the rest: how many of each, and what could
    not be opened by key.
    """
    total = vault.Resealed()
    for table in vault.TABLES:
        after: vault.Key | None = None
        while True:
            async with store.act("ops:reseal") as act:
                done = await vault.reseal(act, table, after, batch)
            total.count, total.opened = total.count + done.count, total.opened + done.opened
            total.unreadable += done.unreadable
            after = done.last
            if after is None:
                break
    return total
