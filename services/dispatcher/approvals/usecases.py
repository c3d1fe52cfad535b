"""批准: asked for by one person, decided by another; until then all stays as it is (ADR 0071)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam
from sqlmodel import col, select

from services.dispatcher import grassroots, orders, records
from services.dispatcher.approvals import views
from services.dispatcher.approvals.models import Approval, Approvals
from services.dispatcher.approvals.schemas import ApprovalOut, Decision, TownLead
from services.dispatcher.handling import hurrying
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules import approvals as rules
from services.dispatcher.rules.approvals import Action, ApprovalPending, What
from services.dispatcher.rules.ticket import check_assignable
from shared import events
from shared.errors import MoveRefused, NotFound
from shared.events import LegalLimit, Urgency

TICKETS_OF = select(Approvals.id, Approvals.ticket).where(
    col(Approvals.id) == any_(bindparam("ids", type_=ARRAY(Uuid)))
)


# --- asked -------------------------------------------------------------------------------------


async def ask_lower(
    act: ServiceAct, record: TicketRecord, urgency: Urgency, ground: str, asked_by: str
) -> Approval:
    """降低紧急程度: an urgent or critical ticket is to have more time; until another person grants it, it has
    not. The same asked again is one. Raises ApprovalPending where another urgency waits.
    """
    for row in await _undecided(act, record, "urgency"):
        if row.urgency == urgency and row.was == record.ticket.urgency:
            return row
        if row.was == record.ticket.urgency:
            raise ApprovalPending(field="urgency", approval=str(row.id))
    asked = _new(act, record, "urgency", ground, asked_by)
    asked.urgency, asked.was = urgency, record.ticket.urgency
    return _ask(act, asked)


async def ask_legal_limit(
    act: ServiceAct, record: TicketRecord, law: LegalLimit, ground: str
) -> Approval:
    """法定时限: a law that is not in the county's table is to give a ticket more time; until another person
    grants it, it has not. The same asked again is one.

    Raises MoveRefused, LegalLimitNotForUrgency, LegalLimitInVain, ApprovalPending.
    """
    hurrying.check_law(act, record, law)
    for row in await _undecided(act, record, "legal_limit"):
        if row.law == law.model_dump():
            return row
        raise ApprovalPending(field="law", approval=str(row.id))
    asked = _new(act, record, "legal_limit", ground, act.actor)
    asked.law = law.model_dump()
    return _ask(act, asked)


async def ask_town_lead(act: ServiceAct, number: str, body: TownLead) -> ApprovalOut:
    """申请由镇牵头: a town is to lead what its duty list does not name; a supervisor decides, then the desk
    assigns it. The same asked again is one (R-05).

    Raises NotFound, MoveRefused, UnknownCode, AmbiguousCode, Recused.
    """
    record = await records.find_locked(act, number)
    if record is None:
        raise NotFound
    check_assignable(record.milestones())
    lead = records.unit_code(act, "lead", body.lead)
    act.config.dispatching.by_hand(record.matter, lead, [], body.ground)
    if await grassroots.not_its_duty(act, record, lead) is None:
        raise MoveRefused("ask", "approved", ["assign"])
    for row in await _undecided(act, record, "town_lead"):
        if row.lead == lead:
            return views.approval_out(act, record, row)
    asked = _new(act, record, "town_lead", body.ground, act.actor)
    asked.lead = lead
    return views.approval_out(act, record, _ask(act, asked))


async def _undecided(act: ServiceAct, record: TicketRecord, what: What) -> list[Approval]:
    query = select(Approvals).where(
        Approvals.ticket == record.ticket.number,
        Approvals.round == record.ticket.round,
        Approvals.what == what,
        col(Approvals.granted).is_(None),
    )
    return list(await act.rows.load(Approval, query.order_by(col(Approvals.id))))


def _new(act: ServiceAct, record: TicketRecord, what: What, ground: str, by: str) -> Approval:
    return Approval(
        id=orders.new_id(),
        ticket=record.ticket.number,
        round=record.ticket.round,
        what=what,
        ground=ground,
        asked_at=act.now,
        asked_by=by,
    )


def _ask(act: ServiceAct, asked: Approval) -> Approval:
    data = events.ApprovalRequested(
        approval=asked.id,
        what=asked.what,
        urgency=asked.urgency,
        lead=asked.lead,
        law=_law(asked),
        ground=asked.ground,
        asked_by=asked.asked_by,
    )
    act.tell(data, subject=asked.ticket, round=asked.round)
    return act.rows.add(asked)


def _law(row: Approval) -> LegalLimit | None:
    return LegalLimit.model_validate(row.law) if row.law else None


# --- decided -----------------------------------------------------------------------------------


async def decide(act: ServiceAct, id: UUID, body: Decision) -> ApprovalOut:
    """批准或不批准: by another person than who asked, who may only take it back. A ticket that is granted
    less urgency, or a law's limit, has it from now on, with the time it has used.

    Raises NotFound, MoveRefused, MoreUrgentWaits, LegalLimitNotForUrgency, LegalLimitInVain, OwnApproval,
    Forbidden.
    """
    record, row = await _locked(act, id)
    role = act.caller.role if act.caller else ""
    rules.check_decider(row.what, row.asked_by, act.actor, role, granted=body.granted)
    action = Action.GRANT if body.granted else Action.REFUSE
    rules.move(views.status_of(record, row), action)
    if body.granted:
        _grant(act, record, row)
    row.granted, row.note = body.granted, body.note
    row.decided_at, row.decided_by = act.now, act.actor
    said = events.ApprovalGranted if body.granted else events.ApprovalRefused
    data = said(
        approval=id,
        what=row.what,
        urgency=row.urgency,
        lead=row.lead,
        law=_law(row),
        asked_by=row.asked_by,
        note=body.note,
    )
    act.tell(data, subject=row.ticket, round=row.round)
    return views.approval_out(act, record, row)


def _grant(act: ServiceAct, record: TicketRecord, row: Approval) -> None:
    """Do what was asked; that a town leads is then the desk's to assign. Raises what ``decide`` names."""
    views.check_grantable(act, record, row)
    if row.urgency:
        _ease(act, record, Urgency(row.urgency))
    if row.law:
        hurrying.name_law(act, record, LegalLimit.model_validate(row.law), row.ground)


def _ease(act: ServiceAct, record: TicketRecord, urgency: Urgency) -> None:
    record.ticket.urgency = urgency
    at_work = [each for each in record.open() if each.urgency != urgency]
    hurrying.follow_urgency(act, record, at_work, act.now)
    if record.ticket.unassigned_at:
        orders.say_left(act, record)  # the desk's clock follows


async def _locked(act: ServiceAct, id: UUID) -> tuple[TicketRecord, Approval]:
    """An approval with its ticket, both locked. Raises NotFound."""
    if id not in act.locked:
        ids = act.lock_order(id)
        numbers = dict((await act.session.exec(TICKETS_OF, params={"ids": ids})).all())
        await records.lock(act, set(numbers.values()))
        rows = select(Approvals).where(
            col(Approvals.id) == any_(bindparam("ids", type_=ARRAY(Uuid)))
        )
        found = {row.id: row for row in await act.rows.load(Approval, rows, {"ids": list(ids)})}
        act.locked |= {each: found.get(each) for each in ids}
    row: Approval | None = act.locked[id]
    if row is None:
        raise NotFound
    return await records.locked(act, row.ticket), row
