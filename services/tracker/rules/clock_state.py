"""How a clock stands: its status, its due moment, the marks it passed and the next one.

Where its marks lie, layout.py says. A mark is passed if the clock was still running at that instant; so
marks are judged by when things happened, and a sweep that slept, or a fact that came late, changes nothing
in the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple, assert_never

from pydantic import BaseModel, ConfigDict

from services.tracker.rules.calendars import Calendars, Span
from services.tracker.rules.clock_history import ClockHistory
from services.tracker.rules.layout import DUE, Laid, Mark, Run, in_order, laid_out, marks_of
from services.tracker.rules.machine import OPEN, Action, ClockStatus, move
from services.tracker.rules.pauses import Pause
from services.tracker.rules.policy import Terms
from services.tracker.rules.upstream import Upstream
from shared.events import ClockKind, UpstreamLimit
from shared.jurisdiction.calendar import Due


class ClockState(BaseModel):
    """How a clock stands; also what is stored of it.

    ``resumed_at``: when its unit got the order again and it went on, since ``started_at`` long ago.
    ``base_due`` is the due moment without pauses, never before ``floor``. ``passed`` holds the marks that
    were passed, with their instants. ``next_at`` is when the sweep must look at it again. ``calendar``: the
    version it was laid out by last; 0 of one that a release laid out which kept no versions. ``warned``: the
    marks it passed that only tell people something, apart from what the release before knows.
    """

    model_config = ConfigDict(frozen=True, from_attributes=True)

    status: ClockStatus
    started_at: datetime
    terms: Terms
    extension: int
    pauses: tuple[Pause, ...]
    base_due: datetime
    due: datetime
    provisional: bool
    ended_at: datetime | None
    passed: dict[str, datetime]
    next_at: datetime | None
    resumed_at: datetime | None = None
    floor: datetime | None = None
    calendar: int = 0
    warned: dict[str, datetime] = {}

    @property
    def marked(self) -> dict[str, datetime]:
        """Every mark that was passed, with its instant."""
        return self.warned | self.passed

    @property
    def breached_at(self) -> datetime | None:
        """When it was breached, if that stands."""
        return self.passed.get(DUE)

    @property
    def judged_at(self) -> datetime | None:
        """When it was decided whether the duty was done in time; None while open or cancelled."""
        return self.breached_at or (self.ended_at if self.status is ClockStatus.MET else None)


class Reading(NamedTuple):
    """A clock as it is read: how it stands, and the marks on it in the order of time."""

    state: ClockState
    marks: Sequence[Mark]


class _End(NamedTuple):
    """Where the moves lead. ``ran_until`` is when the clock last ran, None while it runs."""

    status: ClockStatus
    ended_at: datetime | None
    ran_until: datetime | None


class _Course(NamedTuple):
    """What follows for a clock from what befell it, apart from its marks: fields of ClockState."""

    status: ClockStatus
    started_at: datetime
    extension: int
    pauses: tuple[Pause, ...]
    base_due: datetime
    due: datetime
    provisional: bool
    ended_at: datetime | None
    resumed_at: datetime | None
    floor: datetime | None
    calendar: int


_run_of = attrgetter(*Run._fields)
_course_of = attrgetter(*_Course._fields)


# --- how it stands -----------------------------------------------------------------------------


def is_current(state: ClockState, history: ClockHistory, calendars: Calendars) -> bool:
    """Whether a clock stands already as what befell it leaves it, under the terms it has: then to
    replay it would change nothing.
    """
    end = _play(history)
    return _course(*_laid(history, end, state.terms, calendars, state)) == _course_of(state)


def is_late(state: ClockState, at: datetime) -> bool:
    """Whether a clock was past its due moment at an instant, running or stopped since."""
    ran_past = state.status is ClockStatus.RUNNING or state.breached_at is not None
    return ran_past and state.due <= at


def keeps_terms(
    state: ClockState, urgency: str, history: ClockHistory, at: datetime, *, corrected: bool
) -> bool:
    """Whether a clock of an ``urgency`` keeps the terms it began under: until that or a promised day changes,
    a law is named, an upstream platform's moment is another, or what they depend on is ``corrected`` while it
    is open; for good once it is late: no breach is washed away.
    """
    if is_late(state, max(at, history.terms_at or at)):
        return True
    law, due = history.ground.law, wanted(history.ground.upstream)
    if (urgency, state.terms.law) != (history.urgency, law):
        return False
    if law is None and wanted(state.terms.upstream) != due:
        return False
    if corrected and history.assignment is None and state.status in OPEN:
        return False
    return history.kind is not ClockKind.PROMISE or state.terms.limit == history.limit


def wanted(upstream: Upstream | UpstreamLimit | None) -> datetime | None:
    """When an upstream platform wants the answer, if it does."""
    return upstream.due if upstream else None


def replay(
    history: ClockHistory, terms: Terms, calendars: Calendars, before: ClockState | None = None
) -> Reading:
    """How a clock stands after what befell it. ``before``: how it stood when last looked at.

    A running clock keeps the marks it passed and passes no new ones here, the sweep does that:
    facts that come in together must not breach a clock that one of them meets.
    """
    end = _play(history)
    run, end, laid = _laid(history, end, terms, calendars, before)
    course = _course(run, end, laid)
    bare = ClockState(terms=terms, passed={}, next_at=None, **course._asdict())
    known = before.marked if before else {}
    if end.ran_until is None:
        passed = [mark for mark in laid.marks if known.get(mark.key) == mark.at]
    else:
        passed = [mark for mark in laid.marks if mark.at < end.ran_until]
    return _having_passed(bare, laid.marks, passed)


def uncharged(history: ClockHistory) -> tuple[Pause, ...]:
    """When a clock would have stood still, were the time of its unit's lost disputes charged to nobody; empty
    where none is charged to it.
    """
    real = {pause.begins_at: pause for pause in history.uncharged}
    pauses = tuple(real.get(pause.begins_at, pause) for pause in history.pauses)
    if pauses == history.pauses:
        return ()
    return _within(replace(history, pauses=pauses), _play(history))


def due_uncharged(
    state: ClockState, pauses: tuple[Pause, ...], calendars: Calendars
) -> datetime | None:
    """When it would be due, had it stood still in other pauses; None where there are none."""
    return laid_out_by(state, calendars, pauses=pauses).due.at if pauses else None


def due_unextended(state: ClockState, calendars: Calendars) -> datetime:
    """When a clock was due, had nobody extended it; under the versions of its time."""
    return laid_out_by(state, calendars, extension=0).due.at


def laid_out_by(state: ClockState, calendars: Calendars, **otherwise: Any) -> Laid:
    """A clock laid out under the versions of its time; ``otherwise``: what of its run had been another."""
    run = Run(*_run_of(state))._replace(**otherwise)
    return laid_out(run, calendars.over(run.started_at, state.ended_at))


def pass_due_marks(state: ClockState, calendars: Calendars, now: datetime) -> Reading:
    """How a running clock stands once every mark up to ``now`` is passed, by the calendar known now."""
    return _laid_anew(state, calendars, lambda mark: mark.at <= now, now)


def lay_out(state: ClockState, calendars: Calendars) -> Reading:
    """How an open clock stands by the calendar known now, and its marks; what it passed, it has passed."""
    marked = state.marked
    return _laid_anew(state, calendars, lambda mark: marked.get(mark.key) == mark.at)


def _laid_anew(
    state: ClockState,
    calendars: Calendars,
    is_passed: Callable[[Mark], bool],
    until: datetime | None = None,
) -> Reading:
    spans = calendars.over(state.started_at, None)
    if [span.number for span in spans] == [state.calendar]:
        laid = _as_stands(state, spans[0])  # no version came since
    else:
        stands = None if state.calendar else _as_stands(state, spans[0])
        laid = laid_out(Run(*_run_of(state)), spans, stands)
    marks = laid.until(until) if until else laid.marks
    return _having_passed(
        state,
        marks,
        list(filter(is_passed, marks)),
        base_due=laid.base,
        due=laid.due.at,
        provisional=laid.due.provisional,
        calendar=laid.version,
    )


def _having_passed(
    state: ClockState, points: Sequence[Mark], passed: Sequence[Mark], **course: Any
) -> Reading:
    ahead = [mark.at for mark in points if mark not in passed]
    running = state.status is ClockStatus.RUNNING
    update = course | {
        "passed": {mark.key: mark.at for mark in passed if not mark.is_notice},
        "warned": {mark.key: mark.at for mark in passed if mark.is_notice},
        "next_at": min(ahead, default=None) if running else None,
    }
    return Reading(state.model_copy(update=update), points)


def _run(history: ClockHistory, end: _End, terms: Terms, before: ClockState | None) -> Run:
    return Run(
        started_at=history.started_at,
        terms=terms,
        extension=history.extension,
        pauses=_within(history, end),
        resumed_at=history.resumed_at,
        floor=_floor(history, terms, before),
    )


def _laid(
    history: ClockHistory,
    end: _End,
    terms: Terms,
    calendars: Calendars,
    before: ClockState | None,
) -> tuple[Run, _End, Laid]:
    """A clock laid out under the versions of its time. An extension that was granted after the duty was done
    counts only where it had been late without (R-18).
    """
    run = _run(history, end, terms, before)
    spans = calendars.over(run.started_at, end.ended_at)
    if history.granted_late and end.status is ClockStatus.MET and end.ended_at:
        without = run._replace(extension=run.extension - history.granted_late)
        laid = laid_out(without, spans)
        if end.ended_at <= laid.due.at:
            return without, end, laid
    return run, end, laid_out(run, spans)


def _floor(history: ClockHistory, terms: Terms, before: ClockState | None) -> datetime | None:
    """Before when a clock is never due, without pauses: a correction that shortens a limit makes nothing
    late before it was made. One that an older release laid out is never due before what that release said.
    """
    if before is None or before.started_at != history.started_at:
        return None  # what its unit had before was not known yet
    moment = wanted(before.terms.upstream) == wanted(terms.upstream)
    if before.terms.limit == terms.limit and moment:
        same = before.extension == history.extension
        return before.base_due if before.calendar == 0 and same else before.floor
    return min(history.terms_at, before.base_due) if history.terms_at else before.floor


def _course(run: Run, end: _End, laid: Laid) -> _Course:
    return _Course(
        status=end.status,
        started_at=run.started_at,
        extension=run.extension,
        pauses=run.pauses,
        base_due=laid.base,
        due=laid.due.at,
        provisional=laid.due.provisional,
        ended_at=end.ended_at,
        resumed_at=run.resumed_at,
        floor=run.floor if run.floor == laid.base else None,
        calendar=laid.version,
    )


def _play(history: ClockHistory) -> _End:
    """Play what befell a clock through its table of moves; what comes after the end is no move."""
    status, still = ClockStatus.RUNNING, None
    for at, action in _moments(history):
        before, status = status, move(status, action)
        match status:
            case ClockStatus.RUNNING:
                continue
            case ClockStatus.PAUSED:
                still = at
            case ClockStatus.MET | ClockStatus.CANCELLED:
                return _End(status, at, still if before is ClockStatus.PAUSED else at)
            case _:
                assert_never(status)
    return _End(status, None, still if status is ClockStatus.PAUSED else None)


# At one instant, doing the duty comes before asking to be rid of it.
_RANK = {Action.MEET: 0, Action.PAUSE: 1, Action.RESUME: 2, Action.CANCEL: 3}


def _moments(history: ClockHistory) -> list[tuple[datetime, Action]]:
    known = [
        (history.met_at, Action.MEET),
        (history.lost and history.lost.at, Action.CANCEL),
        *((pause.begins_at, Action.PAUSE) for pause in history.pauses),
        *((pause.ends_at, Action.RESUME) for pause in history.pauses),
    ]
    moments = [(max(at, history.started_at), action) for at, action in known if at]
    return sorted(moments, key=lambda moment: (moment[0], _RANK[moment[1]]))


def _within(history: ClockHistory, end: _End) -> tuple[Pause, ...]:
    """The pauses that fell into the clock's life, cut off at its end."""
    if end.ended_at is None:
        return history.pauses
    return tuple(
        Pause(pause.begins_at, min(pause.ends_at or end.ended_at, end.ended_at))
        for pause in history.pauses
        if pause.begins_at < end.ended_at
    )


def _as_stands(state: ClockState, span: Span) -> Laid:
    """A clock as it was laid out, also by a release that kept no versions: what it passed, and what lies
    ahead.
    """
    run, marked = Run(*_run_of(state)), state.marked

    def points(until: datetime | None) -> Iterator[Mark]:
        for mark in in_order(marks_of(run, state.base_due, state.due, span.calendar, until)):
            yield mark._replace(at=marked.get(mark.key, mark.at))

    due = Due(state.due, state.provisional)
    return Laid(state.base_due, due, state.due, state.calendar, points)
