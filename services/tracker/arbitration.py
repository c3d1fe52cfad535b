"""争议裁决: what a dispute before the ladder is to clocks: a body's runs at each step until it rules, or the
next one has to; those of the desk on the returns ruled on there end (docs/adr/0054-arbitration.md).

Each fact carries the limit of its step; the tracker asks no policy of its own.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from services.tracker import records
from services.tracker.clockwork import recompute_clocks
from services.tracker.records import ServiceAct
from services.tracker.rules.timelines import ArbitrationStep, ArbitrationTimeline
from shared import events
from shared.events import Fact


async def open_(act: ServiceAct, fact: Fact) -> None:
    """争议裁决: the first body's clock begins."""
    data: events.ArbitrationOpened = fact.data
    begun = ArbitrationStep(number=data.step, at=fact.time, limit=data.limit)
    await _note(act, fact, data.arbitration, begun, opened_at=fact.time, requests=data.requests)


async def raise_(act: ServiceAct, fact: Fact) -> None:
    """提交上一级: one body's clock ends, the next one's begins."""
    data: events.ArbitrationRaised = fact.data
    begun = ArbitrationStep(number=data.step, at=fact.time, limit=data.limit)
    await _note(act, fact, data.arbitration, begun)


async def rule(act: ServiceAct, fact: Fact) -> None:
    """裁决: the duty is done."""
    data: events.ArbitrationRuled = fact.data
    await _note(act, fact, data.arbitration, ruled_at=fact.time)


async def end(act: ServiceAct, fact: Fact) -> None:
    """裁决终止: nothing is left to rule on."""
    data: events.ArbitrationEnded = fact.data
    await _note(act, fact, data.arbitration, ended_at=fact.time)


async def _note(
    act: ServiceAct, fact: Fact, id: UUID, begun: ArbitrationStep | None = None, **said: Any
) -> None:
    """Keep what was said, whichever was heard first."""
    record = await records.locked(act, fact.subject)
    known = {each.id: each for each in record.matter().arbitrations}
    before = known.get(id) or ArbitrationTimeline(id=id, round=fact.round)
    steps = {each.number: each for each in before.steps} | ({begun.number: begun} if begun else {})
    said["steps"] = tuple(steps[number] for number in sorted(steps))
    known[id] = ArbitrationTimeline.model_validate({**dict(before), **said})
    record.ticket.arbitrations = [known[each].model_dump(mode="json") for each in sorted(known)]
    recompute_clocks(act, record, fact.time)
