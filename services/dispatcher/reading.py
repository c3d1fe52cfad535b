"""可行的操作: what who reads an order may do with it now (ADR 0070)."""

from __future__ import annotations

from collections.abc import Iterable

from services.dispatcher import records
from services.dispatcher.models import Assignment, Ticket
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules import acts, handing_down, legal_limit, whistling
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules.acts import OrderContext, TicketContext
from services.dispatcher.rules.assignment import AssignmentStatus
from services.dispatcher.rules.ticket import dispatch_status
from services.dispatcher.rules.whistling import Blown
from shared import policies
from shared.events import Role, Urgency


async def whole(act: ServiceAct, tickets: Iterable[Ticket]) -> dict[str, TicketRecord]:
    """Tickets to look at with all their orders, and what of them is disputed, by number."""
    found = {row.number: TicketRecord(row, []) for row in tickets}
    numbers = {"numbers": list(found)}
    for row in await act.session.exec(records.ASSIGNMENTS_OF, params=numbers):
        found[row.ticket].assignments.append(row)
    disputes = [each.ticket.arbitration for each in found.values() if each.ticket.arbitration]
    for opened in await act.session.exec(records.OPENED, params={"ids": disputes}):
        found[opened.ticket].arbitration = opened
    return found


def allowed(
    act: ServiceAct, record: TicketRecord, order: Assignment, pending: str | None
) -> list[str]:
    """What the caller may do; nothing with an order of another unit. ``pending``: what the hotline has to
    decide of its form. The record has all the ticket's orders.
    """
    caller = act.caller
    if caller is None or caller.unit not in (None, order.unit):
        return []
    return acts.allowed(_context(act, record, order, pending), caller.role)


def allowed_on(act: ServiceAct, record: TicketRecord) -> list[str]:
    """What the caller may do with a ticket as such: a unit nothing, it acts on its orders. The record has all
    orders and knows its group.
    """
    if act.caller is None:
        return []
    context = TicketContext(
        status=dispatch_status(record.milestones()),
        led=any(each.role == Role.LEAD for each in record.open()),
        elsewhere=record.joined is not None,
        disputed=record.ticket.arbitration is not None,
        natural=policies.limits(act).natural(Urgency(record.ticket.urgency).level),
        lawful=legal_limit.of_round(record.ticket.law, record.ticket.round) is not None
        and not (record.joined and legal_limit.is_of_work(record.ticket.law)),
    )
    return acts.allowed_on(context, act.caller.role)


def _context(
    act: ServiceAct, record: TicketRecord, order: Assignment, pending: str | None
) -> OrderContext:
    status, at_work = AssignmentStatus(order.status), record.open()
    asked = status is AssignmentStatus.RETURN_REQUESTED and order.was
    own = act.config.units.unit(order.unit)
    rules, blown = act.config.grassroots.whistle, Blown.on_record(order.whistle)
    whistled = whistling.blown_for(at_work)
    opened = record.arbitration
    return OrderContext(
        status=status,
        role=Role(order.role),
        was=AssignmentStatus(asked) if asked else None,
        signed=order.handler is not None,
        pending=pending,
        returnable=_returnable(act, record, order),
        disputed=record.ticket.arbitration is not None,
        gives_in=opened is not None
        and (opened.by, opened.assignment) == ("dispute", order.id)
        and status in (AssignmentStatus.DISPATCHED, *machine.HANDLING),
        disputes=opened is not None and opened.assignment == order.id,
        helped=any(each.status in machine.OPEN for each in record.answering_to(order)),
        handed_down=bool(handing_down.below(order, at_work)),
        has_below=bool(handing_down.units_below(act.config.units, order.unit, act.store.dissolved)),
        blows=rules is not None and own is not None and own.kind in rules.by,
        whistled=bool(whistled),
        unattended=any(not each.attended for each in whistled.values()),
        awaited=blown is not None and not blown.attended,
    )


def _returnable(act: ServiceAct, record: TicketRecord, order: Assignment) -> bool:
    """Whether a return may be asked for, as far as the orders themselves say: not of a redo, not after its
    window or once too often, and not past a superior. Whether a ruling named the unit, the door says.
    """
    rules, urgency = act.config.returns, Urgency(order.urgency)
    asked = sum(each.unit == order.unit and each.was is not None for each in record.assignments)
    superior = any(each.unit == order.handed_by for each in record.open())
    until = rules.until(order.dispatched_at, urgency, act.config.calendar.of(order.unit))
    spent = asked >= rules.max_per_unit_and_ticket
    return not (order.redo or superior or spent or act.now > until)
