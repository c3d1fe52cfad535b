"""办结审核与终止申请: what the hotline's look at a completion form is to clocks (R-20, R-22, ADR 0055).

An answer that is sent back is undone: the unit's clocks run on. Each fact about an audit says of which
answer it is, so it does not matter which of them is heard first, or whether a replica of the release before,
which knows none of them, took one away.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from services.tracker import records
from services.tracker.clockwork import recompute_clocks
from services.tracker.models import Assignment
from services.tracker.policies import versions
from services.tracker.records import ServiceAct
from services.tracker.rules.promise import end_of
from services.tracker.rules.timelines import CompletionTimeline
from shared import events
from shared.events import Fact

Known = dict[UUID, CompletionTimeline]


async def complete(act: ServiceAct, fact: Fact) -> None:
    """办结: meets whatever still runs of the assignment (R-21), and the desk's clock to audit it begins."""
    data: events.AssignmentCompleted = fact.data
    record, assignment = await records.assigned(act, fact)
    known = _known(assignment)
    for back in data.sent_back:
        _note(
            known,
            back.audit,
            at=back.completed_at,
            decided_at=back.sent_back_at,
            sent_back=True,
            pauses=back.pauses,
        )
    until = _promised_until(act, data)
    if data.audit:
        _note(known, data.audit, at=fact.time, limit=data.audit_limit, promised_until=until)
    else:
        _pass_at_once(known, assignment.id, fact.time)
        _note(known, assignment.id, at=fact.time, promised_until=until)
    _keep(act, assignment, known)
    recompute_clocks(act, record, fact.time)


async def pass_(act: ServiceAct, fact: Fact) -> None:
    """审核通过: the desk has audited; the unit's clocks stay as they ended."""
    data: events.AssignmentAuditPassed = fact.data
    record, assignment = await records.assigned(act, fact)
    known = _known(assignment)
    _note(
        known,
        data.audit,
        at=data.completed_at,
        limit=data.audit_limit,
        decided_at=fact.time,
        silent=data.silent,
    )
    _keep(act, assignment, known)
    recompute_clocks(act, record, fact.time)


async def send_back(act: ServiceAct, fact: Fact) -> None:
    """审核退回: its completion is undone, and the unit's clocks run on, without the time of the audit where
    the fact says so.
    """
    data: events.AssignmentSentBack = fact.data
    record, assignment = await records.assigned(act, fact)
    known = _known(assignment)
    _note(
        known,
        data.audit,
        at=data.completed_at,
        limit=data.audit_limit,
        decided_at=fact.time,
        sent_back=True,
        pauses=data.pauses,
    )
    _keep(act, assignment, known)
    recompute_clocks(act, record, fact.time)


def _promised_until(act: ServiceAct, data: events.AssignmentCompleted) -> datetime | None:
    """The end of the day that a lead promises what cannot be done yet, where the policy follows promises."""
    put_off = data.kind is events.CompletionKind.NO_CONDITION_YET and data.role is events.Role.LEAD
    if not put_off or data.promised_date is None or versions.in_force(act).table.promise is None:
        return None
    return end_of(date.fromisoformat(data.promised_date), act.config.calendar.tz)


def _known(assignment: Assignment) -> Known:
    return {
        each.id: each for each in map(CompletionTimeline.model_validate, assignment.completions)
    }


def _note(known: Known, id: UUID, *, at: datetime, **said: object) -> None:
    """What was said of an answer, beside what is known of it; what says nothing takes nothing away."""
    before = known.get(id) or CompletionTimeline(id=id, at=at)
    heard = {name: value for name, value in said.items() if value is not None}
    known[id] = CompletionTimeline.model_validate({**dict(before), **heard})


def _pass_at_once(known: Known, id: UUID, at: datetime) -> None:
    """An answer of which there is no audit, under its assignment's id: the first of them counts."""
    known[id] = CompletionTimeline(id=id, at=min(at, known[id].at) if id in known else at)


def _keep(act: ServiceAct, assignment: Assignment, known: Known) -> None:
    """When the assignment was completed: by the first answer that was not sent back. One from before this
    release is known by its moment alone.
    """
    at = assignment.completed_at
    if at and all(each.at != at for each in known.values()):
        _pass_at_once(known, assignment.id, at)
    assignment.completions = [known[id].model_dump(mode="json") for id in sorted(known)]
    stand = (each.at for each in known.values() if not each.sent_back)
    assignment.completed_at = min(stand, default=None)
    promised = records.timeline(assignment).promised
    rules = versions.in_force(act).table.promise
    if promised and rules and assignment.promise_review_at is None and not promised.kept_at:
        assignment.promise_review_at = rules.next_review(promised.since)
