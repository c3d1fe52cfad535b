"""先行联系: every attempt to contact the citizen is on record (R-12), at the order of who made it, and at
those it was handed down of.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from services.dispatcher import doubts, orders, records, schemas, views
from services.dispatcher.models import Assignment, Contact
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules import completion, corrections, handing_down
from services.dispatcher.rules.assignment import AssignmentStatus
from shared import events
from shared.events import AssignmentContacted


async def contact(act: ServiceAct, id: UUID, body: schemas.ContactMade) -> schemas.AssignmentOut:
    """先行联系: only an answer moves the assignment (R-12). Raises NotFound, MoveRefused,
    ContactTimeWrong.
    """
    record, assignment = await records.locked_assignment(act, id)
    machine.contact(at_work(assignment), body.outcome)
    made_at = body.made_at or act.now
    completion.check_attempt(made_at, assignment.dispatched_at, act.now)
    made = AssignmentContacted(how=body.how, outcome=body.outcome, note=body.note)
    _keep(act, assignment, made, made_at)
    _count_above(act, record, assignment, made, made_at)
    wrong = record.ticket.doubted_reason == corrections.WRONG_NUMBER
    if body.outcome is events.ContactOutcome.WRONG_NUMBER and record.ticket.doubted_at is None:
        doubts.doubt(act, record, corrections.WRONG_NUMBER)
    elif machine.is_answer(body.outcome) and wrong:
        record.ticket.doubted_at = record.ticket.doubted_reason = None
    return views.assignment_out(act, record, assignment)


def _keep(act: ServiceAct, order: Assignment, made: AssignmentContacted, made_at: datetime) -> None:
    go_on(order, machine.contact(at_work(order), made.outcome))
    order.attempts += 1
    order.reached = order.reached or machine.is_answer(made.outcome)
    kept = Contact(**made.model_dump(), id=orders.new_id(), assignment=order.id, made_at=made_at)
    act.rows.add(kept)
    orders.tell(act, order, made, made_at)


def _count_above(
    act: ServiceAct,
    record: TicketRecord,
    order: Assignment,
    made: AssignmentContacted,
    made_at: datetime,
) -> None:
    """二次派单: a contact by whom an order was handed down to is one for who handed it down, whose duty it
    was: nobody asks a citizen the same twice (R-12, ADR 0059). Each order above that is signed has it.
    """
    name = act.config.dispatching.names.unit(order.unit)
    above = made.model_copy(update={"note": f"由下级单位“{name}”联系 Made by {name}；{made.note}"})
    for each in handing_down.above(order, record.open()):
        if at_work(each) in machine.HANDLING:
            _keep(act, each, above, made_at)


def at_work(assignment: Assignment) -> AssignmentStatus:
    """How far the work on an order is, also while a return of it waits for its ruling."""
    was = assignment.was and AssignmentStatus(assignment.was)
    return machine.at_work(AssignmentStatus(assignment.status), was or None)


def go_on(assignment: Assignment, moved: AssignmentStatus) -> None:
    """The work goes on, its unit is silent no more; a return that waits for its ruling goes on waiting."""
    assignment.pressed = assignment.pressed_due = None
    if assignment.status == AssignmentStatus.RETURN_REQUESTED:
        assignment.was = moved
    else:
        assignment.status = moved
