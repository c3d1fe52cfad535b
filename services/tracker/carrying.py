"""并单与拆分: a unit that keeps the work under another number goes on with the time it has used (ADR 0049).

What it had elsewhere is kept with the ticket (``carried``), so whoever plays a ticket's facts again needs
no other ticket. It is looked for when tickets are merged or parted, and when a unit is given one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from services.tracker import records
from services.tracker.clockwork import recompute_clocks
from services.tracker.records import ServiceAct, TicketRecord
from services.tracker.rules.carrying import Whole, by_merging, by_splitting, kept_with
from services.tracker.rules.kept_limits import with_kept_limits
from services.tracker.rules.timelines import Carried, first_rounds
from shared.events import Fact, TicketSplit, TicketUnmerged
from shared.messaging.inbox import Handler

MOVING = ("ticket.merged", "ticket.unmerged", "assignment.dispatched.*")


def following(handlers: Mapping[str, Handler]) -> dict[str, Handler]:
    """Handlers of facts after which a unit may have the matter under another number."""

    def then_carry(handler: Handler) -> Handler:
        async def handle(act: ServiceAct, fact: Fact) -> None:
            await handler(act, fact)
            await _carry(act, fact)

        return handle

    return {name: then_carry(handlers[name]) for name in MOVING}


async def split(act: ServiceAct, fact: Fact) -> None:
    """拆分: each matter goes on, at a unit that had the call, where that stands (ADR 0058)."""
    data: TicketSplit = fact.data
    await records.lock_new(act, {fact.subject, *data.matters})
    call = whole(act, await records.locked(act, fact.subject))
    for number in data.matters:
        matter = await records.locked(act, number)
        keep(act, matter, by_splitting(call, fact.time), fact.time)


async def _carry(act: ServiceAct, fact: Fact) -> None:
    record = await records.locked(act, fact.subject)
    joined = (each.into for each in record.matter().merges)
    works = set(filter(None, (*joined, record.ticket.work)))
    if not works:
        return  # as nearly always
    group = await records.worked_on_as(act, works)
    others = [each for each in group if each is not record]
    leaves = isinstance(fact.data, TicketUnmerged)
    takes_along = leaves and _had_the_work(record)
    concerned = [each for each in others if takes_along or each.is_at_work(fact.time)]
    if record.assignments or leaves:
        concerned.append(record)
    wholes = [(each, whole(act, each)) for each in (record, *others)] if concerned else []
    for each in concerned:
        own, beside = whole(act, each), [other for of, other in wholes if of is not each]
        keep(act, each, by_merging(own, beside, fact.recorded), fact.time)


def _had_the_work(record: TicketRecord) -> bool:
    """Whether units had the work under the number of a ticket that leaves it: nobody asks there again."""
    joined = (each.at for each in record.matter().merges if each.into)
    return record.is_at_work(min(joined, default=record.ticket.registered_at))


def keep(act: ServiceAct, record: TicketRecord, found: Iterable[Carried], at: datetime) -> None:
    """Keep orders of the matter under other numbers, and let the clocks of those who had them follow."""
    known = record.matter().carried
    carried = kept_with(known, found)
    if new := set(carried).difference(known):
        record.ticket.carried = [each.model_dump(mode="json") for each in carried]
        recompute_clocks(act, record, at, given={each.order.id for each in new})


def whole(act: ServiceAct, record: TicketRecord) -> Whole:
    """A ticket as rules see it."""
    matter, rounds = record.matter(), record.round_timelines()
    orders = with_kept_limits(
        record.assignment_timelines(), matter.terms_at, act.store.dissolved, first_rounds(rounds)
    )
    return Whole(matter, rounds, orders)
