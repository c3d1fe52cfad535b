"""派单: a ticket given to units, taken from them, left to the desk, or resolved by its lead.

Facts, units and the desk all end here, so each of these is told in one way only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal
from uuid import UUID

import uuid6

from services.dispatcher import printed_limits
from services.dispatcher.arbitration.models import Arbitration
from services.dispatcher.models import Assignment
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.reform import following
from services.dispatcher.rules import (
    arbitration,
    dispatch,
    handing_down,
    leaving,
    work_order,
)
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules.assignment import Action, AssignmentStatus
from services.dispatcher.rules.reasons import Reason
from services.dispatcher.rules.waiting import Wait
from shared import events
from shared.events import Limits, Role, Urgency, WaitEnd
from shared.jurisdiction.gazetteer import accuses

EndOfArbitration = Literal[
    "withdrawn", "ended", "merged", "redispatched", "resolved", "return_withdrawn"
]
# What an assignment keeps of its work order, beside its role and urgency.
PRINTED = {"rule", "reason", "limits", "redo", "catalogue_version", "handed_by"}


def give(
    act: ServiceAct,
    record: TicketRecord,
    order: dispatch.Order,
    added: work_order.Added,
    to: Collection[str] | None = None,
) -> list[Assignment]:
    """Give the ticket to its units, each with its own limits and one fact (BJ-13). ``to``: those of them
    that have no order for it yet; all of them when it is left out. Of a unit that is no more, to who
    follows it.
    """
    now, order = (
        following.today(act, record.matter, order.roles()),
        following.followed(act, record.matter, order),
    )
    to = to and {now.get(unit, unit) for unit in to}
    ticket = record.ticket
    ticket.unassigned_at = ticket.suggested_unit = ticket.doubted_at = ticket.doubted_reason = None
    ticket.alarmed_at = None
    may_join = act.config.dispatching.may_join
    also = {
        each.ticket.number: each.matter.content
        for each in record.waiting_with()
        if may_join(each.matter, order.roles())
    }
    added = replace(added, also=work_order.fitting(also))
    roles = order.roles().items()
    given = [
        _give_to(act, record, order, added, unit, role)
        for unit, role in roles
        if to is None or unit in to
    ]
    record.assignments += given
    for each in record.waiting_with():
        printed_limits.note_had(each, printed_limits.since_when(given))
    return given


def _give_to(
    act: ServiceAct,
    record: TicketRecord,
    order: dispatch.Order,
    added: work_order.Added,
    unit: str,
    role: Role,
) -> Assignment:
    ticket, blown = record.ticket, order.whistles.get(unit) if role == Role.CO else None
    urgency = Urgency(ticket.urgency)
    printed = printed_limits.of_unit(act, record, urgency, role, blown, unit=unit)
    told = work_order.work_order(
        record.matter,
        order,
        added,
        role=role,
        urgency=urgency,
        registered_at=ticket.registered_at,
        redo=ticket.round > 1,
        configuration=act.configuration,
        blown=blown,
        **printed._asdict(),
    )
    assignment = Assignment(
        **told.model_dump(mode="json", include=PRINTED),
        id=new_id(),
        ticket=ticket.number,
        round=ticket.round,
        unit=unit,
        role=role,
        urgency=urgency,
        status=AssignmentStatus.DISPATCHED,
        appointed=order.appointed,
        dispatched_at=act.now,
        approved=order.approval and order.approval._asdict(),
        whistle=blown.kept if blown else None,
    )
    tell(act, assignment, told)
    _copy(act, record, assignment, order, added.newest)
    return act.rows.add(assignment)


def _copy(
    act: ServiceAct,
    record: TicketRecord,
    lead: Assignment,
    order: dispatch.Order,
    said: Sequence[str],
) -> None:
    """抄送: who supervises a town hears what it leads (BJ-12, R-04), but not of a report (R-35)."""
    dispatching, matter = act.config.dispatching, record.matter
    town = act.config.units.unit(lead.unit)
    above = None
    if town and dispatching.is_grassroots(lead.unit):
        above = handing_down.superior(act.config.units, lead.unit, act.store.dissolved)
    if lead.role != Role.LEAD or above is None:
        return
    if not act.config.grassroots.copy_to_supervisor_when_unit_is_town:
        return
    if accuses(matter.type) or above in dispatching.barred(matter, said):
        return
    data = events.AssignmentCopied(
        **matter.model_dump(include={"type", "topic", "area", "confidential"}),
        lead=order.lead,
        co_handlers=order.co_handlers,
        urgency=Urgency(lead.urgency),
        title=None if matter.confidential else matter.title,
        rule=order.rule,
        approved_by=order.approval and order.approval.by,
        approval_ground=order.approval and order.approval.ground,
        limits=Limits.model_validate(lead.limits),
        redo=lead.redo,
    )
    act.tell(data, subject=lead.ticket, round=lead.round, assignment=lead.id, unit=above)


def hearing(act: ServiceAct, record: TicketRecord) -> list[Assignment]:
    """Whom what the citizen says next is told: who is at work, or else who led the round and answered,
    but no recused unit.

    Of a ticket that waits for the work of another these are that one's units, as far as they may have it
    still. A unit that must stand back has an assignment only from an older release, or from before
    units.yaml made it kin of the reported unit.
    """
    at_work, dispatching = record.open(), act.config.dispatching
    if holder := record.joined:
        at_work = [
            each for each in holder.at_work() if dispatching.may_join(record.matter, [each.unit])
        ]
    recused = dispatching.recused(record.matter)
    if not at_work and (answered := record.answering()):
        at_work = [answered]  # what is said after the answer concerns who answered
    return [each for each in at_work if each.unit not in recused]


def update(
    act: ServiceAct,
    record: TicketRecord,
    kind: Literal["supplemented", "urged", "merged", "unmerged"],
    content: str,
    time: datetime,
    *,
    spoken: bool = True,
) -> None:
    """Let whoever is at work hear what the citizen of a ticket said; who waited for that one does so no
    more. Of a repeat that is the citizen of the ticket it repeats (并单), who spoke when it was registered.
    ``spoken``: False for what the hotline did.
    """
    number, work = record.ticket.number, record.ticket.work
    spoke_at = record.ticket.registered_at if kind == "merged" else time
    for assignment in hearing(act, record):
        other = None if assignment.ticket == number else number
        data = events.AssignmentUpdated(kind=kind, content=content, number=other)
        tell(act, assignment, data, time)
        theirs = other is None or (record.ticket.repeat and assignment.ticket == work)
        if theirs and spoken:
            end_wait(act, assignment, "spoken", time, since=spoke_at)


def end_wait(
    act: ServiceAct,
    order: Assignment,
    why: WaitEnd,
    time: datetime | None = None,
    note: str = "",
    *,
    since: datetime | None = None,
) -> None:
    """等待结束: nobody waits for the citizen of an order any more: ``time`` is since when (now), ``since``
    when that happened for which it ends. What they said before it was asked for ends nothing.
    """
    wait, at = Wait.on_record(order.wait), time or act.now
    if wait is None or not wait.open or (since or at) < wait.asked_at:
        return
    order.wait = wait.model_copy(update={"ended_at": at, "why": why}).kept
    order.wait_due = None
    tell(act, order, events.AssignmentWaitEnded(wait=wait.id, why=why, note=note), at)


def leave_to_desk(
    act: ServiceAct,
    record: TicketRecord,
    reason: str,
    nearest: Sequence[str] = (),
    suggested: str | None = None,
    *,
    clocked: bool = False,
) -> None:
    """待派: a person must assign the ticket; ``nearest`` are rules to start from, ``suggested`` a unit.
    ``clocked``: another fact lets the desk's clock begin, a granted return or the end of a merge.
    """
    ticket = record.ticket
    if ticket.unassigned_at is None:  # of what lies there already it is disputed still
        end_arbitration(act, record, "redispatched")
    was_with_others = bool(ticket.round > 1 or record.assignments or ticket.work)
    anew = was_with_others and ticket.unassigned_at is None and not clocked
    ticket.unassigned_at, ticket.unassigned_reason = act.now, reason
    ticket.doubted_at = ticket.doubted_reason = None
    ticket.nearest, ticket.suggested_unit = list(nearest), suggested
    say_left(act, record, anew=anew)


def say_left(act: ServiceAct, record: TicketRecord, *, anew: bool = False) -> None:
    """Say that the desk has it, and how urgent it is: its clock follows."""
    ticket = record.ticket
    data = events.TicketUnassigned(
        reason=ticket.unassigned_reason or "",
        nearest=tuple(ticket.nearest),
        urgency=Urgency(ticket.urgency),
        anew=anew,
    )
    act.tell(data, subject=ticket.number, round=ticket.round)


def cancel(
    act: ServiceAct,
    record: TicketRecord,
    assignments: Iterable[Assignment],
    reason: Literal["withdrawn", "redispatched", "merged"],
    time: datetime,
    why: Reason | None = None,
    keep: Collection[Assignment] = (),
) -> None:
    """Nothing ends before it began, even when the withdrawal was heard before the dispatch. ``why``: in
    words fit for the units that go.

    What a unit handed down goes with its own order, but for what is to be kept. Of a confidential matter
    every unit hears the same, whatever took its order away: it may be the one that is complained of (R-35).
    So may a unit be that demand or desk name: it is told no words.
    """
    if secret := record.matter.confidential:
        reason, why = "redispatched", None
    going = list(assignments)
    dispatching, told = act.config.dispatching, reason == "redispatched" and not secret
    _end_disputes_of(act, record, going)
    named = why.zh if why else ""
    meant = dispatching.may_be_meant(record.matter, named) if why or told else ()
    for assignment in handing_down.with_below(going, record.open()):
        if assignment in keep:
            continue
        words = why
        if told and assignment not in going:
            words = leaving.with_superior(dispatching.names.unit(assignment.handed_by or ""), why)
        assignment.status = machine.move(AssignmentStatus(assignment.status), Action.CANCEL)
        assignment.pending = None
        end_wait(act, assignment, "gone")
        ended = max(time, assignment.dispatched_at)
        said = None if words is None or assignment.unit in meant else str(words)
        tell(act, assignment, events.AssignmentCancelled(reason=reason, why=said), ended)


def _end_disputes_of(act: ServiceAct, record: TicketRecord, going: Sequence[Assignment]) -> None:
    """A co-handler's dispute ends with its order; what becomes of a lead's says who takes it away."""
    disputed = record.arbitration and record.arbitration.assignment
    if any(each.id == disputed and each.role == Role.CO for each in going):
        end_arbitration(act, record, "redispatched")


def end_arbitration(act: ServiceAct, record: TicketRecord, reason: EndOfArbitration) -> None:
    """裁决终止: nothing is left to rule on, if anything was; whoever is heard hears it, and of a confidential
    matter not why (R-35).
    """
    if (opened := record.arbitration) is None:
        return
    opened.ended_at, opened.ended_reason, opened.next_at = act.now, reason, None
    record.arbitration = record.ticket.arbitration = None
    told: EndOfArbitration = "redispatched" if record.matter.confidential else reason
    data = events.ArbitrationEnded(arbitration=opened.id, reason=told)
    tell_of_arbitration(act, record, opened, data)


def tell_of_arbitration(
    act: ServiceAct, record: TicketRecord, opened: Arbitration, data: events.Data
) -> None:
    """Say a fact of an arbitration once to all, and to each unit that is heard."""
    for unit in (None, *heard(act, record, opened)):
        act.tell(data, subject=opened.ticket, round=opened.round, unit=unit)


def heard(act: ServiceAct, record: TicketRecord, opened: Arbitration) -> list[str]:
    """Who is heard in an arbitration: its parties, and whom its step invites, or who follows them; never who
    must know nothing of the ticket (R-35), nor of a secret one who has no part in it.
    """
    invited = act.config.arbitration.step(opened.step).invites
    secret = arbitration.is_secret(record.matter)
    units = opened.parties if secret else (*opened.parties, *invited)
    today = following.at_work(act, record.matter, units)
    return arbitration.parties(today, act.config.dispatching.barred(record.matter))


def tell(
    act: ServiceAct, assignment: Assignment, data: events.Data, time: datetime | None = None
) -> None:
    """Say a fact about an assignment to its unit; ``time`` is when it became true (now)."""
    act.tell(
        data,
        subject=assignment.ticket,
        time=time,
        round=assignment.round,
        assignment=assignment.id,
        unit=assignment.unit,
    )


def new_id() -> UUID:
    """An id that sorts by when it was made."""
    return UUID(bytes=uuid6.uuid7().bytes)
