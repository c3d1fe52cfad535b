"""等待诉求人: what a wait for the citizen is to clocks (WF-21, ADR 0083). Nothing stands still before it is
granted, and then since it was asked for; each fact says of which wait it is, so either may be heard first.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from services.tracker import records
from services.tracker.clockwork import recompute_clocks
from services.tracker.models import Assignment
from services.tracker.records import ServiceAct
from services.tracker.rules.pauses import WaitTimeline
from shared import events
from shared.events import Fact


async def grant(act: ServiceAct, fact: Fact) -> None:
    """同意等待: the time to handle the order has stood still since it was asked for."""
    data: events.AssignmentWaitGranted = fact.data
    record, assignment = await records.assigned(act, fact)
    _note(assignment, data.wait, asked_at=data.asked_at, awaited=data.awaited)
    recompute_clocks(act, record, fact.time)


async def end(act: ServiceAct, fact: Fact) -> None:
    """等待结束: it runs again, with the working time of the wait given back."""
    data: events.AssignmentWaitEnded = fact.data
    record, assignment = await records.assigned(act, fact)
    _note(assignment, data.wait, ended_at=fact.time)
    recompute_clocks(act, record, fact.time)


def _note(assignment: Assignment, id: UUID, **said: datetime | str) -> None:
    known = {each.id: each for each in map(WaitTimeline.model_validate, assignment.waits)}
    before = known.get(id) or WaitTimeline(id=id)
    known[id] = WaitTimeline.model_validate({**dict(before), **said})
    assignment.waits = [known[each].model_dump(mode="json") for each in sorted(known)]
