"""What the dispatcher does, one function per use case: load, decide, change rows, tell.

First the facts it hears, then the acts of a unit on its own assignments, then those of the desk.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from services.dispatcher import (
    alarms,
    answering,
    doubts,
    grassroots,
    merging,
    orders,
    printed_limits,
    records,
    schemas,
    splitting,
    suggestions,
    views,
)
from services.dispatcher.approvals import usecases as approvals
from services.dispatcher.approvals import views as approval_views
from services.dispatcher.arbitration import overruling
from services.dispatcher.arbitration import usecases as arbitration
from services.dispatcher.catalogue import catalogues
from services.dispatcher.completion import auditing, completing
from services.dispatcher.handling import co_handling, contacting
from services.dispatcher.models import Assignment, Delivery, Supplement, Ticket
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.reform import following
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules import (
    completion,
    dispatch,
    hotline_reasons,
    leaving,
    work_order,
)
from services.dispatcher.rules.approvals import lowers
from services.dispatcher.rules.assignment import Action, AssignmentStatus
from services.dispatcher.rules.co_handling import CoHandlerIsLead
from services.dispatcher.rules.ticket import check_assignable, check_recallable
from shared import events, policies
from shared.errors import NotFound, TooEarly
from shared.events import Fact, Role, TicketType, Urgency
from shared.observability import log

PRAISE_PASSED_ON = "表扬已转达 The praise was passed on"


# --- facts heard -------------------------------------------------------------------------------


async def register(act: ServiceAct, fact: Fact) -> None:
    """受理 → 即时派单: dispatch by the catalogue, or leave it to the desk (R-03, BJ-11)."""
    data: events.TicketRegistered = fact.data
    if await records.find_locked(act, fact.subject):
        log.info("ignored: registered before", ticket=fact.subject)
        return
    decided = following.decide(act, await catalogues.dispatching(act), data, fact.time)
    ticket = Ticket(
        number=fact.subject,
        registered_at=fact.time,
        matter=data.model_dump(mode="json"),
        urgency=decided.urgency,
        catalogue_version=decided.version,
    )
    record = act.locked[fact.subject] = TicketRecord(act.rows.add(ticket), [], registered=data)
    if data.taken_off:
        await splitting.go_on(act, record, data.taken_off)
    if data.appointed:
        await splitting.appoint(act, record, data)
    elif isinstance(decided, dispatch.Decision):
        orders.give(act, record, dispatch.by_rule(decided), work_order.Added())
    elif order := suggestions.automatic(act, data, decided):
        orders.give(act, record, order, work_order.Added())
    else:
        grassroots.note_kept(act, record, decided.kept_from)
        orders.leave_to_desk(act, record, decided.reason, decided.nearest)


async def supplement(act: ServiceAct, fact: Fact) -> None:
    """补充: kept for whoever is dispatched later, and told to whoever is at work."""
    data: events.TicketSupplemented = fact.data
    record = await records.locked(act, fact.subject)
    added = Supplement(ticket=fact.subject, seq=fact.seq, added_at=fact.time, content=data.content)
    record.supplements.append(act.rows.add(added))
    orders.update(act, record, "supplemented", data.content, fact.time)
    await alarms.heed(act, record, data.content, fact.time)


async def urge(act: ServiceAct, fact: Fact) -> None:
    """催单: whoever is at work hears it; the desk sees how often an unassigned ticket was urged."""
    data: events.TicketUrged = fact.data
    record = await records.locked(act, fact.subject)
    record.ticket.urged = max(record.ticket.urged, data.times)
    orders.update(act, record, "urged", data.note, fact.time)
    await alarms.heed(act, record, data.note, fact.time)


async def withdraw(act: ServiceAct, fact: Fact) -> None:
    """撤单: nobody need go on for this citizen, in whatever round; a withdrawal is final."""
    record = await records.locked(act, fact.subject)
    await merging.withdraw(act, record, fact.time)


async def end(act: ServiceAct, fact: Fact) -> None:
    """The hotline ended it itself (R-02, R-06 … R-08): the desk has it no more, and an order that
    crossed with that is taken back. What was never registered is nobody's to dispatch.
    """
    data: events.EndedHere = fact.data
    if not data.registered:
        log.info("ignored: never registered", ticket=fact.subject)
        return
    record = await records.locked(act, fact.subject)
    ticket = record.ticket
    ticket.ended = max(ticket.ended, fact.round)
    ticket.closed = max(ticket.closed, fact.round)
    if fact.round >= ticket.round:
        await merging.leave(act, record, "redispatched", fact.time)


async def reopen(act: ServiceAct, fact: Fact) -> None:
    """重办: back to the lead who completed the round, with redo limits (R-27), or to the desk; what the
    hotline had ended itself goes to the desk. Where others it was merged with are worked on again
    already, it joins them.

    A ticket withdrawn or ended meanwhile gets its round and loses it at once, so that the rows are
    the same whichever fact came first.
    """
    data: events.TicketReopened = fact.data
    record = await records.locked(act, fact.subject)
    lead, ended = record.answerer(fact.round - 1), record.ticket.ended >= fact.round - 1
    if lead is None and not ended:
        raise TooEarly(f"round {fact.round} of {fact.subject}: nobody completed the one before")
    if fact.round <= record.ticket.round:
        log.info("ignored: an older round", ticket=fact.subject, round=fact.round)
        return
    record.ticket.round = fact.round
    alarms.raises(act, record, data.comment or "")  # before anybody gets it anew
    if lead is None or ended:
        orders.leave_to_desk(act, record, str(hotline_reasons.resumed(data.comment)))
    elif not await merging.join_again(act, record, fact):
        await _give_again(act, record, lead, data)
    await alarms.heed(act, record, data.comment or "", fact.time)
    if record.ticket.withdrawn_at:
        await merging.withdraw(act, record, record.ticket.withdrawn_at)
    elif record.ticket.ended >= fact.round:
        await merging.leave(act, record, "redispatched", act.now)


async def _give_again(
    act: ServiceAct, record: TicketRecord, lead: records.Answerer, data: events.TicketReopened
) -> None:
    dispatching, round = act.config.dispatching, record.ticket.round
    decided = dispatching.again(record.matter, lead.unit, lead.rule, round, data, lead.version)
    if isinstance(decided, dispatch.Order):
        orders.give(act, record, decided, await records.added(act, record))
    else:
        orders.leave_to_desk(act, record, str(decided), [lead.rule] if lead.rule else [])


async def close(act: ServiceAct, fact: Fact) -> None:
    """结案: the units that completed the round hear the citizen's verdict, unless recused since."""
    data: events.TicketClosed = fact.data
    record = await records.locked(act, fact.subject)
    if record.ticket.resolved < fact.round:
        raise TooEarly(f"round {fact.round} of {fact.subject}: nobody completed it yet")
    record.ticket.closed = max(record.ticket.closed, fact.round)
    if record.ticket.closed >= record.ticket.round:  # the citizen has spoken since
        record.ticket.doubted_at = record.ticket.doubted_reason = None
    recused = act.config.dispatching.recused(record.matter)
    for assignment in record.completed(fact.round):
        assignment.verdict = data.kind
        if assignment.unit not in recused:
            orders.tell(act, assignment, events.AssignmentClosed(kind=data.kind), fact.time)


