"""更正: what a correction at intake means for callbacks (ADR 0045)."""

from __future__ import annotations

from services.feedback import records, usecases
from services.feedback.attempts import plan_next
from services.feedback.models import Callback
from services.feedback.records import ServiceAct, TicketRecord
from services.feedback.rules.machine import Action
from services.feedback.rules.verdict import Closed
from shared.events import Fact, TicketCorrected, TicketType
from shared.observability import log

HEEDED = {"type", "confidential", "reply_declined", "phone"}


async def heed(act: ServiceAct, fact: Fact) -> None:
    """Whoever wants no call gets none from now on; a number that was wrong is called again.

    Of two corrections of a field the later said counts, whichever is heard first.
    """
    data: TicketCorrected = fact.data
    record = await records.locked(act, fact.subject)
    ticket = record.ticket
    known = ticket.corrected or {}
    fields = [f for f in data.fields if f in HEEDED and fact.seq > known.get(f, 0)]
    if not fields:
        log.info("ignored: corrected later, or nothing of ours", ticket=fact.subject)
        return
    ticket.corrected = known | dict.fromkeys(fields, fact.seq)
    if "type" in fields and data.type is not None:
        ticket.type = data.type
    if "confidential" in fields and data.confidential is not None:
        ticket.confidential = data.confidential
    if "reply_declined" in fields and data.reply_declined is not None:
        ticket.reply_declined = data.reply_declined
    if "phone" in fields and data.has_contact is not None:
        ticket.has_contact, ticket.number_corrected_at = data.has_contact, fact.time
    for callback in record.open_callbacks():
        _follow(act, record, callback, called_anew="phone" in fields)


def _follow(
    act: ServiceAct, record: TicketRecord, callback: Callback, *, called_anew: bool
) -> None:
    ticket = record.ticket
    kind = act.config.policy.closes_at_once(
        TicketType(ticket.type),
        has_contact=ticket.has_contact,
        reply_declined=ticket.reply_declined,
    )
    if kind is not None:
        callback.move(Action.CANCEL)
        callback.rest()
        usecases.conclude(act, record, callback, Closed(kind))
    elif called_anew and callback.step == "lapse":
        plan_next(act, record, callback)
