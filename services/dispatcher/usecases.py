"""What the dispatcher does, one function per use case: load, decide, save, tell.

First the facts it hears, then the acts of a unit on its own assignments, then those of the desk.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import uuid6

from services.dispatcher import queries, schemas
from services.dispatcher.models import Assignment, Contact, Delivery, Return, Supplement, Ticket
from services.dispatcher.queries import Acting, Case
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules import completion, dispatch, returns
from services.dispatcher.rules.assignment import Action, State
from services.dispatcher.rules.ticket import check_assignable
from shared import events
from shared.errors import TooEarly, UnknownCode
from shared.events import Fact, Role, TicketType, Urgency
from shared.observability import log
from shared.security.masking import mask_patterns

PRAISE_PASSED_ON = "表扬已转达 The praise was passed on"
# What an assignment keeps of its work order.
PRINTED = {"role", "rule", "reason", "urgency", "limits", "redo"}


# --- facts heard -------------------------------------------------------------------------------


async def register(act: Acting, fact: Fact) -> None:
    """受理 → 即时派单: dispatch by the catalogue, or leave it to the desk (R-03, BJ-11)."""
    said: events.TicketRegistered = fact.data
    if await queries.find_locked(act, fact.subject):
        log.info("ignored: registered before", ticket=fact.subject)
        return
    decided = act.config.dispatching.decide(said)
    ticket = Ticket(
        number=fact.subject,
        registered=fact.time,
        matter=said.model_dump(mode="json"),
        urgency=decided.urgency,
    )
    act.session.add(ticket)
    await act.session.flush()  # before its assignments: rows are not sorted by foreign key
    case = act.locked[fact.subject] = Case(ticket, [])
    if isinstance(decided, dispatch.Decision):
        _dispatch(act, case, dispatch.by_rule(decided), [])
    else:
        _unassign(act, case, decided.reason, decided.nearest)


async def supplement(act: Acting, fact: Fact) -> None:
    """补充: kept for whoever is dispatched later, and told to whoever is at work."""
    said: events.TicketSupplemented = fact.data
    case = await queries.ground(act, fact)
    act.session.add(
        Supplement(ticket=fact.subject, seq=fact.seq, at=fact.time, content=said.content)
    )
    _update(act, case, fact, events.AssignmentUpdated(kind="supplemented", content=said.content))


async def urge(act: Acting, fact: Fact) -> None:
    """催单: whoever is at work hears it; the desk sees how often an unassigned ticket was urged."""
    said: events.TicketUrged = fact.data
    case = await queries.ground(act, fact)
    case.ticket.urged = max(case.ticket.urged, said.times)
    _update(act, case, fact, events.AssignmentUpdated(kind="urged", content=said.note))


async def withdraw(act: Acting, fact: Fact) -> None:
    """撤单: nobody need go on, in whatever round; a withdrawal is final."""
    case = await queries.ground(act, fact)
    case.ticket.withdrawn = fact.time
    case.ticket.unassigned = None
    _cancel(act, case.open(), "withdrawn", fact.time)


async def reopen(act: Acting, fact: Fact) -> None:
    """重办: back to the lead who completed the round, with redo limits (R-27).

    A ticket withdrawn meanwhile gets its round and loses it at once, so that the rows are the same
    whichever fact came first.
    """
    said: events.TicketReopened = fact.data
    case = await queries.ground(act, fact)
    lead = case.completed_lead(fact.round - 1)
    if lead is None:
        raise TooEarly(f"round {fact.round} of {fact.subject}: nobody completed the one before")
    if fact.round <= case.ticket.round:
        log.info("ignored: an older round", ticket=fact.subject, round=fact.round)
        return
    case.ticket.round = fact.round
    order = dispatch.again(lead.unit, lead.rule, fact.round, said)
    _dispatch(act, case, order, await queries.supplements(act, fact.subject))
    if case.ticket.withdrawn:
        _cancel(act, case.open(), "withdrawn", case.ticket.withdrawn)


async def close(act: Acting, fact: Fact) -> None:
    """结案: the units that completed the round hear the citizen's verdict."""
    said: events.TicketClosed = fact.data
    case = await queries.ground(act, fact)
    if case.completed_lead(fact.round) is None:
        raise TooEarly(f"round {fact.round} of {fact.subject}: nobody completed it yet")
    case.ticket.closed = max(case.ticket.closed, fact.round)
    for one in case.completed(fact.round):
        one.verdict = said.kind
        _say(act, one, events.AssignmentClosed(kind=said.kind), fact.time)


async def deliver(act: Acting, fact: Fact) -> None:
    """Put a fact addressed to a unit into its feed; the job number_feed gives it its place."""
    if fact.unit:
        act.session.add(
            Delivery(
                unit=fact.unit,
                event=fact.id,
                name=fact.name,
                body=fact.encode().decode(),
                received=act.now,
            )
        )


# --- acts of a unit ----------------------------------------------------------------------------