async def deliver(act: ServiceAct, fact: Fact, body: bytes) -> None:
    """Put a fact addressed to a unit into its feed, as it was said or received; number_feed gives it
    its place. Delivered again it changes nothing.
    """
    if fact.unit:
        delivery = Delivery(
            unit=fact.unit,
            fact=fact.id,
            name=fact.name,
            body=body.decode(),
            received_at=act.now,
        )
        act.rows.add(delivery, unless_there=True)


# --- acts of a unit ----------------------------------------------------------------------------


async def sign(act: ServiceAct, id: UUID, body: schemas.Sign) -> schemas.AssignmentOut:
    """签收, naming the handler (专人负责)."""
    record, assignment = await records.locked_assignment(act, id)
    contacting.go_on(assignment, machine.move(contacting.at_work(assignment), Action.SIGN))
    assignment.handler, assignment.handler_account = body.handler, body.handler_account
    orders.tell(act, assignment, events.AssignmentSigned(**body.model_dump()))
    if record.matter.type is TicketType.COMMENDATION:
        _take_note(act, record, assignment)
    return views.assignment_out(act, record, assignment)


async def progress(act: ServiceAct, id: UUID, body: schemas.Progress) -> schemas.AssignmentOut:
    """进展: how far the unit is."""
    record, assignment = await records.locked_assignment(act, id)
    contacting.go_on(assignment, machine.move(contacting.at_work(assignment), Action.PROGRESS))
    assignment.progress = body.note
    orders.tell(act, assignment, events.AssignmentProgressed(note=assignment.progress))
    return views.assignment_out(act, record, assignment)


async def complete(act: ServiceAct, id: UUID, body: schemas.Completion) -> schemas.AssignmentOut:
    """办结: a co-handler answers to its lead; the lead's answer is audited (R-22) and resolves the ticket
    (R-21), without those whose limit is over, if it names them. What would end the matter without an
    answer is asked of the hotline (R-15, R-20).
    """
    record, assignment = await records.locked_assignment(act, id)
    if body.kind in completion.ASKED:
        return await completing.request(act, record, assignment, body)
    answer = await completing.answer_of(act, assignment, body)
    unheard = co_handling.unheard(act, record, assignment, answer.without)
    today = act.now.astimezone(act.config.calendar.tz).date()
    latest = policies.limits(act).latest_promise(today)
    status = completion.complete(record.work(assignment), answer, today, latest)
    await completing.overtake(act, assignment)
    orders.end_wait(act, assignment, "answered")
    if assignment.role == Role.LEAD:
        answer = await auditing.check(act, record, assignment, answer, body)
    assignment.status = status
    assignment.completion = completing.kept(answer, body.contact_number)
    orders.tell(act, assignment, answer)
    orders.cancel(act, record, unheard, "redispatched", act.now, leaving.LEAD_WENT_ON)
    if assignment.role == Role.LEAD and answer.audit is None:
        answering.resolve(act, record, assignment, answer)
    elif assignment.role == Role.LEAD:
        orders.end_arbitration(act, record, "resolved")  # who has answered disputes it no more
    answered = views.assignment_out(act, record, assignment)
    return answered.model_copy(update={"warnings": schemas.warnings_of(body)})


