"""提级办理 and 裁决: a ticket is put before the ladder by hand (R-33); and where the body of a step finds it
belongs, there it goes, and stays (R-16, R-17).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from services.dispatcher import grassroots, merging, orders, past_returns, records, returning
from services.dispatcher.arbitration import precedents, schemas, views
from services.dispatcher.arbitration import usecases as arbitration
from services.dispatcher.arbitration.models import Arbitration
from services.dispatcher.handling import co_handling
from services.dispatcher.models import Assignment, Return
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules import arbitration as rules
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules import dispatch, hotline_reasons, leaving, work_order
from services.dispatcher.rules.assignment import Action, AssignmentStatus
from services.dispatcher.rules.co_handling import CoHandlerIsLead
from services.dispatcher.rules.ticket import check_assignable
from shared import events
from shared.errors import NotFound, Recused
from shared.events import Role


async def open_by_hand(
    act: ServiceAct, number: str, body: schemas.Opening
) -> schemas.ArbitrationOut:
    """提级办理: the desk or a supervisor puts a ticket before the ladder, with its grounds (R-33). Returns
    that wait are ruled on there.

    Raises NotFound, MoveRefused, InOtherWork, InArbitration, UnknownCode, AmbiguousCode, Recused.
    """
    record = await records.find_locked(act, number)
    if record is None:
        raise NotFound
    check_assignable(record.milestones())
    merging.check_holds(record)
    arbitration.check_none(record)
    named = [records.unit_code(act, "parties", called) for called in body.parties]
    barred = act.config.dispatching.barred(record.matter)
    for unit in named:
        if why := barred.get(unit):
            raise Recused(str(why), field="parties", unit=unit)
    lead = next((each for each in record.open() if each.role == Role.LEAD), None)
    waiting = [each for each in await arbitration.waiting(act, record) if each.unit not in barred]
    opened = arbitration.open_(act, record, "hand", body.grounds, lead, waiting, named)
    return views.shown(act, record, opened, [])


async def rule(act: ServiceAct, id: UUID, body: schemas.Arbitrated) -> schemas.ArbitrationOut:
    """裁决: one lead, any co-handlers. Who has the ticket and is named goes on where it stood; who disputed
    and is named has lost; who is not named is free of it, and whom it names may not return it.

    Raises NotFound, MoveRefused, Forbidden, Malformed, UnknownCode, AmbiguousCode, CoHandlerIsLead, Recused,
    InOtherWork; NotForTowns where the desk's own step would give a town what is not its duty.
    """
    record, opened = await arbitration.locked(act, id)
    check_assignable(record.milestones())
    step = act.config.arbitration.step(opened.step)
    rules.check_ruler(step, act.caller.role if act.caller else "", body.body, body.paper)
    order, added = await _order(act, record, step, body)
    approval = await grassroots.ruled(act, record, order.lead, body.ruling)
    asked = (await past_returns.load(act, opened.ticket)).asked
    _write_down(act, opened, order, body)
    record.arbitration = record.ticket.arbitration = None
    _close_returns(act, record, order, asked, body.ruling)
    await grassroots.note_passed(act, record, order.lead, approval)
    order = replace(order, approval=approval)
    await co_handling.redispatch(act, record, order, added, leaving.moved(body.ruling))
    record.ticket.doubted_at = record.ticket.doubted_reason = None
    data = events.ArbitrationRuled(
        arbitration=id,
        step=opened.step,
        title=step.title,
        lead=order.lead,
        co_handlers=order.co_handlers,
        ruling=body.ruling,
        body=body.body,
        paper=body.paper,
    )
    orders.tell_of_arbitration(act, record, opened, data)
    precedents.of_arbitration(act, opened, asked)
    return views.shown(act, record, opened, await views.statements(act, id))


async def _order(
    act: ServiceAct, record: TicketRecord, step: rules.Step, body: schemas.Arbitrated
) -> tuple[dispatch.Order, work_order.Added]:
    lead = records.unit_code(act, "lead", body.lead)
    helping = [records.unit_code(act, "co_handlers", called) for called in body.co_handlers]
    if lead in helping:
        raise CoHandlerIsLead(field="co_handlers", lead=lead)
    added = await records.added(act, record)
    why = str(hotline_reasons.arbitrated(step.zh, step.en, body.ruling))
    order = act.config.dispatching.by_hand(record.matter, lead, helping, why, added.newest)
    merging.check_assignable(act, record, order)
    return order, added


def _write_down(
    act: ServiceAct, opened: Arbitration, order: dispatch.Order, body: schemas.Arbitrated
) -> None:
    opened.ruled_at, opened.ruled_by, opened.next_at = act.now, act.actor, None
    opened.lead, opened.co_handlers = order.lead, list(order.co_handlers)
    opened.ruling, opened.body, opened.paper = body.ruling, body.body, body.paper


def _close_returns(
    act: ServiceAct,
    record: TicketRecord,
    order: dispatch.Order,
    asked: Sequence[Return],
    ruling: str,
) -> None:
    """Every return that waits is ruled on with it: refused to who keeps its role, granted to the others."""
    roles = order.roles()
    for assignment in record.open():
        for waiting in (each for each in asked if each.assignment == assignment.id and each.waits):
            keeps = roles.get(assignment.unit) == assignment.role
            waiting.named_unit = order.lead
            _ask(assignment)
            charged = keeps and act.config.arbitration.charges
            returning.close(
                act, assignment, waiting, granted=not keeps, ruling=ruling, charged=charged
            )


def _ask(assignment: Assignment) -> None:
    """Who worked on while it disputed is freed, or goes on, by the same moves as who waited."""
    if assignment.status != AssignmentStatus.RETURN_REQUESTED:
        assignment.was = assignment.status
        assignment.status = machine.move(AssignmentStatus(assignment.status), Action.REQUEST_RETURN)
