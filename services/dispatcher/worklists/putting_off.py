"""What waits for the desk, or for a body of the ladder, waits until the tracker's own clock for it is due: a
day off that was ordered meanwhile puts off what the policy does when nobody rules, too (docs/adr/0062).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, select

from services.dispatcher import reading, records
from services.dispatcher.arbitration.models import Arbitration
from services.dispatcher.models import Assignment, CompletionForm, CompletionForms, Return, Returns
from services.dispatcher.records import ServiceAct
from services.dispatcher.rules.waiting import Wait, WaitStatus
from shared import events
from shared.events import ClockKind, Fact

RETURNS = (col(Returns.granted).is_(None), col(Returns.withdrawn_at).is_(None))
FORMS = (col(CompletionForms.outcome).is_(None), col(CompletionForms.due).is_not(None))
HELD = (ClockKind.HOTLINE_REVIEW, ClockKind.COMPLETION_AUDIT, ClockKind.ARBITRATION)


async def hear(act: ServiceAct, fact: Fact) -> None:
    """Put off what is decided by silence when its clock is; nothing is ever put forward. Raises TooEarly."""
    moved: events.DeadlineMoved = fact.data
    if moved.clock not in HELD:
        return
    record = await records.locked(act, fact.subject)
    if moved.clock is ClockKind.ARBITRATION:
        if record.arbitration:
            _ladder(record.arbitration, moved.due)
        return
    order = next(each for each in record.assignments if each.id == fact.assignment)
    if moved.clock is ClockKind.HOTLINE_REVIEW:
        for asked in await _waiting(act, Return, order, RETURNS):
            asked.review_due = max(asked.review_due or moved.due, moved.due)
        _wait(act, order, moved.due)
    for form in await _waiting(act, CompletionForm, order, FORMS):
        if form.asks == (moved.clock is ClockKind.HOTLINE_REVIEW):
            form.due = max(form.due or moved.due, moved.due)
            if order.pending:
                order.pending = {**order.pending, "due": form.due.isoformat()}


async def _waiting(act: ServiceAct, row: type[Any], order: Assignment, waits: Any) -> list[Any]:
    """What of an order waits; the facts of a batch share what is loaded."""
    key = (row, order.id)
    if key not in act.locked:
        table = Returns if row is Return else CompletionForms
        query = select(table).where(col(table.assignment) == order.id, *waits)
        act.locked[key] = await act.rows.load(row, query)
    found: list[Any] = act.locked[key]
    return found


def _wait(act: ServiceAct, order: Assignment, due: datetime) -> None:
    """A wait for the citizen is ruled on while there is time left to handle the order (ADR 0083)."""
    wait = Wait.on_record(order.wait)
    if wait and wait.status is WaitStatus.ASKED:
        until = max(wait.due, min(due, reading.limit_ends(act, order) or due))
        order.wait, order.wait_due = wait.model_copy(update={"due": until}).kept, until


def _ladder(opened: Arbitration, due: datetime) -> None:
    later = max(due - opened.due, timedelta())
    opened.due += later
    opened.next_at = opened.next_at and opened.next_at + later
    *before, step = opened.steps
    opened.steps = [*before, {**step, "due": opened.due.isoformat()}]
