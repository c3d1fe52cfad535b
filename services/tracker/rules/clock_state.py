"""How a clock stands: its status, its due moment, the marks it passed and the next one.

Marks are points on a clock: the warning, the due moment, the rungs of supervision. A mark is
passed if the clock was still running at that instant; so marks are judged by when things
happened, and a sweep that slept, or a fact that came late, changes nothing in the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import NamedTuple, assert_never
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict

from services.tracker.rules.clock_history import ClockHistory
from services.tracker.rules.machine import Action, ClockStatus, move
from services.tracker.rules.policy import Rung, Terms
from services.tracker.rules.supervision import card_point
from services.tracker.rules.timelines import Pause
from shared.jurisdiction.calendar import Due, Limit, WorkCalendar

WARN = "warn"
DUE = "due"


class Mark(NamedTuple):
    """A point on a clock. ``answer_due`` is when the unit must have answered a rung."""

    key: str
    at: datetime
    rung: Rung | None = None
    answer_due: datetime | None = None

    def supervision(self, clock: UUID) -> UUID:
        """The id of the supervision this mark raises: the same whenever it is worked out."""
        return supervision_id(clock, self.key, self.at)


def supervision_id(clock: UUID, key: str, at: datetime) -> UUID:
    """The id of the supervision a rung of a clock raised at an instant."""
    return uuid5(clock, f"{key}@{at.astimezone(UTC).isoformat()}")


class ClockState(BaseModel):
    """How a clock stands; also what is stored of it.

    ``resumed_at``: when its unit got the order again and it went on, since ``started_at`` long ago.
    ``base_due`` is the due moment without pauses. ``passed`` holds the marks that were passed, with
    their instants. ``next_at`` is when the sweep must look at it again.
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


_course_of = attrgetter(*_Course._fields)


# --- how it stands -----------------------------------------------------------------------------


def is_current(state: ClockState, history: ClockHistory, calendar: WorkCalendar) -> bool:
    """Whether a clock stands already as what befell it leaves it, under the terms it has: then to
    replay it would change nothing.
    """
    return _course(history, _play(history), state.terms, calendar, state) == _course_of(state)


def is_late(state: ClockState, at: datetime) -> bool:
    """Whether a clock was past its due moment at an instant, running or stopped since."""
    ran_past = state.status is ClockStatus.RUNNING or state.breached_at is not None
    return ran_past and state.due <= at


def replay(
    history: ClockHistory, terms: Terms, calendar: WorkCalendar, before: ClockState | None = None
) -> Reading:
    """How a clock stands after what befell it. ``before``: how it stood when last looked at.

    A running clock keeps the marks it passed and passes no new ones here, the sweep does that:
    facts that come in together must not breach a clock that one of them meets.
    """
    end = _play(history)
    course = _course(history, end, terms, calendar, before)
    bare = ClockState(terms=terms, passed={}, next_at=None, **course._asdict())
    known, points = before.passed if before else {}, marks(bare, calendar)
    if end.ran_until is None:
        return _having_passed(bare, points, [m for m in points if known.get(m.key) == m.at])
    return _having_passed(bare, points, [m for m in points if m.at < end.ran_until])


def due_uncharged(history: ClockHistory, terms: Terms, calendar: WorkCalendar) -> datetime | None:
    """When it would be due, were the time of its unit's lost disputes charged to nobody; None where none
    is charged to it.
    """
    real = {pause.begins_at: pause for pause in history.uncharged}
    pauses = tuple(real.get(pause.begins_at, pause) for pause in history.pauses)
    if pauses == history.pauses:
        return None
    return replay(replace(history, pauses=pauses), terms, calendar).state.due


def pass_due_marks(state: ClockState, calendar: WorkCalendar, now: datetime) -> Reading:
    """How a running clock stands once every mark up to ``now`` is passed."""
    points = marks(state, calendar)
    return _having_passed(state, points, [mark for mark in points if mark.at <= now])


def _having_passed(state: ClockState, points: Sequence[Mark], passed: Sequence[Mark]) -> Reading:
    ahead = [mark.at for mark in points if mark not in passed]
    running = state.status is ClockStatus.RUNNING
    update = {
        "passed": {mark.key: mark.at for mark in passed},
        "next_at": min(ahead, default=None) if running else None,
    }
    return Reading(state.model_copy(update=update), points)


