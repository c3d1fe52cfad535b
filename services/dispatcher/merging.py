"""并单: tickets worked on as one, joined, parted, and never left without anybody at work (GB66-5).

Intake says who is merged with whom. One ticket of a work has its open orders, or lies at the desk; who
waits with it is answered with it (orders.py). When that one leaves, the work goes on under the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from sqlalchemy import ARRAY, Integer, Text, bindparam, text

from services.dispatcher import answering, grassroots, orders, printed_limits, records
from services.dispatcher.catalogue import catalogues
from services.dispatcher.handling import hurrying
from services.dispatcher.models import Assignment
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.reform import following
from services.dispatcher.rules import (
    dispatch,
    hotline_reasons,
    leaving,
    legal_limit,
    reasons,
    whistling,
    work_order,
)
from services.dispatcher.rules.assignment import OPEN
from services.dispatcher.rules.grassroots import Approval
from services.dispatcher.rules.merging import InOtherWork
from services.dispatcher.rules.urgency import is_more_urgent
from shared import events
from shared.errors import TooEarly
from shared.events import Fact, Role, Urgency
from shared.observability import log

# --- facts heard -------------------------------------------------------------------------------


async def merge(act: ServiceAct, fact: Fact) -> None:
    """并单: the ticket waits for the work of another, whose units hear what its citizen said.

    Where nobody is at work on the other one any more, or a unit that is has to stand back from this
    one, or whose duty this one is the ladder has to rule, the ticket keeps its own orders.
    """
    data: events.TicketMerged = fact.data
    await records.lock(act, {fact.subject, data.into})
    record = await records.locked(act, fact.subject)
    into = await records.locked(act, data.into)
    if _is_old(record, fact):
        return
    if into.ticket.work not in (None, data.into) or len(record.group) > 1:
        raise TooEarly(f"{fact.subject} or {data.into} has not been parted from others yet")
    holder = into.holder() if into.group else into
    record.ticket.work, record.ticket.work_seq = data.into, fact.seq
    into.ticket.work, record.ticket.repeat = data.into, data.repeat
    records.regroup_loaded(act)
    disputed = record.arbitration is not None  # that ends by its ruling only
    if holder and holder.waits and record.waits and not disputed and may_have(act, record, holder):
        record.ticket.unassigned_at = None
        orders.cancel(act, record, record.open(), "merged", fact.time)
        printed_limits.join(record, holder, fact.time)
        await hurry(act, record, holder, fact.time)
        await _pass_on(act, record, fact.time)
        hurrying.share_law(act, record, holder)


async def unmerge(act: ServiceAct, fact: Fact) -> None:
    """撤销并单: it is worked on for itself again, and the others go on without it."""
    record = await records.locked(act, fact.subject)
    if _is_old(record, fact):
        return
    others = [each for each in record.group if each is not record]
    waited = record.waits and not record.engaged
    if waited:
        said = str(hotline_reasons.parted(record.ticket.number))
        orders.update(act, record, "unmerged", said, fact.time, spoken=False)
    record.ticket.work, record.ticket.work_seq, record.ticket.repeat = None, fact.seq, False
    if legal_limit.is_of_work(record.ticket.law):
        hurrying.drop_law(act, record, str(legal_limit.PARTED))
    records.regroup_loaded(act)
    if waited:
        await start_alone(act, record, clocked=True)
    await _go_on(act, others, record.open())


def _is_old(record: TicketRecord, fact: Fact) -> bool:
    if fact.seq > record.ticket.work_seq:
        return False
    log.info("ignored: older than what is known of the work", ticket=fact.subject)
    return True


# --- what becomes of the work ------------------------------------------------------------------


def may_have(act: ServiceAct, record: TicketRecord, holder: TicketRecord) -> bool:
    """Whether the units at work on one ticket may have another one, too (R-35)."""
    units = [each.unit for each in holder.at_work()]
    return act.config.dispatching.may_join(record.matter, units)


async def hurry(
    act: ServiceAct, record: TicketRecord, holder: TicketRecord, time: datetime
) -> None:
    """One work is as urgent as the most urgent ticket that waits for it."""
    urgency = Urgency(record.ticket.urgency)
    if is_more_urgent(urgency, Urgency(holder.ticket.urgency)):
        holder.ticket.urgency = urgency
        hurrying.hurry(act, holder, await records.added(act, holder), time)


async def _pass_on(
    act: ServiceAct, record: TicketRecord, time: datetime, verdict: str = ""
) -> None:
    """Let the units at work hear all that the citizen said."""
    said = work_order.whole_text(record.matter, await records.added(act, record))
    orders.update(act, record, "merged", "\n\n".join(filter(None, (verdict, said))), time)


async def join_again(act: ServiceAct, record: TicketRecord, fact: Fact) -> bool:
    """重办: who does not agree joins another of the work that is worked on again; False when there is
    none, or its units have to stand back from this ticket.
    """
    holder = record.holder()
    if not record.waits or holder is None or holder is record or not may_have(act, record, holder):
        return False
    verdict = reasons.done_again(fact.round, fact.data)
    printed_limits.join(record, holder, fact.time)
    await hurry(act, record, holder, fact.time)
    await _pass_on(act, record, fact.time, str(verdict))
    return True


async def withdraw(act: ServiceAct, record: TicketRecord, time: datetime) -> None:
    """撤单: this citizen is out, whoever is not."""
    record.ticket.withdrawn_at = time
    await leave(act, record, "withdrawn", time)


async def leave(
    act: ServiceAct,
    record: TicketRecord,
    reason: Literal["withdrawn", "redispatched"],
    time: datetime,
) -> None:
    """A ticket is nobody's work any more. What units had under its number goes on under the next of its
    group that waits.
    """
    taken = record.open()
    orders.end_arbitration(act, record, "withdrawn" if reason == "withdrawn" else "ended")
    record.ticket.unassigned_at = record.ticket.doubted_at = None
    why = leaving.ENDED_HERE if reason == "redispatched" else None
    orders.cancel(act, record, taken, reason, time, why)
    await _go_on(act, record.group, taken)


async def _go_on(
    act: ServiceAct, group: Sequence[TicketRecord], taken: Sequence[Assignment]
) -> None:
    """Give the work to the oldest that waits when nobody is at work any more: to the same units."""
    waiting = [each for each in group if each.waits]
    if not waiting or any(each.engaged for each in waiting):
        return
    heir, lead = waiting[0], next((each for each in taken if each.role == Role.LEAD), None)
    why = hotline_reasons.work_goes_on()
    if lead is None:
        orders.leave_to_desk(act, heir, str(why), [])
        return
    helping = [each.unit for each in taken if each is not lead and not each.handed_by]
    dispatching = act.config.dispatching
    version = lead.catalogue_version
    decided = dispatching.handed_on(
        heir.matter, lead.unit, helping, lead.rule, why, version=version
    )
    if isinstance(decided, dispatch.Order):
        approval, whistles = Approval.on_record(lead.approved), whistling.blown_for(taken)
        decided = replace(decided, approval=approval, whistles=whistles)
    await _start(act, heir, decided)


async def stand_apart(act: ServiceAct, record: TicketRecord) -> None:
    """Who waits with a ticket whose units may not know of him any more gets units of his own (R-35)."""
    for each in record.waiting_with():
        if not may_have(act, each, record):
            await start_alone(act, each)


async def start_alone(act: ServiceAct, record: TicketRecord, *, clocked: bool = False) -> None:
    """Decide again who works on a ticket that waits with no other. ``clocked``: the fact that parts it
    lets the desk's clock begin; of a parting that intake has not said, nothing else does.
    """
    ticket, dispatching = record.ticket, act.config.dispatching
    done = record.answerer(ticket.round - 1)
    if done:
        why = hotline_reasons.parted(ticket.number)
        again = dispatching.handed_on(
            record.matter, done.unit, (), done.rule, why, version=done.version
        )
        await _start(act, record, again)
        return
    dispatching = await catalogues.dispatching(act)
    decided = following.decide(act, dispatching, record.matter, ticket.registered_at)
    ticket.catalogue_version = decided.version
    if isinstance(decided, dispatch.Decision):
        await _start(act, record, dispatch.by_rule(decided), clocked=clocked)
    else:
        grassroots.note_kept(act, record, decided.kept_from)
        orders.leave_to_desk(act, record, decided.reason, decided.nearest, clocked=clocked)


async def _start(
    act: ServiceAct,
    record: TicketRecord,
    decided: dispatch.Order | reasons.Reason,
    *,
    clocked: bool = False,
) -> None:
    if isinstance(decided, dispatch.Order):
        orders.give(act, record, decided, await records.added(act, record))
    else:
        orders.leave_to_desk(act, record, str(decided), clocked=clocked)


def check_holds(record: TicketRecord) -> None:
    """Raises InOtherWork for a ticket that waits for another's units."""
    if not record.engaged and (holder := record.holder()):
        raise InOtherWork(number=holder.ticket.number)


