"""督办回复: what is answered to a supervision, and what stands (ADR 0066)."""

from __future__ import annotations

from services.tracker.models import Assignment
from services.tracker.records import TicketRecord
from services.tracker.rules.answering import SupervisionStands


def refuse_twice(record: TicketRecord, assignment: Assignment, rung: int) -> None:
    """Raises SupervisionStands when the unit is pressed on this rung of the order already."""
    for row in record.supervisions.values():
        of_order = row.assignment == assignment.id and row.unit == assignment.unit
        if of_order and row.rung == rung and row.closed_at is None:
            raise SupervisionStands(str(row.id), row.title, row.raised_at)
