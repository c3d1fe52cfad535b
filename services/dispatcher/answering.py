"""答复: a lead's answer is the ticket's, and that of every ticket that waited for it."""

from __future__ import annotations

from services.dispatcher import orders
from services.dispatcher.models import Assignment
from services.dispatcher.records import ServiceAct, TicketRecord
from shared import events

PUT_OFF = events.CompletionKind.NO_CONDITION_YET


def resolve(
    act: ServiceAct, record: TicketRecord, lead: Assignment, answer: events.AssignmentCompleted
) -> None:
    """The lead's answer is the ticket's, and that of every ticket that waited for it: each citizen is
    to be called back (R-23).
    """
    record.ticket.resolved = lead.round
    orders.end_arbitration(act, record, "resolved")
    record.ticket.doubted_at = record.ticket.doubted_reason = None
    data = answer_of(record, lead, answer)
    act.tell(data, subject=lead.ticket, round=lead.round)
    for each in record.waiting_with():
        answer_for(act, each, lead, data)


def answer_of(
    record: TicketRecord, lead: Assignment, answer: events.AssignmentCompleted
) -> events.TicketResolved:
    """What a lead answered for all who worked on it."""
    completed = (assignment.unit for assignment in record.completed(lead.round))
    return events.TicketResolved(
        kind=answer.kind,
        lead=lead.unit,
        units=tuple(dict.fromkeys((lead.unit, *completed))),
        solved=answer.solved,
        public_answer=answer.public_answer,
        promised_date=answer.promised_date if answer.kind is PUT_OFF else None,
        promise=lead.id if answer.kind is PUT_OFF else None,
    )


def answer_for(
    act: ServiceAct, record: TicketRecord, lead: Assignment, data: events.TicketResolved
) -> None:
    """A lead's answer under another ticket's number is this one's, too, in its own round."""
    ticket = record.ticket
    orders.end_arbitration(act, record, "resolved")
    ticket.resolved = ticket.round
    ticket.answered = {
        "round": ticket.round,
        "assignment": str(lead.id),
        "lead": lead.unit,
        "rule": lead.rule,
        "catalogue_version": lead.catalogue_version,
    }
    act.tell(data, subject=ticket.number, round=ticket.round)
