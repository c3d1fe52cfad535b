"""法定时限: the desk names the law that gives a matter a longer limit (JN-24(2)); its citizen is told."""

from __future__ import annotations

from services.dispatcher import merging, orders, records, views
from services.dispatcher.handling import hurrying
from services.dispatcher.handling.schemas import NameLaw, Withdrawal
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules import legal_limit, work_order
from services.dispatcher.schemas import TicketOut
from shared import policies
from shared.errors import NotFound, UnknownCode
from shared.events import LegalLimit, Role, Urgency


async def name_law(act: ServiceAct, number: str, body: NameLaw) -> TicketOut:
    """Let a law's longer limit be the limit of the round that runs. A clock that was missed stays missed.

    Raises NotFound, InOtherWork, MoveRefused, UnknownCode, LegalLimitNotForUrgency, LegalLimitInVain.
    """
    record = await records.find_locked(act, number)
    if record is None:
        raise NotFound
    merging.check_holds(record)
    law, ticket = _law(act, record, body), record.ticket
    lead = next((each for each in record.open() if each.role == Role.LEAD), None)
    present = orders.limits_of(
        act, record, Urgency(ticket.urgency), Role.LEAD, unit=lead.unit if lead else None
    )
    natural = policies.limits(act).natural(Urgency(ticket.urgency).level)
    legal_limit.check(record.milestones(), natural=natural, law=law, present=present.handle)
    hurrying.hold_law(act, record, law, body.reason)
    for each in record.waiting_with():
        hurrying.hold_law(act, each, law, body.reason, number)
    words = str(legal_limit.words(law, body.reason))
    hurrying.follow_urgency(act, record, record.open(), act.now, words)
    return views.ticket_out(act, record)


async def withdraw_law(act: ServiceAct, number: str, body: Withdrawal) -> TicketOut:
    """撤回法定时限: the law was named wrongly; the limit is what it was, and nobody is late before now (ADR
    0080). Who waits for the same work is told, too.

    Raises NotFound, InOtherWork, MoveRefused.
    """
    record = await records.find_locked(act, number)
    if record is None:
        raise NotFound
    if legal_limit.is_of_work(record.ticket.law):
        merging.check_holds(record)
    law = legal_limit.check_withdrawal(record.milestones(), record.ticket.law)
    joined = (each for each in record.waiting_with() if legal_limit.is_of_work(each.ticket.law))
    for each in (record, *joined):
        hurrying.drop_law(act, each, body.reason)
    words = str(legal_limit.withdrawn(law, body.reason))
    hurrying.follow_urgency(act, record, record.open(), act.now, words)
    return views.ticket_out(act, record)


def _law(act: ServiceAct, record: TicketRecord, body: NameLaw) -> LegalLimit:
    """The law as the county's table has it, or as the desk writes it."""
    if body.statute is None:
        return LegalLimit(law=body.law or "", article=body.article or "", limit=body.limit or "")
    urgency = Urgency(record.ticket.urgency)
    table = policies.limits(act)
    laws = table.laws(work_order.kind_of(table, record.matter, urgency))
    if body.statute not in laws:
        raise UnknownCode(body.statute, field="statute", allowed=[*laws])
    return laws[body.statute]
