"""How a clock stands: its state, its due moment, the marks it passed and the next one.

Marks are points on a clock: the warning, the due moment, the rungs of supervision. A mark is
passed if the clock was still running at that instant; so marks are judged by when things
happened, and a sweep that slept, or a fact that came late, changes nothing in the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict

from services.tracker.rules.courses import Course, Pause
from services.tracker.rules.machine import OPEN, Action, State, move
from services.tracker.rules.policy import Rung, Terms
from shared.jurisdiction.calendar import Due, Limit, WorkCalendar
from shared.jurisdiction.limits import WarningRule

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


class Standing(BaseModel):
    """How a clock stands; also what is stored of it.

    ``base`` is the due moment without pauses. ``passed`` holds the marks that were passed, with
    their instants. ``next_at`` is when the sweep must look at it again.
    """

    model_config = ConfigDict(frozen=True, from_attributes=True)

    state: State
    started: datetime
    terms: Terms
    extension: int
    pauses: tuple[Pause, ...]
    base: datetime
    due: datetime
    provisional: bool
    ended: datetime | None
    passed: dict[str, datetime]
    next_at: datetime | None

    @property
    def breached(self) -> datetime | None:
        """When it was breached, if that stands."""
        return self.passed.get(DUE)

    @property
    def judged(self) -> datetime | None:
        """When it was decided whether the duty was done in time; None while open or cancelled."""
        return self.breached or (self.ended if self.state is State.MET else None)


class _End(NamedTuple):
    """Where the moves lead. ``ran_until`` is when the clock last ran, None while it runs."""

    state: State
    ended: datetime | None
    ran_until: datetime | None


# --- how it stands -----------------------------------------------------------------------------


def stand(
    course: Course, terms: Terms, calendar: WorkCalendar, before: Standing | None = None
) -> Standing:
    """How a clock stands after what befell it. ``before``: how it stood when last looked at.

    A running clock keeps the marks it passed and passes no new ones here, the sweep does that:
    facts that come in together must not breach a clock that one of them meets.
    """
    end = _play(course)
    pauses = _within(course, end)
    base = _base(course, terms, calendar, before)
    due = _due(base, pauses, terms, calendar, before)
    bare = Standing(
        state=end.state,
        started=course.started,
        terms=terms,
        extension=course.extension,
        pauses=pauses,
        base=base.at,
        due=due.at,
        provisional=due.provisional,
        ended=end.ended,
        passed={},
        next_at=None,
    )
    known, points = before.passed if before else {}, marks(bare, calendar)
    if end.ran_until is None:
        return _having_passed(bare, points, [m for m in points if known.get(m.key) == m.at])
    return _having_passed(bare, points, [m for m in points if m.at < end.ran_until])


def advance(standing: Standing, calendar: WorkCalendar, now: datetime) -> Standing:
    """How a running clock stands once every mark up to ``now`` is passed."""
    points = marks(standing, calendar)
    return _having_passed(standing, points, [mark for mark in points if mark.at <= now])


def _having_passed(standing: Standing, points: Sequence[Mark], passed: Sequence[Mark]) -> Standing:
    ahead = [mark.at for mark in points if mark not in passed]
    running = standing.state is State.RUNNING
    return standing.model_copy(
        update={
            "passed": {mark.key: mark.at for mark in passed},
            "next_at": min(ahead, default=None) if running else None,
        }
    )


def _play(course: Course) -> _End:
    """Play what befell a clock through its table of moves; what comes after the end is no move."""
    state, still = State.RUNNING, None
    for at, action in _moments(course):
        if state not in OPEN:
            break
        before, state = state, move(state, action)
        if state is State.PAUSED:
            still = at
        elif state not in OPEN:
            return _End(state, at, still if before is State.PAUSED else at)
    return _End(state, None, still if state is State.PAUSED else None)


# At one instant, doing the duty comes before asking to be rid of it.
_RANK = {Action.MEET: 0, Action.PAUSE: 1, Action.RESUME: 2, Action.CANCEL: 3}


def _moments(course: Course) -> list[tuple[datetime, Action]]:
    known = [
        (course.met, Action.MEET),
        (course.lost and course.lost.at, Action.CANCEL),
        *((pause.begins, Action.PAUSE) for pause in course.pauses),
        *((pause.ends, Action.RESUME) for pause in course.pauses),
    ]
    moments = [(max(at, course.started), action) for at, action in known if at]
    return sorted(moments, key=lambda moment: (moment[0], _RANK[moment[1]]))


def _within(course: Course, end: _End) -> tuple[Pause, ...]:
    """The pauses that fell into the clock's life, cut off at its end."""
    if end.ended is None:
        return course.pauses
    return tuple(
        Pause(pause.begins, min(pause.ends or end.ended, end.ended))
        for pause in course.pauses
        if pause.begins < end.ended
    )