def check_assignable(act: ServiceAct, record: TicketRecord, order: dispatch.Order) -> None:
    """派单 by hand of a ticket with others: where the work is, and no unit that one of them accuses.

    Raises InOtherWork, Recused.
    """
    check_holds(record)
    for each in record.waiting_with():
        act.config.dispatching.by_hand(each.matter, order.lead, order.co_handlers, order.reason)


# --- by the clock ------------------------------------------------------------------------------

# Those that wait while nobody is at work: a replica of the release before completed, withdrew or
# assigned the ticket they waited for, and knew of nobody else.
LEFT = text("""
    SELECT number FROM tickets AS waiting
    WHERE work IS NOT NULL AND withdrawn_at IS NULL AND greatest(resolved, closed) < round
        AND NOT EXISTS (
            SELECT FROM tickets AS other LEFT JOIN assignments ON ticket = other.number
            WHERE other.work = waiting.work
                AND (unassigned_at IS NOT NULL OR status = ANY(:open)
                    OR status = 'completed' AND role = 'lead' AND assignments.round = other.round
                        AND greatest(other.resolved, other.closed) < other.round))
    ORDER BY number LIMIT :limit""").bindparams(
    bindparam("open", list(OPEN), type_=ARRAY(Text)), bindparam("limit", type_=Integer)
)


async def find_left(act: ServiceAct, limit: int) -> Sequence[str]:
    """Tickets that wait with others while nobody is at work."""
    connection = await act.session.connection()
    return (await connection.execute(LEFT, {"limit": limit})).scalars().all()


async def take_up_left(act: ServiceAct, limit: int) -> int:
    """Answer those whose work was completed without them, and start the work of others; how many."""
    numbers = await find_left(act, limit)
    await records.lock(act, numbers)
    for number in numbers:
        record = await records.locked(act, number)
        if record.waits and not record.engaged and record.holder() is None:
            await _take_up(act, record)
    return len(numbers)


async def _take_up(act: ServiceAct, record: TicketRecord) -> None:
    before = (record.ticket.answered or {}).get("assignment")
    for other in record.group:
        lead = other.completed_lead(other.ticket.round)
        if lead and other is not record and str(lead.id) != before and lead.completion:
            answer = events.AssignmentCompleted.on_record(lead.completion)
            answering.answer_for(act, record, lead, answering.answer_of(other, lead, answer))
            return
    await start_alone(act, record)
