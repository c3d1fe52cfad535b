"""承接: a unit is no more, and another goes on with its assignment (机构改革, ADR 0056).

The same duty goes on, so no clock begins anew. What was judged while the old unit had it, in time or late,
stays the old unit's in every month's figures; what is judged later is the new one's.
"""

from __future__ import annotations

from sqlmodel import col, select

from services.tracker import records
from services.tracker.clockwork import recompute_clocks
from services.tracker.models import Extension, Extensions
from services.tracker.records import ServiceAct, TicketRecord
from services.tracker.rules.extension import ExtensionStatus
from shared import events
from shared.events import Fact

ASKED = select(Extensions).where(col(Extensions.status) == ExtensionStatus.ASKED)


async def transfer(act: ServiceAct, fact: Fact) -> None:
    """The unit the fact is addressed to goes on with an assignment; of several, the last said counts."""
    data: events.AssignmentTransferred = fact.data
    record, assignment = await records.assigned(act, fact)
    known = {seq: (until, unit, to) for seq, until, unit, to in assignment.transfers}
    known[fact.seq] = (fact.time.isoformat(), data.predecessor, fact.unit)
    assignment.transfers = [[seq, *known[seq]] for seq in sorted(known)]
    assignment.unit = assignment.transfers[-1][3]
    records.take_handler(assignment, fact)
    former = [[until, unit] for _, until, unit, _ in assignment.transfers]
    for entry in record.clocks.values():
        if entry.row.assignment == assignment.id and entry.row.unit is not None:
            entry.row.former, entry.row.unit = former, assignment.unit
    recompute_clocks(
        act, record, fact.time, given=[assignment.id]
    )  # of what was given before this was heard
    await _follow(act, record, {unit for _, unit in former}, assignment.unit)


async def _follow(act: ServiceAct, record: TicketRecord, before: set[str], unit: str) -> None:
    """Who is pressed, and who waits for an extension, is who has the assignment now."""
    ids = {row.id for row in record.assignments if row.unit == unit}
    for row in record.supervisions.values():
        if row.assignment in ids and row.unit in before and row.closed_at is None:
            row.unit = unit
    of_ticket = ASKED.where(Extensions.ticket == record.ticket.number)
    for asked in await act.rows.load(Extension, of_ticket):
        if asked.assignment in ids:
            asked.unit = unit
