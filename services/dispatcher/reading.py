"""可行的操作: what who reads an order may do with it now (ADR 0070)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime

from sqlmodel import select

from services.dispatcher import handle_dues, past_returns, records
from services.dispatcher.models import Assignment, Ticket, Tickets
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules import (
    acts,
    completion,
    had,
    handing_down,
    legal_limit,
    returns,
    waiting,
    whistling,
)
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules.acts import OrderContext, TicketContext
from services.dispatcher.rules.assignment import AssignmentStatus
from services.dispatcher.rules.ticket import dispatch_status
from services.dispatcher.rules.waiting import Wait, WaitContext, WaitTooLate
from services.dispatcher.rules.whistling import Blown
from shared import policies
from shared.events import CompletionKind, Role, Urgency
from shared.jurisdiction.calendar import Limit
from shared.storage.rows import one_of


async def whole(act: ServiceAct, tickets: Iterable[Ticket]) -> dict[str, TicketRecord]:
    """Tickets to look at with all their orders and those they are worked on with, what of them is disputed,
    and for a unit what was asked to be returned of them, by number.
    """
    found = {row.number: TicketRecord(row, []) for row in tickets}
    known = found | await _worked_on_with(act, found)
    for order in await act.session.exec(records.ASSIGNMENTS_OF, params={"numbers": list(known)}):
        known[order.ticket].assignments.append(order)
    records.regroup(known.values())
    disputes = [each.ticket.arbitration for each in found.values() if each.ticket.arbitration]
    for opened in await act.session.exec(records.OPENED, params={"ids": disputes}):
        found[opened.ticket].arbitration = opened
    await handle_dues.load(act, (order for each in found.values() for order in each.open()))
    if act.caller and act.caller.unit:
        for number, past in (await past_returns.read(act, list(found))).items():
            found[number].past = past
    return found


async def _worked_on_with(
    act: ServiceAct, found: Mapping[str, TicketRecord]
) -> dict[str, TicketRecord]:
    """The other tickets of the works of some (并单)."""
    works = {each.ticket.work for each in found.values() if each.ticket.work}
    if not works:
        return {}
    others = await act.session.exec(select(Tickets).where(one_of(Tickets.work, works)))
    return {row.number: TicketRecord(row, []) for row in others if row.number not in found}


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
    whistled = whistling.blown_for(at_work)
    opened, blown = record.arbitration, Blown.on_record(order.whistle)
    wait = Wait.on_record(order.wait)
    return OrderContext(
        status=status,
        role=Role(order.role),
        was=AssignmentStatus(asked) if asked else None,
        signed=order.handler is not None,
        pending=pending,
        disputed=record.ticket.arbitration is not None,
        gives_in=opened is not None
        and (opened.by, opened.assignment) == ("dispute", order.id)
        and status in (AssignmentStatus.DISPATCHED, *machine.HANDLING),
        disputes=opened is not None and opened.assignment == order.id,
        helped=any(each.status in machine.OPEN for each in record.answering_to(order)),
        handed_down=bool(handing_down.below(order, at_work)),
        has_below=any(_may_hand_down(act, record, order)),
        blows=_blows(act, record, order),
        whistled=bool(whistled),
        unattended=any(not each.attended for each in whistled.values()),
        awaited=blown is not None and not blown.attended,
        may_wait=waiting.barred(wait_context(act, record, order), act.now) is None,
        wait=wait.status if wait else None,
        may_grant_wait=wait is not None and ungrantable(act, order, wait) is None,
        **_may_be_rid_of(act, record, order),
    )


def _may_be_rid_of(act: ServiceAct, record: TicketRecord, order: Assignment) -> dict[str, bool]:
    """Whether an order's unit may answer, and whether it may ask to be rid of the matter: by the rules the
    doors go by, so that nobody is offered what is refused, or pressed for trying it (ADR 0078).
    """
    if (past := record.past) is None:
        return dict.fromkeys(("done", "returnable", "endable", "disownable"), False)
    work, refused, at_work = record.work(order), past.refused[order.id], record.open()
    late = [each.unit for each in record.answering_to(order) if _is_late(act, each)]
    own = past_returns.superior(order, at_work) is None
    ends = {kind: own and completion.may_ask(work, kind, refused) for kind in completion.ASKED}
    context = past_returns.context(act, past, order, at_work)
    return {
        "done": completion.is_done(work, late),
        "returnable": returns.barred(context, act.config.returns, act.now) is None,
        "endable": ends[CompletionKind.TERMINATED],
        "disownable": ends[CompletionKind.NOT_OUR_DUTY]
        and not past_returns.is_bound(act, past, order),
    }


def wait_context(act: ServiceAct, record: TicketRecord, order: Assignment) -> WaitContext:
    """How an order stands, as far as a wait for its citizen depends on it."""
    of_round = (each for each in record.assignments if each.round == order.round)
    return WaitContext(
        offered=act.config.returns.awaiting_citizen is not None,
        role=Role(order.role),
        stands_still=act.config.returns.stands_still(Urgency(order.urgency)),
        redo=order.redo,
        waited=any(each.wait for each in of_round)
        or had.has_waited(record.ticket.had, order.round),
        latest=waiting.first(limit_ends(act, order), handle_dues.of(act, order.id)),
    )


def ungrantable(act: ServiceAct, order: Assignment, wait: Wait) -> WaitTooLate | None:
    """Why the desk may not grant a wait of an order any more, if so."""
    return waiting.too_late(waiting.first(wait.due, handle_dues.of(act, order.id)), act.now)


def limit_ends(act: ServiceAct, order: Assignment) -> datetime | None:
    """Until when a lead waits for a co-handler's answer, whatever a return waits for; None without limit."""
    limit, calendar = order.limits["handle"], act.config.calendar.of(order.unit)
    return calendar.due(order.dispatched_at, Limit.parse(limit)).at if limit else None


def _is_late(act: ServiceAct, order: Assignment) -> bool:
    until = limit_ends(act, order)
    return until is None or act.now > until


def _may_hand_down(act: ServiceAct, record: TicketRecord, order: Assignment) -> Iterator[bool]:
    """Of each unit below an order's, whether it may have it: what is kept from more eyes, nobody; what the
    desk gave it itself, or freed it of, it may not (R-15, R-35).
    """
    below = handing_down.units_below(act.config.units, order.unit, act.store.dissolved)
    at_work = {each.unit: each.handed_by for each in record.open()}
    freed = returns.freed(past_returns.earlier(act, record.past)) if record.past else []
    for unit in below:
        if unit in at_work:
            yield at_work[unit] == order.unit  # once more changes nothing
        else:
            yield unit not in freed and may_be_shared(act, record, [unit])


def _blows(act: ServiceAct, record: TicketRecord, order: Assignment) -> bool:
    rules, own = act.config.grassroots.whistle, act.config.units.unit(order.unit)
    kind = rules is not None and own is not None and own.kind in rules.by
    return kind and may_be_shared(act, record, ())


def may_be_shared(act: ServiceAct, record: TicketRecord, units: Collection[str]) -> bool:
    """Whether a unit may let these have a ticket without the desk, under this number and those merged with
    it: nothing confidential, and nothing they must stand back from (R-35, JN-32).
    """
    may_join = act.config.dispatching.may_join
    return all(
        not each.matter.confidential and may_join(each.matter, units)
        for each in (record, *record.waiting_with())
    )
