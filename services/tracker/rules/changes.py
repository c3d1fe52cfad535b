"""From how a clock stood and how it stands to the facts to say, each with its true time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.tracker.rules.machine import OPEN, State
from services.tracker.rules.standing import DUE, WARN, Mark, Standing, marks, supervision_id
from shared.events import (
    ClockKind,
    Data,
    DeadlineAnnulled,
    DeadlineBreached,
    DeadlineCancelled,
    DeadlineMet,
    DeadlineMoved,
    DeadlinePaused,
    DeadlineResumed,
    DeadlineView,
    DeadlineWarned,
    SupervisionClosed,
    SupervisionRaised,
)
from shared.jurisdiction.calendar import WorkCalendar

RETURN = "申请退单，等待裁定 the desk rules on a return"


class Dial(NamedTuple):
    """Which clock it is."""

    id: UUID
    kind: ClockKind


class Said(NamedTuple):
    """A fact to say, and when it became true."""

    at: datetime
    data: Data


def face(kind: ClockKind, standing: Standing) -> DeadlineView:
    """A clock as others see it when it is set."""
    return DeadlineView(
        clock=kind,
        started=standing.started,
        limit=standing.terms.limit,
        due=standing.due,
        provisional=standing.provisional,
    )


def changes(
    dial: Dial,
    before: Standing | None,
    after: Standing,
    calendar: WorkCalendar,
    *,
    at: datetime,
    now: datetime,
    lost: str = "",
) -> list[Said]:
    """What to say when a clock that stood like ``before`` stands like ``after``.

    What is taken back is said first and dated ``now``, when it was learnt; everything else in the
    order of its true time. ``at`` is when what changed it became true, ``lost`` why the duty fell
    away. A new clock was running and had passed nothing.
    """
    was = before or after.model_copy(
        update={"state": State.RUNNING, "ended": None, "pauses": (), "passed": {}}
    )
    new = [*_still(dial, was, after), *_moved(dial, was, after, at)]
    new += [*_passed(dial, was, after, calendar), *_ended(dial, was, after, lost)]
    return [*_taken_back(dial, was, after, now), *sorted(new, key=lambda said: said.at)]


def _taken_back(dial: Dial, was: Standing, after: Standing, now: datetime) -> Iterator[Said]:
    """Marks that were not passed after all; a warning was a warning and stays."""
    why = _why_taken_back(was, after)
    for key, instant in was.passed.items():
        if key == WARN or after.passed.get(key) == instant:
            continue
        if key == DUE:
            yield Said(now, DeadlineAnnulled(clock=dial.kind, due=instant, reason=why))
        else:
            supervision, rung = supervision_id(dial.id, key, instant), int(key.partition(":")[2])
            closed = SupervisionClosed(supervision=supervision, rung=rung, reason=why)
            yield Said(now, closed)


def _why_taken_back(was: Standing, after: Standing) -> str:
    if after.due != was.due:
        return "时限已顺延 the due moment moved"
    if after.state is State.MET:
        return "到期前已完成 it had been done before the due moment"
    return "到期前时限已停止 the clock had stopped before the due moment"


def _still(dial: Dial, was: Standing, after: Standing) -> Iterator[Said]:
    """Pauses begun and ended; one cut off by the clock's end was not resumed."""
    known = {pause.begins: pause.ends for pause in was.pauses}
    for begins, ends in after.pauses:
        if begins not in known:
            yield Said(begins, DeadlinePaused(clock=dial.kind, reason=RETURN))
        if ends and ends != after.ended and known.get(begins) is None:
            resumed = DeadlineResumed(clock=dial.kind, due=after.due, provisional=after.provisional)
            yield Said(ends, resumed)


def _moved(dial: Dial, was: Standing, after: Standing, at: datetime) -> Iterator[Said]:
    """The due moment moved, or is certain now; what a pause moved is said as resumed."""
    if (was.due, was.provisional) == (after.due, after.provisional) or was.pauses != after.pauses:
        return
    moved = DeadlineMoved(
        clock=dial.kind,
        before=was.due,
        due=after.due,
        provisional=after.provisional,
        reason=_why_moved(was, after),
    )
    yield Said(at, moved)


def _why_moved(was: Standing, after: Standing) -> str:
    if was.terms.limit != after.terms.limit:
        limits = f"{was.terms.limit} → {after.terms.limit}"
        return f"紧急程度改变，时限 {limits} the urgency changed, and with it the limit {limits}"
    if was.extension != after.extension:
        return f"延期{after.extension}个工作日 extended by {after.extension} working days"
    return "放假安排已公布，期限重新计算 recomputed with the holiday notice"


def _passed(dial: Dial, was: Standing, after: Standing, calendar: WorkCalendar) -> Iterator[Said]:
    for mark in marks(after, calendar):
        if after.passed.get(mark.key) == mark.at != was.passed.get(mark.key):
            yield Said(mark.at, _card(dial, mark, after.due))


def _card(dial: Dial, mark: Mark, due: datetime) -> Data:
    if mark.rung is not None:
        return SupervisionRaised(
            supervision=mark.supervision(dial.id),
            rung=mark.rung.rung,
            title=mark.rung.title,
            by=mark.rung.by,
            reason=mark.rung.reason,
            answer_due=mark.answer_due,
        )
    card = DeadlineWarned if mark.key == WARN else DeadlineBreached
    return card(clock=dial.kind, due=due)


def _ended(dial: Dial, was: Standing, after: Standing, lost: str) -> Iterator[Said]:
    """Met or cancelled; said again when it turns out to have been at another time, or not late."""
    end, ended = (after.state, after.ended, after.breached is None), after.ended
    if ended is None or after.state in OPEN:
        return
    if end == (was.state, was.ended, was.breached is None):
        return
    if after.state is State.MET:
        met = DeadlineMet(clock=dial.kind, due=after.due, late=after.breached is not None)
        yield Said(ended, met)
    elif was.state is not State.CANCELLED or was.ended != ended:
        yield Said(ended, DeadlineCancelled(clock=dial.kind, reason=lost))
