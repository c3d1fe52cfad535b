"""A unit that gets a ticket again in the same round goes on where it stopped (ADR 0049). Pure.

Otherwise any order could be washed by taking it back and giving it again: what a unit has used up of its
time stays used up, whatever the desk does meanwhile. Only the time in which it did not have the ticket, or
had done the duty, is not the unit's.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from operator import itemgetter

from services.tracker.rules.clock_history import ClockHistory
from services.tracker.rules.clock_state import ClockState, is_late
from services.tracker.rules.earlier import Earlier
from services.tracker.rules.layout import shift
from services.tracker.rules.machine import OPEN
from services.tracker.rules.pauses import Pause, joined
from shared.events import ClockKind, Role
from shared.jurisdiction.calendar import Limit, WorkCalendar


def resumed(
    history: ClockHistory, calendar: WorkCalendar, before: ClockState | None = None
) -> ClockHistory:
    """The history a clock goes by: of the duty since its unit first had it in the round, or of the new
    order alone where that leaves it less time, because the new limit is shorter; or of what the unit had
    under another number that was merged into the work, where that is due first.

    ``before``: how the clock stands, for that is decided when it is set, and again where it would get a
    longer limit while it runs in time: that counts from the first order, too.
    """
    if not history.earlier or history.limit is None:
        return history
    if before and not before.resumed_at and not _lengthened(history, before, calendar):
        return history
    follows = before is not None and before.resumed_at is not None and history.terms_at is not None
    ways = [(each, _gone_on(history, each, calendar, follows)) for each in history.earlier]
    own: list[tuple[datetime, ClockHistory]] = []
    for each, way in ways:
        rest = shift(_due(way, calendar), each.pauses, way.limit or "0h", calendar).at
        if not each.joined and (before or rest <= _due(history, calendar)):
            counted = _counted(history, each, way, calendar)
            over = _is_over(way, calendar)
            own.append((rest, replace(way, due_counted=counted) if over else way))
    alone = min(own, key=itemgetter(0))[1] if own else history
    due = alone.due_counted if _is_over(alone, calendar) else _ends(alone, calendar)
    joined = [
        replace(way, due_counted=due) if _is_over(way, calendar) else way
        for each, way in ways
        if each.joined
    ]
    if before and before.resumed_at:
        went = (before.started_at, before.resumed_at)
        every = (*(way for _, way in own), *joined)
        same = (way for way in every if (way.started_at, way.resumed_at) == went)
        return next(same, alone if alone.resumed_at else joined[0])
    return min((*joined, alone), key=lambda way: _ends(way, calendar))


def _is_over(way: ClockHistory, calendar: WorkCalendar) -> bool:
    """Whether no time was left when it went on."""
    return way.resumed_at is not None and _ends(way, calendar) <= way.resumed_at


def _counted(
    history: ClockHistory, earlier: Earlier, way: ClockHistory, calendar: WorkCalendar
) -> datetime | None:
    """By when a lead that has no time left is in time in the figures, where it had run out under nothing that
    they count: a co-handler answers to its lead. Who led before has had that time.
    """
    if history.kind is not ClockKind.HANDLE or history.role is not Role.LEAD:
        return None
    ran_out = _ends(replace(way, resumed_at=None), calendar)
    if any(begins <= ran_out <= ends for begins, ends in earlier.led):
        return None
    return way.resumed_at if earlier.led else _ends(history, calendar)


def _gone_on(
    history: ClockHistory, earlier: Earlier, calendar: WorkCalendar, follows: bool
) -> ClockHistory:
    """A history that goes on from what its unit had before. ``follows``: its limit was changed since."""
    again_at = earlier.again_at
    own = (
        Pause(max(pause.begins_at, again_at), pause.ends_at)
        for pause in history.pauses
        if pause.ends_at is None or pause.ends_at >= again_at
    )
    return replace(
        history,
        started_at=earlier.started_at,
        limit=history.limit if follows else _longest(earlier, calendar),
        extension=history.extension + earlier.extension,
        pauses=joined((*earlier.pauses, *own)),
        resumed_at=again_at,
    )


def _lengthened(history: ClockHistory, before: ClockState, calendar: WorkCalendar) -> bool:
    told_at = history.terms_at
    if told_at is None or before.status not in OPEN or is_late(before, told_at):
        return False
    limits = (history.limit or before.terms.limit, before.terms.limit)
    new, old = (calendar.due(history.started_at, Limit.parse(each)).at for each in limits)
    return new > old


def _longest(earlier: Earlier, calendar: WorkCalendar) -> str:
    """A shorter limit must not take what the unit had left: then the new order's own time counts."""
    start = earlier.started_at
    return max(earlier.limits, key=lambda each: calendar.due(start, Limit.parse(each)).at)


def _due(history: ClockHistory, calendar: WorkCalendar) -> datetime:
    """Without its extension, which a shorter limit does not ask for."""
    return calendar.due(history.started_at, Limit.parse(history.limit or "0h")).at


def _ends(history: ClockHistory, calendar: WorkCalendar) -> datetime:
    """When it is due, with all that was granted; if that is over when it goes on, then."""
    due = _due(history, calendar)
    if history.extension:
        due = calendar.due(due, Limit(history.extension, "wd")).at
    at = shift(due, history.pauses, history.limit or "0h", calendar).at
    return max(at, history.resumed_at or at)