async def sign(act: Acting, id: UUID, body: schemas.Sign) -> schemas.AssignmentOut:
    """签收, naming the handler (专人负责)."""
    case, own = await queries.assignment(act, id)
    own.state = machine.move(State(own.state), Action.SIGN)
    own.handler = body.handler
    _say(act, own, events.AssignmentSigned(handler=body.handler))
    if case.ticket.matter["ticket_type"] == TicketType.COMMENDATION:
        _take_note(act, case, own)
    return queries.show(case.ticket, own)


async def contact(act: Acting, id: UUID, body: schemas.ContactMade) -> schemas.AssignmentOut:
    """先行联系: every attempt is on record, only an answer moves the assignment (R-12)."""
    case, own = await queries.assignment(act, id)
    moved = machine.contact(State(own.state), body.outcome)
    at, note = body.at or act.now, mask_patterns(body.note)
    completion.check_attempt(at, own.dispatched, act.now)
    own.state = moved
    own.attempts += 1
    own.reached = own.reached or completion.is_answer(body.outcome)
    act.session.add(
        Contact(
            id=_new_id(),
            assignment=own.id,
            at=at,
            how=body.how,
            outcome=body.outcome,
            note=note,
        )
    )
    _say(act, own, events.AssignmentContacted(how=body.how, outcome=body.outcome, note=note), at)
    return queries.show(case.ticket, own)


async def progress(act: Acting, id: UUID, body: schemas.Progress) -> schemas.AssignmentOut:
    """进展: how far the unit is."""
    case, own = await queries.assignment(act, id)
    own.state = machine.move(State(own.state), Action.PROGRESS)
    own.progress = mask_patterns(body.note)
    _say(act, own, events.AssignmentProgressed(note=own.progress))
    return queries.show(case.ticket, own)


async def request_return(
    act: Acting, id: UUID, body: schemas.ReturnRequest
) -> schemas.AssignmentOut:
    """退单申请: the desk will rule on it (R-15, R-16)."""
    case, own = await queries.assignment(act, id)
    standing = await queries.standing(act, own)
    moved = returns.request_return(standing, body.reason_code, act.config.returns, act.now)
    _check_units(act, "suggested_unit", filter(None, [body.suggested_unit]))
    own.was, own.state = own.state, moved
    said = events.AssignmentReturnRequested(
        reason_code=body.reason_code,
        legal_basis=mask_patterns(body.legal_basis),
        suggested_unit=body.suggested_unit,
        approver=body.approver,
        note=mask_patterns(body.note),
    )
    act.session.add(
        Return(
            **said.model_dump(),
            id=_new_id(),
            ticket=own.ticket,
            assignment=own.id,
            unit=own.unit,
            requested=act.now,
        )
    )
    _say(act, own, said)
    return queries.show(case.ticket, own)


async def complete(act: Acting, id: UUID, body: schemas.Completion) -> schemas.AssignmentOut:
    """办结: a co-handler answers to its lead; the lead's answer resolves the ticket (R-21)."""
    case, own = await queries.assignment(act, id)
    said = _completion(own, body)
    today = act.now.astimezone(act.config.limits.timezone).date()
    own.state = completion.complete(case.work(own), said, today)
    own.completion = said.model_dump(mode="json")
    _say(act, own, said)
    if own.role == Role.LEAD:
        _resolve(act, case, own, said)
    return queries.show(case.ticket, own)


# --- acts of the desk --------------------------------------------------------------------------


async def assign(act: Acting, number: str, body: schemas.Assign) -> schemas.TicketOut:
    """指定承办单位: by hand, for what nobody has, and to re-dispatch what is open (JN-29).

    Raises NotFound, MoveRefused, UnknownCode, Recused.
    """
    case = await queries.ticket(act, number)
    check_assignable(case.marks())
    _check_units(act, "lead", [body.lead])
    _check_units(act, "co_handlers", body.co_handlers)
    reason = mask_patterns(body.reason)
    order = dispatch.by_hand(case.ticket.said(), body.lead, body.co_handlers, reason)
    _cancel(act, case.open(), "redispatched", act.now)
    case.ticket.urgency = body.urgency or case.ticket.urgency
    _dispatch(act, case, order, await queries.supplements(act, number))
    return queries.show_ticket(case)


async def rule_on_return(act: Acting, id: UUID, body: schemas.Ruling) -> schemas.AssignmentOut:
    """退单裁定: refused, the unit goes on where it was; granted, the ticket is the desk's again.

    When the lead goes, those who answered to it go with it; a co-handler goes alone (R-15).
    """
    case, one = await queries.assignment(act, id)
    action = Action.GRANT_RETURN if body.granted else Action.REFUSE_RETURN
    one.state = machine.move(State(one.state), action, State(one.was or one.state))
    asked, ruling = await queries.return_to_rule(act, id), mask_patterns(body.ruling)
    asked.granted, asked.ruling = body.granted, ruling
    asked.ruled, asked.ruled_by = act.now, act.actor
    if not body.granted:
        _say(act, one, events.AssignmentReturnRefused(ruling=ruling))
        return queries.show(case.ticket, one)
    _say(act, one, events.AssignmentReturned(ruling=ruling))
    if one.role == Role.LEAD:
        _cancel(act, case.open(), "redispatched", act.now)
        _unassign(act, case, f"{one.unit} 退单获准 {one.unit} returned it: {ruling}", ())
    return queries.show(case.ticket, one)


