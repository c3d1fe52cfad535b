"""主办与协办: others are to work on a ticket, and who stays keeps all that stands (ADR 0049).

The desk re-dispatches, adds and releases co-handlers; a lead presses a silent one, and goes on without it
once its limit is over (R-13).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from uuid import UUID

from sqlmodel import col, select

from services.dispatcher import doubts, merging, orders, reading, records, schemas, views
from services.dispatcher.arbitration import overruling
from services.dispatcher.arbitration import usecases as arbitration
from services.dispatcher.handling import hurrying
from services.dispatcher.models import Assignment, Contact, Contacts
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.reform import following
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules import co_handling as rules
from services.dispatcher.rules import dispatch, handing_down, whistling, work_order
from services.dispatcher.rules.assignment import AssignmentStatus
from services.dispatcher.rules.leaving import released
from services.dispatcher.rules.reasons import Reason
from services.dispatcher.rules.ticket import dispatch_status
from services.dispatcher.rules.urgency import is_more_urgent
from shared import events
from shared.errors import MoveRefused, NotFound, Recused, UnknownCode
from shared.events import Role, Urgency

# --- who works on it ---------------------------------------------------------------------------


async def redispatch(
    act: ServiceAct,
    record: TicketRecord,
    order: dispatch.Order,
    added: work_order.Added,
    why: Reason,
) -> None:
    """Let an order's units work on a ticket, in its roles and as urgent as the ticket is now. ``why``:
    what those hear that go.
    """
    order = following.followed(act, record.matter, order)
    urgency, roles = Urgency(record.ticket.urgency), order.roles()
    along = handing_down.following(record.open(), roles)
    held = [each for each in _held(record) if each not in along]
    changed = rules.change((_holding(each, urgency) for each in held), roles)
    staying = [held[place] for place in changed.stay if held[place].status in machine.OPEN]
    going = [held[place] for place in changed.go if held[place].status in machine.OPEN]
    for each in staying:
        each.handed_by = None  # whom the desk names itself answers to the lead
        if each.unit == order.lead and order.approval:
            each.approved = order.approval._asdict()
    if any(each.role == Role.LEAD and each.unit != order.lead for each in going):
        orders.end_arbitration(act, record, "redispatched")
    order = replace(order, whistles=whistling.blown_for(going))
    stood = {each.unit: (each, AssignmentStatus(each.status)) for each in going}
    orders.cancel(act, record, going, "redispatched", act.now, why, keep=along)
    staying += along
    hurrying.follow_urgency(
        act, record, [each for each in staying if each.urgency != urgency], act.now
    )
    for given in orders.give(act, record, order, added, changed.new):
        if known := stood.get(given.unit):
            await _carry_over(act, given, *known)
    if changed.go or changed.new:
        tell_who(act, staying, order)


def with_whistled(
    act: ServiceAct, record: TicketRecord, order: dispatch.Order, added: work_order.Added
) -> dispatch.Order:
    """An order with those a town whistled for, whoever leads now: they go when they are called off or
    released, or must stand back.
    """
    barred = act.config.dispatching.barred(record.matter, added.newest)
    whistled = whistling.blown_for(record.open())
    helping = (*order.co_handlers, *(unit for unit in whistled if unit not in barred))
    return replace(order, co_handlers=dispatch.helpers(order.lead, helping))


def _held(record: TicketRecord) -> list[Assignment]:
    """The orders that count: open ones, and beside a lead at work those its co-handlers answered."""
    at_work = record.open()
    if not any(each.role == Role.LEAD for each in at_work):
        return at_work
    answered = (each for each in record.completed(record.ticket.round) if each.role == Role.CO)
    return [*at_work, *answered]


def _holding(order: Assignment, urgency: Urgency) -> rules.Holding:
    hurried = is_more_urgent(urgency, Urgency(order.urgency))
    return rules.Holding(order.unit, Role(order.role), AssignmentStatus(order.status), hurried)


async def _carry_over(
    act: ServiceAct, given: Assignment, before: Assignment, status: AssignmentStatus
) -> None:
    """A unit in another role goes on where it stood: its handler has signed, its contacts were made. Both
    are said again of the order it has now.
    """
    was = AssignmentStatus(before.was or AssignmentStatus.DISPATCHED)
    given.status = rules.carried(status, was)
    given.handler, given.handler_account = before.handler, before.handler_account
    given.progress = before.progress
    given.attempts, given.reached = before.attempts, before.reached
    if given.handler:
        signed = events.AssignmentSigned(
            handler=given.handler, handler_account=given.handler_account
        )
        orders.tell(act, given, signed)
    if given.reached and (made := await _answered(act, before)):
        how, outcome = made.how, events.ContactOutcome(made.outcome)
        data = events.AssignmentContacted.model_validate({"how": how, "outcome": outcome})
        orders.tell(act, given, data)


async def _answered(act: ServiceAct, order: Assignment) -> Contact | None:
    """The last contact of an order that reached the citizen."""
    answers = [each for each in events.ContactOutcome if machine.is_answer(each)]
    query = (
        select(Contacts)
        .where(Contacts.assignment == order.id, col(Contacts.outcome).in_(answers))
        .order_by(col(Contacts.made_at).desc())
    )
    return (await act.session.exec(query.limit(1))).first()


def tell_who(act: ServiceAct, staying: Sequence[Assignment], order: dispatch.Order) -> None:
    """Let those that go on hear who else works on it now."""
    names = act.config.dispatching.names
    helping = "、".join(map(names.unit, order.co_handlers)) or "无 none"
    words = (
        f"承办单位已调整：主办 {names.unit(order.lead)}；协办 {helping}。本单位继续办理，时限不变 "
        "Who works on it was changed; you go on, within your limits"
    )
    for each in staying:
        data = events.AssignmentUpdated(
            kind="supplemented", content=words, lead=order.lead, co_handlers=order.co_handlers
        )
        orders.tell(act, each, data)


# --- acts of the desk --------------------------------------------------------------------------


async def add(act: ServiceAct, number: str, body: schemas.CoHandler) -> schemas.TicketOut:
    """增加协办: one more unit helps; nobody else is touched. One that helps already goes on.

    Raises NotFound, MoveRefused, InOtherWork, UnknownCode, AmbiguousCode, CoHandlerIsLead, Recused,
    ReturnGranted.
    """
    record = await records.find_locked(act, number)
    if record is None:
        raise NotFound
    merging.check_holds(record)
    lead, helping = lead_of(record), co_handlers(record)
    if lead is None:
        raise MoveRefused("add_co_handler", dispatch_status(record.milestones()), [])
    unit = records.unit_code(act, "unit", body.unit)
    if unit == lead.unit:
        raise rules.CoHandlerIsLead(field="unit", lead=unit)
    if unit in {each.unit for each in record.open()}:
        return views.ticket_out(act, record)
    added = await records.added(act, record)
    _check_recusal(act, record, unit, added)
    await overruling.overrule(act, record, {unit: "unit"}, body.overrules)
    helpers = (*(each.unit for each in helping), unit)
    order = dispatch.Order(lead.unit, helpers, body.reason, appointed=True)
    give_more(act, record, order, added, [unit])
    doubts.settle(record)
    tell_who(act, [lead, *helping], order)
    return views.ticket_out(act, record)


def give_more(
    act: ServiceAct,
    record: TicketRecord,
    order: dispatch.Order,
    added: work_order.Added,
    units: Collection[str],
) -> list[Assignment]:
    """Give more units their orders; what the desk has to see it has to see still: a doubt about the others,
    a danger that may be one.
    """
    ticket = record.ticket
    doubts = ticket.doubted_at, ticket.doubted_reason, ticket.alarmed_at
    given = orders.give(act, record, order, added, units)
    ticket.doubted_at, ticket.doubted_reason, ticket.alarmed_at = doubts
    return given


async def release(act: ServiceAct, id: UUID, body: schemas.Release) -> schemas.TicketOut:
    """撤出协办: one co-handler need not go on; nobody else is touched, and what it missed stands.

    Raises NotFound, InArbitration; MoveRefused for an order that is over, or a lead's.
    """
    record, gone = await records.locked_assignment(act, id)
    if gone.role != Role.CO or gone.status not in machine.OPEN:
        raise MoveRefused(
            "release", gone.status, machine.allowed(AssignmentStatus(gone.status), machine.BY_DESK)
        )
    arbitration.check_released(record, gone)
    orders.cancel(act, record, [gone], "redispatched", act.now, released(body.reason))
    doubts.settle(record)
    if lead := lead_of(record):
        helping = co_handlers(record)
        order = dispatch.Order(lead.unit, tuple(each.unit for each in helping), body.reason)
        tell_who(act, [lead, *helping], order)
    return views.ticket_out(act, record)


def lead_of(record: TicketRecord) -> Assignment | None:
    """The order that leads now; None when there is none."""
    return next((each for each in record.open() if each.role == Role.LEAD), None)


def co_handlers(record: TicketRecord) -> list[Assignment]:
    """Who helps the lead by the desk's word; whom these hand it down to are their own."""
    return [each for each in record.open() if each.role == Role.CO and not each.handed_by]


