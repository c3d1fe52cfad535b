"""From how a clock stood and how it stands to the facts to say, each with its true time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple, assert_never
from uuid import UUID

from services.tracker.rules.calendars import Calendars
from services.tracker.rules.clock_history import ClockHistory
from services.tracker.rules.clock_state import ClockState, Reading, wanted
from services.tracker.rules.layout import DUE, WARN, Mark, answer_due, supervision_id
from services.tracker.rules.machine import ClockStatus, Sentence
from services.tracker.rules.paragraph import moment
from services.tracker.rules.policy import Rung
from shared.events import (
    ClockKind,
    Data,
    DeadlineAnnulled,
    DeadlineBreached,
    DeadlineCancelled,
    DeadlineLengthened,
    DeadlineMet,
    DeadlineMoved,
    DeadlinePaused,
    DeadlineResumed,
    DeadlineShortened,
    DeadlineView,
    DeadlineWarned,
    LegalLimit,
    SupervisionClosed,
    SupervisionRaised,
    Urgency,
)

CHARGED = "所停时间计入承办单位 the time it stood still is charged to the unit"
HAD_BEFORE = "此前已办理同一事项，所用时间计入 the unit had the matter before, and that time counts"
RIGHTED = "上级平台要求的时刻已更正 what the platform that passed it on wants was put right"
STANDS_STILL = "等待热线裁定或审核 the desk rules on a request, or audits an answer"
WAITED = "等待诉求人 the citizen is waited for"


class ClockRef(NamedTuple):
    """Which clock it is."""

    id: UUID
    kind: ClockKind


class DatedFact(NamedTuple):
    """A fact to say, and when it became true."""

    at: datetime
    data: Data


def snapshot(kind: ClockKind, state: ClockState) -> DeadlineView:
    """A clock as others see it when it is set."""
    return DeadlineView(
        clock=kind,
        started_at=state.started_at,
        limit=state.terms.limit,
        due=state.due,
        provisional=state.provisional,
    )


def changes(
    clock: ClockRef,
    before: ClockState | None,
    reading: Reading,
    calendars: Calendars,
    *,
    at: datetime,
    now: datetime,
    lost: str = "",
    waits: Collection[datetime] = (),
) -> list[DatedFact]:
    """What to say when a clock that stood like ``before`` is read as ``reading``.

    What is taken back is said first and dated ``now``, when it was learnt; everything else in the
    order of its true time. ``at`` is when what changed it became true, ``lost`` why the duty fell
    away, ``waits`` since when the citizen was waited for, and ``calendars`` say what moved it without a
    fact. A new clock was running and had passed nothing.
    """
    after = reading.state
    was = before or after.model_copy(
        update={
            "status": ClockStatus.RUNNING,
            "ended_at": None,
            "pauses": (),
            "passed": {},
            "warned": {},
        }
    )
    still = list(_still(clock, was, after, waits))
    told = any(isinstance(fact.data, DeadlineResumed) for fact in still)
    new = still if told else [*still, *_moved(clock, was, after, calendars, at)]
    new += [*_passed(clock, was, after, reading.marks, calendars), *_ended(clock, was, after, lost)]
    return [*_taken_back(clock, was, after, now), *sorted(new, key=lambda fact: fact.at)]


def _taken_back(
    clock: ClockRef, was: ClockState, after: ClockState, now: datetime
) -> Iterator[DatedFact]:
    """Marks that were not passed after all; a warning was a warning and stays."""
    why = _why_taken_back(was, after)
    for key, instant in was.passed.items():
        if key == WARN or after.passed.get(key) == instant:
            continue
        if key == DUE:
            yield DatedFact(now, DeadlineAnnulled(clock=clock.kind, due=instant, reason=why))
        else:
            supervision, rung = supervision_id(clock.id, key, instant), int(key.partition(":")[2])
            closed = SupervisionClosed(supervision=supervision, rung=rung, reason=why)
            yield DatedFact(now, closed)


def _why_taken_back(was: ClockState, after: ClockState) -> str:
    if after.due != was.due:
        return "时限已顺延 the due moment moved"
    if after.status is ClockStatus.MET:
        return "到期前已完成 it had been done before the due moment"
    return "到期前时限已停止 the clock had stopped before the due moment"


def _still(
    clock: ClockRef, was: ClockState, after: ClockState, waits: Collection[datetime]
) -> Iterator[DatedFact]:
    """Pauses begun and ended; one cut off by the clock's end was not resumed. What lies before the unit
    got its order again was said of the order before.
    """
    known = {pause.begins_at: pause.ends_at for pause in was.pauses}
    for begins, ends in after.pauses:
        if after.resumed_at and begins < after.resumed_at:
            continue
        if begins not in known:
            reason = WAITED if begins in waits else STANDS_STILL
            yield DatedFact(begins, DeadlinePaused(clock=clock.kind, reason=reason))
        if ends and ends != after.ended_at and known.get(begins) is None:
            resumed = DeadlineResumed(
                clock=clock.kind, due=after.due, provisional=after.provisional
            )
            yield DatedFact(ends, resumed)


def _moved(
    clock: ClockRef, was: ClockState, after: ClockState, calendars: Calendars, at: datetime
) -> Iterator[DatedFact]:
    """The due moment moved, or is certain now; what a pause moved that ended is said as resumed, and what
    its own end moves is said with that.
    """
    if (was.due, was.provisional) == (after.due, after.provisional):
        return
    if was.pauses != after.pauses and after.ended_at and not was.ended_at:
        return
    moved = DeadlineMoved(
        clock=clock.kind,
        before=was.due,
        due=after.due,
        provisional=after.provisional,
        reason=_why_moved(clock, was, after, calendars),
    )
    yield DatedFact(at, moved)


def _why_moved(clock: ClockRef, was: ClockState, after: ClockState, calendars: Calendars) -> str:
    if clock.kind is ClockKind.PROMISE and was.terms.limit != after.terms.limit:
        return "承诺日期经批准变更 a supervisor let the promised day be moved"
    limits = f"{was.terms.limit} → {after.terms.limit}"
    if (law := after.terms.law) and was.terms.law != law:
        return f"依据{law.law}{law.article}，时限 {limits} by {law.law}, {law.article} its limit is {limits}"
    if (gone := was.terms.law) and not law:
        return _by_law_no_more(gone, limits)
    if wanted(was.terms.upstream) != wanted(after.terms.upstream):
        return _other_moment(wanted(after.terms.upstream), calendars.latest.calendar.tz)
    if was.terms.limit != after.terms.limit:
        return f"紧急程度改变，时限 {limits} the urgency changed, and with it the limit {limits}"
    if was.extension != after.extension:
        return f"延期{after.extension}个工作日 extended by {after.extension} working days"
    if after.started_at < was.started_at:
        return HAD_BEFORE
    if _given_back(after) < _given_back(was):
        return CHARGED
    if was.calendar != after.calendar:
        last = max(was.due, after.due)
        return calendars.why(was.calendar, after.calendar, after.started_at, last)
    return "按后得知的情况重新计算 recomputed, for more became known of what happened"


def _other_moment(due: datetime | None, zone: tzinfo) -> str:
    if due is None:
        return (
            "更正：上级平台未要求答复时刻 put right: the platform that passed it on named no moment"
        )
    zh, en = moment(due, zone)
    return f"更正：上级平台要求于{zh}前答复 put right: the platform wants the answer by {en}"


def lengthened(
    history: ClockHistory, was: ClockState, then: ClockState
) -> DeadlineLengthened | None:
    """延长时限: until when a citizen waits now, and by which law if that is why; None if no longer."""
    if then.due <= was.due:
        return None
    law, due = then.terms.law, wanted(then.terms.upstream)
    moved = law is None and due != wanted(was.terms.upstream)
    limits = f"{was.terms.limit} → {then.terms.limit}"
    why = Sentence("经核实更正", "it was looked into and put right")
    if history.urgency is Urgency.COMPLEX:
        why = Sentence("情况复杂", "the matter is complex")
    if law:
        why = Sentence(f"{law.law}{law.article}另有规定", f"{law.law}, {law.article}")
    reason = f"{why.zh}，办理时限调整（{limits}） {why.en}, its limit changes ({limits})"
    return DeadlineLengthened(
        clock=history.kind,
        before=was.due,
        due=then.due,
        limit=then.terms.limit,
        reason=RIGHTED if moved else reason,
        law=law,
        upstream_due=due if moved else None,
    )


def shortened(
    clock: ClockKind, was: ClockState, then: ClockState, law: LegalLimit
) -> DeadlineShortened | None:
    """恢复时限: until when a citizen waits now that a law was taken back; None if it gave no more time."""
    if then.due >= was.due:
        return None
    return DeadlineShortened(
        clock=clock,
        before=was.due,
        due=then.due,
        limit=then.terms.limit,
        reason=_by_law_no_more(law, f"{was.terms.limit} → {then.terms.limit}"),
        law=law,
    )


def _by_law_no_more(law: LegalLimit, limits: str) -> str:
    return f"不再依据{law.law}{law.article}，时限 {limits} {law.law}, {law.article} holds no more: {limits}"


def _given_back(state: ClockState) -> timedelta:
    ended = ((each.begins_at, each.ends_at) for each in state.pauses if each.ends_at)
    return sum((ends - begins for begins, ends in ended), timedelta())


def _passed(
    clock: ClockRef,
    was: ClockState,
    after: ClockState,
    points: Sequence[Mark],
    calendars: Calendars,
) -> Iterator[DatedFact]:
    now, before = after.marked, was.marked
    for mark in points:
        if now.get(mark.key) == mark.at != before.get(mark.key):
            yield DatedFact(mark.at, _card(clock, mark, after.due, calendars))


def _card(clock: ClockRef, mark: Mark, due: datetime, calendars: Calendars) -> Data:
    if mark.rung is not None:
        id = mark.supervision(clock.id)
        return raised_fact(id, mark.rung, answer_due(mark.rung, mark.at, calendars))
    to = mark.warning.to if mark.warning else ()
    if mark.key == DUE:
        return DeadlineBreached(clock=clock.kind, due=due, to=to)
    point, color = (mark.warning.at, mark.warning.color) if mark.warning else (None, None)
    return DeadlineWarned(clock=clock.kind, due=due, point=point, color=color, to=to)


def raised_fact(id: UUID, rung: Rung, due: datetime | None) -> SupervisionRaised:
    """What is said of a rung that is raised, and to be answered by ``due``."""
    return SupervisionRaised(
        supervision=id,
        rung=rung.rung,
        title=rung.title,
        by=rung.by,
        reason=rung.reason,
        answer_due=due,
    )


def _ended(clock: ClockRef, was: ClockState, after: ClockState, lost: str) -> Iterator[DatedFact]:
    """Met or cancelled; said again when it turns out to have been at another time, or not late."""
    ended_at, late = after.ended_at, after.breached_at is not None
    if ended_at is None or _end(was) == _end(after):
        return
    match after.status:
        case ClockStatus.RUNNING | ClockStatus.PAUSED:
            raise AssertionError("a clock that ended is not open")
        case ClockStatus.MET:
            yield DatedFact(ended_at, DeadlineMet(clock=clock.kind, due=after.due, late=late))
        case ClockStatus.CANCELLED:
            if (was.status, was.ended_at) != (after.status, ended_at):
                yield DatedFact(ended_at, DeadlineCancelled(clock=clock.kind, reason=lost))
        case _:
            assert_never(after.status)


def _end(state: ClockState) -> tuple[ClockStatus, datetime | None, bool]:
    return state.status, state.ended_at, state.breached_at is not None
