"""法定时限: the desk names the law that gives a matter a longer limit (JN-24(2)); its citizen is told."""

from __future__ import annotations

from services.dispatcher import merging, records, views
from services.dispatcher.approvals import usecases as approvals
from services.dispatcher.handling import hurrying
from services.dispatcher.handling.schemas import NameLaw, Withdrawal
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules import legal_limit, work_order
from services.dispatcher.schemas import TicketOut
from shared import policies
from shared.errors import NotFound, UnknownCode
from shared.events import LegalLimit, Urgency


async def name_law(act: ServiceAct, number: str, body: NameLaw) -> TicketOut:
    """Name a law of the county's table, which holds at once; or another, for which a second person is asked:
    what is answered is what waits for that (ADR 0084).

    Raises NotFound, InOtherWork, MoveRefused, UnknownCode, LegalLimitNotForUrgency, LegalLimitInVain,
    ApprovalPending.
    """
    record = await records.find_locked(act, number)
    if record is None:
        raise NotFound
    merging.check_holds(record)
    asked = None
    if body.statute:
        hurrying.name_law(act, record, _of_table(act, record, body.statute), body.reason)
    else:
        law = LegalLimit(law=body.law or "", article=body.article or "", limit=body.limit or "")
        asked = (await approvals.ask_legal_limit(act, record, law, body.reason)).id
    return views.ticket_out(act, record).model_copy(update={"approval": asked})


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


def _of_table(act: ServiceAct, record: TicketRecord, statute: str) -> LegalLimit:
    """A law of the county's table that governs matters of the ticket's kind. Raises UnknownCode."""
    table = policies.limits(act)
    laws = table.laws(work_order.kind_of(table, record.matter, Urgency(record.ticket.urgency)))
    if statute not in laws:
        raise UnknownCode(statute, field="statute", allowed=[*laws])
    return laws[statute]
