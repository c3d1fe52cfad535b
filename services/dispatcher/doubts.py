"""待核与催促: what the desk is asked to see to of a ticket that units work on, and by when.

It has as long as for dispatching the ticket, of what may endanger life as of what does (limits.yaml): no
source names a limit, so this is our own proposal. The due moment is stored with what it is about, as that of
a return is (ADR 0052).
"""

from __future__ import annotations

from datetime import datetime

from services.dispatcher.models import Assignment
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules import co_handling as rules
from services.dispatcher.rules import work_order
from shared.events import Urgency
from shared.jurisdiction.calendar import Limit


def doubt(act: ServiceAct, record: TicketRecord, reason: str) -> None:
    """待核: the desk sees it on its list until it re-dispatches, or confirms who has it."""
    ticket = record.ticket
    ticket.doubted_at, ticket.doubted_reason = ticket.doubted_at or act.now, reason
    ticket.doubted_due = _due(act, record, ticket.doubted_at)


def press(act: ServiceAct, record: TicketRecord, silent: Assignment, by: str, note: str) -> None:
    """催促: the desk has a silent co-handler on its list, since it was first asked, until its unit moves or
    the desk says who works on the ticket (R-13).
    """
    since = silent.pressed["at"] if silent.pressed else act.now.isoformat()
    silent.pressed = {"by": by, "at": since, "note": note}
    silent.pressed_due = silent.pressed_due or _due(act, record, act.now)


def settle(record: TicketRecord) -> None:
    """What leads asked of the desk about their co-handlers is done. The release before has it as a doubt."""
    for each in record.open():
        each.pressed = each.pressed_due = None
    if (record.ticket.doubted_reason or "").startswith(rules.SILENT):
        record.ticket.doubted_at = record.ticket.doubted_reason = None


def _due(act: ServiceAct, record: TicketRecord, since: datetime) -> datetime:
    urgency = Urgency.CRITICAL if record.ticket.alarmed_at else Urgency(record.ticket.urgency)
    limits = act.config.limits
    limit = limits.dispatch(work_order.kind_of(limits, record.matter, urgency))
    return act.config.calendar.due(since, Limit.parse(limit)).at
