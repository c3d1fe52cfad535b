"""退单: what a return is to clocks: the desk's runs until it rules, the unit's may stand still. So it is
with what else a unit asks of the desk: to end a matter without an answer (R-20).

The request says how long the desk has, and whether the unit's clocks pause (R-15,
docs/adr/0050-returns-are-ruled-on-in-time.md); one of the release before says neither, and pauses them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from services.tracker import records
from services.tracker.clockwork import recompute_clocks
from services.tracker.models import Assignment
from services.tracker.records import ServiceAct
from services.tracker.rules.timelines import ReturnTimeline
from shared import events
from shared.events import Fact


async def request(act: ServiceAct, fact: Fact) -> None:
    """退单申请: the desk's clock runs, and the unit's stand still where the request says so."""
    data: events.AssignmentReturnRequested = fact.data
    record, assignment = await records.assigned(act, fact)
    _note(assignment, data, asked_at=fact.time, review=data.review, pauses=data.pauses)
    assignment.return_requested_at = _earlier(assignment.return_requested_at, fact.time)
    recompute_clocks(act, record, fact.time)


async def refuse(act: ServiceAct, fact: Fact) -> None:
    """退单不予同意: the unit's clocks run again, with the working time of the pause given back, unless it is
    charged to the unit, which then never had one.
    """
    data: events.AssignmentReturnRefused = fact.data
    record, assignment = await records.assigned(act, fact)
    _note(assignment, data, ruled_at=fact.time, silent=data.silent, charged=data.charged)
    assignment.return_refused_at = _earlier(assignment.return_refused_at, fact.time)
    recompute_clocks(act, record, fact.time)


async def grant(act: ServiceAct, fact: Fact) -> None:
    """退单: the unit's clocks end; for a lead's return the desk must dispatch again."""
    data: events.AssignmentReturned = fact.data
    record, assignment = await records.assigned(act, fact)
    _note(assignment, data, ruled_at=fact.time, granted=True, silent=data.silent)
    assignment.returned_at = _earlier(assignment.returned_at, fact.time)
    recompute_clocks(act, record, fact.time)


async def withdraw(act: ServiceAct, fact: Fact) -> None:
    """撤回退单申请: the desk need not rule; the unit's clocks run again, as if they had not stood still where
    the unit has spent that time (ADR 0087), else as after a refusal.
    """
    data: events.AssignmentReturnWithdrawn = fact.data
    record, assignment = await records.assigned(act, fact)
    _note(assignment, data, withdrawn_at=fact.time, charged=data.charged, spent=data.spent)
    assignment.return_refused_at = _earlier(assignment.return_refused_at, fact.time)
    recompute_clocks(act, record, fact.time)


# --- 终止申请 --------------------------------------------------------------------------------


async def request_end(act: ServiceAct, fact: Fact) -> None:
    """申请终止办理: the desk's clock runs; the unit's runs on, unless the request says otherwise."""
    data: events.AssignmentEndRequested = fact.data
    record, assignment = await records.assigned(act, fact)
    _note(assignment, data, asked_at=fact.time, review=data.review, pauses=data.pauses)
    recompute_clocks(act, record, fact.time)


async def grant_end(act: ServiceAct, fact: Fact) -> None:
    """同意: the desk has ruled; what ends the unit's clocks is said beside it."""
    data: events.AssignmentEndGranted = fact.data
    record, assignment = await records.assigned(act, fact)
    _note(assignment, data, ruled_at=fact.time, granted=True)
    recompute_clocks(act, record, fact.time)


async def refuse_end(act: ServiceAct, fact: Fact) -> None:
    """不予同意: the desk has ruled, or the policy for it; the unit goes on."""
    data: events.AssignmentEndRefused = fact.data
    record, assignment = await records.assigned(act, fact)
    _note(assignment, data, ruled_at=fact.time, silent=data.silent)
    recompute_clocks(act, record, fact.time)


async def withdraw_end(act: ServiceAct, fact: Fact) -> None:
    """撤回申请: the desk need not rule."""
    data: events.AssignmentEndWithdrawn = fact.data
    record, assignment = await records.assigned(act, fact)
    _note(assignment, data, withdrawn_at=fact.time, spent=data.spent)
    recompute_clocks(act, record, fact.time)


Said = (
    events.AssignmentReturnRequested
    | events.AssignmentReturned
    | events.AssignmentReturnRefused
    | events.AssignmentReturnWithdrawn
    | events.AssignmentEndRequested
    | events.AssignmentEndGranted
    | events.AssignmentEndRefused
    | events.AssignmentEndWithdrawn
)


def _note(assignment: Assignment, data: Said, **said: Any) -> None:
    if data.request is None:
        return  # the release before names none
    note(assignment, data.request, **said)


def note(assignment: Assignment, request: UUID, **said: Any) -> None:
    """Keep what was said of a request to the desk, whatever of it was heard before."""
    known = {each.id: each for each in map(ReturnTimeline.model_validate, assignment.returns)}
    before = known.get(request) or ReturnTimeline(id=request)
    returns = known | {before.id: ReturnTimeline.model_validate({**dict(before), **said})}
    assignment.returns = [returns[id].model_dump(mode="json") for id in sorted(returns)]


def _earlier(known: datetime | None, heard: datetime) -> datetime:
    return min(known or heard, heard)
