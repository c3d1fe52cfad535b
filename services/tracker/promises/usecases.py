"""承诺办结: a unit keeps its promise or asks for another day, a supervisor rules, the hotline looks after it
(R-19, JN-24, gain 7; ADR 0069). Who does so outlives the order: it is complete, and its ticket may be closed.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from services.tracker import records
from services.tracker.clockwork import recompute_clocks
from services.tracker.models import Assignment
from services.tracker.policies import versions
from services.tracker.promises import views
from services.tracker.promises.schemas import (
    FulfilmentIn,
    MoveIn,
    MoveRulingIn,
    PromiseOut,
    ReviewIn,
)
from services.tracker.records import ClockEntry, ServiceAct, TicketRecord
from services.tracker.rules import promise
from services.tracker.rules.promised import PromiseMove, PromiseRecord, PromiseReview
from shared import events
from shared.errors import Forbidden, NotFound
from shared.events import ClockKind, Data
from shared.jurisdiction.limits import PromiseRules


class _Found(NamedTuple):
    record: TicketRecord
    assignment: Assignment
    clock: ClockEntry
    known: PromiseRecord


async def _find_own(act: ServiceAct, id: UUID) -> _Found:
    """A promise of who asks. The hotline has those of units that are no more: whoever certainly follows one
    has its order (services/dispatcher/reform/transferring.py). Raises NotFound, Forbidden.
    """
    found = await _find(act, id)
    of_unit = act.caller is None or act.caller.role == "unit"
    if not of_unit and found.assignment.unit not in act.store.dissolved:
        raise Forbidden("应由承办单位办理 this is for the unit that promised it")
    return found


async def _find(act: ServiceAct, id: UUID) -> _Found:
    record, assignment = await records.of_assignment(act, id)
    clock = record.clock_of(id, ClockKind.PROMISE)
    if clock is None:
        raise NotFound
    return _Found(record, assignment, clock, PromiseRecord.model_validate(assignment.promise))


async def keep(act: ServiceAct, id: UUID, body: FulfilmentIn) -> PromiseOut:
    """承诺兑现: meets the clock, late or not; the citizen is asked whether it is so.

    Raises NotFound, also to another unit; Forbidden to the desk while the unit is there; MoveRefused when it
    was kept, or is over.
    """
    found = await _find_own(act, id)
    promise.check_open(found.clock.state, "keep")
    _note(found, kept_at=act.now, kept_by=act.actor, result=body.result)
    found.assignment.promise_asked_at = found.assignment.promise_review_at = None
    recompute_clocks(act, found.record, act.now)
    late = found.clock.state.breached_at is not None
    _tell(
        act,
        found,
        events.PromiseKept(promised_date=_day(act, found), result=body.result, late=late),
    )
    return views.promise_out(act, found.record, found.assignment, found.clock)


async def ask_to_move(act: ServiceAct, id: UUID, body: MoveIn) -> PromiseOut:
    """申请改期: once, before the day, to a later one within the horizon.

    Raises NotFound, Forbidden, MoveRefused, PromiseMovedBefore, PromisedDayPassed, PromisedDateWrong.
    """
    found, zone, rules = await _find_own(act, id), act.config.calendar.tz, _rules(act)
    clock, known, day = found.clock.state, found.known, body.promised_date
    promise.may_be_moved(clock, known, day, rules, act.now, zone)
    asked = PromiseMove(
        until=promise.end_of(day, zone), reason=body.reason, asked_at=act.now, asked_by=act.actor
    )
    _note(found, moves=(*known.moves, asked))
    found.assignment.promise_asked_at = act.now
    said = events.PromiseMoveAsked(
        before=_day(act, found), promised_date=day.isoformat(), reason=body.reason
    )
    _tell(act, found, said)
    return views.promise_out(act, found.record, found.assignment, found.clock)


async def rule_on_move(act: ServiceAct, id: UUID, body: MoveRulingIn) -> PromiseOut:
    """改期审批: a grant moves the day; one that has passed stays broken.

    Raises NotFound, MoveRefused when none was asked, PromisedDayPassed.
    """
    found = await _find(act, id)
    promise.may_be_ruled_on(found.clock.state, found.known, act.now, granted=body.granted)
    *earlier, asked = found.known.moves
    before = _day(act, found)
    ruled = asked.model_copy(
        update={
            "granted": body.granted,
            "ruling": body.reason,
            "ruled_at": act.now,
            "ruled_by": act.actor,
        }
    )
    _note(found, moves=(*earlier, ruled))
    found.assignment.promise_asked_at = None
    if body.granted:
        recompute_clocks(act, found.record, act.now)
        said: Data = events.PromiseMoved(
            before=before,
            promised_date=_day(act, found),
            unit_reason=asked.reason,
            ruling=body.reason,
        )
    else:
        said = events.PromiseMoveRefused(promised_date=before, ruling=body.reason)
    _tell(act, found, said)
    return views.promise_out(act, found.record, found.assignment, found.clock)


async def review(act: ServiceAct, id: UUID, body: ReviewIn) -> PromiseOut:
    """挂账复核: what the hotline found, and when it looks again (JN-24).

    Raises NotFound, MoveRefused when it was kept, or is over.
    """
    found = await _find(act, id)
    promise.check_open(found.clock.state, "review")
    looked = PromiseReview(at=act.now, by=act.actor, note=body.note)
    _note(found, reviews=(*found.known.reviews, looked))
    found.assignment.promise_review_at = _rules(act).next_review(act.now)
    _tell(act, found, events.PromiseReviewed(promised_date=_day(act, found), note=body.note))
    return views.promise_out(act, found.record, found.assignment, found.clock)


def _rules(act: ServiceAct) -> PromiseRules:
    if (rules := versions.in_force(act).table.promise) is None:
        raise NotFound
    return rules


def _note(found: _Found, **what: Any) -> None:
    known = found.known.model_copy(update=what)
    found.assignment.promise = known.model_dump(mode="json")


def _day(act: ServiceAct, found: _Found) -> str:
    return promise.day_of(found.clock.state.due, act.config.calendar.tz).isoformat()


def _tell(act: ServiceAct, found: _Found, data: Data) -> None:
    row = found.assignment
    act.tell(data, subject=row.ticket, round=row.round, assignment=row.id, unit=row.unit)
