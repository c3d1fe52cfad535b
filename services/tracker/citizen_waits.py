"""等待诉求人: what a wait for the citizen is to clocks (WF-21, ADR 0083). Nothing stands still before it is
granted, and then since it was asked for; each fact says of which wait it is, so either may be heard first.
The desk has its own clock to rule on one.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from services.tracker import records, returns
from services.tracker.clockwork import recompute_clocks
from services.tracker.models import Assignment
from services.tracker.records import ServiceAct
from services.tracker.rules.pauses import WaitTimeline
from shared import events
from shared.events import Fact


async def request(act: ServiceAct, fact: Fact) -> None:
    """申请等待: the desk's clock runs until it rules, as on whatever else a unit asks of it (ADR 0050)."""
    data: events.AssignmentWaitRequested = fact.data
    record, assignment = await records.assigned(act, fact)
    returns.note(assignment, data.wait, asked_at=fact.time, review=data.review, pauses=False)
    recompute_clocks(act, record, fact.time)


async def refuse(act: ServiceAct, fact: Fact) -> None:
    """不予等待: the desk has ruled, or the policy for it; nothing has stood still."""
    data: events.AssignmentWaitRefused = fact.data
    record, assignment = await records.assigned(act, fact)
    returns.note(assignment, data.wait, ruled_at=fact.time, silent=data.silent)
    recompute_clocks(act, record, fact.time)


async def grant(act: ServiceAct, fact: Fact) -> None:
    """同意等待: the time to handle the order has stood still since it was asked for."""
    data: events.AssignmentWaitGranted = fact.data
    record, assignment = await records.assigned(act, fact)
    returns.note(assignment, data.wait, ruled_at=fact.time, granted=True)
    _note(assignment, data.wait, asked_at=data.asked_at, awaited=data.awaited)
    recompute_clocks(act, record, fact.time)


async def end(act: ServiceAct, fact: Fact) -> None:
    """等待结束: it runs again, with the working time of the wait given back; on a request that fell away the
    desk need not rule.
    """
    data: events.AssignmentWaitEnded = fact.data
    record, assignment = await records.assigned(act, fact)
    returns.note(assignment, data.wait, withdrawn_at=fact.time)
    _note(assignment, data.wait, ended_at=fact.time)
    recompute_clocks(act, record, fact.time)


def _note(assignment: Assignment, id: UUID, **said: datetime | str) -> None:
    known = {each.id: each for each in map(WaitTimeline.model_validate, assignment.waits)}
    before = known.get(id) or WaitTimeline(id=id)
    known[id] = WaitTimeline.model_validate({**dict(before), **said})
    assignment.waits = [known[each].model_dump(mode="json") for each in sorted(known)]
