"""Door 3, time: the unit feed needs it, for positions are given after the commit; and who changes
the units' file is told what that left behind.
"""

from __future__ import annotations

from datetime import datetime
from weakref import WeakKeyDictionary

from services.dispatcher import feed, merging, returning
from services.dispatcher.arbitration import usecases as arbitration
from services.dispatcher.catalogue import catalogues
from services.dispatcher.completion import auditing
from services.dispatcher.reform import following, transferring
from services.dispatcher.settings import Config
from shared import clock, policies
from shared.errors import ConfigError
from shared.jobs import Job
from shared.jurisdiction.codes import Units
from shared.observability import log
from shared.storage.act import Act, Store


async def number_feed(store: Store[Config], limit: int) -> int:
    """Give what was delivered its place in the feed, a moment later: one run serves many."""
    await clock.pause(store.config.feed.gather)
    async with store.act("service:dispatcher") as act:
        return await feed.number_feed(act, limit)


async def warn_of_removed(store: Store[Config], limit: int) -> int:
    """Log each unit that a change of units.yaml left with open work, once for each change."""
    if store.config.units is not warned.get(store):
        async with store.act("service:dispatcher") as act:
            for unit, _, open_work in await following.held_by_removed(act, limit):
                log.warning("a unit with open work is not in units.yaml", unit=unit, open=open_work)
        warned[store] = store.config.units
    return 0


async def take_up_catalogue(store: Store[Config], limit: int) -> int:
    """Import the catalogue of a folder that was taken up, before any ticket needs it."""
    if store.config.catalogue.digest != catalogues.taken.get(store):
        for _ in range(2):  # the second look is behind the commit of the first
            async with store.act("service:dispatcher") as act:
                await catalogues.in_force(act)
    return 0


async def refuse_removed(act: Act[Config]) -> None:
    """No start, and no other rules, while units.yaml has lost a unit with open work: who follows it stands
    there, and a reform moves its orders. Raises ConfigError with the counts.
    """
    held = await following.held_by_removed(act, LISTED)
    if held:
        raise ConfigError(
            "\n".join(
                f"units.yaml: {unit} 尚有 {open_work} 件在办，不能删去：写明 successors 并按机构改革移交 has "
                f"{open_work} open orders and may not be deleted: name its successors, and move them by a "
                "reform (docs/operations/reform.md)"
                for unit, _, open_work in held
            )
        )


async def check(act: Act[Config]) -> None:
    """What must be true of rules before a process goes by them. Raises ConfigError."""
    await refuse_removed(act)
    await catalogues.check(act)
    await policies.take_up(act)


async def take_up_left(store: Store[Config], limit: int) -> int:
    """Look after tickets that wait with others while nobody is at work."""
    async with store.act("service:dispatcher") as act:
        return await merging.take_up_left(act, limit)


async def oldest_left(act: Act[Config]) -> datetime | None:
    """Now, when somebody waits for nobody."""
    return act.now if await merging.find_left(act, 1) else None


async def rule_unruled(store: Store[Config], limit: int) -> int:
    """Do what the policy says of returns the desk has not ruled on in time."""
    async with store.act("service:dispatcher") as act:
        return await returning.rule_unruled(act, limit)


async def decide_undecided(store: Store[Config], limit: int) -> int:
    """Do what the policy says of answers the desk has not audited in time, and of requests to end a matter
    that it has not ruled on.
    """
    async with store.act("service:dispatcher") as act:
        return await auditing.decide_undecided(act, limit)


async def carry_out_reforms(store: Store[Config], limit: int) -> int:
    """Let reforms of units take effect, and move what is with units that are no more."""
    async with store.act("service:dispatcher") as act:
        return await transferring.carry_out(act, limit)


async def raise_unruled(store: Store[Config], limit: int) -> int:
    """Take up a step what a body of the ladder has not ruled on in time."""
    async with store.act("service:dispatcher") as act:
        return await arbitration.raise_unruled(act, limit)


async def never(_: Act[Config]) -> None:
    """No moment of the trade's makes it due: it is a change of files."""


LISTED = 20  # units that a refusal names
warned: WeakKeyDictionary[Store[Config], Units] = WeakKeyDictionary()
JOBS: dict[str, Job] = {
    "carry_out_reforms": Job(run=carry_out_reforms, due=transferring.next_due, every=1.0, limit=50),
    "follow_policies": Job(run=policies.follow, due=policies.never, every=10.0),
    "number_feed": Job(
        run=number_feed, due=feed.oldest_delivery, every=1.0, limit=1_000, on_facts=True
    ),
    "decide_undecided": Job(
        run=decide_undecided, due=auditing.next_undecided, every=1.0, limit=100
    ),
    "raise_unruled": Job(run=raise_unruled, due=arbitration.next_unruled, every=1.0, limit=100),
    "rule_unruled": Job(run=rule_unruled, due=returning.next_unruled, every=1.0, limit=100),
    "take_up_catalogue": Job(run=take_up_catalogue, due=never, every=10.0),
    "take_up_left": Job(run=take_up_left, due=oldest_left, every=60.0, limit=100),
    "warn_of_removed": Job(run=warn_of_removed, due=never, every=10.0),
}