# --- its due moment ----------------------------------------------------------------------------


def _base(course: Course, terms: Terms, calendar: WorkCalendar, before: Standing | None) -> Due:
    """The due moment without pauses; a calendar that changes never moves it earlier."""
    base = calendar.due(course.started, Limit.parse(terms.limit))
    if course.extension:
        longer = calendar.due(base.at, Limit(course.extension, "wd"))
        base = Due(longer.at, base.provisional or longer.provisional)
    if before and (before.terms.limit, before.extension) == (terms.limit, course.extension):
        return Due(max(base.at, before.base), base.provisional)
    return base


def _due(
    base: Due,
    pauses: tuple[Pause, ...],
    terms: Terms,
    calendar: WorkCalendar,
    before: Standing | None,
) -> Due:
    due = _shift(base.at, pauses, terms, calendar)
    provisional = base.provisional or due.provisional
    if before and (before.base, before.pauses) == (base.at, pauses):
        return Due(max(due.at, before.due), provisional)
    return Due(due.at, provisional)


def _shift(at: datetime, pauses: Sequence[Pause], terms: Terms, calendar: WorkCalendar) -> Due:
    """A point moved by the pauses before it: the time of each counts as the clock counts time."""
    limit, provisional = Limit.parse(terms.limit), False
    for pause in pauses:
        seconds = given_back(pause, limit, calendar)
        # A pause in the night gives nothing back, and must not move a duty end to the morning.
        if seconds and pause.begins <= at:
            moved = calendar.due(at, Limit(seconds / 3600, "h" if limit.natural else "wh"))
            at, provisional = moved.at, provisional or moved.provisional
    return Due(at, provisional)


def given_back(pause: Pause, limit: Limit, calendar: WorkCalendar) -> float:
    """Seconds a pause gives back: only its working time, unless the limit is natural time."""
    if pause.ends is None:
        return 0.0
    if limit.natural:
        return (pause.ends - pause.begins).total_seconds()
    return calendar.working_seconds_between(pause.begins, pause.ends)


# --- its marks ---------------------------------------------------------------------------------


def marks(standing: Standing, calendar: WorkCalendar) -> list[Mark]:
    """The points of a clock in the order of time; at one instant the due moment goes first."""
    points = [*_warning(standing, calendar), Mark(DUE, standing.due)]
    points += (_mark(standing, rung, calendar) for rung in standing.terms.rungs)
    return sorted(points, key=lambda mark: mark.at)


def _warning(standing: Standing, calendar: WorkCalendar) -> Iterator[Mark]:
    """The yellow card (R-31); a point not after the start is skipped."""
    if standing.terms.warn is None:
        return
    card = WarningRule(at=standing.terms.warn, color="yellow")
    point = card.point(calendar, standing.started, standing.base)
    if point:
        yield Mark(WARN, _shift(point, standing.pauses, standing.terms, calendar).at)


def _mark(standing: Standing, rung: Rung, calendar: WorkCalendar) -> Mark:
    at = _rung_at(standing, rung.at, calendar)
    answer = calendar.due(at, Limit.parse(rung.answer)).at if rung.answer else None
    return Mark(rung.key, at, rung, answer)


def _rung_at(standing: Standing, anchor: str, calendar: WorkCalendar) -> datetime:
    if anchor == "start":
        return standing.started
    if anchor == "due":
        return standing.due
    overdue = calendar.due(standing.base, Limit.parse(anchor)).at
    return max(standing.due, _shift(overdue, standing.pauses, standing.terms, calendar).at)