def _check_recusal(
    act: ServiceAct, record: TicketRecord, unit: str, added: work_order.Added
) -> None:
    """回避: no unit helps with what is about it, under this number or one merged with it (R-35)."""
    dispatching = act.config.dispatching
    barred = dispatching.barred(record.matter, added.newest)
    for each in record.waiting_with():
        barred |= dispatching.barred(each.matter)
    if why := barred.get(unit):
        raise Recused(str(why), field="unit", unit=unit)


# --- acts of the lead --------------------------------------------------------------------------


async def press(act: ServiceAct, id: UUID, body: schemas.Press) -> schemas.AssignmentOut:
    """催促协办: the lead urges one of its co-handlers, a unit one to which it handed its order down; and
    the desk, too, if it asks for that (R-13).

    Raises NotFound; MoveRefused when the order is over, or nobody ever answers to it; UnknownCode for a
    unit that does not answer to it.
    """
    record, lead = await records.locked_assignment(act, id)
    helping = {each.unit: each for each in helpers_of(record, lead)}
    if lead.status not in machine.OPEN or not (helping or lead.role == Role.LEAD):
        raise MoveRefused(
            "press", lead.status, machine.allowed(AssignmentStatus(lead.status), machine.BY_UNIT)
        )
    unit = records.unit_code(act, "unit", body.unit)
    if unit not in helping:
        raise UnknownCode(body.unit, field="unit", allowed=sorted(helping))
    who = (
        "主办单位催促 The lead urges"
        if lead.role == Role.LEAD
        else "交办单位催促 Your superior urges"
    )
    words = f"{who}: {body.note}"
    orders.tell(act, helping[unit], events.AssignmentUpdated(kind="urged", content=words))
    if body.desk:
        doubts.press(act, record, helping[unit], lead.unit, body.note)
    return views.assignment_out(act, record, lead)


def helpers_of(record: TicketRecord, lead: Assignment) -> list[Assignment]:
    """Who is at work and answers to a lead, or to who handed it down."""
    return [each for each in record.answering_to(lead) if each.status in machine.OPEN]


def unheard(
    act: ServiceAct, record: TicketRecord, lead: Assignment, named: Collection[str]
) -> list[Assignment]:
    """The co-handlers at work whom their lead wants to go on without. Their limit is over by the
    calendar, whatever a return they asked for waits for: the lead must not wait for that, too.

    Raises UnknownCode for who is no co-handler at work, CoHandlerInTime.
    """
    helping = {each.unit: each for each in helpers_of(record, lead)}
    if unknown := set(named) - set(helping):
        raise UnknownCode(sorted(unknown), field="without", allowed=sorted(helping))
    over = {unit: reading.limit_ends(act, helping[unit]) for unit in named}
    if early := {unit: at.isoformat() for unit, at in over.items() if at and act.now <= at}:
        raise rules.CoHandlerInTime(units=early)
    return [helping[unit] for unit in over]
