"""批准事项 as they are read: those that wait, and those of one ticket."""

from __future__ import annotations

from sqlmodel import col, func, select

from services.dispatcher.approvals.models import Approval, Approvals
from services.dispatcher.approvals.schemas import ApprovalList, ApprovalOut, ListedApproval
from services.dispatcher.models import Tickets
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules import approvals as rules
from shared.events import Urgency
from shared.http.fields import Sentence
from shared.storage.rows import one_of

MOST = 500
# What waits for a second person: undecided, of a round whose citizen is owed an answer.
WAITING = (
    col(Approvals.granted).is_(None),
    col(Approvals.ticket) == col(Tickets.number),
    col(Approvals.round) == col(Tickets.round),
    col(Tickets.withdrawn_at).is_(None),
    func.greatest(col(Tickets.resolved), col(Tickets.closed)) < col(Tickets.round),
)


async def waiting(act: ServiceAct, role: str | None) -> ApprovalList:
    """What waits for a second person, the oldest first. ``role``: what that role decides."""
    decides = [what for what, roles in rules.DECIDERS.items() if role in (None, *roles)]
    query = select(Approvals, Tickets).where(*WAITING, one_of(Approvals.what, decides))
    oldest = query.order_by(col(Approvals.asked_at), col(Approvals.id)).limit(MOST)
    items = []
    for row, ticket in (await act.session.exec(oldest)).all():
        record = TicketRecord(ticket, [])
        about = record.matter.model_dump(include={"type", "topic", "area", "title", "content"})
        shown = approval_out(record, row).model_dump()
        items.append(ListedApproval(**shown, **about, urgency_now=Urgency(ticket.urgency)))
    return ApprovalList(items=items)


async def of_ticket(act: ServiceAct, record: TicketRecord) -> list[ApprovalOut]:
    """What was asked about a ticket and decided, the oldest first."""
    query = select(Approvals).where(Approvals.ticket == record.ticket.number)
    found = await act.session.exec(query.order_by(col(Approvals.asked_at), col(Approvals.id)))
    return [approval_out(record, row) for row in found]


def status_of(record: TicketRecord, row: Approval) -> rules.ApprovalStatus:
    """Where one stands."""
    concerns = row.round == record.ticket.round and record.waits
    return rules.status(row.granted, concerns=concerns)


def approval_out(record: TicketRecord, row: Approval) -> ApprovalOut:
    """One as it is answered."""
    status = status_of(record, row)
    zh, en = rules.SENTENCES[status]
    return ApprovalOut(
        **row.model_dump(exclude={"ticket", "granted", "urgency", "was"}),
        number=row.ticket,
        urgency=Urgency(row.urgency) if row.urgency else None,
        was=Urgency(row.was) if row.was else None,
        status=status,
        sentence=Sentence(zh=zh, en=en),
        allowed=[str(each) for each in rules.MOVES[status]],
    )
