"""更正: what a correction at intake means for the orders of a ticket (ADR 0045).

A unit that must know nothing of it any more loses it at once. Where the rules would now lead elsewhere, an
order nobody has signed goes there; one that was signed is a person's work, and a person decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.dispatcher import doubts, grassroots, merging, orders, records
from services.dispatcher.approvals import usecases as approvals
from services.dispatcher.arbitration import overruling
from services.dispatcher.catalogue import catalogues
from services.dispatcher.handling import co_handling, hurrying
from services.dispatcher.models import Ticket
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.reform import following
from services.dispatcher.rules import corrections as rules
from services.dispatcher.rules import dispatch
from services.dispatcher.rules.approvals import ApprovalPending, lowers
from services.dispatcher.rules.assignment import AssignmentStatus
from services.dispatcher.rules.leaving import CORRECTED
from services.dispatcher.rules.ticket import DispatchStatus, dispatch_status
from shared import events
from shared.events import Fact, Role, Urgency
from shared.observability import log


async def heed(act: ServiceAct, fact: Fact) -> None:
    """Take over what was put right, then see who may keep the ticket and whose it is.

    Of two corrections of a field the later said counts, whichever is heard first.
    """
    data: events.TicketCorrected = fact.data
    record = await records.locked(act, fact.subject)
    ticket = record.ticket
    _reachable_again(ticket, fact)
    known = ticket.corrected or {}
    fields = [f for f in rules.fields_of(data) if fact.seq > known.get(f, {}).get("seq", 0)]
    if not fields:
        log.info("ignored: corrected later, or nothing of ours", ticket=fact.subject)
        return
    before = record.matter
    dispatching = await catalogues.dispatching(act)
    decided_before = following.decide(act, dispatching, before, ticket.registered_at)
    record.registered = rules.corrected(before, data, fields)
    _keep(record, known, before, fact, fields)
    if "upstream_due" in fields:
        _tell_moment(act, record, fact)
    if not rules.DECIDES & set(fields):
        return
    decided = following.decide(act, dispatching, record.matter, ticket.registered_at)
    if decided.urgency != decided_before.urgency:
        await _judge_urgency(act, record, decided_before.urgency, decided.urgency, fact)
    if holder := record.joined:
        if not merging.may_have(act, record, holder):
            await merging.start_alone(act, record)
        else:
            await merging.hurry(act, record, holder, fact.time)
        return
    match dispatch_status(record.milestones()):
        case DispatchStatus.UNASSIGNED:
            await _decide(act, record, decided, dropped=rules.drops_reported(before, record.matter))
        case DispatchStatus.ASSIGNED:
            await _review(act, record, before, decided, fact)
        case _:
            pass  # nobody is at work; a next round goes by what is known then
    await merging.stand_apart(act, record)


def _reachable_again(ticket: Ticket, fact: Fact) -> None:
    """Nobody has to look for the number any more that a unit found wrong."""
    wrong_since = ticket.doubted_at if ticket.doubted_reason == rules.WRONG_NUMBER else None
    if "phone" in fact.data.fields and wrong_since and wrong_since <= fact.time:
        ticket.doubted_at = ticket.doubted_reason = None


def _tell_moment(act: ServiceAct, record: TicketRecord, fact: Fact) -> None:
    """Who is at work goes by the moment that is right, under the same order (ADR 0080)."""
    words = rules.other_moment(record.matter.upstream_due, act.config.calendar.tz)
    hurrying.follow_urgency(act, record, record.open(), fact.time, str(words))


async def _judge_urgency(
    act: ServiceAct, record: TicketRecord, before: Urgency, urgency: Urgency, fact: Fact
) -> None:
    """More urgent it is at once; less urgent than critical or urgent only when another person than who
    corrected it grants that (ADR 0071).
    """
    if not lowers(Urgency(record.ticket.urgency), urgency):
        record.ticket.urgency = urgency
        return
    if not lowers(before, urgency):
        return  # more urgent than it was by the rules, and a person or a danger made it more so
    try:
        await approvals.ask_lower(act, record, urgency, fact.data.reason, fact.actor)
    except ApprovalPending:
        log.info("ignored: another urgency waits to be approved", ticket=fact.subject)


def _keep(
    record: TicketRecord,
    known: dict[str, Any],
    before: events.TicketRegistered,
    fact: Fact,
    fields: Sequence[str],
) -> None:
    was = before.model_dump(mode="json")
    record.ticket.corrected = known | {
        field: {
            "seq": fact.seq,
            "was": known.get(field, {}).get("was", was[field]),
            "at": fact.time.isoformat(),
        }
        for field in fields
    }
    right = record.matter.model_dump(mode="json", include={*fields, "reported_unit"})
    record.ticket.matter = record.ticket.matter | right


# --- what becomes of the orders ----------------------------------------------------------------


async def _review(
    act: ServiceAct,
    record: TicketRecord,
    before: events.TicketRegistered,
    decided: dispatch.Decision | dispatch.Undecided,
    fact: Fact,
) -> None:
    """The ticket is with units: who must stand back goes, and so does an unsigned order that is no
    longer theirs. Whom a ruling named, or whom the ladder rules on, a person moves (R-16, R-17).
    """
    barred = act.config.dispatching.barred(record.matter)
    lead = next((each for each in record.open() if each.role == Role.LEAD), None)
    must_go = [each for each in record.open() if each.unit in barred]
    dropped = rules.drops_reported(before, record.matter)
    orders.cancel(act, record, must_go, "redispatched", act.now, CORRECTED)
    if lead is None or lead in must_go:
        await _decide(act, record, decided, dropped=dropped)
        return
    dispatching = await catalogues.dispatching(act)
    decided_before = following.decide(act, dispatching, before, record.ticket.registered_at)
    if not rules.leads_elsewhere(decided, lead.unit, decided_before):
        if record.ticket.urgency in rules.HURRY and lead.urgency != record.ticket.urgency:
            hurrying.hurry(act, record, await records.added(act, record), fact.time)
        return
    settled = lead.appointed or record.arbitration or await overruling.is_ruled(act, record, lead)
    if lead.status == AssignmentStatus.DISPATCHED and not settled and not dropped:
        await _decide(act, record, decided, dropped=dropped)
    else:
        why = rules.why_doubted(decided, act.config.dispatching.names)
        doubts.doubt(act, record, str(why))


async def _decide(
    act: ServiceAct,
    record: TicketRecord,
    decided: dispatch.Decision | dispatch.Undecided,
    *,
    dropped: bool,
) -> None:
    """Nobody leads it rightly: the rules decide as they do at registration, but never give it back to who
    returned it, and not at all when somebody who was reported no longer is. Who has it and keeps its
    role goes on.
    """
    returned = {
        each.unit for each in record.assignments if each.status == AssignmentStatus.RETURNED
    }
    record.ticket.catalogue_version = decided.version
    if isinstance(decided, dispatch.Undecided):
        grassroots.note_kept(act, record, decided.kept_from)
        orders.cancel(act, record, record.open(), "redispatched", act.now, CORRECTED)
        orders.leave_to_desk(act, record, decided.reason, decided.nearest)
    elif dropped or returned & {decided.lead, *decided.co_handlers}:
        orders.cancel(act, record, record.open(), "redispatched", act.now, CORRECTED)
        why = rules.why_desk(decided, act.config.dispatching.names, dropped=dropped)
        orders.leave_to_desk(act, record, str(why), [decided.rule])
    else:
        added = await records.added(act, record)
        order = co_handling.with_whistled(act, record, dispatch.by_rule(decided), added)
        await co_handling.redispatch(act, record, order, added, CORRECTED)
