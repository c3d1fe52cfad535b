"""并单: the work's clocks run once, under the number that has its orders; each citizen's own clock goes on.

An order that ends because its ticket was merged was late already or not: that stays. Many reporters of
one matter within some days make a supervision (集中反映, JN-28).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.tracker import records
from services.tracker.clockwork import recompute_clocks
from services.tracker.models import Assignment
from services.tracker.policies import versions
from services.tracker.raising import Ground
from services.tracker.records import ServiceAct, TicketRecord
from services.tracker.rules.timelines import Merge
from services.tracker.triggers import REPORTERS, raise_by_rule
from shared import events
from shared.events import Fact, Role


async def merge(act: ServiceAct, fact: Fact) -> None:
    """并单: the desk's clock of this ticket ends; what its units had, the dispatcher cancels."""
    data: events.TicketMerged = fact.data
    await records.lock_new(act, {fact.subject, data.into})
    record, into = await records.locked(act, fact.subject), await records.locked(act, data.into)
    new = Merge(seq=fact.seq, at=fact.time, into=data.into, repeat=data.repeat)
    _note(act, record, new)
    into.ticket.work = into.ticket.work or data.into
    await watch(act, into, fact.time)


async def unmerge(act: ServiceAct, fact: Fact) -> None:
    """撤销并单: somebody must dispatch it again."""
    record = await records.locked(act, fact.subject)
    _note(act, record, Merge(seq=fact.seq, at=fact.time))


def _note(act: ServiceAct, record: TicketRecord, new: Merge) -> None:
    known = {each.seq: each for each in record.matter().merges} | {new.seq: new}
    merges = [known[seq] for seq in sorted(known)]
    record.ticket.merges = [each.model_dump(mode="json") for each in merges]
    record.ticket.work = merges[-1].into
    recompute_clocks(act, record, new.at)


# --- many reporters ----------------------------------------------------------------------------


async def watch(act: ServiceAct, record: TicketRecord, at: datetime) -> None:
    """Raise what the policy says when a work has many reporters, once for each order of a lead."""
    rules = versions.in_force(act).rules.cluster_of_reporters
    if rules is None or record.ticket.work is None:
        return
    group = await records.worked_on_with(act, record.ticket.number)
    reporters = [each for each in group if not _is_repeat(each)]
    if not rules.reached(each.ticket.registered_at for each in reporters):
        return
    many = len(reporters)
    reason = f"{many}名诉求人集中反映同一事项 {many} citizens reported the same matter"
    ground = Ground(rules.then, "trigger", reason)
    for each in group:
        for lead in _leads_at_work(each):
            raise_by_rule(act, each, lead, REPORTERS, ground, at)


def _is_repeat(record: TicketRecord) -> bool:
    """Whether its citizen reported the matter before, under another ticket of the work."""
    merges = record.matter().merges
    return bool(merges) and merges[-1].repeat


def _leads_at_work(record: TicketRecord) -> Sequence[Assignment]:
    withdrawal = record.matter().withdrawal
    return [
        row
        for row in record.assignments
        if row.role == Role.LEAD and not records.timeline(row).ending(withdrawal)
    ]
