"""可行的操作: what who reads a ticket may do with it now (ADR 0078)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, select

from services.intake.models import MaliciousMarks, Ticket
from services.intake.records import ServiceAct, TicketRecord, count_supplements
from services.intake.rules import acts, endings
from services.intake.rules.acts import TicketContext
from shared.events import TicketType
from shared.jurisdiction.gazetteer import accuses
from shared.storage.rows import one_of

MARKED = select(MaliciousMarks.number).where(col(MaliciousMarks.undone_at).is_(None))


async def look_at(act: ServiceAct, shown: Sequence[TicketRecord]) -> None:
    """Load what the acts of the caller depend on beside a ticket's own row, of all that is shown."""
    role = act.caller.role if act.caller else ""
    if role in acts.BY_FRONT:
        await count_supplements(act, shown)
    if role in acts.BY_DESK:
        numbers = [each.ticket.number for each in shown]
        marked = set(await act.session.exec(MARKED.where(one_of(MaliciousMarks.number, numbers))))
        for each in shown:
            each.marked = each.ticket.number in marked


def allowed(act: ServiceAct, record: TicketRecord) -> list[str]:
    """What the caller may do; the record was looked at."""
    return acts.allowed(_context(act, record), act.caller.role) if act.caller else []


def _context(act: ServiceAct, record: TicketRecord) -> TicketContext:
    ticket, number = record.ticket, record.ticket.number
    return TicketContext(
        status=record.status,
        forwarded=ticket.forwarded,
        disputed=ticket.arbitration is not None,
        final=not is_resumable(act, ticket),
        joined=ticket.work not in (None, number),
        leads=ticket.work == number and len(record.group) > 1,
        secret=accused_unknown(act, ticket),
        full=record.full,
        rated=ticket.call_rating is not None,
        marked=record.marked,
        unread=ticket.noted_after_end_at is not None,
        erased=ticket.erased_at is not None,
    )


def is_resumable(act: ServiceAct, ticket: Ticket) -> bool:
    """Whether what the hotline ended itself may go on still."""
    within = act.config.endings.resume_within
    return endings.is_resumable(ticket.ended_at, within, act.config.calendar, act.now)


def accused_unknown(act: ServiceAct, ticket: Ticket) -> bool:
    """Whether a ticket accuses somebody, and nobody can know whom (R-35)."""
    unclear = act.config.gazetteer.unclear(ticket.about, ticket.area)
    return bool(unclear) or (accuses(TicketType(ticket.type)) and not ticket.about.stated)
