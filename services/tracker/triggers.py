"""直接触发: what makes a supervision beside the clocks: many reporters, an answer that does not come, a
return asked for after a ruling, a leader's word, a stale entry (R-30, R-32, R-39, WF-22, WH; ADR 0074).

Once for each order, and no lower rung where a higher one stands. Which policy held then no trace tells but
the fact, so a replay takes it from there.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid5

import uuid6
from sqlalchemy import func
from sqlmodel import col, select

from services.tracker import records
from services.tracker.models import Assignment, Supervision, Supervisions
from services.tracker.policies import versions
from services.tracker.raising import Ground, keep_back, raise_on
from services.tracker.records import ServiceAct, TicketRecord
from services.tracker.rules.answering import InstructionStands, KnowledgeStands
from services.tracker.rules.machine import OPEN
from services.tracker.rules.timelines import AssignmentTimeline
from services.tracker.schemas import InstructionIn, StaleKnowledgeIn, SupervisionOut
from shared import events
from shared.errors import MoveRefused, NotFound
from shared.events import Fact, Role

NAMESPACE = UUID("0d0c2f5e-7a55-5c0e-9f5b-3c1c64d5d6ab")
REPORTERS, BARRED, UNANSWERED = "", "barred_return:", "unanswered:"
MOMENT = timedelta(seconds=1)  # at the moment itself an answer is in time


def trigger_id(trigger: str, assignment: UUID) -> UUID:
    """The id of the supervision a trigger raises on an order."""
    return uuid5(NAMESPACE, f"{trigger}{assignment}")


def is_triggered(supervision: UUID, assignment: UUID) -> bool:
    """Whether a supervision is one that a trigger of this file raised."""
    triggers = (REPORTERS, BARRED, UNANSWERED)
    return any(supervision == trigger_id(each, assignment) for each in triggers)


def raise_by_rule(
    act: ServiceAct,
    record: TicketRecord,
    assignment: Assignment,
    trigger: str,
    ground: Ground,
    at: datetime,
) -> None:
    """Raise a rung on an order at work, unless this trigger did before; while a higher one stands it is kept
    back, and raised where that one turns out to be a mistake.
    """
    id = trigger_id(trigger, assignment.id)
    over = records.timeline(assignment).ending(record.matter().withdrawal)
    if id in record.supervisions or over:
        return
    if _stands_above(record, assignment, ground.rung):
        keep_back(assignment, id, ground, act.now)
        return
    raise_on(act, record, assignment, id, ground, max(at, assignment.dispatched_at))


def _stands_above(record: TicketRecord, assignment: Assignment, rung: int) -> bool:
    return any(
        row.rung > rung and row.assignment == assignment.id and row.closed_at is None
        for row in record.supervisions.values()
    )


# --- a return after a ruling -------------------------------------------------------------------


async def bar(act: ServiceAct, fact: Fact) -> None:
    """裁定后推诿: who would be rid of what a ruling gave it is pressed (WF-22)."""
    record, assignment = await records.assigned(act, fact)
    if (rung := versions.in_force(act).rules.barred_return) is None:
        return
    reason = "裁定后仍申请退单 asked to return what a ruling had given it"
    ground = Ground(rung, "trigger", reason)
    raise_by_rule(act, record, assignment, BARRED, ground, fact.time)


# --- no answer ---------------------------------------------------------------------------------


async def press_unanswered(act: ServiceAct, limit: int) -> int:
    """Raise higher what a unit let lie without an answer while its order is overdue (R-32, FS); how many were
    looked at.
    """
    query = (
        select(Supervisions.id, Supervisions.ticket)
        .where(col(Supervisions.press_at) <= act.now - MOMENT)
        .order_by(col(Supervisions.press_at))
        .limit(limit)
    )
    due = dict((await act.session.exec(query)).all())
    found = await records.lock(act, sorted(set(due.values())))
    for id, number in due.items():
        if row := found[number].supervisions.get(id):
            _press(act, found[number], row)
    return len(due)


def _press(act: ServiceAct, record: TicketRecord, row: Supervision) -> None:
    moment, row.press_at = row.press_at, None
    rules, assignment = versions.in_force(act).rules.unanswered, record.assignment(row.assignment)
    clock = record.handle_clock(row.assignment)
    missed = clock.state.breached_at if clock and clock.state.status in OPEN else None
    overdue = missed is not None and moment is not None and missed <= moment
    silent = row.answered_at is None and row.closed_at is None
    if not (rules and assignment and overdue and silent):
        return
    reason = f"{row.title}后未回复且仍逾期 no answer to it, and still overdue"
    ground = Ground(rules.then, "trigger", reason)
    raise_by_rule(act, record, assignment, UNANSWERED, ground, act.now)


async def next_unanswered(act: ServiceAct) -> datetime | None:
    """When the next supervision is to be looked at."""
    query = select(func.min(Supervisions.press_at))
    due: datetime | None = (await act.session.exec(query)).one()
    return due and due + MOMENT


# --- a leader's word, a stale entry ------------------------------------------------------------


async def instruct(act: ServiceAct, number: str, body: InstructionIn) -> SupervisionOut:
    """领导批示: a supervisor records who wrote what on which paper; whoever leads the ticket is pressed, on
    the rung of the policy, whatever stands already (WH).

    Raises NotFound, also where the policy has no such rung; MoveRefused while no unit leads it,
    InstructionStands.
    """
    record, rung = await _found(act, number, versions.in_force(act).rules.leader_instruction)
    withdrawal = record.matter().withdrawal
    lead = _last_lead(record, lambda order: order.ending(withdrawal) is None)
    for row in record.supervisions.values():
        if row.closed_at is None and (row.instruction or {}).get("paper") == body.paper:
            raise InstructionStands(supervision=str(row.id))
    reason = f"{body.leader}批示（{body.paper}） instruction of a leader ({body.paper})"
    ground = Ground(rung, "hand", reason, events.Instruction(**body.model_dump()))
    return _by_hand(act, record, lead, ground)


async def find_stale(act: ServiceAct, number: str, body: StaleKnowledgeIn) -> SupervisionOut:
    """知识库条目失效: a supervisor records which entry proved out of date in the handling of a ticket; the
    unit that leads it, or answered it, puts it right, whatever stands already (R-39, ADR 0088).

    Raises NotFound, also where the policy has no such rung; MoveRefused where no unit leads or answered it,
    KnowledgeStands.
    """
    record, rung = await _found(act, number, versions.in_force(act).rules.stale_knowledge)
    withdrawal = record.matter().withdrawal
    lead = _last_lead(record, lambda order: order.loss(withdrawal) is None)
    for row in record.supervisions.values():
        if row.closed_at is None and (row.stale_knowledge or {}).get("entry") == body.entry:
            raise KnowledgeStands(supervision=str(row.id))
    reason = (
        f"知识库条目失效（{body.entry}） entry of the knowledge base out of date ({body.entry})"
    )
    stale = events.StaleKnowledge(**body.model_dump())
    return _by_hand(act, record, lead, Ground(rung, "hand", reason, stale_knowledge=stale))


async def _found(act: ServiceAct, number: str, rung: int | None) -> tuple[TicketRecord, int]:
    record = await records.find_locked(act, number)
    if record is None or rung is None:
        raise NotFound
    return record, rung


def _last_lead(
    record: TicketRecord, is_pressed: Callable[[AssignmentTimeline], bool]
) -> Assignment:
    leads = (row for row in reversed(record.assignments) if row.role == Role.LEAD)
    for row in leads:
        if is_pressed(records.timeline(row)):
            return row
    raise MoveRefused("supervise", "unassigned", ["assign"])


def _by_hand(
    act: ServiceAct, record: TicketRecord, lead: Assignment, ground: Ground
) -> SupervisionOut:
    raised = raise_on(act, record, lead, UUID(bytes=uuid6.uuid7().bytes), ground, act.now)
    return SupervisionOut.model_validate(raised, from_attributes=True)
