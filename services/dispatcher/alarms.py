"""险情: what a citizen says later may report a danger, as the first text may (ADR 0051, 0058).

One that is certain makes the ticket critical: units and desk hear it, and clocks that run follow, with the
time they used. One that may be none is a person's to find out, at once. No later text makes anything less
urgent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.dispatcher import doubts, merging, orders, records
from services.dispatcher.catalogue import catalogues
from services.dispatcher.handling import hurrying
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules import reasons
from services.dispatcher.rules.approvals import lowers
from services.dispatcher.rules.urgency import is_more_urgent
from shared.events import Urgency
from shared.jurisdiction.urgency import Found
from shared.jurisdiction.wording import text_of


async def heed(act: ServiceAct, record: TicketRecord, said: str, time: datetime) -> None:
    """See whether what was just said reports a danger, and let that have its consequences."""
    found = _found(act, record, said) if record.waits else None
    if found is None:
        return
    if reasons.perhaps(found):
        _ask_somebody(act, record, found, time)
    elif raises(act, record, said):
        if holder := record.joined:
            await merging.hurry(act, record, holder, time)
        else:
            hurrying.hurry(act, record, await records.added(act, record), time)


def raises(act: ServiceAct, record: TicketRecord, said: str) -> bool:
    """Make a ticket critical where a text reports a danger for certain; whether it was less urgent."""
    found, urgency = _found(act, record, said), Urgency(record.ticket.urgency)
    if found is None or reasons.perhaps(found) or not is_more_urgent(Urgency.CRITICAL, urgency):
        return False
    record.ticket.urgency = Urgency.CRITICAL
    return True


async def only_doubted(
    act: ServiceAct, record: TicketRecord, urgency: Urgency, said: Sequence[str]
) -> bool:
    """Whether a ticket that no unit has had is more urgent than that for a doubtful word alone: whether it
    is a danger, the desk is to find out (ADR 0051). ``said``: what the citizen added.
    """
    later = [found for each in said if (found := _found(act, record, each))]
    if record.assignments or any(not reasons.perhaps(found) for found in later):
        return False
    dispatching = await catalogues.dispatching(act)
    certain = dispatching.certain_urgency(record.matter, record.ticket.registered_at)
    return not lowers(certain, urgency)


def _found(act: ServiceAct, record: TicketRecord, said: str) -> Found | None:
    return act.config.dispatching.urgency.found(record.matter.type, "", (), text_of("", said))


def _ask_somebody(act: ServiceAct, record: TicketRecord, found: Found, time: datetime) -> None:
    """First on the desk's list and on those of its units, until a person assigns or confirms."""
    holder = record.joined or record
    ticket, why = holder.ticket, str(reasons.perhaps_later(found))
    if ticket.alarmed_at is None:
        ticket.alarmed_at = act.now
        orders.update(act, record, "urged", why, time)
    if ticket.unassigned_at is None:
        doubts.doubt(act, holder, why)
    elif why not in (ticket.unassigned_reason or ""):
        ticket.unassigned_reason = f"{why}；{ticket.unassigned_reason}"