# --- the steps they share ----------------------------------------------------------------------


def _dispatch(act: Acting, case: Case, order: dispatch.Order, added: Sequence[str]) -> None:
    """Give the ticket to its units, each with its own limits and one fact (BJ-13)."""
    ticket, said = case.ticket, case.ticket.said()
    ticket.unassigned = None
    redo, urgency = ticket.round > 1, Urgency(ticket.urgency)
    for unit, role in order.roles().items():
        limits = act.config.limits.stages(
            said.ticket_type, urgency, said.topic, said.flags, redo=redo, role=role
        )
        limits = dispatch.without_contact(limits, said)
        told = dispatch.work_order(
            said,
            order,
            added,
            role=role,
            urgency=urgency,
            limits=limits,
            registered=ticket.registered,
            redo=redo,
        )
        one = Assignment(
            **told.model_dump(mode="json", include=PRINTED),
            id=_new_id(),
            ticket=ticket.number,
            round=ticket.round,
            unit=unit,
            state=State.DISPATCHED,
            appointed=order.appointed,
            dispatched=act.now,
        )
        act.session.add(one)
        case.assignments.append(one)
        _say(act, one, told)


def _unassign(act: Acting, case: Case, reason: str, nearest: tuple[str, ...]) -> None:
    case.ticket.unassigned = act.now
    case.ticket.unassigned_reason = reason
    case.ticket.nearest = list(nearest)
    data = events.TicketUnassigned(reason=reason, nearest=nearest)
    act.tell(data, subject=case.ticket.number, round=case.ticket.round)


def _update(act: Acting, case: Case, fact: Fact, data: events.AssignmentUpdated) -> None:
    for one in case.open():
        _say(act, one, data, fact.time)


def _cancel(
    act: Acting,
    assignments: Iterable[Assignment],
    reason: Literal["withdrawn", "redispatched"],
    time: datetime,
) -> None:
    """Nothing ends before it began, even when the withdrawal was heard before the dispatch."""
    for one in assignments:
        one.state = machine.move(State(one.state), Action.CANCEL)
        _say(act, one, events.AssignmentCancelled(reason=reason), max(time, one.dispatched))


def _take_note(act: Acting, case: Case, own: Assignment) -> None:
    """表扬: passed on and not handled, so the unit that signed it is done (policy.yaml, limits).

    The last of them to sign resolves the ticket: nobody keeps a clock on one that is over.
    """
    own.state = machine.move(State(own.state), Action.COMPLETE)
    said = events.AssignmentCompleted(
        role=Role(own.role),
        kind=events.CompletionKind.EXPLAINED,
        contacted=False,
        solved=True,
        result=PRAISE_PASSED_ON,
        public_answer=PRAISE_PASSED_ON,
        signed_off_by=own.handler or own.unit,
    )
    own.completion = said.model_dump(mode="json")
    _say(act, own, said)
    lead = case.completed_lead(own.round)
    if lead and not case.open():
        _resolve(act, case, lead, events.AssignmentCompleted.model_validate(lead.completion))


def _completion(own: Assignment, body: schemas.Completion) -> events.AssignmentCompleted:
    form = body.model_dump()
    for field in ("unsolved_reason", "result", "public_answer"):
        form[field] = form[field] and mask_patterns(form[field])
    form["contacted"] = own.reached if body.contacted is None else body.contacted
    form["promised_date"] = body.promised_date and body.promised_date.isoformat()
    return events.AssignmentCompleted(role=Role(own.role), **form)


def _resolve(act: Acting, case: Case, lead: Assignment, said: events.AssignmentCompleted) -> None:
    case.ticket.resolved = lead.round
    units = dict.fromkeys((lead.unit, *(one.unit for one in case.completed(lead.round))))
    data = events.TicketResolved(
        kind=said.kind,
        lead=lead.unit,
        units=tuple(units),
        solved=said.solved,
        public_answer=said.public_answer,
    )
    act.tell(data, subject=lead.ticket, round=lead.round)


def _check_units(act: Acting, field: str, codes: Iterable[str]) -> None:
    """Raises UnknownCode with the nearest codes."""
    units = act.config.units
    for code in codes:
        if units.unit(code) is None:
            raise UnknownCode(field=field, nearest=list(units.nearest_units(code)))


def _say(act: Acting, one: Assignment, data: events.Data, time: datetime | None = None) -> None:
    act.tell(data, subject=one.ticket, time=time, round=one.round, assignment=one.id, unit=one.unit)


def _new_id() -> UUID:
    return UUID(bytes=uuid6.uuid7().bytes)