def _course(
    history: ClockHistory,
    end: _End,
    terms: Terms,
    calendar: WorkCalendar,
    before: ClockState | None,
) -> _Course:
    pauses = _within(history, end)
    base = _base(history, terms, calendar, before)
    due = _due(base, pauses, terms, calendar, before)
    at = max(due.at, history.resumed_at or due.at)  # who gets it again late has no time left
    return _Course(
        status=end.status,
        started_at=history.started_at,
        extension=history.extension,
        pauses=pauses,
        base_due=base.at,
        due=at,
        provisional=due.provisional,
        ended_at=end.ended_at,
        resumed_at=history.resumed_at,
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


# --- its due moment ----------------------------------------------------------------------------


def _base(
    history: ClockHistory, terms: Terms, calendar: WorkCalendar, before: ClockState | None
) -> Due:
    """The due moment without pauses; a calendar that changes never moves it earlier."""
    base = calendar.due(history.started_at, Limit.parse(terms.limit))
    if before and before.started_at != history.started_at:
        before = None  # what its unit had before was not known yet
    if history.extension:
        longer = calendar.due(base.at, Limit(history.extension, "wd"))
        base = Due(longer.at, base.provisional or longer.provisional)
    if before and (before.terms.limit, before.extension) == (terms.limit, history.extension):
        return Due(max(base.at, before.base_due), base.provisional)
    if before and history.terms_at:
        # A correction that shortens a limit makes nothing late before it was made.
        floor = min(history.terms_at, before.base_due)
        return Due(max(base.at, floor), base.provisional)
    return base


def _due(
    base: Due,
    pauses: tuple[Pause, ...],
    terms: Terms,
    calendar: WorkCalendar,
    before: ClockState | None,
) -> Due:
    due = shift(base.at, pauses, terms.limit, calendar)
    provisional = base.provisional or due.provisional
    if before and (before.base_due, before.pauses) == (base.at, pauses):
        return Due(max(due.at, before.due), provisional)
    return Due(due.at, provisional)


def shift(at: datetime, pauses: Sequence[Pause], limited: str, calendar: WorkCalendar) -> Due:
    """A point moved by the pauses before it: the time of each counts as a clock with that limit counts
    time.
    """
    limit, provisional = Limit.parse(limited), False
    for pause in pauses:
        seconds = given_back(pause, limit, calendar)
        # A pause in the night gives nothing back, and must not move a duty end to the morning.
        if seconds and pause.begins_at <= at:
            moved = calendar.due(at, Limit(seconds / 3600, "h" if limit.natural else "wh"))
            at, provisional = moved.at, provisional or moved.provisional
    return Due(at, provisional)


def given_back(pause: Pause, limit: Limit, calendar: WorkCalendar) -> float:
    """Seconds a pause gives back: only its working time, unless the limit is natural time."""
    if pause.ends_at is None:
        return 0.0
    if limit.natural:
        return (pause.ends_at - pause.begins_at).total_seconds()
    return calendar.working_seconds_between(pause.begins_at, pause.ends_at)


# --- its marks ---------------------------------------------------------------------------------


def marks(state: ClockState, calendar: WorkCalendar) -> list[Mark]:
    """The points of a clock in the order of time; at one instant the due moment goes first."""
    points = [*_warning(state, calendar), Mark(DUE, state.due)]
    points += (_mark(state, rung, calendar) for rung in state.terms.climbed)
    if begins := state.resumed_at:  # nothing befalls an order before it was given
        points = [mark._replace(at=max(mark.at, begins)) for mark in points]
    return sorted(points, key=lambda mark: mark.at)


def _warning(state: ClockState, calendar: WorkCalendar) -> Iterator[Mark]:
    """The yellow card (R-31); a point not after the start is skipped."""
    if state.terms.warn is None:
        return
    point = card_point(state.terms.warn, calendar, state.started_at, state.base_due)
    if point:
        yield Mark(WARN, shift(point, state.pauses, state.terms.limit, calendar).at)


def _mark(state: ClockState, rung: Rung, calendar: WorkCalendar) -> Mark:
    at = _rung_at(state, rung.at, calendar)
    answer = calendar.due(at, Limit.parse(rung.answer)).at if rung.answer else None
    return Mark(rung.key, at, rung, answer)


def _rung_at(state: ClockState, anchor: str, calendar: WorkCalendar) -> datetime:
    if anchor == "start":
        return state.started_at
    if anchor == "due":
        return state.due
    overdue = calendar.due(state.base_due, Limit.parse(anchor)).at
    return max(state.due, shift(overdue, state.pauses, state.terms.limit, calendar).at)