def _take_note(act: ServiceAct, record: TicketRecord, assignment: Assignment) -> None:
    """表扬: passed on and not handled, so the unit that signed it is done (limits.yaml).

    The last of them to sign resolves the ticket, for each would answer it with the same words:
    nobody keeps a clock on one that is over.
    """
    assignment.status = machine.move(AssignmentStatus(assignment.status), Action.COMPLETE)
    answer = events.AssignmentCompleted(
        role=Role(assignment.role),
        kind=events.CompletionKind.EXPLAINED,
        contacted=False,
        solved=True,
        result=PRAISE_PASSED_ON,
        public_answer=PRAISE_PASSED_ON,
        signed_off_by=assignment.handler or assignment.unit,
    )
    assignment.completion = answer.model_dump(mode="json")
    orders.tell(act, assignment, answer)
    lead = record.completed_lead(assignment.round)
    if lead and not record.open():
        answering.resolve(act, record, lead, answer)


# --- acts of the desk --------------------------------------------------------------------------


async def assign(act: ServiceAct, number: str, body: schemas.Assign) -> schemas.TicketOut:
    """指定承办单位: by hand, for what nobody has, and to re-dispatch what is open (JN-29). Who has it and
    stays in its role keeps its order, and with it handler, contacts and clocks.

    Raises NotFound, MoveRefused, UnknownCode, AmbiguousCode, CoHandlerIsLead, Recused, InOtherWork,
    NotForTowns, ReturnGranted, RulingNames, InArbitration, ApprovalPending, MoreUrgentWaits, ComplexInVain.
    """
    record = await records.find_locked(act, number)
    if record is None:
        raise NotFound
    check_assignable(record.milestones())
    lead = records.unit_code(act, "lead", body.lead)
    co_handlers = [records.unit_code(act, "co_handlers", called) for called in body.co_handlers]
    if lead in co_handlers:
        raise CoHandlerIsLead(field="co_handlers", lead=lead)
    arbitration.check_kept(record, lead, co_handlers)
    dispatching = act.config.dispatching
    added = await records.added(act, record)
    order = dispatching.by_hand(record.matter, lead, co_handlers, body.reason, added.newest)
    merging.check_assignable(act, record, order)
    approval = await grassroots.check(act, record, lead)
    named = {lead: "lead"} | dict.fromkeys(order.co_handlers, "co_handlers")
    await overruling.overrule(act, record, named, body.overrules)
    await overruling.overrule_ruling(act, record, lead, body.overrules)
    asked = await _grant_urgency(act, record, lead, body.urgency, body.reason, added)
    await grassroots.note_passed(act, record, lead, approval)
    order = replace(co_handling.with_whistled(act, record, order, added), approval=approval)
    await co_handling.redispatch(act, record, order, added, leaving.moved(body.reason))
    doubts.settle(record)
    return views.ticket_out(act, record).model_copy(update={"approval": asked})


async def _grant_urgency(
    act: ServiceAct,
    record: TicketRecord,
    lead: str,
    urgency: Urgency | None,
    ground: str,
    added: work_order.Added,
) -> UUID | None:
    """The desk decides how urgent a ticket is; that what is urgent is less so, another person does, and what
    is answered is what waits for that. Whether a doubtful word is a danger it finds out alone.

    Raises ComplexInVain, ApprovalPending, MoreUrgentWaits.
    """
    if urgency is Urgency.COMPLEX and record.ticket.urgency != urgency:
        of = (
            printed_limits.limits_of(act, record, each, Role.LEAD, unit=lead)
            for each in (Urgency.NORMAL, Urgency.COMPLEX)
        )
        work_order.check_lengthens(*of)
    lowered = urgency and lowers(Urgency(record.ticket.urgency), urgency)
    if urgency and lowered:
        approval_views.check_work(record, urgency)
    if urgency and lowered and not await alarms.only_doubted(act, record, urgency, added.newest):
        return (await approvals.ask_lower(act, record, urgency, ground, act.actor)).id
    record.ticket.urgency = urgency or record.ticket.urgency
    return None


async def recall(act: ServiceAct, number: str, body: schemas.Recall) -> schemas.TicketOut:
    """收回派单: the desk takes the ticket from whoever has it, and has it itself; not out of a dispute, which
    only a ruling ends (R-17). Raises NotFound, MoveRefused, InOtherWork, InArbitration.
    """
    record = await records.find_locked(act, number)
    if record is None:
        raise NotFound
    check_recallable(record.milestones())
    merging.check_holds(record)
    arbitration.check_none(record)
    why = hotline_reasons.recalled(body.reason)
    orders.cancel(act, record, record.open(), "redispatched", act.now, why)
    orders.leave_to_desk(act, record, str(why))
    return views.ticket_out(act, record)
