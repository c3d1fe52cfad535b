"""批准事项 as they are read: those that wait, and those of one ticket."""

from __future__ import annotations

from sqlmodel import col, func, select

from services.dispatcher import reading
from services.dispatcher.approvals.models import Approval, Approvals
from services.dispatcher.approvals.schemas import ApprovalList, ApprovalOut, ListedApproval
from services.dispatcher.handling import hurrying
from services.dispatcher.models import Tickets
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules import approvals as rules
from shared.errors import JiesuError
from shared.events import LegalLimit, Urgency
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
    found, items = (await act.session.exec(oldest)).all(), []
    known = await reading.whole(act, (ticket for _, ticket in found))
    for row, ticket in found:
        record = known[ticket.number]
        about = record.matter.model_dump(include={"type", "topic", "area", "title", "content"})
        shown = approval_out(act, record, row).model_dump()
        items.append(ListedApproval(**shown, **about, urgency_now=Urgency(ticket.urgency)))
    return ApprovalList(items=items)


async def of_ticket(act: ServiceAct, record: TicketRecord) -> list[ApprovalOut]:
    """What was asked about a ticket and decided, the oldest first."""
    query = select(Approvals).where(Approvals.ticket == record.ticket.number)
    found = await act.session.exec(query.order_by(col(Approvals.asked_at), col(Approvals.id)))
    return [approval_out(act, record, row) for row in found]


def status_of(record: TicketRecord, row: Approval) -> rules.ApprovalStatus:
    """Where one stands."""
    concerns = row.round == record.ticket.round and record.waits
    return rules.status(row.granted, concerns=concerns)


def approval_out(act: ServiceAct, record: TicketRecord, row: Approval) -> ApprovalOut:
    """One as it is answered, with what its reader may decide."""
    status = status_of(record, row)
    zh, en = rules.SENTENCES[status]
    return ApprovalOut(
        **row.model_dump(exclude={"ticket", "granted", "urgency", "was"}),
        number=row.ticket,
        urgency=Urgency(row.urgency) if row.urgency else None,
        was=Urgency(row.was) if row.was else None,
        status=status,
        sentence=Sentence(zh=zh, en=en),
        allowed=[str(each) for each in _allowed(act, record, row, status)],
    )


def _allowed(
    act: ServiceAct, record: TicketRecord, row: Approval, status: rules.ApprovalStatus
) -> list[rules.Action]:
    role = act.caller.role if act.caller else ""
    theirs = rules.allowed(status, row.what, row.asked_by, act.actor, role)
    if rules.Action.GRANT not in theirs or _is_grantable(act, record, row):
        return theirs
    return [each for each in theirs if each is not rules.Action.GRANT]


def _is_grantable(act: ServiceAct, record: TicketRecord, row: Approval) -> bool:
    try:
        check_grantable(act, record, row)
    except JiesuError:
        return False
    return True


def check_grantable(act: ServiceAct, record: TicketRecord, row: Approval) -> None:
    """Whether what was asked can be granted still: a ticket to be eased is as urgent as it was then, and no
    other citizen's of the same work is more so; a law gives more time than there is.

    Raises MoveRefused, MoreUrgentWaits, LegalLimitNotForUrgency, LegalLimitInVain.
    """
    if row.urgency:
        rules.check_as_asked(row.was, record.ticket.urgency)
        check_work(record, Urgency(row.urgency))
    if row.law:
        hurrying.check_law(act, record, LegalLimit.model_validate(row.law))


def check_work(record: TicketRecord, urgency: Urgency) -> None:
    """Nobody's ticket is eased with another's of the same work. Raises MoreUrgentWaits."""
    waiting = ((each.ticket.number, each.ticket.urgency) for each in record.waiting_with())
    rules.check_work(urgency, {number: Urgency(each) for number, each in waiting})
